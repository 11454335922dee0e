// Matrix products. Small integers make every sum exact, so that nothing depends on the order of accumulation.
#include "test/runtime/ptx/programs/Program.h"

#include <bit>
#include <cmath>
#include <random>

namespace glm::cuda {
namespace {

/// Integers from -most to most; exact in every format that follows for most <= 8.
std::vector<int> randomIntegers(size_t count, int most, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<int> values(count);
  for (int &value : values)
    value = static_cast<int>(random() % static_cast<unsigned>(2 * most + 1)) - most;
  return values;
}

uint16_t bf16Of(int value) { return static_cast<uint16_t>(std::bit_cast<uint32_t>(static_cast<float>(value)) >> 16); }

/// An integer of at most 11 bits as f16: the exponent's bias changes from 127 to 15, the significand from 23 bits to 10.
uint16_t f16Of(int value) {
  if (value == 0)
    return 0;
  auto bits = std::bit_cast<uint32_t>(static_cast<float>(value));
  return static_cast<uint16_t>((bits >> 16 & 0x8000) | (((bits >> 13 & 0x3ffff) - ((127 - 15) << 10)) & 0x7fff));
}

template <typename Convert>
std::vector<uint16_t> converted(const std::vector<int> &values, Convert convert) {
  std::vector<uint16_t> result;
  for (int value : values)
    result.push_back(convert(value));
  return result;
}

/// C [m][n] = A [m][k] B [n][k]^T.
std::vector<float> product(const std::vector<int> &a, const std::vector<int> &b, size_t m, size_t n, size_t k) {
  std::vector<float> c(m * n);
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < n; ++j) {
      int sum = 0;
      for (size_t l = 0; l < k; ++l)
        sum += a[i * k + l] * b[j * k + l];
      c[i * n + j] = static_cast<float>(sum);
    }
  return c;
}

/// bf16 values with some exponents more than their fractions have bits, so that sums are rounded.
std::vector<uint16_t> randomBf16(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<uint16_t> values(count);
  for (uint16_t &value : values)
    value = static_cast<uint16_t>((random() & 0x807f) | (120 + random() % 14) << 7);
  return values;
}

double valueOf(uint16_t bf16) { return static_cast<double>(std::bit_cast<float>(uint32_t{bf16} << 16)); }

/// C = A B^T within what a tensor core may lose: with every 16 steps of k, each of 17 terms 2^-24 of the largest.
void expectProduct(const std::vector<float> &c, const std::vector<uint16_t> &a, const std::vector<uint16_t> &b,
                   size_t n, size_t k) {
  for (size_t i = 0; i < c.size(); ++i) {
    double sum = 0, magnitude = 0;
    for (size_t l = 0; l < k; ++l) {
      double term = valueOf(a[i / n * k + l]) * valueOf(b[i % n * k + l]);
      sum += term;
      magnitude += std::fabs(term);
    }
    ASSERT_NEAR(c[i], sum, magnitude * 17 / 16 * static_cast<double>(k) * 0x1p-24) << i;
  }
}

TEST_F(Programs, GemmByWmma) {
  load("GemmWmma");
  constexpr int kM = 48, kN = 32, kK = 80;
  std::vector<int> a = randomIntegers(kM * kK, 8, 1), b = randomIntegers(kN * kK, 8, 2);
  CUdeviceptr deviceA = upload(converted(a, f16Of)), deviceB = upload(converted(b, f16Of));
  CUdeviceptr c = allocate(kM * kN * 4);
  launch("gemmWmma", {2}, {128}, 0, deviceA, deviceB, c, kM, kN, kK);
  EXPECT_EQ(download<float>(c, kM * kN), product(a, b, kM, kN, kK));
}

TEST_F(Programs, GemmByMma) {
  load("GemmMma");
  constexpr int kM = 128, kN = 192, kK = 160;
  std::vector<int> a = randomIntegers(kM * kK, 8, 3), b = randomIntegers(kN * kK, 8, 4);
  CUdeviceptr c = gemmMma(converted(a, bf16Of), converted(b, bf16Of), kN, kK);
  EXPECT_EQ(download<float>(c, kM * kN), product(a, b, kM, kN, kK));
}

TEST_F(RoundedSums, GemmByMma) {
  load("GemmMma");
  constexpr int kM = 64, kN = 128, kK = 96;
  std::vector<uint16_t> a = randomBf16(kM * kK, 10), b = randomBf16(kN * kK, 11);
  std::vector<float> got = download<float>(gemmMma(a, b, kN, kK), kM * kN);
  expectProduct(got, a, b, kN, kK);
  expectAsOnH100(got, 0xfb5af5e9b9b5bd38);
}

class ProgramsOfSm90aWgmma : public Program {
protected:
  static constexpr int kM = 128, kN = 64, kK = 320;

