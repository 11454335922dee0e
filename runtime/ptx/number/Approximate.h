// ex2, lg2, sin, cos, tanh and friends for float lanes, computed in double precision by polynomials and rounded once.
//
// PTX documents a largest error per instruction and no bits; these are within half a unit in the last place and a bit
// (about 2^-24.9 relative), well inside every bound, and the same on every machine: only additions, multiplications and
// fused multiply-adds that are rounded to nearest, in one order, no library. Coefficients are Taylor's, on intervals that
// are small enough for the terms that are kept.
#pragma once

#include "runtime/ptx/number/Exact.h"

GLM_PTX_BEGIN_LANES

/// sum of coefficients[i] * x^i, highest first inside.
template <typename V, int N>
V polynomial(V x, const double (&coefficients)[N]) {
  V sum = V(coefficients[N - 1]);
  for (int i = N - 2; i >= 0; --i)
    sum = __builtin_elementwise_fma(sum, x, V(coefficients[i]));
  return sum;
}

/// Adding this to a double below 2^51 leaves no bits after the point, and the integer in the low bits of the sum.
inline constexpr double kIntegerShift = 6755399441055744.0; // 1.5 * 2^52
inline constexpr int64_t kIntegerShiftBits = 0x4338000000000000;

/// The nearest integer, ties to even.
template <typename V>
V roundSmall(V x) {
  return (x + kIntegerShift) - kIntegerShift;
}

/// An integral double as int64_t and back: AVX2 has no instruction for either.
template <typename V>
Rebind<V, int64_t> integerOf(V x) {
  return bitsAs<int64_t>(x + kIntegerShift) - kIntegerShiftBits;
}
template <typename V>
Rebind<V, double> integralDouble(V x) {
  return bitsAs<double>(x + kIntegerShiftBits) - kIntegerShift;
}

/// 2^x of doubles; `x` within the exponents of double.
template <typename V>
V exp2Double(V x) {
  const V whole = roundSmall(x);
  const V rest = (x - whole) * 0.693147180559945309417232121458;
  // |rest| <= 0.347: the next term, x^11 / 11!, is below 2.2e-13.
  static constexpr double kTerms[] = {1.0,       1.0,        1.0 / 2,     1.0 / 6,      1.0 / 24,     1.0 / 120,
                                      1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800};
  const auto exponent = integerOf(whole) + 1023;
  return polynomial(rest, kTerms) * bitsAs<double>(exponent << 52);
}

/// ex2.approx.f32: 2^x. NaN gives NaN.
template <typename V>
V exp2Approximate(V x) {
  const auto wide = convert<double>(x);
  // Beyond these every float result is infinity or zero.
  const auto low = wide < -160.0 ? decltype(wide)(-160.0) : wide;
  const auto bounded = low > 130.0 ? decltype(wide)(130.0) : low;
  const auto result = convert<float>(exp2Double(isNumber(bounded) ? bounded : 0.0));
  return isNumber(x) ? result : x;
}

/// lg2.approx.f32: the binary logarithm; of 0 minus infinity, of negative values NaN.
template <typename V>
V log2Approximate(V x) {
  using D = Rebind<V, double>;
  const D wide = convert<double>(x);
  const auto bits = bitsAs<uint64_t>(wide);
  // m in [sqrt(1/2), sqrt(2)): subtracting the bits of sqrt(1/2) makes the exponent carry at sqrt(2).
  constexpr uint64_t kRootHalf = 0x3fe6a09e667f3bcdull;
  const auto exponent = bitsAs<int64_t>(bits - kRootHalf) >> 52;
  const D m = bitsAs<double>(bits - (bitsAs<uint64_t>(exponent) << 52));
  // ln m = 2 atanh(s), s = (m - 1) / (m + 1), |s| <= 0.172: the next term, s^17 / 17, is below 6e-15 relative to s.
  const D s = (m - 1) / (m + 1);
  static constexpr double kTerms[] = {1.0, 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15};
  const D log = s * polynomial(s * s, kTerms) * (2 * 1.44269504088896340735992468100);
  V result = convert<float>(log + integralDouble(exponent));
  const V infinity = V(__builtin_inff());
  result = x == infinity ? infinity : result;
  result = x == 0 ? -infinity : result;
  return x >= 0 ? result : V(__builtin_nanf(""));
}

