// Between float and the narrow formats, any rounding. Subnormal values are computed without subnormal floats, so that
// neither speed nor result depends on the host's treatment of them.
#pragma once

#include "runtime/ptx/number/Format.h"
#include "runtime/ptx/number/Vector.h"

GLM_PTX_BEGIN_LANES

/// What a conversion does besides rounding.
struct Narrowing {
  Rounding rounding = Rounding::Nearest;
  bool satfinite = false; ///< beyond the largest value: that value, infinity as well
  bool relu = false;      ///< negative values become +0
  int randomBits = 0;     ///< Rounding::Stochastic: how many low bits of `random` count
};

/// The value of each code (bits above the format's are ignored). Exact; NaN becomes 0x7fffffff.
template <FloatFormat F, typename V>
Rebind<V, float> widen(V code) {
  using U = Rebind<V, uint32_t>;
  constexpr int kBits = F.exponentBits + F.mantissaBits;
  constexpr uint32_t kMagnitude = (1u << kBits) - 1;
  const U bits = convert<uint32_t>(code);
  const U sign = (bits >> kBits & 1) << 31;
  const U magnitude = bits & kMagnitude;
  U value = magnitude << (23 - F.mantissaBits);
  if constexpr (F.exponentBits < 8) {
    constexpr uint32_t kUnit = static_cast<uint32_t>(127 + 1 - F.bias() - F.mantissaBits) << 23;
    const U subnormal = bitsAs<uint32_t>(convert<float>(bitsAs<int32_t>(magnitude)) * __builtin_bit_cast(float, kUnit));
    value = magnitude < (1u << F.mantissaBits) ? subnormal : value + (static_cast<uint32_t>(127 - F.bias()) << 23);
  }
  U result = value | sign;
  if constexpr (F.hasInfinity) {
    constexpr uint32_t kInfinity = ((1u << F.exponentBits) - 1) << F.mantissaBits;
    result = magnitude == kInfinity ? sign | kInfinityF32 : result;
    result = magnitude > kInfinity ? U(kNanF32) : result;
  } else if constexpr (F.hasNan) {
    result = magnitude == kMagnitude ? U(kNanF32) : result;
  }
  return bitsAs<float>(result);
}

/// How much to add to `kept` significand bits, given those that `shift` drops. `shift` is at least 1 and at most 31.
template <Rounding R, typename U>
U roundUp(U significand, U shift, U negative, U random, int randomBits) {
  const U kept = significand >> shift;
  const U dropped = significand - (kept << shift);
  const U half = U(1) << (shift - 1);
  const U one = 1;
  const U none = 0;
  if constexpr (R == Rounding::Nearest)
    return dropped + (kept & 1) > half ? one : none;
  if constexpr (R == Rounding::NearestAway)
    return dropped >= half ? one : none;
  if constexpr (R == Rounding::Down)
    return dropped != 0 ? negative : none;
  if constexpr (R == Rounding::Up)
    return dropped != 0 ? one - negative : none;
  if constexpr (R == Rounding::Stochastic) {
    // The random bits stand at the top of the dropped ones; where fewer are dropped, the random bits' top counts.
    const U width = U(static_cast<uint32_t>(randomBits));
    const U used = random & ((1u << randomBits) - 1);
    const U aligned = shift >= width ? used << (shift - width) : used >> (width - shift);
    return (dropped + aligned) >> shift;
  }
  return none;
}

