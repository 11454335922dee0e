// multiplyAddAligned against integers: products and accumulator as whole multiples of the last bit that is kept.
#include "runtime/ptx/matrix/CoreMatrix.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

namespace glm::ptx {
namespace {

using Wide = __int128;

/// significand * 2^scale; the hidden bit of normal numbers stands for 2^exponent.
struct Parts {
  int64_t significand;
  int scale, exponent;
};

Parts partsOf(float value, int leastExponent) {
  auto bits = std::bit_cast<uint32_t>(value);
  int field = static_cast<int>(bits >> 23 & 0xff);
  int64_t fraction = bits & 0x7fffff;
  int64_t significand = field ? fraction | 1 << 23 : fraction;
  int scale = (field ? field : 1) - 127 - 23;
  return {bits >> 31 ? -significand : significand, scale, std::max(field - 127, leastExponent)};
}

/// Multiples of 2^last, towards zero.
Wide cut(Wide significand, int scale, int last) {
  int shift = last - scale;
  if (shift <= 0)
    return significand << -shift;
  Wide magnitude = significand < 0 ? -significand : significand;
  magnitude = shift > 126 ? 0 : magnitude >> shift;
  return significand < 0 ? -magnitude : magnitude;
}

/// The float at or next to sum * 2^last on the side of zero.
float cutToFloat(Wide sum, int last) {
  bool negative = sum < 0;
  Wide magnitude = negative ? -sum : sum;
  while (magnitude >> 24 || (last < -149 && magnitude)) {
    magnitude >>= 1;
    ++last;
  }
  auto value = std::ldexp(static_cast<float>(magnitude), last);
  return negative ? -value : value;
}

float expectedSum(float c, const std::vector<float> &a, const std::vector<float> &b, int leastExponent) {
  Parts accumulator = partsOf(c, -126);
  int largest = accumulator.exponent;
  for (size_t k = 0; k < a.size(); ++k)
    largest = std::max(largest, partsOf(a[k], leastExponent).exponent + partsOf(b[k], leastExponent).exponent);
  int last = largest - 25;
  Wide sum = cut(accumulator.significand, accumulator.scale, last);
  for (size_t k = 0; k < a.size(); ++k) {
    Parts left = partsOf(a[k], leastExponent), right = partsOf(b[k], leastExponent);
    sum += cut(Wide{left.significand} * right.significand, left.scale + right.scale, last);
  }
  return cutToFloat(sum, last);
}

struct Format {
  int fractionBits, leastExponent;
  int low, high; ///< exponents of the test's values
};

/// Some zeros, some far apart, all with as many fraction bits as the format has.
float randomValue(std::mt19937 &random, const Format &format) {
  if (random() % 16 == 0)
    return 0;
  int exponent = format.low + static_cast<int>(random() % static_cast<unsigned>(format.high - format.low));
  uint32_t fraction = random() & (0x7fffffu & ~((1u << (23 - format.fractionBits)) - 1));
  uint32_t sign = random() & 0x80000000;
  return std::bit_cast<float>(sign | static_cast<uint32_t>(exponent + 127) << 23 | fraction);
}

void check(const CoreLanes &lanes, const Format &format, int perRow) {
  std::mt19937 random(static_cast<unsigned>(perRow));
  constexpr int kRowBlocks = 2, kColumnBlocks = 3, kDepthBlocks = 2;
  const int depth = kDepthBlocks * perRow, blockElements = kCoreRows * perRow;
  std::vector<float> a(static_cast<size_t>(kRowBlocks * kDepthBlocks * blockElements)),
      b(static_cast<size_t>(kColumnBlocks * kDepthBlocks * blockElements)), d(kRowBlocks * kColumnBlocks * 64);
  for (std::vector<float> *values : {&a, &b, &d})
    for (float &value : *values)
      value = randomValue(random, values == &d ? Format{23, -126, format.low, format.high} : format);
  std::vector<float> before = d;
  lanes.multiplyAligned(d.data(), a.data(), b.data(), kRowBlocks, kColumnBlocks, kDepthBlocks, perRow,
                        format.leastExponent);
  for (int i = 0; i < static_cast<int>(d.size()); ++i) {
    int block = i / 64, row = i / 8 % 8, column = i % 8;
    std::vector<float> left, right;
    for (int k = 0; k < depth; ++k) {
      left.push_back(a[static_cast<size_t>((block / kColumnBlocks * kDepthBlocks + k / perRow) * blockElements +
                                           row * perRow + k % perRow)]);
      right.push_back(b[static_cast<size_t>((block % kColumnBlocks * kDepthBlocks + k / perRow) * blockElements +
                                            k % perRow * 8 + column)]);
    }
    auto at = static_cast<size_t>(i);
    ASSERT_EQ(d[at], expectedSum(before[at], left, right, format.leastExponent)) << i;
  }
}

void checkAll(const CoreLanes &lanes) {
  const Format f16{10, -14, -14, 16}, bf16{7, -126, -60, 60}, small{7, -126, -126, -40}, tf32{10, -126, -20, 20};
  for (const Format &format : {f16, bf16, small})
    check(lanes, format, 8);
  check(lanes, tf32, 4);
}

TEST(AlignedSumsTest, AreThoseOfIntegers) {
  checkAll(kCoreLanesBaseline);
  if (__builtin_cpu_supports("x86-64-v3"))
    checkAll(kCoreLanesAvx2);
  if (__builtin_cpu_supports("x86-64-v4"))
    checkAll(kCoreLanesAvx512);
}

TEST(AlignedSumsTest, InfinitiesAndNan) {
  constexpr int kPerRow = 8;
  auto sum = [](float c, float a0, float b0, float a1, float b1) {
    std::vector<float> a(64, 0), b(64, 0), d(64, c);
    for (size_t row = 0; row < 8; ++row) {
      a[row * kPerRow] = a0;
      a[row * kPerRow + 1] = a1;
      b[row] = b0;
      b[8 + row] = b1;
    }
    multiplyAddAligned(d.data(), a.data(), b.data(), 1, 1, 1, kPerRow, -126);
    return d[9];
  };
  EXPECT_EQ(sum(1, INFINITY, 2, 3, 4), INFINITY);
  EXPECT_EQ(sum(-INFINITY, 1, 2, 3, 4), -INFINITY);
  EXPECT_TRUE(std::isnan(sum(-INFINITY, INFINITY, 2, 3, 4)));
  EXPECT_TRUE(std::isnan(sum(1, INFINITY, 0, 3, 4)));
  EXPECT_TRUE(std::isnan(sum(NAN, 1, 2, 3, 4)));
  EXPECT_EQ(sum(0x1.8p127f, 0x1p64f, 0x1p63f, 0, 0), INFINITY);
  // Beyond float on the way, but not in the end.
  EXPECT_EQ(sum(0x1.8p127f, 0x1p64f, 0x1p63f, -0x1p64f, 0x1p63f), 0x1.8p127f);
}

} // namespace
} // namespace glm::ptx