  std::vector<float> run(const std::vector<uint16_t> &a, const std::vector<uint16_t> &b) {
    load("GemmWgmma");
    return download<float>(gemmWgmma(a, b, kN, kK), kM * kN);
  }
};

TEST_F(ProgramsOfSm90aWgmma, Gemm) {
  std::vector<int> a = randomIntegers(kM * kK, 8, 5), b = randomIntegers(kN * kK, 8, 6);
  EXPECT_EQ(run(converted(a, bf16Of), converted(b, bf16Of)), product(a, b, kM, kN, kK));
}

TEST_F(ProgramsOfSm90aWgmma, RoundedSums) {
  std::vector<uint16_t> a = randomBf16(kM * kK, 12), b = randomBf16(kN * kK, 13);
  std::vector<float> c = run(a, b);
  expectProduct(c, a, b, kN, kK);
  expectAsOnH100(c, 0x70d1310698457e00);
}

TEST_F(ProgramsOfSm100a, GemmByTcgen05) {
  load("GemmTcgen05");
  constexpr int kM = 256, kN = 128, kK = 320;
  std::vector<int> a = randomIntegers(kM * kK, 8, 7), b = randomIntegers(kN * kK, 8, 8);
  CUdeviceptr c = gemmTcgen05(converted(a, bf16Of), converted(b, bf16Of), kN, kK);
  EXPECT_EQ(download<float>(c, kM * kN), product(a, b, kM, kN, kK));
}

TEST_F(ProgramsOfSm120a, GemmByBlockScaledMma) {
  load("GemmBlockScale");
  constexpr int kM = 128, kN = 64, kK = 192;
  // e2m1: sign, two bits of exponent, one of significand. Twice the value is an integer.
  constexpr int kTwice[8] = {0, 1, 2, 3, 4, 6, 8, 12};
  std::mt19937 random(9);
  auto fill = [&](size_t rows, std::vector<uint8_t> &packed, std::vector<uint8_t> &scales,
                  std::vector<double> &values) {
    packed.resize(rows * kK / 2);
    scales.resize(rows * kK / 16);
    values.resize(rows * kK);
    for (uint8_t &scale : scales)
      scale = static_cast<uint8_t>((5 + random() % 4) << 3 | random() % 8); // ue4m3: (1 + low / 8) 2^(high - 7)
    for (size_t i = 0; i < values.size(); ++i) {
      unsigned code = random() % 16;
      packed[i / 2] |= static_cast<uint8_t>(code << i % 2 * 4);
      uint8_t scale = scales[i / kK * (kK / 16) + i % kK / 16];
      double magnitude = kTwice[code % 8] / 2.0 * (1 + scale % 8 / 8.0) * std::pow(2.0, (scale >> 3) - 7);
      values[i] = code & 8 ? -magnitude : magnitude;
    }
  };
  std::vector<uint8_t> a, b, scalesA, scalesB;
  std::vector<double> valuesA, valuesB;
  fill(kM, a, scalesA, valuesA);
  fill(kN, b, scalesB, valuesB);
  CUdeviceptr deviceA = upload(a), deviceB = upload(b), deviceScalesA = upload(scalesA),
              deviceScalesB = upload(scalesB);
  CUdeviceptr c = allocate(kM * kN * 4);
  launch("gemmBlockScale", {kN / 32, kM / 64}, {128}, 0, deviceA, deviceB, deviceScalesA, deviceScalesB, c, kN, kK);
  std::vector<float> got = download<float>(c, kM * kN);
  for (size_t i = 0; i < kM; ++i)
    for (size_t j = 0; j < kN; ++j) {
      // Products are multiples of 2^-12 below 2^10, so that sums of 192 of them are exact in double, and f32 rounds each of the
      // three steps of the accumulation once.
      double sum = 0, magnitude = 0;
      for (size_t l = 0; l < kK; ++l) {
        sum += valuesA[i * kK + l] * valuesB[j * kK + l];
        magnitude += std::fabs(valuesA[i * kK + l] * valuesB[j * kK + l]);
      }
      ASSERT_NEAR(got[i * kN + j], sum, magnitude * 0x1p-20) << i << " " << j;
    }
}

} // namespace
} // namespace glm::cuda
