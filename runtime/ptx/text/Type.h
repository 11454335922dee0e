// The type words of PTX (PTX ISA, "Fundamental Types", "Packed Data Types", "Alternate Floating-Point Data Formats").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace glm::ptx {

enum class Type : uint8_t {
  None,
  Pred,
  B1,
  B8,
  B16,
  B32,
  B64,
  B128,
  U2,
  U4,
  U8,
  U16,
  U32,
  U64,
  S2,
  S4,
  S8,
  S16,
  S32,
  S64,
  U8x4,
  S8x4,
  U16x2,
  S16x2,
  F16,
  F16x2,
  BF16,
  BF16x2,
  TF32,
  F32,
  F32x2,
  F64,
  E4M3,
  E5M2,
  E4M3x2,
  E5M2x2,
  E4M3x4,
  E5M2x4,
  E3M2,
  E2M3,
  E2M1,
  E3M2x2,
  E2M3x2,
  E2M1x2,
  E3M2x4,
  E2M3x4,
  E2M1x4,
  UE8M0,
  UE8M0x2,
  UE4M3,
  S2F6x2,
};

/// Width of one value in bits; packed types count all elements, Pred counts 1. Types of less than a byte are matrix
/// element types and give their true width (E2M1: 4, E3M2: 6).
uint32_t bitsOf(Type type);

/// The type that a word such as "f16x2" (no dot) names; nothing for any other word.
std::optional<Type> typeNamed(std::string_view word);

/// The word for a type, without its dot.
std::string_view nameOf(Type type);

bool isFloat(Type type);  ///< F16, BF16, TF32, F32, F64 and their packed pairs
bool isSigned(Type type); ///< S2 to S64 and their packed forms

} // namespace glm::ptx
