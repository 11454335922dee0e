// cvt to and from packed and narrow formats, and cvt.pack.
#include "test/runtime/ptx/arithmetic/Snippet.h"
#include "test/runtime/ptx/number/Reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace glm::ptx {
namespace {

using reference::codeOf;
using reference::floatOf;
using reference::Format;
using reference::How;
using reference::valueOf;

struct Narrow {
  const char *name;
  const Format &format;
  int place; ///< bits in a pair
};
const Narrow kEights[] = {{"e4m3", reference::kFourThree, 8}, {"e5m2", reference::kFiveTwo, 8}};
const Narrow kSmaller[] = {
    {"e2m1", reference::kTwoOne, 4}, {"e2m3", reference::kTwoThree, 8}, {"e3m2", reference::kThreeTwo, 8}};
const Narrow kHalves[] = {{"f16", reference::kHalf, 16}, {"bf16", reference::kBrain, 16}};

Type pairType(const Narrow &narrow) { return narrow.place == 4 ? Type::B8 : Type::B16; }

struct Rounder {
  const char *word;
  Rounding rounding;
};
constexpr Rounder kRounders[] = {{"rn", Rounding::Nearest}, {"rz", Rounding::Zero}};

/// Floats of the size that narrow formats can hold, often on ties.
std::function<uint64_t(std::mt19937_64 &, size_t)> smallFloats() {
  return [](std::mt19937_64 &random, size_t) -> uint64_t {
    const uint64_t bits = random();
    if (bits % 3 == 0)
      return reference::interestingFloat(random);
    const float value = std::ldexp(static_cast<float>(static_cast<int>(bits >> 32 & 0x3ff) - 512),
                                   static_cast<int>(bits >> 8 & 15) - 12);
    return reference::bitsOf(bits % 3 == 1 ? value : std::nextafter(value, bits >> 20 & 1 ? 1e9f : -1e9f));
  };
}

TEST(NarrowConvertTest, SinglesToOneHalf) {
  for (const Narrow &half : kHalves)
    for (const Rounder &rounder : kRounders)
      for (const std::string flags : {".relu", ".satfinite", ".relu.satfinite", ".satfinite.relu"}) {
        const How how{rounder.rounding, flags.find("sat") != std::string::npos,
                      flags.find("relu") != std::string::npos};
        check({.spelling = std::string("cvt.") + rounder.word + flags + "." + half.name + ".f32",
               .to = Type::B16,
               .from = {Type::F32},
               .expected = [&](const uint64_t *in) -> uint64_t { return codeOf(half.format, floatOf(in[0]), how); },
               .input = smallFloats()});
      }
}

TEST(NarrowConvertTest, SinglesToTwoHalves) {
  for (const Narrow &half : kHalves)
    for (const Rounder &rounder : kRounders)
      for (const std::string flags : {"", ".relu", ".satfinite", ".relu.satfinite", ".satfinite.relu"}) {
        const How how{rounder.rounding, flags.find("sat") != std::string::npos,
                      flags.find("relu") != std::string::npos};
        check({.spelling = std::string("cvt.") + rounder.word + flags + "." + half.name + "x2.f32",
               .to = Type::B32,
               .from = {Type::F32, Type::F32},
               .expected = [&](const uint64_t *in) -> uint64_t {
                 return static_cast<uint64_t>(codeOf(half.format, floatOf(in[0]), how)) << 16 |
                        codeOf(half.format, floatOf(in[1]), how);
               },
               .input = smallFloats()});
      }
}

TEST(NarrowConvertTest, Tf32) {
  const struct {
    const char *modifiers;
    How how;
  } cases[] = {{"rna", {Rounding::NearestAway, false, false}},
               {"rna.satfinite", {Rounding::NearestAway, true, false}},
               {"rn", {Rounding::Nearest, false, false}},
               {"rz", {Rounding::Zero, false, false}},
               {"rn.relu", {Rounding::Nearest, false, true}},
               {"rz.satfinite", {Rounding::Zero, true, false}},
               {"rn.satfinite.relu", {Rounding::Nearest, true, true}},
               {"rz.relu.satfinite", {Rounding::Zero, true, true}}};
  for (const auto &one : cases)
    check({.spelling = std::string("cvt.") + one.modifiers + ".tf32.f32",
           .to = Type::B32,
           .from = {Type::F32},
           .expected = [&](const uint64_t *in) -> uint64_t {
             const float value = floatOf(in[0]);
             // As an H100: only .rna keeps what stands in a NaN's upper bits.
             if (std::isnan(value))
               return one.how.rounding == Rounding::NearestAway ? in[0] & 0xffffe000 : 0x7fffe000;
             return static_cast<uint64_t>(codeOf(reference::kTensor, value, one.how)) << 13;
           },
           .input = smallFloats()});
  EXPECT_NE(Snippet(bestLaneSet(), "cvt.rn.satfinite.tf32.f32 %r0, %r1;", "sm_90a").refusal(), "");
}

void checkToPair(const Narrow &narrow) {
  for (bool relu : {false, true}) {
    const How how{Rounding::Nearest, true, relu};
    const std::string stem = std::string("cvt.rn.satfinite") + (relu ? ".relu." : ".") + narrow.name + "x2";
    check({.spelling = stem + ".f32",
           .to = pairType(narrow),
           .from = {Type::F32, Type::F32},
           .expected = [&](const uint64_t *in) -> uint64_t {
             return static_cast<uint64_t>(codeOf(narrow.format, floatOf(in[0]), how)) << narrow.place |
                    codeOf(narrow.format, floatOf(in[1]), how);
           },
           .input = smallFloats(),
           .rounds = 60});
    if (narrow.place == 8 && narrow.format.exponentBits < 4)
      continue;
    check({.spelling = stem + ".f16x2",
           .to = pairType(narrow),
           .from = {Type::F16x2},
           .expected = [&](const uint64_t *in) -> uint64_t {
             const auto one = [&](uint64_t code) {
               return codeOf(narrow.format, valueOf(reference::kHalf, static_cast<uint32_t>(code & 0xffff)), how);
             };
             return static_cast<uint64_t>(one(in[0] >> 16)) << narrow.place | one(in[0]);
           },
           .rounds = 60});
  }
}
void checkFromPair(const Narrow &narrow) {
  for (bool relu : {false, true})
    check({.spelling = std::string("cvt.rn") + (relu ? ".relu" : "") + ".f16x2." + narrow.name + "x2",
           .to = Type::B32,
           .from = {pairType(narrow)},
           .expected = [&](const uint64_t *in) -> uint64_t {
             const auto one = [&](uint64_t code) {
               const int bits = 1 + narrow.format.exponentBits + narrow.format.mantissaBits;
               const double value = valueOf(narrow.format, static_cast<uint32_t>(code) & ((1u << bits) - 1));
               return codeOf(reference::kHalf, value, {.relu = relu});
             };
             const uint64_t mask = (1ull << narrow.place) - 1;
             return static_cast<uint64_t>(one(in[0] >> narrow.place & mask)) << 16 | one(in[0] & mask);
           },
           // Every pair of codes.
           .input = [next = uint64_t(0)](std::mt19937_64 &, size_t) mutable { return next++ & 0xffff; },
           .rounds = narrow.place == 4 ? 16 : 4096});
}

TEST(NarrowConvertTest, PairsOfEightBits) {
  for (const Narrow &narrow : kEights) {
    checkToPair(narrow);
    checkFromPair(narrow);
  }
}
TEST(NarrowConvertTest, PairsOfSmallerFormats) {
  for (const Narrow &narrow : kSmaller) {
    checkToPair(narrow);
    checkFromPair(narrow);
  }
  EXPECT_NE(Snippet(bestLaneSet(), "cvt.rn.f16x2.e2m1x2 %r0, %b1;", "sm_90a").refusal(), "");
}

/// The magnitude's place between its two neighbours, with `bits` bits: stochastic rounding adds the random bits to it.
uint32_t stochastic(const Format &format, float value, uint32_t random, int bits, bool satfinite, bool relu) {
  if (!std::isfinite(value))
    return codeOf(format, value, {Rounding::Zero, satfinite, relu});
  const uint32_t down = codeOf(format, value, {Rounding::Zero, satfinite, relu});
  if (relu && std::signbit(value))
    return 0;
  const int width = format.exponentBits + format.mantissaBits;
  const uint32_t magnitude = down & ((1u << width) - 1);
  const std::vector<double> &values = reference::valuesOf(format);
  const double low = values[magnitude];
  const bool last = magnitude + 1 == values.size();
  const double high = last ? low + (low - values[magnitude - 1]) : values[magnitude + 1];
  const double part = (std::fabs(static_cast<double>(value)) - low) / (high - low);
  if (part >= 1) // far beyond the largest
    return satfinite || !format.infinity ? down : (down & 1u << width) | static_cast<uint32_t>(values.size());
  const bool up = part + std::ldexp(random & ((1u << bits) - 1), -bits) >= 1;
  if (up && last)
    return satfinite || !format.infinity ? down : down + 1;
  return down + (up ? 1 : 0);
}

TEST(NarrowConvertTest, StochasticHalves) {
  for (const Narrow &half : kHalves)
    for (const std::string flags : {"", ".relu", ".satfinite", ".relu.satfinite"}) {
      const bool sat = flags.find("sat") != std::string::npos, relu = flags.find("relu") != std::string::npos;
      const int bits = half.format.mantissaBits == 10 ? 13 : 16;
      check({.spelling = "cvt.rs" + flags + "." + half.name + "x2.f32",
             .to = Type::B32,
             .from = {Type::F32, Type::F32, Type::B32},
             .expected = [&](const uint64_t *in) -> uint64_t {
               return static_cast<uint64_t>(
                          stochastic(half.format, floatOf(in[0]), static_cast<uint32_t>(in[2] >> 16), bits, sat, relu))
                          << 16 |
                      stochastic(half.format, floatOf(in[1]), static_cast<uint32_t>(in[2] & 0xffff), bits, sat, relu);
             },
             .input = [](std::mt19937_64 &random,
                         size_t index) { return index == 2 ? random() & 0xffffffff : smallFloats()(random, index); },
             .rounds = 60});
    }
  EXPECT_NE(Snippet(bestLaneSet(), "cvt.rs.f16x2.f32 %r0, %r1, %r2, %r3;", "sm_120a").refusal(), "");
}

TEST(NarrowConvertTest, StochasticFours) {
  for (const Narrow *narrow : {&kEights[0], &kEights[1], &kSmaller[0], &kSmaller[1], &kSmaller[2]})
    for (bool relu : {false, true}) {
      const bool small = narrow->place == 4;
      const std::string text = std::string("cvt.rs") + (relu ? ".relu" : "") + ".satfinite." + narrow->name +
                               "x4.f32 " + (small ? "%h0" : "%r0") + ", {%r1, %r2, %r3, %r4}, %r5;";
      for (LaneSet set : laneSets()) {
        Snippet snippet(set, text);
        ASSERT_EQ(snippet.refusal(), "");
        std::mt19937_64 random(4);
        for (int round = 0; round < 60; ++round) {
          std::array<LaneValues, 6> in{};
          for (int i = 1; i < 6; ++i) {
            for (uint64_t &value : in[i])
              value = i == 5 ? random() & 0xffffffff : smallFloats()(random, 0);
            snippet.set("%r" + std::to_string(i), in[i]);
          }
          snippet.run();
          const LaneValues found = snippet.get(small ? "%h0" : "%r0");
          for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
            const uint64_t high = in[5][lane] >> 16, low = in[5][lane] & 0xffff;
            const uint64_t words[] = {small ? high >> 8 : high, small ? low >> 8 : high, small ? high & 0xff : low,
                                      small ? low & 0xff : low};
            uint64_t expected = 0;
            for (int i = 0; i < 4; ++i)
              expected =
                  expected << narrow->place | stochastic(narrow->format, floatOf(in[i + 1][lane]),
                                                         static_cast<uint32_t>(words[i]), small ? 8 : 16, true, relu);
            ASSERT_EQ(found[lane], expected) << text << " lane " << lane;
          }
        }
      }
    }
}

