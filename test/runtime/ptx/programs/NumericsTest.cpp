// Single instructions over random values. What the ISA leaves open within a bound is held to that bound here, on whatever driver runs
// it; what has one right result is only kept for compare.sh, since test/runtime/ptx/arithmetic knows those results.
#include "test/runtime/ptx/programs/Program.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <random>

namespace glm::cuda {
namespace {

constexpr int kValues = 1 << 16;

/// Any bit patterns, as many floats of common size, and the ends of the ranges of floats.
std::vector<uint32_t> randomWords(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<uint32_t> words(kValues);
  for (size_t i = 0; i < words.size(); ++i) {
    words[i] = random();
    if (i % 2)
      words[i] = (words[i] & 0x807fffff) | (120 + random() % 14) << 23;
  }
  constexpr uint32_t kEnds[] = {0,          1,          0x007fffff, 0x00800000, 0x3f800000, 0x7f7fffff, 0x7f800000,
                                0x7f800001, 0x7fbfffff, 0x7fc00000, 0x7fffffff, 0x477fefff, 0x477ff000, 0x38800000};
  for (size_t i = 0; i < 4 * std::size(kEnds); ++i)
    words[random() % kValues] = kEnds[i / 4] | (i % 2 ? 0x80000000 : 0);
  return words;
}

/// An approximation of the ISA's section "Floating Point Instructions" with the error that it documents: `relative` of the
/// result or `absolute`, for |x| <= `most`.
struct Approximation {
  const char *name;
  long double (*exact)(long double x, long double y);
  long double relative, absolute, most;
};

const Approximation kApproximations[] = {
    {"ex2", [](long double x, long double) { return std::exp2(x); }, 0x1p-22L, 0, INFINITY},
    {"lg2", [](long double x, long double) { return std::log2(x); }, 0x1p-22L, 0x1p-22L, INFINITY},
    {"rcp", [](long double x, long double) { return 1 / x; }, 0x1p-23L, 0, INFINITY},
    {"sqrt", [](long double x, long double) { return std::sqrt(x); }, 0x1p-22L, 0, INFINITY},
    {"rsqrt", [](long double x, long double) { return 1 / std::sqrt(x); }, 0x1.2p-23L, 0, INFINITY},
    {"tanh", [](long double x, long double) { return std::tanh(x); }, 0x1p-11L, 0, INFINITY},
    {"sin", [](long double x, long double) { return std::sin(x); }, 0, 0x1.7p-21L, 6.28L},
    {"cos", [](long double x, long double) { return std::cos(x); }, 0, 0x1.7p-21L, 6.28L},
    {"ex2.ftz", [](long double x, long double) { return std::exp2(x); }, 0x1p-22L, 0, INFINITY},
    {"div", [](long double x, long double y) { return x / y; }, 0x1p-22L, 0, 0x1p100L},
    {"div.full", [](long double x, long double y) { return x / y; }, 0x1p-22L, 0, 0x1p100L},
};
constexpr size_t kApproximateFunctions = std::size(kApproximations) + 6; // and those of halves and of doubles

TEST_F(Programs, Approximations) {
  load("Numerics");
  std::vector<uint32_t> xs = randomWords(1), ys = randomWords(2);
  CUdeviceptr x = upload(xs), y = upload(ys), out = allocate(kApproximateFunctions * kValues * 4);
  launch("approximations", {kValues / 256}, {256}, 0, x, y, out, kValues);
  for (size_t f = 0; f < kApproximateFunctions; ++f) {
    if (f >= std::size(kApproximations)) {
      download<uint32_t>(out + f * kValues * 4, kValues, Agreement::Bound);
      continue;
    }
    std::vector<float> got = download<float>(out + f * kValues * 4, kValues, Agreement::Bound);
    const Approximation &function = kApproximations[f];
    for (size_t i = 0; i < kValues; ++i) {
      auto a = std::bit_cast<float>(xs[i]), b = std::bit_cast<float>(ys[i]);
      long double exact = function.exact(a, b);
      // Only normal numbers: subnormal operands and results may be flushed, and infinities and NaN are tested elsewhere.
      if (!std::isnormal(a) || !std::isnormal(b) || !std::isnormal(static_cast<float>(exact)) ||
          std::fabs(a) > function.most || std::fabs(b) > function.most)
        continue;
      ASSERT_LE(std::fabs(got[i] - exact), std::max(function.absolute, function.relative * std::fabs(exact)))
          << function.name << " of " << a << ", " << b;
    }
  }
}

float asFloat(uint32_t bits) { return std::bit_cast<float>(bits); }

/// A NaN that an operation makes is 0x7fffffff.
uint32_t asWord(float value) { return std::isnan(value) ? 0x7fffffff : std::bit_cast<uint32_t>(value); }

double asDouble(uint32_t high, uint32_t low) { return std::bit_cast<double>(static_cast<uint64_t>(high) << 32 | low); }

/// The functions of `roundings` that C++ has; the other results are only kept for compare.sh.
using Rounding = uint32_t (*)(uint32_t x, uint32_t y);
const std::map<size_t, Rounding> kRoundings = {
    {0, [](uint32_t x, uint32_t y) { return asWord(asFloat(x) + asFloat(y)); }},
    {3, [](uint32_t x, uint32_t y) { return asWord(asFloat(x) / asFloat(y)); }},
    {8, [](uint32_t x, uint32_t) { return asWord(1 / asFloat(x)); }},
    {9, [](uint32_t x, uint32_t) { return asWord(std::sqrt(asFloat(x))); }},
    {11, [](uint32_t x, uint32_t) { return asWord(std::nearbyint(asFloat(x))); }},
    {23, [](uint32_t x, uint32_t y) { return asWord(std::fma(asFloat(x), asFloat(y), asFloat(y))); }},
    // A NaN keeps its sign and the upper bits of its payload, on x86 too.
    {26, [](uint32_t x, uint32_t y) { return std::bit_cast<uint32_t>(static_cast<float>(asDouble(x, y))); }},
};

TEST_F(Programs, Roundings) {
  load("Numerics");
  constexpr size_t kFunctions = 83;
  std::vector<uint32_t> xs = randomWords(3), ys = randomWords(4);
  CUdeviceptr x = upload(xs), y = upload(ys), out = allocate(kFunctions * kValues * 4);
  launch("roundings", {kValues / 256}, {256}, 0, x, y, out, kValues);
  for (size_t f = 0; f < kFunctions; ++f) {
    std::vector<uint32_t> got = download<uint32_t>(out + f * kValues * 4, kValues);
    if (auto rounding = kRoundings.find(f); rounding != kRoundings.end()) {
      for (size_t i = 0; i < kValues; ++i)
        ASSERT_EQ(got[i], rounding->second(xs[i], ys[i])) << f << " " << asFloat(xs[i]) << " " << asFloat(ys[i]);
    }
  }
}

/// An operand format of mma.sync: how many elements a register has, and the value of one.
struct Operand {
  unsigned perWord;
  double (*value)(uint32_t bits);
  uint32_t (*random)(uint32_t bits);
};

double f16Of(uint32_t bits) {
  double magnitude = std::ldexp(1024 + (bits & 0x3ff), static_cast<int>(bits >> 10 & 31) - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

double e4m3Of(uint32_t bits) {
  double magnitude = std::ldexp(8 + (bits & 7), static_cast<int>(bits >> 3 & 15) - 10);
  return bits & 0x80 ? -magnitude : magnitude;
}

/// Normal numbers with exponents around that of 1.
constexpr uint32_t withExponent(uint32_t bits, uint32_t fractionBits, uint32_t exponentBits, uint32_t exponent) {
  uint32_t mask = ((1U << exponentBits) - 1) << fractionBits;
  return (bits & ~mask & ((2U << (fractionBits + exponentBits)) - 1)) | exponent << fractionBits;
}

const Operand kF16 = {2, f16Of, [](uint32_t bits) { return withExponent(bits, 10, 5, 11 + (bits >> 20) % 8); }};
const Operand kBf16 = {2, [](uint32_t bits) { return static_cast<double>(asFloat(bits << 16)); },
                       [](uint32_t bits) { return withExponent(bits, 7, 8, 120 + (bits >> 20) % 14); }};
const Operand kTf32 = {1, [](uint32_t bits) { return static_cast<double>(asFloat(bits)); },
                       [](uint32_t bits) { return ((bits & 0x807fe000) | (120 + (bits & 0xfff) % 14) << 23); }};
const Operand kS8 = {4, [](uint32_t bits) -> double { return static_cast<int8_t>(bits); },
                     [](uint32_t bits) { return bits & 0xff; }};
const Operand kE4m3 = {4, e4m3Of, [](uint32_t bits) { return withExponent(bits, 3, 4, 4 + (bits >> 20) % 8); }};

class RoundedSumsOfMma : public RoundedSums {
protected:
  static constexpr size_t kWarps = 64;

  static std::vector<uint32_t> fragments(const Operand &format, size_t words, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<uint32_t> result(kWarps * 32 * words);
    for (uint32_t &word : result)
      for (unsigned i = 0; i < format.perWord; ++i)
        word |= format.random(random()) << (32 / format.perWord * i);
    return result;
  }

  /// The element of column or row `lane / 4` at `k` of fragments of `words` registers, two of which are neighbours along k.
  static double element(const Operand &format, const std::vector<uint32_t> &fragments, size_t first, size_t stride,
                        size_t row, size_t k) {
    size_t perQuad = format.perWord * 4, lane = row % 8 * 4 + k % perQuad / format.perWord;
    size_t word = stride == 4 ? row / 8 + 2 * (k / perQuad) : k / perQuad;
    uint32_t bits = fragments[first + lane * stride + word] >> (32 / format.perWord * (k % format.perWord));
    return format.value(format.perWord == 1 ? bits : bits & ((1U << (32 / format.perWord)) - 1));
  }

  struct Sums {
    double sum, magnitude;
  };

  /// Element `i` of the fragments of D: the accumulator and the products, exactly, and the sum of their magnitudes.
  static Sums sums(const Operand &format, const std::vector<uint32_t> &a, const std::vector<uint32_t> &b, size_t i,
                   double c) {
    size_t warp = i / 128, lane = i / 4 % 32, row = lane / 4 + i % 4 / 2 * 8, column = lane % 4 * 2 + i % 2;
    Sums result = {c, std::fabs(c)};
    for (size_t k = 0; k < format.perWord * 8; ++k) {
      double term = element(format, a, warp * 128, 4, row, k) * element(format, b, warp * 64, 2, column, k);
      result.sum += term;
      result.magnitude += std::fabs(term);
    }
    return result;
  }

  /// `bound` is the error in units of the sum of the magnitudes.
  std::vector<float> check(const char *kernel, const Operand &format, double bound) {
    load("Numerics");
    std::vector<uint32_t> a = fragments(format, 4, 5), b = fragments(format, 2, 6), words = fragments(kTf32, 4, 7);
    std::vector<float> c;
    for (uint32_t word : words)
      c.push_back(std::bit_cast<float>(word));
    CUdeviceptr deviceA = upload(a), deviceB = upload(b), deviceC = upload(c), d = allocate(c.size() * 4);
    launch(kernel, {kWarps}, {32}, 0, deviceA, deviceB, deviceC, d);
    std::vector<float> got = download<float>(d, c.size());
    for (size_t i = 0; i < got.size(); ++i) {
      Sums exact = sums(format, a, b, i, c[i]);
      EXPECT_NEAR(got[i], exact.sum, bound * exact.magnitude) << i;
    }
    return got;
  }
};

// Tensor cores align the products and the accumulator to the largest of them, and cut what lies below its last bits: each of up to 17
// terms loses at most 2^-24 of the largest, which is less than the sum of all.
TEST_F(RoundedSumsOfMma, F16) { expectAsOnH100(check("mmaF16", kF16, 17 * 0x1p-24), 0x61e4a31744b2cc85); }
TEST_F(RoundedSumsOfMma, Bf16) { expectAsOnH100(check("mmaBf16", kBf16, 17 * 0x1p-24), 0xd1bf46f26a33496d); }
TEST_F(RoundedSumsOfMma, Tf32) { expectAsOnH100(check("mmaTf32", kTf32, 17 * 0x1p-24), 0x6a66b20e6095ac0a); }
// Some have only 13 fraction bits for these.
TEST_F(RoundedSumsOfMma, E4m3) { expectAsOnH100(check("mmaE4m3", kE4m3, 33 * 0x1p-14), 0x9863070f7d1e58d6); }

TEST_F(RoundedSumsOfMma, SaturatingS8) {
  load("Numerics");
  std::vector<uint32_t> a = fragments(kS8, 4, 8), b = fragments(kS8, 2, 9);
  std::mt19937 random(10);
  std::vector<int> c(kWarps * 128), expected;
  for (size_t i = 0; i < c.size(); ++i) // two thirds of them near enough to the ends for some to clamp
    c[i] = static_cast<int>(i % 3 == 0 ? random() : i % 3 == 1 ? 0x7fff8000U : 0x80008000U);
  for (size_t i = 0; i < c.size(); ++i)
    expected.push_back(static_cast<int>(std::clamp(sums(kS8, a, b, i, c[i]).sum, -0x1p31, 0x1p31 - 1)));
  CUdeviceptr deviceA = upload(a), deviceB = upload(b), deviceC = upload(c), d = allocate(c.size() * 4);
  launch("mmaS8", {kWarps}, {32}, 0, deviceA, deviceB, deviceC, d);
  EXPECT_EQ(download<int>(d, c.size()), expected);
}

} // namespace
} // namespace glm::cuda
