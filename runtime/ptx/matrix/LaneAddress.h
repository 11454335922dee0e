// Addresses that every lane has its own of: [base + offset] of an op of this room. The base is Op::slots[0], the offset
// Op::immediate, and two bits of Op::detail say the rest.
#pragma once

#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/machine/Warp.h"

namespace glm::ptx {

inline constexpr uint32_t kAddressIsShared = 1u << 30; ///< the instruction says .shared
inline constexpr uint32_t kAddressIsWide = 1u << 31;   ///< the base is 64 bits
inline constexpr uint32_t kAddressBits = kAddressIsShared | kAddressIsWide;

inline Result<void> setLaneAddress(Builder &builder, size_t index, bool isShared, Op &op) {
  Result<AddressOperand> address = builder.address(index);
  if (!address)
    return address.error();
  op.slots[0] = address->base;
  op.immediate = address->offset;
  op.detail |= (isShared ? kAddressIsShared : 0) | (address->wide ? kAddressIsWide : 0);
  return {};
}

/// A tensor address, [register], into Op::slots[slot].
inline Result<void> setTensorAddress(Builder &builder, size_t index, Op &op, size_t slot) {
  Result<AddressOperand> address = builder.address(index);
  if (!address)
    return address.error();
  if (address->wide || address->offset != 0)
    return builder.error("a tensor address must be a 32-bit register alone", "something else");
  op.slots[slot] = address->base;
  return {};
}

inline Space laneSpace(const Op &op) { return op.detail & kAddressIsShared ? Space::Shared : Space::Generic; }

inline uint64_t laneAddress(const Warp &warp, const Op &op, int lane) {
  uint64_t base =
      op.detail & kAddressIsWide ? warp.read<uint64_t>(op.slots[0])[lane] : warp.read<uint32_t>(op.slots[0])[lane];
  return base + static_cast<uint64_t>(op.immediate);
}

} // namespace glm::ptx
