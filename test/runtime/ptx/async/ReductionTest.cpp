#include "runtime/ptx/async/Reduction.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <random>
#include <thread>
#include <vector>

namespace glm::ptx {
namespace {

template <typename T>
void expectElements(ReductionOp op, ReductionType type, const std::vector<T> &a, const std::vector<T> &b,
                    const std::function<T(T, T)> &formula) {
  Reduce reduce = reductionOf(op, type);
  ASSERT_NE(reduce, nullptr);
  std::vector<T> result = a;
  reduce(reinterpret_cast<std::byte *>(result.data()), reinterpret_cast<const std::byte *>(b.data()),
         a.size() * sizeof(T));
  for (size_t i = 0; i < a.size(); ++i) {
    T expected = formula(a[i], b[i]);
    ASSERT_EQ(std::memcmp(&result[i], &expected, sizeof(T)), 0) << "element " << i << " op " << int(op);
  }
}

template <typename T>
std::vector<T> randomIntegers(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<T> values(200);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<T>(i % 3 ? random() : random() % 5);
  return values;
}

template <typename T>
void testIntegers(ReductionType type) {
  std::vector<T> a = randomIntegers<T>(1), b = randomIntegers<T>(2);
  using U = std::make_unsigned_t<T>;
  expectElements<T>(ReductionOp::Add, type, a, b, [](T x, T y) { return T(U(x) + U(y)); });
  expectElements<T>(ReductionOp::Min, type, a, b, [](T x, T y) { return x < y ? x : y; });
  expectElements<T>(ReductionOp::Max, type, a, b, [](T x, T y) { return x < y ? y : x; });
  expectElements<T>(ReductionOp::And, type, a, b, [](T x, T y) { return T(x & y); });
  expectElements<T>(ReductionOp::Or, type, a, b, [](T x, T y) { return T(x | y); });
  expectElements<T>(ReductionOp::Xor, type, a, b, [](T x, T y) { return T(x ^ y); });
}

TEST(ReductionTest, integers) {
  testIntegers<uint32_t>(ReductionType::U32);
  testIntegers<int32_t>(ReductionType::S32);
  testIntegers<uint64_t>(ReductionType::U64);
  testIntegers<int64_t>(ReductionType::S64);
}

// As kernels of two streams do that reduce into the same memory.
TEST(ReductionTest, ofSeveralThreadsLoseNothing) {
  constexpr uint32_t kTimes = 2000;
  std::vector<uint64_t> sums(64), ones(64, 1);
  std::vector<float> floats(64), halves(64, 0.5f);
  auto addOften = [&] {
    for (uint32_t i = 0; i < kTimes; ++i) {
      reductionOf(ReductionOp::Add, ReductionType::U64)(reinterpret_cast<std::byte *>(sums.data()),
                                                        reinterpret_cast<const std::byte *>(ones.data()), 64 * 8);
      reductionOf(ReductionOp::Add, ReductionType::F32)(reinterpret_cast<std::byte *>(floats.data()),
                                                        reinterpret_cast<const std::byte *>(halves.data()), 64 * 4);
    }
  };
  std::thread other(addOften);
  addOften();
  other.join();
  EXPECT_EQ(sums, std::vector<uint64_t>(64, 2 * kTimes));
  EXPECT_EQ(floats, std::vector<float>(64, kTimes));
}

TEST(ReductionTest, incrementAndDecrementWrap) {
  std::vector<uint32_t> a = {0, 4, 5, 6, 0xffffffff, 0, 3}, b = {5, 5, 5, 5, 7, 0, 2};
  expectElements<uint32_t>(ReductionOp::Inc, ReductionType::U32, a, b,
                           [](uint32_t x, uint32_t y) { return x >= y ? 0 : x + 1; });
  expectElements<uint32_t>(ReductionOp::Dec, ReductionType::U32, a, b,
                           [](uint32_t x, uint32_t y) { return x == 0 || x > y ? y : x - 1; });
  EXPECT_EQ(reductionOf(ReductionOp::Inc, ReductionType::U64), nullptr);
  EXPECT_EQ(reductionOf(ReductionOp::Dec, ReductionType::S32), nullptr);
}

std::vector<uint16_t> randomHalves(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint16_t> values(4000);
  for (uint16_t &value : values)
    value = static_cast<uint16_t>(random());
  return values;
}

double halfValue(uint16_t bits) {
  _Float16 value;
  std::memcpy(&value, &bits, 2);
  return static_cast<double>(value);
}

/// Sums of two halves are exact in double, so the conversion rounds once.
uint16_t halfSum(uint16_t a, uint16_t b) {
  double sum = halfValue(a) + halfValue(b);
  if (std::isnan(sum))
    return 0x7fff;
  auto value = static_cast<_Float16>(sum);
  uint16_t bits;
  std::memcpy(&bits, &value, 2);
  return bits;
}

double brainValue(uint16_t bits) {
  uint32_t wide = uint32_t{bits} << 16;
  float value;
  std::memcpy(&value, &wide, 4);
  return value;
}

/// The nearest of the two neighbours of the exact sum, the even one in the middle.
uint16_t brainSum(uint16_t a, uint16_t b) {
  double sum = brainValue(a) + brainValue(b);
  if (std::isnan(sum))
    return 0x7fff;
  if (std::isinf(sum))
    return sum < 0 ? 0xff80 : 0x7f80;
  int exponent;
  std::frexp(sum, &exponent);
  double step = std::ldexp(1.0, std::max(exponent - 8, -133));
  double rounded = std::nearbyint(sum / step) * step;
  if (std::fabs(rounded) > brainValue(0x7f7f))
    return rounded < 0 ? 0xff80 : 0x7f80;
  auto value = static_cast<float>(rounded);
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return static_cast<uint16_t>(bits >> 16);
}

TEST(ReductionTest, sumsOfHalvesRoundOnce) {
  expectElements<uint16_t>(ReductionOp::Add, ReductionType::F16, randomHalves(3), randomHalves(4), halfSum);
  expectElements<uint16_t>(ReductionOp::Add, ReductionType::BF16, randomHalves(5), randomHalves(6), brainSum);
}

uint16_t minimum(uint16_t a, uint16_t b, double x, double y) {
  if (std::isnan(x) && std::isnan(y))
    return 0x7fff;
  if (std::isnan(x) || std::isnan(y))
    return std::isnan(x) ? b : a;
  if (x == y)
    return std::signbit(x) ? a : b;
  return x < y ? a : b;
}

TEST(ReductionTest, extremesOfHalvesIgnoreNaN) {
  std::vector<uint16_t> a = randomHalves(7), b = randomHalves(8);
  a[0] = 0x8000, b[0] = 0, a[1] = 0, b[1] = 0x8000, a[2] = 0x7e00, b[2] = 0x3c00, a[3] = 0x7fff, b[3] = 0x7e01;
  for (ReductionType type : {ReductionType::F16, ReductionType::BF16}) {
    auto value = type == ReductionType::F16 ? halfValue : brainValue;
    expectElements<uint16_t>(ReductionOp::Min, type, a, b,
                             [&](uint16_t x, uint16_t y) { return minimum(x, y, value(x), value(y)); });
    // The largest is the other one, but for NaN.
    expectElements<uint16_t>(ReductionOp::Max, type, a, b, [&](uint16_t x, uint16_t y) {
      uint16_t least = minimum(x, y, value(x), value(y));
      bool hasNan = std::isnan(value(x)) || std::isnan(value(y));
      return hasNan ? least : static_cast<uint16_t>(x ^ y ^ least);
    });
  }
}

TEST(ReductionTest, floats) {
  std::vector<float> a = {1.5f, 1e-40f, -1e-40f, 3e38f, 0x1p-126f}, b = {2.25f, 1e-40f, 0.0f, 3e38f, -0x1.8p-127f};
  expectElements<float>(ReductionOp::Add, ReductionType::F32, a, b, [](float x, float y) { return x + y; });
  expectElements<float>(ReductionOp::Add, ReductionType::F32Ftz, a, b, [](float x, float y) {
    auto flush = [](float v) { return std::fabs(v) < 0x1p-126f ? std::copysign(0.0f, v) : v; };
    return flush(flush(x) + flush(y));
  });
  std::vector<double> c = {1.5, 1e-320, -3.0}, d = {0x1p-60, 1e-320, 3.0};
  expectElements<double>(ReductionOp::Add, ReductionType::F64, c, d, [](double x, double y) { return x + y; });
  EXPECT_EQ(reductionOf(ReductionOp::Max, ReductionType::F32), nullptr);
  EXPECT_EQ(reductionOf(ReductionOp::And, ReductionType::F16), nullptr);
}

TEST(ReductionTest, names) {
  EXPECT_EQ(reductionNamed("xor"), ReductionOp::Xor);
  EXPECT_FALSE(reductionNamed("sub"));
  EXPECT_EQ(reductionTypeNamed("b64"), ReductionType::U64);
  EXPECT_FALSE(reductionTypeNamed("u8"));
}

} // namespace
} // namespace glm::ptx
