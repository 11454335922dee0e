// Divergence: the fragments of a warp.
#pragma once

#include "runtime/ptx/machine/Warp.h"

namespace glm::ptx {

/// Take `lanes` (some, not all, of the running fragment's) out into a fragment of their own, at the same op with the same
/// frames. The running fragment keeps the others and goes on to be the running one; returns the new one's index.
size_t splitFragment(Warp &warp, LaneMask lanes);

/// Lanes exited: they are taken from the running fragment, which disappears when none is left.
void removeLanes(Warp &warp, LaneMask lanes);

/// Join fragments that stand at the same place and wait for nothing of their own.
void mergeFragments(Warp &warp);

/// Make the fragment that is to run next the current one: of those that do not wait, the deepest in calls, then the one with
/// the lowest op; every so often another, so that lanes that wait for each other go on. False if all wait.
bool selectFragment(Warp &warp);

/// Set what handlers see of the current fragment.
void enterFragment(Warp &warp);

/// The lowest op, not before the current fragment's own, at which another fragment of the same frames stands; or none:
/// UINT32_MAX.
uint32_t nextMeeting(const Warp &warp);

} // namespace glm::ptx
