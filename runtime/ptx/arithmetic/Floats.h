// What floating-point handlers share: flushing, canonical NaN, saturation, order. Source of every rule: PTX ISA,
// "Floating Point Instructions".
#pragma once

#include "runtime/ptx/arithmetic/Lanes.h"
#include "runtime/ptx/number/Exact.h"

#include <limits>

GLM_PTX_BEGIN_LANES

/// .ftz: subnormal floats become zeros of their sign.
template <typename V>
V flush(V value) {
  const auto bits = bitsAs<uint32_t>(value);
  return bitsAs<float>((bits & kInfinityF32) == 0 ? bits & 0x80000000u : bits);
}
template <bool Ftz, typename V>
V flushIf(V value) {
  if constexpr (Ftz)
    return flush(value);
  return value;
}

/// Single precision makes one NaN only.
template <typename V>
V canonicalNan(V value) {
  return value == value ? value : bitsAs<float>(Rebind<V, uint32_t>(kNanF32));
}

/// .sat: to [0, 1]; NaN and -0 become +0.
template <typename V>
V saturate(V value) {
  const V bounded = value < 1 ? value : V(1);
  return value > 0 ? bounded : V(0);
}

/// The end of an instruction that computed `value` (NaN as the processor made it).
template <bool Ftz, bool Sat, typename V>
V finish(V value) {
  if constexpr (Sat)
    return saturate(flushIf<Ftz>(value));
  return canonicalNan(flushIf<Ftz>(value));
}

/// Double precision hands the payload of a NaN on, quieted: of the first operand that is one.
template <typename V, typename... W>
V withPayload(V result, V first, W... others) {
  constexpr uint64_t kQuiet = 0x0008000000000000;
  if constexpr (sizeof...(others) > 0)
    result = withPayload(result, others...);
  return first == first ? result : bitsAs<double>(bitsAs<uint64_t>(first) | kQuiet);
}

/// Integers in the order of the values, -0 before +0; NaN lies beyond infinity.
template <typename V>
auto orderOf(V value) {
  using I = std::conditional_t<sizeof(ElementOf<V>) == 8, int64_t,
                               std::conditional_t<sizeof(ElementOf<V>) == 4, int32_t, int16_t>>;
  constexpr I kMagnitude = std::numeric_limits<I>::max();
  const auto bits = bitsAs<I>(value);
  return bits ^ (bits >> (8 * sizeof(I) - 1) & kMagnitude);
}

GLM_PTX_END_LANES
