#include "runtime/ptx/async/Swizzle.h"

#include <gtest/gtest.h>
#include <set>

namespace glm::ptx {
namespace {

/// The pictures of the PTX ISA in words: an address is a row of 128 bytes and a byte within it; chunks of `chunk` bytes
/// within spans of `span` bytes change places by the row's number.
struct Picture {
  Swizzle swizzle;
  uint32_t span, chunk;
};
constexpr Picture kPictures[] = {
    {Swizzle::B32, 32, 16},         {Swizzle::B64, 64, 16},         {Swizzle::B128, 128, 16},
    {Swizzle::B128Atom32, 128, 32}, {Swizzle::B128Atom64, 128, 64},
};

TEST(SwizzleTest, chunksChangePlacesByRow) {
  for (const Picture &picture : kPictures) {
    uint32_t chunks = picture.span / picture.chunk;
    for (uint32_t address = 0; address < 8192; ++address) {
      uint32_t row = address / 128, span = address / picture.span, chunk = address % picture.span / picture.chunk;
      uint32_t expected = span * picture.span + (chunk ^ (row % chunks)) * picture.chunk + address % picture.chunk;
      ASSERT_EQ(swizzledAddress(picture.swizzle, address), expected)
          << "swizzle " << int(picture.swizzle) << " address " << address;
    }
  }
}

TEST(SwizzleTest, flipSwapsHalvesInOddRows) {
  for (uint32_t address = 0; address < 4096; ++address) {
    uint32_t row = address / 128, chunk = address % 128 / 32, half = address / 8 % 2, rest = address % 8;
    uint32_t upper = address / 16 % 2;
    uint32_t expected = row * 128 + (chunk ^ (row % 4)) * 32 + upper * 16 + (row % 2 ? 1 - half : half) * 8 + rest;
    ASSERT_EQ(swizzledAddress(Swizzle::B128Atom32Flip8, address), expected) << address;
  }
}

TEST(SwizzleTest, noneLeavesAddresses) {
  for (uint32_t address = 0; address < 4096; address += 7)
    ASSERT_EQ(swizzledAddress(Swizzle::None, address), address);
}

TEST(SwizzleTest, isAPermutationOfItsSpan) {
  for (uint32_t value = 0; value <= static_cast<uint32_t>(Swizzle::B128Atom64); ++value) {
    auto swizzle = static_cast<Swizzle>(value);
    std::set<uint32_t> seen;
    for (uint32_t address = 0; address < 2048; ++address) {
      uint32_t moved = swizzledAddress(swizzle, address);
      EXPECT_EQ(moved / 128, address / 128);
      EXPECT_EQ(moved % swizzlePiece(swizzle), address % swizzlePiece(swizzle));
      seen.insert(moved);
    }
    EXPECT_EQ(seen.size(), 2048u);
  }
}

} // namespace
} // namespace glm::ptx
