// The floating-point formats of PTX that are narrower than 32 bits, as facts.
//
// Sources: PTX ISA 9.0, "Alternate Floating-Point Data Formats" and "cvt"; OCP Microscaling Formats v1.0 (e2m1, e2m3,
// e3m2, ue8m0); OCP 8-bit Floating Point (e4m3, e5m2).
#pragma once

#include <cstdint>

namespace glm::ptx {

/// A sign bit, an exponent, a mantissa. The value of a code: exponent field 0 is subnormal, 2^(1 - bias) * 0.mantissa.
struct FloatFormat {
  int exponentBits;
  int mantissaBits;
  bool hasInfinity;       ///< the highest exponent means infinity and NaN
  bool hasNan;            ///< without infinity: the code of all ones is NaN
  uint32_t canonicalNan;  ///< what PTX gives for a NaN; the largest value where there is none (PTX ISA, cvt .satfinite)
  uint32_t largestFinite; ///< code of the largest value, without sign

  constexpr int bias() const { return (1 << (exponentBits - 1)) - 1; }
  constexpr int bits() const { return 1 + exponentBits + mantissaBits; }
};

inline constexpr FloatFormat kF16{5, 10, true, true, 0x7fff, 0x7bff};
inline constexpr FloatFormat kBF16{8, 7, true, true, 0x7fff, 0x7f7f};
/// The upper 19 bits of a 32-bit register hold these; see narrowToTf32.
inline constexpr FloatFormat kTF32{8, 10, true, true, 0x3ffff, 0x3fbff};
inline constexpr FloatFormat kE4M3{4, 3, false, true, 0x7f, 0x7e};
inline constexpr FloatFormat kE5M2{5, 2, true, true, 0x7f, 0x7b};
inline constexpr FloatFormat kE3M2{3, 2, false, false, 0x1f, 0x1f};
inline constexpr FloatFormat kE2M3{2, 3, false, false, 0x1f, 0x1f};
inline constexpr FloatFormat kE2M1{2, 1, false, false, 0x7, 0x7};

/// Rounding modifiers: .rn .rz .rm .rp .rna .rs (PTX ISA, "Rounding Modifiers").
enum class Rounding : uint8_t { Nearest, Zero, Down, Up, NearestAway, Stochastic };

inline constexpr uint32_t kNanF32 = 0x7fffffff; ///< every NaN that single-precision instructions make
inline constexpr uint32_t kInfinityF32 = 0x7f800000;

} // namespace glm::ptx