/// sin or cos of doubles below 2^128 in magnitude; the argument is reduced as far as a double of pi/2 in three parts
/// goes, which is exact enough below 2^20 and without meaning (but bounded) far above, where PTX promises nothing.
template <bool Cosine, typename V>
V sineApproximate(V x) {
  using D = Rebind<V, double>;
  const D wide = convert<double>(x);
  const D limit = __builtin_elementwise_abs(wide) < 1125899906842624.0 ? wide : D(0);
  const D quarter = roundSmall(limit * 0.636619772367581343075535053490);
  D rest = __builtin_elementwise_fma(quarter, D(-0x1.921fb54442d18p+0), limit);
  rest = __builtin_elementwise_fma(quarter, D(-0x1.1a62633145c07p-54), rest);
  const D square = rest * rest;
  // |rest| <= 0.786: the next terms, x^17 / 17! and x^16 / 16!, are below 1e-15.
  static constexpr double kSine[] = {1.0,          -1.0 / 6,        1.0 / 120,        -1.0 / 5040,
                                     1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800, -1.0 / 1307674368000};
  static constexpr double kCosine[] = {1.0,         -1.0 / 2,       1.0 / 24,        -1.0 / 720,
                                       1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600, -1.0 / 87178291200};
  const D sine = rest * polynomial(square, kSine);
  const D cosine = polynomial(square, kCosine);
  const auto turn = integerOf(quarter) + (Cosine ? 1 : 0);
  const D value = (turn & 1) != 0 ? cosine : sine;
  const V result = convert<float>((turn & 2) != 0 ? -value : value);
  const auto finite = __builtin_elementwise_abs(x) < __builtin_inff();
  const V signedResult = Cosine ? result : (x == 0 ? x : result); // keeps the sign of a zero
  return finite ? signedResult : V(__builtin_nanf(""));
}

/// tanh.approx.f32.
template <typename V>
V tanhApproximate(V x) {
  using D = Rebind<V, double>;
  const D wide = __builtin_elementwise_abs(convert<double>(x));
  // Beyond 16 the result rounds to 1; below 2^-6 the series x - x^3/3 + 2x^5/15 - 17x^7/315 is exact enough.
  const D bounded = wide < 16.0 ? wide : D(16.0);
  const D power = exp2Double(bounded * (2 * 1.44269504088896340735992468100));
  static constexpr double kTerms[] = {1.0, -1.0 / 3, 2.0 / 15, -17.0 / 315};
  const D small = wide * polynomial(wide * wide, kTerms);
  const D value = wide < 0.015625 ? small : (power - 1) / (power + 1);
  const V magnitude = convert<float>(value);
  const V result = bitsAs<float>(bitsAs<uint32_t>(magnitude) | (bitsAs<uint32_t>(x) & 0x80000000u));
  return isNumber(x) ? result : x;
}

/// rsqrt.approx.f32: of -0 minus infinity, of other negative values NaN.
template <typename V>
V reciprocalRootApproximate(V x) {
  const auto wide = convert<double>(x);
  return convert<float>(1.0 / __builtin_elementwise_sqrt(wide));
}

/// div.approx.f32, as a times the reciprocal of b: beyond 2^126 the reciprocal is subnormal and counts as zero.
template <typename V>
V divideApproximate(V a, V b) {
  const V magnitude = __builtin_elementwise_abs(b);
  const auto large = magnitude > 0x1p126f && magnitude < __builtin_inff();
  return large ? a * __builtin_elementwise_copysign(V(0.0f), b) : a / b;
}

GLM_PTX_END_LANES
