// The approximations against the library's long double functions, within what PTX ISA promises.
#include "runtime/ptx/number/Approximate.h"
#include "test/runtime/ptx/number/Reference.h"

#include <gtest/gtest.h>

#include <cmath>

namespace glm::ptx {
namespace {

constexpr int kTries = 300000;
/// Half a unit in the last place of a float (2^-24 relative), a little of the polynomials', and for subnormal results half
/// of the least float: far within the documented bounds (2^-22 relative for ex2 and lg2, 2^-20.5 absolute for sin and cos,
/// 2^-11 relative for tanh, 2^-22.9 for rsqrt).
constexpr long double kRelative = 0x1.001p-24L;
constexpr long double kLeast = 0x1p-150L;

using Lane = Vector<float, 1>;

void expectNear(float found, long double exact, const char *what, float input) {
  ASSERT_LE(std::fabs(static_cast<long double>(found) - exact), std::fabs(exact) * kRelative + kLeast)
      << what << " of " << std::hexfloat << input << " is " << found << ", exactly " << static_cast<double>(exact);
}

float between(std::mt19937_64 &random, float low, float high) {
  return std::uniform_real_distribution<float>(low, high)(random);
}

TEST(ApproximateTest, Exp2) {
  std::mt19937_64 random(1);
  for (int i = 0; i < kTries; ++i) {
    const float x = i % 2 == 0 ? between(random, -149.0f, 127.99f) : between(random, -2.0f, 2.0f);
    expectNear(exp2Approximate(Lane(x))[0], std::exp2(static_cast<long double>(x)), "2^x", x);
  }
  EXPECT_EQ(exp2Approximate(Lane(128.0f))[0], INFINITY);
  EXPECT_EQ(exp2Approximate(Lane(INFINITY))[0], INFINITY);
  EXPECT_EQ(exp2Approximate(Lane(-INFINITY))[0], 0.0f);
  EXPECT_EQ(exp2Approximate(Lane(-0.0f))[0], 1.0f);
  EXPECT_TRUE(std::isnan(exp2Approximate(Lane(NAN))[0]));
}

TEST(ApproximateTest, Log2) {
  std::mt19937_64 random(2);
  for (int i = 0; i < kTries; ++i) {
    const float x =
        i % 2 == 0 ? std::fabs(reference::floatOf(reference::interestingFloat(random))) : between(random, 0.5f, 2.0f);
    if (std::isfinite(x) && x > 0)
      expectNear(log2Approximate(Lane(x))[0], std::log2(static_cast<long double>(x)), "lg2", x);
  }
  EXPECT_EQ(log2Approximate(Lane(0.0f))[0], -INFINITY);
  EXPECT_EQ(log2Approximate(Lane(-0.0f))[0], -INFINITY);
  EXPECT_EQ(log2Approximate(Lane(INFINITY))[0], INFINITY);
  EXPECT_TRUE(std::isnan(log2Approximate(Lane(-1.0f))[0]));
  EXPECT_TRUE(std::isnan(log2Approximate(Lane(NAN))[0]));
}

TEST(ApproximateTest, SineAndCosine) {
  std::mt19937_64 random(3);
  for (int i = 0; i < kTries; ++i) {
    const float x = i % 2 == 0 ? between(random, -3.2f, 3.2f) : between(random, -1000.0f, 1000.0f);
    expectNear(sineApproximate<false>(Lane(x))[0], std::sin(static_cast<long double>(x)), "sin", x);
    expectNear(sineApproximate<true>(Lane(x))[0], std::cos(static_cast<long double>(x)), "cos", x);
  }
  EXPECT_TRUE(std::signbit(sineApproximate<false>(Lane(-0.0f))[0]));
  EXPECT_EQ(sineApproximate<true>(Lane(0.0f))[0], 1.0f);
  EXPECT_TRUE(std::isnan(sineApproximate<false>(Lane(INFINITY))[0]));
  EXPECT_TRUE(std::isnan(sineApproximate<true>(Lane(-INFINITY))[0]));
  EXPECT_TRUE(std::isnan(sineApproximate<true>(Lane(NAN))[0]));
  EXPECT_LE(std::fabs(sineApproximate<false>(Lane(0x1p100f))[0]), 1.0f);
}

TEST(ApproximateTest, Tanh) {
  std::mt19937_64 random(4);
  for (int i = 0; i < kTries; ++i) {
    const float x = i % 2 == 0 ? reference::floatOf(reference::interestingFloat(random)) : between(random, -4.0f, 4.0f);
    if (std::isfinite(x))
      expectNear(tanhApproximate(Lane(x))[0], std::tanh(static_cast<long double>(x)), "tanh", x);
  }
  EXPECT_EQ(tanhApproximate(Lane(-INFINITY))[0], -1.0f);
  EXPECT_TRUE(std::signbit(tanhApproximate(Lane(-0.0f))[0]));
  EXPECT_TRUE(std::isnan(tanhApproximate(Lane(NAN))[0]));
}

TEST(ApproximateTest, ReciprocalRoot) {
  std::mt19937_64 random(5);
  for (int i = 0; i < kTries; ++i) {
    const float x = std::fabs(reference::floatOf(reference::interestingFloat(random)));
    if (std::isfinite(x) && x > 0)
      expectNear(reciprocalRootApproximate(Lane(x))[0], 1 / std::sqrt(static_cast<long double>(x)), "rsqrt", x);
  }
  EXPECT_EQ(reciprocalRootApproximate(Lane(0.0f))[0], INFINITY);
  EXPECT_EQ(reciprocalRootApproximate(Lane(-0.0f))[0], -INFINITY);
  EXPECT_EQ(reciprocalRootApproximate(Lane(INFINITY))[0], 0.0f);
  EXPECT_TRUE(std::isnan(reciprocalRootApproximate(Lane(-1.0f))[0]));
}

TEST(ApproximateTest, DivisionByHugeValues) {
  EXPECT_EQ(divideApproximate(Lane(6.0f), Lane(3.0f))[0], 2.0f);
  EXPECT_EQ(divideApproximate(Lane(0x1p127f), Lane(0x1.8p126f))[0], 0.0f);
  EXPECT_TRUE(std::signbit(divideApproximate(Lane(1.0f), Lane(-0x1.8p126f))[0]));
  EXPECT_TRUE(std::isnan(divideApproximate(Lane(INFINITY), Lane(0x1.8p126f))[0]));
  EXPECT_EQ(divideApproximate(Lane(1.0f), Lane(INFINITY))[0], 0.0f);
  EXPECT_EQ(divideApproximate(Lane(1.0f), Lane(0.0f))[0], INFINITY);
}

} // namespace
} // namespace glm::ptx
