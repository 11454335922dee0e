// Single precision with any rounding, through double precision rounded to odd.
//
// A result rounded to odd (the last bit stands for everything dropped) in a format with at least two more bits than the
// target rounds there as the exact value would, in every mode (Boldo, Melquiond: "Emulation of a FMA and Correctly Rounded
// Sums: Proved Algorithms Using Rounding to Odd", IEEE Transactions on Computers 57, 2008). 53 >= 24 + 2, and 24 >= 11 + 2.
#pragma once

#include "runtime/ptx/number/Narrow.h"

GLM_PTX_BEGIN_LANES

/// The integer type as wide as V's element.
template <typename V>
using BitsOf = std::conditional_t<sizeof(ElementOf<V>) == 8, uint64_t, uint32_t>;

/// The next value away from (`step` 1) or towards (`step` -1) zero.
template <typename V>
V stepMagnitude(V value, int step) {
  using B = BitsOf<V>;
  return bitsAs<ElementOf<V>>(bitsAs<B>(value) + static_cast<B>(step));
}

/// `rounded` with an odd last bit if `rest` (exact value minus `rounded`, or anything of its sign) is not zero.
template <typename V>
V toOdd(V rounded, V rest) {
  using B = BitsOf<V>;
  const auto even = (bitsAs<B>(rounded) & 1) == 0;
  const V away = stepMagnitude(rounded, 1);
  const V towards = stepMagnitude(rounded, -1);
  const V neighbour = (rest > 0) == (rounded > 0) ? away : towards;
  return rest != 0 && even ? neighbour : rounded;
}

/// a + b rounded to odd. Inputs must be finite sums away from overflow, or the result is that of a plain addition.
template <typename V>
V addToOdd(V a, V b) {
  const V sum = a + b;
  const V part = sum - a;
  // Knuth's exact error of an addition; NaN where the sum is infinite or NaN, and then it changes nothing.
  const V rest = (a - (sum - part)) + (b - part);
  return rest == rest ? toOdd(sum, rest) : sum;
}

/// A double rounded to float.
template <Rounding R, typename V>
Rebind<V, float> roundToFloat(V value) {
  const auto nearest = convert<float>(value);
  if constexpr (R == Rounding::Nearest)
    return nearest;
  const V back = convert<double>(nearest);
  using F = Rebind<V, float>;
  const F towards = stepMagnitude(nearest, -1);
  const F away = stepMagnitude(nearest, 1);
  // The last step towards zero ends at a zero of the same sign; the first step away from zero has the sign of `value`.
  const auto asMask = [](auto mask) { return __builtin_convertvector(mask, MaskOf<F>); };
  const auto tooLarge = asMask(__builtin_elementwise_abs(back) > __builtin_elementwise_abs(value));
  const auto tooSmall = asMask(__builtin_elementwise_abs(back) < __builtin_elementwise_abs(value));
  const auto negative = asMask(bitsAs<int64_t>(value) < 0);
  if constexpr (R == Rounding::Zero)
    return tooLarge ? towards : nearest;
  const auto outwards = R == Rounding::Down ? negative : !negative;
  return outwards ? (tooSmall ? away : nearest) : (tooLarge ? towards : nearest);
}

/// A double rounded to float with an odd last bit where anything was dropped; overflow gives the largest value, which is odd.
template <typename V>
Rebind<V, float> roundToOddFloat(V value) {
  const auto truncated = roundToFloat<Rounding::Zero>(value);
  const auto exact = convert<double>(truncated) == value;
  const auto odd = bitsAs<uint32_t>(truncated) | 1u;
  return __builtin_convertvector(exact || value != value, MaskOf<Rebind<V, float>>) ? truncated : bitsAs<float>(odd);
}

/// a + b of doubles, which are floats or products of two floats, as a float.
template <Rounding R, typename V>
Rebind<V, float> addDoubles(V a, V b) {
  V sum = addToOdd(a, b);
  // A sum that is exactly zero is -0 when rounding down, unless both are +0.
  if constexpr (R == Rounding::Down)
    sum = sum == 0 ? bitsAs<double>((bitsAs<uint64_t>(a) | bitsAs<uint64_t>(b)) & 0x8000000000000000u) : sum;
  return roundToFloat<R>(sum);
}

/// a * b + c in the given rounding.
template <Rounding R, typename V>
V fusedMultiplyAdd(V a, V b, V c) {
  // The product of two floats is exact in double precision.
  return addDoubles<R>(convert<double>(a) * convert<double>(b), convert<double>(c));
}

template <Rounding R, typename V>
V add(V a, V b) {
  return addDoubles<R>(convert<double>(a), convert<double>(b));
}

template <Rounding R, typename V>
V multiply(V a, V b) {
  return roundToFloat<R>(convert<double>(a) * convert<double>(b));
}

/// The quotient is far from both ends of the double range, so that its remainder is exact.
template <Rounding R, typename V>
V divide(V a, V b) {
  const auto dividend = convert<double>(a);
  const auto divisor = convert<double>(b);
  const auto quotient = dividend / divisor;
  const auto remainder = __builtin_elementwise_fma(-quotient, divisor, dividend);
  const auto rest = divisor < 0 ? -remainder : remainder;
  return roundToFloat<R>(rest == rest ? toOdd(quotient, rest) : quotient);
}

template <Rounding R, typename V>
V squareRoot(V a) {
  const auto value = convert<double>(a);
  const auto root = __builtin_elementwise_sqrt(value);
  const auto rest = __builtin_elementwise_fma(-root, root, value);
  return roundToFloat<R>(rest == rest ? toOdd(root, rest) : root);
}

GLM_PTX_END_LANES
