// Where the tensor copy engine puts a byte of a box within shared memory.
//
// Source: PTX ISA, "Swizzling Modes" and "Swizzle atomicity"; the address bits as CUTLASS writes them (Swizzle<B, M, S>
// of cute/swizzle.hpp): B bits from bit M on are xored with the B bits that lie S above them. The address is the one
// within the block, not within the box, so that a box that does not start at a multiple of the pattern starts within it.
#pragma once

#include <cstdint>

namespace glm::ptx {

/// The values of CUtensorMapSwizzle.
enum class Swizzle : uint8_t { None, B32, B64, B128, B128Atom32, B128Atom32Flip8, B128Atom64 };

/// Bytes of a row of the pattern: what a box's inner dimension may take, and what a row of a narrower box is padded to.
constexpr uint32_t swizzleSpan(Swizzle swizzle) {
  switch (swizzle) {
  case Swizzle::None:
    return 0;
  case Swizzle::B32:
    return 32;
  case Swizzle::B64:
    return 64;
  default:
    return 128;
  }
}

/// Bytes that stay together: aligned pieces of this size are moved as a whole.
constexpr uint32_t swizzlePiece(Swizzle swizzle) { return swizzle == Swizzle::B128Atom32Flip8 ? 8 : 16; }

/// The shared address at which the byte lies that an unswizzled box would have at `address`.
constexpr uint32_t swizzledAddress(Swizzle swizzle, uint32_t address) {
  switch (swizzle) {
  case Swizzle::None:
    return address;
  case Swizzle::B32: // Swizzle<1, 4, 3>
    return address ^ ((address >> 3) & 0x10);
  case Swizzle::B64: // Swizzle<2, 4, 3>
    return address ^ ((address >> 3) & 0x30);
  case Swizzle::B128: // Swizzle<3, 4, 3>
    return address ^ ((address >> 3) & 0x70);
  case Swizzle::B128Atom32: // Swizzle<2, 5, 2>
    return address ^ ((address >> 2) & 0x60);
  case Swizzle::B128Atom32Flip8: // and the halves of 16 bytes change places in every other row of 128
    return address ^ ((address >> 2) & 0x60) ^ ((address >> 4) & 0x8);
  case Swizzle::B128Atom64: // Swizzle<1, 6, 1>
    return address ^ ((address >> 1) & 0x40);
  }
  return address;
}

} // namespace glm::ptx
