// Elements of 4 and 6 bits in rows of 16 that are padded to 16 bytes, and one byte each.
//
// Source: PTX ISA, "ldmatrix" (.b8x16.b6x16_p32, .b8x16.b4x16_p64), "tcgen05.cp: decompression".
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace glm::ptx {

enum class Packing : uint8_t {
  None,
  Nibbles, ///< .b4x16_p64: 16 elements of 4 bits in 8 bytes, then 8 bytes of padding
  Sixes,   ///< .b6x16_p32: 16 elements of 6 bits in 12 bytes, then 4 bytes of padding
};

inline Packing packingOf(std::string_view word) {
  return word == "b4x16_p64" ? Packing::Nibbles : word == "b6x16_p32" ? Packing::Sixes : Packing::None;
}

/// Bytes of a row that hold elements.
constexpr uint32_t packedBytes(Packing packing) {
  return packing == Packing::None ? 16 : packing == Packing::Nibbles ? 8 : 12;
}

/// 16 elements to 16 bytes: an element of 6 bits in the low bits of its byte, one of 4 bits `nibbleShift` bits up.
inline void unpackRow(Packing packing, uint32_t nibbleShift, const std::byte *from, std::byte *to) {
  if (packing == Packing::None) {
    std::memcpy(to, from, 16);
    return;
  }
  uint32_t width = packing == Packing::Nibbles ? 4 : 6, shift = packing == Packing::Nibbles ? nibbleShift : 0;
  for (uint32_t i = 0; i < 16; ++i) {
    uint32_t bit = i * width, byte = bit / 8;
    uint32_t word = static_cast<uint32_t>(from[byte]);
    if (byte + 1 < packedBytes(packing))
      word |= static_cast<uint32_t>(from[byte + 1]) << 8;
    to[i] = static_cast<std::byte>((word >> bit % 8 & ((1u << width) - 1)) << shift);
  }
}

} // namespace glm::ptx
