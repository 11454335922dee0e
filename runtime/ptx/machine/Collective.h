// What instructions of several lanes have in common: who takes part, and waiting for the others.
#pragma once

#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/machine/Fragments.h"

namespace glm::ptx {

/// For .aligned instructions, which every living lane of a warp runs together: Next when they are all here. Otherwise the
/// fragment waits for the others (they may be on their way); a guard that only some lanes pass is a fault.
Outcome gatherWarp(Warp &warp, const Op &op, LaneMask lanes);

/// For .sync instructions with a member mask: lanes of one mask take part together. Finds the groups that are complete: for
/// each lane in `complete` the lanes of its group are in `groups[lane]`. Lanes that exited, or never existed, are not waited
/// for (PTX ISA: "all non-exited threads corresponding to membermask").
/// False after a fault.
bool gatherGroups(Warp &warp, const Op &op, LaneMask lanes, const uint32_t *masks, LaneMask &complete,
                  LaneMask *groups);

/// After a collective was performed for `complete` of `lanes`: what to tell the loop. The others stay and wait.
Outcome leaveComplete(Warp &warp, const Op &op, LaneMask lanes, LaneMask complete);

/// Fragment::waitingFor of fragments that wait for other lanes of their own warp.
std::string describeGathering(Block &block, uint64_t detail);

} // namespace glm::ptx