/// Each value rounded into the format; the code in the low bits. A NaN becomes the format's canonical NaN, or where it has
/// none the largest value.
template <FloatFormat F, Narrowing N, typename V>
Rebind<V, uint32_t> narrow(V value, Rebind<V, uint32_t> random = {}) {
  using U = Rebind<V, uint32_t>;
  constexpr int kBits = F.exponentBits + F.mantissaBits;
  constexpr uint32_t kShift = 23 - F.mantissaBits;
  const U bits = bitsAs<uint32_t>(value);
  const U negative = bits >> 31;
  const U magnitude = bits & 0x7fffffffu;

  U significand = magnitude;
  U shift = U(kShift);
  if constexpr (F.exponentBits < 8) {
    // A value below the format's normal ones keeps its leading bit and drops more; 31 drops everything.
    constexpr uint32_t kLeast = 128 - F.bias();
    const U exponent = magnitude >> 23;
    const U full = (magnitude & 0x7fffffu) | (exponent != 0 ? U(0x800000u) : U(0));
    // The exponent field of subnormal floats counts as 1.
    const U drop = kShift + kLeast - (exponent == 0 ? U(1) : exponent);
    const auto small = exponent < kLeast;
    // Where a part of the dropped bits counts, what is dropped beyond 31 bits has to go first.
    const U more = drop > 31 ? drop - 31 : U(0);
    const U kept = N.rounding == Rounding::Stochastic ? full >> (more > 31 ? U(31) : more) : full;
    significand = small ? kept : magnitude - ((127u - F.bias()) << 23);
    shift = small ? (drop > 31 ? U(31) : drop) : shift;
  }
  U code = (significand >> shift) + roundUp<N.rounding>(significand, shift, negative, random, N.randomBits);

  // Beyond the largest value: rounding decides between that and infinity; a format without infinity saturates.
  constexpr bool kClamps = N.satfinite || !F.hasInfinity;
  U beyond = U(F.largestFinite + (kClamps ? 0 : 1));
  if constexpr (!kClamps && N.rounding == Rounding::Zero)
    beyond = U(F.largestFinite);
  if constexpr (!kClamps && N.rounding == Rounding::Down)
    beyond = F.largestFinite + negative;
  if constexpr (!kClamps && N.rounding == Rounding::Up)
    beyond = F.largestFinite + 1 - negative;
  code = code > F.largestFinite ? beyond : code;
  if constexpr (!kClamps)
    code = magnitude == kInfinityF32 ? U(F.largestFinite + 1) : code;

  code = N.relu ? (negative != 0 ? U(0) : code) : code | negative << kBits;
  return magnitude > kInfinityF32 ? U(F.canonicalNan) : code;
}

/// tf32 in a 32-bit register: a float whose low 13 bits are zero (the layout is NVIDIA's own; this is what their mma
/// reads). NaN becomes 0x7fffe000, but with .rna it keeps its upper bits, as on an H100.
template <Narrowing N, typename V>
Rebind<V, uint32_t> narrowToTf32(V value) {
  using U = Rebind<V, uint32_t>;
  const U code = narrow<kTF32, N>(value) << 13, bits = bitsAs<uint32_t>(value);
  const U nan = N.rounding == Rounding::NearestAway ? bits & ~0x1fffu : U(kNanF32 & ~0x1fffu);
  return (bits & 0x7fffffffu) > kInfinityF32 ? nan : code;
}

/// ue8m0: 2^(code - 127), 255 is NaN. Rounds towards zero or up (.rz, .rp); the sign is ignored as the hardware's format
/// has none: NaN, and without satfinite infinity, become 255; with satfinite infinity becomes 254. Zero and values below
/// 2^-127 become 0.
template <Rounding R, bool Satfinite, typename V>
Rebind<V, uint32_t> narrowToUe8m0(V value) {
  using U = Rebind<V, uint32_t>;
  const U magnitude = bitsAs<uint32_t>(value) & 0x7fffffffu;
  U code = magnitude >> 23;
  if constexpr (R == Rounding::Up) {
    // 2^-127 is the subnormal float 0x400000, code 0.
    const auto up = (magnitude & 0x7fffffu) != 0 && (code != 0 || magnitude > 0x400000u);
    code = up ? code + 1 : code;
  }
  code = code > 254 ? U(Satfinite ? 254 : 255) : code;
  return magnitude > kInfinityF32 ? U(255) : code;
}

/// The value of each ue8m0 code; 2^-127 is a subnormal float. 255 is NaN.
template <typename V>
Rebind<V, float> widenUe8m0(V code) {
  using U = Rebind<V, uint32_t>;
  const U bits = convert<uint32_t>(code) & 0xffu;
  const U value = bits == 0 ? U(0x00400000u) : bits << 23;
  return bitsAs<float>(bits == 255 ? U(kNanF32) : value);
}

GLM_PTX_END_LANES