/// Powers of two at or below, or at or above, as ue8m0.
uint32_t scaleOf(double value, bool up, bool sat) {
  if (std::isnan(value))
    return 255;
  value = std::fabs(value);
  if (std::isinf(value))
    return sat ? 254 : 255;
  for (uint32_t code = 0; code < 255; ++code) {
    const double here = std::ldexp(1.0, static_cast<int>(code) - 127), next = 2 * here;
    if (up ? value <= here : value < next)
      return code;
  }
  return sat ? 254 : 255;
}

TEST(NarrowConvertTest, Scales) {
  for (bool up : {false, true})
    for (bool sat : {false, true}) {
      const std::string stem = std::string("cvt.") + (up ? "rp" : "rz") + (sat ? ".satfinite" : "") + ".ue8m0x2";
      check({.spelling = stem + ".f32",
             .to = Type::B16,
             .from = {Type::F32, Type::F32},
             .expected = [=](const uint64_t *in) -> uint64_t {
               return scaleOf(floatOf(in[0]), up, sat) << 8 | scaleOf(floatOf(in[1]), up, sat);
             }});
      check({.spelling = stem + ".bf16x2",
             .to = Type::B16,
             .from = {Type::BF16x2},
             .expected = [=](const uint64_t *in) -> uint64_t {
               const auto one = [&](uint64_t code) {
                 return scaleOf(valueOf(reference::kBrain, static_cast<uint32_t>(code & 0xffff)), up, sat);
               };
               return one(in[0] >> 16) << 8 | one(in[0]);
             }});
    }
  check({.spelling = "cvt.rn.bf16x2.ue8m0x2",
         .to = Type::B32,
         .from = {Type::B16},
         .expected = [](const uint64_t *in) -> uint64_t {
           const auto one = [](uint64_t code) -> uint64_t {
             return code == 255 ? 0x7fff : codeOf(reference::kBrain, std::ldexp(1.0, static_cast<int>(code) - 127));
           };
           return one(in[0] >> 8 & 255) << 16 | one(in[0] & 255);
         },
         .input = [next = uint64_t(0)](std::mt19937_64 &, size_t) mutable { return next++ & 0xffff; },
         .rounds = 4096});
}

