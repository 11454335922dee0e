// How the elements of matrix operands lie in bytes.
#pragma once

#include "runtime/ptx/text/Type.h"

#include <cstddef>
#include <cstdint>

namespace glm::ptx {

enum class Element : uint8_t {
  F16,
  BF16,
  TF32, ///< 32 bits; the low 13 are ignored
  E4M3,
  E5M2,
  E3M2,       ///< low 6 bits of a byte
  E2M3,       ///< low 6 bits of a byte
  E2M1,       ///< bits 2 to 5 of a byte
  E2M1Packed, ///< two per byte, the low nibble first
  S8,
  U8,
  S4, ///< two per byte, the low nibble first
  U4,
  B1,
  F64,
};
inline constexpr size_t kElements = 15;

/// Bits that one element takes.
constexpr int storageBits(Element element) {
  switch (element) {
  case Element::F16:
  case Element::BF16:
    return 16;
  case Element::TF32:
    return 32;
  case Element::E2M1Packed:
  case Element::S4:
  case Element::U4:
    return 4;
  case Element::B1:
    return 1;
  case Element::F64:
    return 64;
  default:
    return 8;
  }
}

/// Elements in a row of a core matrix: 16 bytes, of f64 32.
constexpr int elementsPerRow(Element element) { return element == Element::F64 ? 4 : 128 / storageBits(element); }

/// The element of an instruction's type word; the narrow floats in containers of a byte.
constexpr Element elementOf(Type type) {
  switch (type) {
  case Type::F16:
    return Element::F16;
  case Type::BF16:
    return Element::BF16;
  case Type::TF32:
    return Element::TF32;
  case Type::E4M3:
    return Element::E4M3;
  case Type::E5M2:
    return Element::E5M2;
  case Type::E3M2:
    return Element::E3M2;
  case Type::E2M3:
    return Element::E2M3;
  case Type::E2M1:
    return Element::E2M1;
  case Type::S8:
    return Element::S8;
  case Type::U8:
    return Element::U8;
  case Type::S4:
    return Element::S4;
  case Type::U4:
    return Element::U4;
  case Type::B1:
    return Element::B1;
  default:
    return Element::F64;
  }
}

} // namespace glm::ptx
