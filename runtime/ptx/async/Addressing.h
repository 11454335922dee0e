// Address operands of this room's instructions, which have up to three of them, and what a Build function does with them.
#pragma once

#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/machine/Access.h"

#include <array>
#include <bit>

namespace glm::ptx {

using LaneAddresses = std::array<uint64_t, kWarpSize>;

/// An address operand, decoded.
struct AddressSlot {
  Slot base = kNoSlot;
  bool wide = true;
  bool generic = false; ///< no state space was named: a shared address lies in its window
  int64_t offset = 0;

  LaneAddresses read(const Warp &warp) const {
    LaneAddresses addresses;
    laneAddresses(warp, base, wide, offset, addresses.data());
    return addresses;
  }
};

/// Operand `index`, [address] of `space`. A symbol of another space is refused, as ptxas does; where a generic address is
/// meant, a symbol of shared memory is refused too: its address is not generic.
Result<AddressSlot> addressSlot(Builder &builder, size_t index, Space space);

/// Whether a word such as "shared::cta" is there: else the address is generic.
inline Space sharedOr(std::string_view word) { return word.empty() ? Space::Generic : Space::Shared; }

/// Calls `body(lane)` for each lane until it returns false; true if none did.
template <typename Body>
bool forEachLane(LaneMask lanes, Body body) {
  for (; lanes; lanes &= lanes - 1)
    if (!body(std::countr_zero(lanes)))
      return false;
  return true;
}

} // namespace glm::ptx