TEST(NarrowConvertTest, PackedIntegers) {
  for (Type type : {Type::U16, Type::S16, Type::U8, Type::S8, Type::U4, Type::S4, Type::U2, Type::S2}) {
    const auto width = static_cast<int>(bitsOf(type));
    const auto one = [=](uint64_t bits) {
      const int64_t value = static_cast<int32_t>(bits);
      const int64_t least = isSigned(type) ? -(1 << (width - 1)) : 0,
                    most = isSigned(type) ? (1 << (width - 1)) - 1 : (1 << width) - 1;
      return static_cast<uint64_t>(std::clamp(value, least, most)) & ((1ull << width) - 1);
    };
    std::vector<Type> from = {Type::S32, Type::S32};
    if (width < 16)
      from.push_back(Type::B32);
    check({.spelling = "cvt.pack.sat." + std::string(nameOf(type)) + ".s32" + (width < 16 ? ".b32" : ""),
           .to = Type::B32,
           .from = from,
           .expected =
               [&](const uint64_t *in) {
                 const uint64_t both = one(in[0]) << width | one(in[1]);
                 return width == 16 ? both : in[2] << (2 * width) | both;
               },
           .input = [](std::mt19937_64 &random, size_t index) -> uint64_t {
             return index == 2 ? random() & 0xffffffff
                               : static_cast<uint32_t>(static_cast<int32_t>(random()) >> (random() % 32));
           }});
  }
}

} // namespace
} // namespace glm::ptx
