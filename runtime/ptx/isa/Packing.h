// Registers that are never alive together share a place, so that a warp's frame stays in the caches of the host: compilers
// print hundreds of registers where a few dozen are alive.
#pragma once

#include "runtime/ptx/isa/Flow.h"
#include "runtime/ptx/isa/Op.h"

namespace glm::ptx {

/// What a register needs.
struct RegisterNeed {
  uint32_t bytes = 0;    ///< of its place
  bool isPinned = false; ///< needs a place of its own: somebody outside the instructions uses it
};

/// A place for every register, from `frameBytes` on, which grows; kNoSlot for those that no instruction names. Registers share
/// a place if one is dead wherever the other is alive, on the way of any single lane: lanes do not see one another's values,
/// so divergence changes nothing. The sources and destinations of one instruction never share.
std::vector<Slot> packRegisters(const Function &function, const std::vector<RegisterUses> &uses,
                                const std::vector<RegisterNeed> &needs, uint32_t &frameBytes);

} // namespace glm::ptx
