#include "runtime/ptx/matrix/SharedMatrix.h"
#include "test/runtime/ptx/matrix/Canonical.h"

#include <gtest/gtest.h>

#include <random>

namespace glm::ptx {
namespace {

uint32_t canonical(const SharedMatrix &matrix, bool isMnMajor, uint32_t elementBytes, uint32_t mn, uint32_t k) {
  return test::Canonical{static_cast<test::Canonical::Swizzle>(matrix.swizzle),
                         isMnMajor,
                         elementBytes,
                         matrix.start,
                         matrix.leading,
                         matrix.stride}
      .at(mn, k);
}

SharedMatrix example(MatrixSwizzle swizzle, bool isMnMajor, uint32_t rows) {
  SharedMatrix matrix;
  matrix.swizzle = swizzle;
  matrix.start = 2048;
  uint32_t width = matrix.chunksPerRow();
  if (swizzle == MatrixSwizzle::None) {
    matrix.leading = isMnMajor ? rows * 16 + 16 : 144;
    matrix.stride = isMnMajor ? 160 : 304;
  } else {
    matrix.leading = 4096;
    matrix.stride = 8 * width * 16;
  }
  return matrix;
}

TEST(SharedMatrix, every_element_is_found) {
  std::mt19937_64 generator(1);
  std::vector<std::byte> shared(64 * 1024);
  for (std::byte &byte : shared)
    byte = static_cast<std::byte>(generator());
  for (MatrixSwizzle swizzle : {MatrixSwizzle::None, MatrixSwizzle::Bytes32, MatrixSwizzle::Bytes64,
                                MatrixSwizzle::Bytes128, MatrixSwizzle::Bytes128In32})
    for (bool isMnMajor : {false, true})
      for (uint32_t bytes : {1u, 2u, 4u}) {
        SharedMatrix matrix = example(swizzle, isMnMajor, 64);
        OperandTile tile{
            .firstRow = 16, .rowBlocks = 4, .kBlocks = 2, .isMnMajor = isMnMajor, .elementBits = 8 * bytes};
        std::vector<std::byte> blocks(4 * 2 * kCoreBytes);
        ASSERT_TRUE(gatherBlocks(matrix, tile, shared.data(), shared.size(), blocks.data()));
        uint32_t perRow = 16 / bytes;
        for (uint32_t row = 0; row < 32; ++row)
          for (uint32_t k = 0; k < 2 * perRow; ++k)
            for (uint32_t byte = 0; byte < bytes; ++byte) {
              uint32_t block = row / 8 * 2 + k / perRow;
              ASSERT_EQ(blocks[block * kCoreBytes + row % 8 * 16 + k % perRow * bytes + byte],
                        shared[canonical(matrix, isMnMajor, bytes, 16 + row, k) + byte])
                  << static_cast<int>(swizzle) << " " << isMnMajor << " " << bytes << " row " << row << " k " << k;
            }
      }
}

// A step along k within a swizzled row adds its bytes to the start address alone.
TEST(SharedMatrix, start_within_a_row) {
  SharedMatrix whole = example(MatrixSwizzle::Bytes128, false, 64), step = whole;
  step.start += 64;
  for (uint32_t row = 0; row < 64; ++row)
    for (uint32_t chunk = 0; chunk < 2; ++chunk)
      EXPECT_EQ(step.kMajor(row, chunk), whole.kMajor(row, chunk + 4));
}

TEST(SharedMatrix, pattern_may_start_anywhere) {
  // A tile whose first row lies three lines into the pattern of the address: the base offset says so.
  SharedMatrix aligned = example(MatrixSwizzle::Bytes128, false, 64), moved = aligned;
  moved.start += 3 * 128;
  moved.baseOffset = 3;
  for (uint32_t row = 0; row < 64; ++row)
    EXPECT_EQ(moved.kMajor(row, 1) - moved.start, aligned.kMajor(row, 1) - aligned.start);
}

TEST(SharedMatrix, ranges_are_what_is_gathered) {
  for (MatrixSwizzle swizzle : {MatrixSwizzle::None, MatrixSwizzle::Bytes32, MatrixSwizzle::Bytes128})
    for (bool isMnMajor : {false, true}) {
      SharedMatrix matrix = example(swizzle, isMnMajor, 64);
      OperandTile tile{.firstRow = 0, .rowBlocks = 4, .kBlocks = 2, .isMnMajor = isMnMajor, .elementBits = 16};
      std::vector<int> touched(64 * 1024), expected(64 * 1024);
      for (SharedRange range : rangesOf(matrix, tile))
        for (uint32_t i = 0; i < range.bytes; ++i)
          ++touched[range.offset + i];
      for (uint32_t row = 0; row < 32; ++row)
        for (uint32_t k = 0; k < 16; ++k)
          for (uint32_t byte = 0; byte < 2; ++byte)
            expected[canonical(matrix, isMnMajor, 2, row, k) + byte] = 1;
      EXPECT_EQ(touched, expected) << static_cast<int>(swizzle) << isMnMajor;
    }
}

TEST(SharedMatrix, outside_is_noticed) {
  SharedMatrix matrix = example(MatrixSwizzle::None, false, 64);
  std::vector<std::byte> shared(2048 + 304 * 3), blocks(8 * 2 * kCoreBytes);
  EXPECT_FALSE(gatherBlocks(matrix, {.rowBlocks = 4}, shared.data(), shared.size(), blocks.data()));
  EXPECT_TRUE(gatherBlocks(matrix, {.rowBlocks = 3}, shared.data(), shared.size(), blocks.data()));
}

// PTX ISA, "Matrix-descriptor layout": start in bits 0 to 13, leading 16 to 29, stride 32 to 45, base offset 49 to 51, all but
// the last in units of 16 bytes.
uint64_t fields(uint64_t start, uint64_t leading, uint64_t stride, uint64_t base) {
  return start >> 4 | leading >> 4 << 16 | stride >> 4 << 32 | base << 49;
}

TEST(SharedMatrix, wgmma_descriptor) {
  SharedMatrix matrix;
  EXPECT_EQ(decodeWgmmaDescriptor(fields(0x1230, 0x400, 0x3fff0, 5) | uint64_t{1} << 62, matrix), std::nullopt);
  EXPECT_EQ(matrix.start, 0x1230u);
  EXPECT_EQ(matrix.leading, 0x400u);
  EXPECT_EQ(matrix.stride, 0x3fff0u);
  EXPECT_EQ(matrix.baseOffset, 5u);
  EXPECT_EQ(matrix.swizzle, MatrixSwizzle::Bytes128);
  EXPECT_EQ(decodeWgmmaDescriptor(uint64_t{2} << 62, matrix), std::nullopt);
  EXPECT_EQ(matrix.swizzle, MatrixSwizzle::Bytes64);
  EXPECT_EQ(decodeWgmmaDescriptor(uint64_t{3} << 62, matrix), std::nullopt);
  EXPECT_EQ(matrix.swizzle, MatrixSwizzle::Bytes32);
  for (int bit : {14, 15, 30, 31, 46, 47, 48, 52, 60, 61})
    EXPECT_NE(decodeWgmmaDescriptor(uint64_t{1} << bit, matrix), std::nullopt) << bit;
}

TEST(SharedMatrix, tcgen05_descriptor) {
  SharedMatrix matrix;
  uint64_t version = uint64_t{1} << 46;
  for (auto [code, swizzle] : {std::pair{0, MatrixSwizzle::None},
                               {1, MatrixSwizzle::Bytes128In32},
                               {2, MatrixSwizzle::Bytes128},
                               {4, MatrixSwizzle::Bytes64},
                               {6, MatrixSwizzle::Bytes32}}) {
    EXPECT_EQ(decodeTcgen05Descriptor(version | static_cast<uint64_t>(code) << 61, matrix), std::nullopt);
    EXPECT_EQ(matrix.swizzle, swizzle);
  }
  for (int code : {3, 5, 7})
    EXPECT_NE(decodeTcgen05Descriptor(version | static_cast<uint64_t>(code) << 61, matrix), std::nullopt);
  EXPECT_NE(decodeTcgen05Descriptor(0, matrix), std::nullopt);
  for (int bit : {14, 31, 47, 52, 53, 60})
    EXPECT_NE(decodeTcgen05Descriptor(version | uint64_t{1} << bit, matrix), std::nullopt) << bit;
}

} // namespace
} // namespace glm::ptx
