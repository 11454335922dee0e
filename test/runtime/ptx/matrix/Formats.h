// Matrix elements as this test sees them: codes and values by the definition of each format, nothing of the interpreter's.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>

namespace glm::ptx::test {

struct Format {
  enum class Kind { Float, Signed, Unsigned, Bit } kind = Kind::Float;
  const char *word = ""; ///< in the instruction
  int storage = 0;       ///< bits between neighbours
  int exponentBits = 0, mantissaBits = 0;
  int shift = 0;            ///< of the code within its storage
  bool hasInfinity = false; ///< all-ones exponents are infinities and NaNs
  bool hasOneNan = false;   ///< all ones is NaN (e4m3)

  int bits() const { return kind == Kind::Float ? 1 + exponentBits + mantissaBits : storage; }

  double value(uint64_t code) const {
    if (kind == Kind::Bit || kind == Kind::Unsigned)
      return static_cast<double>(code);
    if (kind == Kind::Signed)
      return code >> (storage - 1) ? static_cast<double>(code) - std::ldexp(1.0, storage) : static_cast<double>(code);
    int64_t mantissa = static_cast<int64_t>(code & ((uint64_t{1} << mantissaBits) - 1));
    int exponent = static_cast<int>(code >> mantissaBits & ((uint64_t{1} << exponentBits) - 1));
    int bias = (1 << (exponentBits - 1)) - 1;
    double magnitude = exponent == 0 ? std::ldexp(static_cast<double>(mantissa), 1 - bias - mantissaBits)
                                     : std::ldexp(static_cast<double>(mantissa) + std::ldexp(1.0, mantissaBits),
                                                  exponent - bias - mantissaBits);
    return code >> (exponentBits + mantissaBits) & 1 ? -magnitude : magnitude;
  }

  /// The code of 1.
  uint64_t one() const {
    return kind == Kind::Float ? static_cast<uint64_t>((1 << (exponentBits - 1)) - 1) << mantissaBits : 1;
  }

  /// A finite code; of wide formats with a magnitude from 1/16 to 16.
  uint64_t random(std::mt19937_64 &generator) const {
    uint64_t code = generator() & (bits() == 64 ? ~uint64_t{0} : (uint64_t{1} << bits()) - 1);
    if (kind != Kind::Float)
      return code;
    if (exponentBits >= 5) {
      uint64_t bias = (uint64_t{1} << (exponentBits - 1)) - 1;
      uint64_t exponent = bias - 4 + generator() % 8;
      uint64_t field = ((uint64_t{1} << exponentBits) - 1) << mantissaBits;
      return (code & ~field) | exponent << mantissaBits;
    }
    uint64_t magnitude = (uint64_t{1} << (exponentBits + mantissaBits)) - 1;
    return hasOneNan && (code & magnitude) == magnitude ? code - 1 : code;
  }
};

inline constexpr Format kF16{Format::Kind::Float, "f16", 16, 5, 10, 0, true};
inline constexpr Format kBF16{Format::Kind::Float, "bf16", 16, 8, 7, 0, true};
inline constexpr Format kTF32{Format::Kind::Float, "tf32", 32, 8, 10, 13, true};
inline constexpr Format kF64{Format::Kind::Float, "f64", 64, 11, 52, 0, true};
inline constexpr Format kE4M3{Format::Kind::Float, "e4m3", 8, 4, 3, 0, false, true};
inline constexpr Format kE5M2{Format::Kind::Float, "e5m2", 8, 5, 2, 0, true};
inline constexpr Format kE3M2{Format::Kind::Float, "e3m2", 8, 3, 2, 0};
inline constexpr Format kE2M3{Format::Kind::Float, "e2m3", 8, 2, 3, 0};
inline constexpr Format kE2M1{Format::Kind::Float, "e2m1", 8, 2, 1, 2};       ///< in the middle of a byte
inline constexpr Format kE2M1Packed{Format::Kind::Float, "e2m1", 4, 2, 1, 0}; ///< two in a byte
inline constexpr Format kS8{Format::Kind::Signed, "s8", 8}, kU8{Format::Kind::Unsigned, "u8", 8};
inline constexpr Format kS4{Format::Kind::Signed, "s4", 4}, kU4{Format::Kind::Unsigned, "u4", 4};
inline constexpr Format kB1{Format::Kind::Bit, "b1", 1};

/// The value of an accumulator's bits.
inline double accumulatorValue(const std::string &type, uint64_t bits) {
  if (type == "f16")
    return kF16.value(bits & 0xffff);
  if (type == "s32")
    return static_cast<double>(static_cast<int32_t>(bits));
  if (type == "f32") {
    float value;
    auto word = static_cast<uint32_t>(bits);
    std::memcpy(&value, &word, 4);
    return value;
  }
  double value;
  std::memcpy(&value, &bits, 8);
  return value;
}

/// The bits of a value that the type holds exactly.
inline uint64_t accumulatorBits(const std::string &type, double value) {
  if (type == "s32")
    return static_cast<uint32_t>(static_cast<int64_t>(value));
  if (type == "f32") {
    auto narrow = static_cast<float>(value);
    uint32_t word;
    std::memcpy(&word, &narrow, 4);
    return word;
  }
  if (type == "f64") {
    uint64_t word;
    std::memcpy(&word, &value, 8);
    return word;
  }
  if (value == 0)
    return 0;
  int exponent = std::ilogb(value);
  auto mantissa = static_cast<uint64_t>(std::ldexp(std::abs(value), 10 - exponent)) - 1024;
  return (value < 0 ? 0x8000u : 0u) | static_cast<uint64_t>(exponent + 15) << 10 | mantissa;
}

} // namespace glm::ptx::test
