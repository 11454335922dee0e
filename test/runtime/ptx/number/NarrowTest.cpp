// Narrow formats: every code widened, and floats narrowed at every place where the result changes.
#include "runtime/ptx/number/Narrow.h"
#include "runtime/ptx/number/Scalar.h"
#include "test/runtime/ptx/number/Reference.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace glm::ptx {
namespace {

using reference::codeOf;
using reference::How;
using reference::valueOf;
using reference::valuesOf;

struct Widened {
  const char *name;
  const reference::Format &format;
  float (*widen)(uint32_t);
};
const Widened kWidened[] = {
    {"f16", reference::kHalf, widenOne<kF16>},        {"bf16", reference::kBrain, widenOne<kBF16>},
    {"e4m3", reference::kFourThree, widenOne<kE4M3>}, {"e5m2", reference::kFiveTwo, widenOne<kE5M2>},
    {"e3m2", reference::kThreeTwo, widenOne<kE3M2>},  {"e2m3", reference::kTwoThree, widenOne<kE2M3>},
    {"e2m1", reference::kTwoOne, widenOne<kE2M1>}};

TEST(NarrowTest, WidensEveryCode) {
  for (const Widened &one : kWidened)
    for (uint32_t code = 0; code < 2u << (one.format.exponentBits + one.format.mantissaBits); ++code) {
      const auto expected = static_cast<float>(valueOf(one.format, code));
      const float found = one.widen(code);
      const uint32_t bits = std::isnan(expected) ? 0x7fffffffu : std::bit_cast<uint32_t>(expected);
      ASSERT_EQ(std::bit_cast<uint32_t>(found), bits) << one.name << " code " << code;
    }
}

/// Floats at, just below and just above each value and each midpoint of a format, of both signs; then any floats.
std::vector<float> probesOf(const reference::Format &format, std::mt19937_64 &random) {
  std::vector<float> probes;
  const std::vector<double> &values = valuesOf(format);
  const size_t stride = values.size() > 4096 ? 37 : 1;
  for (size_t i = 0; i < values.size(); i += stride) {
    const double next = i + 1 < values.size() ? values[i + 1] : values[i] + (values[i] - values[i - 1]);
    for (double center : {values[i], (values[i] + next) / 2, next}) {
      const auto probe = static_cast<float>(center);
      for (float near : {probe, std::nextafter(probe, 0.0f), std::nextafter(probe, INFINITY)}) {
        probes.push_back(near);
        probes.push_back(-near);
      }
    }
  }
  for (int i = 0; i < 20000; ++i)
    probes.push_back(reference::floatOf(reference::interestingFloat(random)));
  return probes;
}

template <FloatFormat F, Narrowing N>
void expectNarrows(const char *name, const reference::Format &format) {
  std::mt19937_64 random(7);
  for (float probe : probesOf(format, random)) {
    const uint32_t expected = codeOf(format, probe, How{N.rounding, N.satfinite, N.relu});
    const uint32_t found = narrowOne<F, N>(probe);
    ASSERT_EQ(found, expected) << name << " of " << std::hexfloat << probe << ", rounding "
                               << static_cast<int>(N.rounding);
  }
}

template <FloatFormat F>
void expectNarrowsAllWays(const char *name, const reference::Format &format) {
  expectNarrows<F, Narrowing{Rounding::Nearest}>(name, format);
  expectNarrows<F, Narrowing{Rounding::Zero}>(name, format);
  expectNarrows<F, Narrowing{Rounding::Down}>(name, format);
  expectNarrows<F, Narrowing{Rounding::Up}>(name, format);
  expectNarrows<F, Narrowing{Rounding::NearestAway}>(name, format);
  expectNarrows<F, Narrowing{Rounding::Nearest, true}>(name, format);
  expectNarrows<F, Narrowing{Rounding::Nearest, false, true}>(name, format);
  expectNarrows<F, Narrowing{Rounding::Zero, true, true}>(name, format);
}

TEST(NarrowTest, NarrowsF16) { expectNarrowsAllWays<kF16>("f16", reference::kHalf); }
TEST(NarrowTest, NarrowsBF16) { expectNarrowsAllWays<kBF16>("bf16", reference::kBrain); }
TEST(NarrowTest, NarrowsTF32) { expectNarrowsAllWays<kTF32>("tf32", reference::kTensor); }
TEST(NarrowTest, NarrowsE4M3) { expectNarrowsAllWays<kE4M3>("e4m3", reference::kFourThree); }
TEST(NarrowTest, NarrowsE5M2) { expectNarrowsAllWays<kE5M2>("e5m2", reference::kFiveTwo); }
TEST(NarrowTest, NarrowsE3M2) { expectNarrowsAllWays<kE3M2>("e3m2", reference::kThreeTwo); }
TEST(NarrowTest, NarrowsE2M3) { expectNarrowsAllWays<kE2M3>("e2m3", reference::kTwoThree); }
TEST(NarrowTest, NarrowsE2M1) { expectNarrowsAllWays<kE2M1>("e2m1", reference::kTwoOne); }

TEST(NarrowTest, Tf32FillsTheUpperBits) {
  EXPECT_EQ(narrowToTf32<Narrowing{}>(Vector<float, 1>(1.0f))[0], 0x3f800000u);
  EXPECT_EQ(narrowToTf32<Narrowing{Rounding::NearestAway}>(Vector<float, 1>(reference::floatOf(0x3f801000)))[0],
            0x3f802000u);
  EXPECT_EQ(narrowToTf32<Narrowing{}>(Vector<float, 1>(reference::floatOf(0x3f801000)))[0], 0x3f800000u);
  EXPECT_EQ(narrowToTf32<Narrowing{}>(Vector<float, 1>(reference::floatOf(0xffc00000)))[0], 0x7fffe000u);
  EXPECT_EQ(narrowToTf32<Narrowing{Rounding::NearestAway}>(Vector<float, 1>(reference::floatOf(0xffc01fff)))[0],
            0xffc00000u);
}

/// Of all random words of a width, the part that rounds up is the part of the gap that the value has covered.
template <FloatFormat F, int Bits>
void expectFairRounding(const char *name, float low, float high, int steps) {
  const uint32_t lowCode = narrowOne<F>(low);
  for (int step = 0; step < steps; ++step) {
    const float value = low + (high - low) * static_cast<float>(step) / static_cast<float>(steps);
    int up = 0;
    for (uint32_t word = 0; word < 1u << Bits; ++word) {
      const uint32_t code = narrow<F, Narrowing{Rounding::Stochastic, true, false, Bits}>(Vector<float, 1>(value),
                                                                                          Vector<uint32_t, 1>(word))[0];
      ASSERT_TRUE(code == lowCode || code == lowCode + 1) << name;
      up += code == lowCode + 1 ? 1 : 0;
    }
    EXPECT_EQ(up, (1 << Bits) / steps * step) << name << " of " << value;
  }
}
TEST(NarrowTest, StochasticRoundingIsFair) {
  expectFairRounding<kE2M1, 8>("e2m1", 2.0f, 3.0f, 16);
  expectFairRounding<kE2M1, 8>("e2m1 subnormal", 0.0f, 0.5f, 16);
  expectFairRounding<kE4M3, 16>("e4m3", 16.0f, 18.0f, 8);
  expectFairRounding<kF16, 13>("f16", 1.0f, 1.0009765625f, 8);
  expectFairRounding<kBF16, 16>("bf16", 1.0f, 1.0078125f, 8);
}

TEST(NarrowTest, ScalesWiden) {
  for (uint32_t code = 0; code < 255; ++code)
    EXPECT_EQ(widenUe8m0One(code), std::ldexp(1.0f, static_cast<int>(code) - 127));
  EXPECT_TRUE(std::isnan(widenUe8m0One(255)));
}

TEST(NarrowTest, ScalesNarrow) {
  std::mt19937_64 random(9);
  for (int i = 0; i < 100000; ++i) {
    const float value = reference::floatOf(reference::interestingFloat(random));
    const auto magnitude = static_cast<double>(std::fabs(value));
    // The code of the power of two at or below, and at or above.
    uint32_t down = 255, up = 255;
    uint32_t downSaturated = 254, upSaturated = 254;
    if (std::isnan(value)) {
      downSaturated = upSaturated = 255;
    } else if (std::isfinite(value)) {
      const int exponent = magnitude < std::ldexp(1.0, -127) ? -127 : std::ilogb(magnitude);
      down = downSaturated = static_cast<uint32_t>(exponent + 127);
      const bool exact = magnitude <= std::ldexp(1.0, exponent);
      up = down + (exact ? 0 : 1);
      upSaturated = std::min(up, 254u);
    }
    const Vector<float, 1> lane(value);
    ASSERT_EQ((narrowToUe8m0<Rounding::Zero, false>(lane)[0]), down) << value;
    ASSERT_EQ((narrowToUe8m0<Rounding::Zero, true>(lane)[0]), downSaturated) << value;
    ASSERT_EQ((narrowToUe8m0<Rounding::Up, false>(lane)[0]), up) << value;
    ASSERT_EQ((narrowToUe8m0<Rounding::Up, true>(lane)[0]), upSaturated) << value;
  }
}

} // namespace
} // namespace glm::ptx
