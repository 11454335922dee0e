#include "runtime/ptx/machine/Collective.h"

#include <bit>
#include <fmt/format.h>

namespace glm::ptx {
namespace {

Outcome waitForLanes(Warp &warp, LaneMask here, LaneMask missing) {
  warp.fragment().waitingFor = describeGathering;
  warp.fragment().waitingDetail = uint64_t{missing} << 32 | here;
  return Outcome::Retry;
}

} // namespace

std::string describeGathering(Block &, uint64_t detail) {
  return fmt::format("lanes {:#010x} of the warp, which are elsewhere", static_cast<uint32_t>(detail >> 32));
}

Outcome gatherWarp(Warp &warp, const Op &op, LaneMask lanes) {
  if (lanes != warp.active)
    return warp.fault(
        op, std::countr_zero(warp.active & ~lanes), LaunchFault::Kind::LaunchFailed,
        fmt::format("an .aligned instruction must be run by all lanes of the warp, but found its guard false in "
                    "lanes {:#010x}",
                    warp.active & ~lanes));
  if (lanes == warp.alive)
    return Outcome::Next;
  return waitForLanes(warp, lanes, warp.alive & ~lanes);
}

bool gatherGroups(Warp &warp, const Op &op, LaneMask lanes, const uint32_t *masks, LaneMask &complete,
                  LaneMask *groups) {
  complete = 0;
  for (LaneMask rest = lanes; rest;) {
    int first = std::countr_zero(rest);
    uint32_t mask = masks[first];
    LaneMask group = 0;
    for (LaneMask other = rest; other; other &= other - 1)
      if (int lane = std::countr_zero(other); masks[lane] == mask)
        group |= LaneMask{1} << lane;
    rest &= ~group;
    if (LaneMask strangers = group & ~mask) {
      warp.fault(op, std::countr_zero(strangers), LaunchFault::Kind::LaunchFailed,
                 fmt::format("member mask must name every lane that runs the instruction, but found {:#010x}", mask));
      return false;
    }
    if (mask & warp.alive & ~group)
      continue;
    complete |= group;
    for (LaneMask member = group; member; member &= member - 1)
      groups[std::countr_zero(member)] = group;
  }
  return true;
}

Outcome leaveComplete(Warp &warp, const Op &op, LaneMask lanes, LaneMask complete) {
  LaneMask waiting = lanes & ~complete;
  if (!waiting)
    return Outcome::Next;
  auto at = static_cast<uint32_t>(&op - warp.ops);
  if (LaneMask others = warp.active & ~waiting) {
    // Those that took part, and those that the guard held back, go on; a write of theirs holds a value now.
    size_t gone = splitFragment(warp, others);
    warp.fragments[gone].op = at + 1;
    if (warp.defined)
      for (uint32_t index = 0; index < op.writeCount; ++index)
        warp.defined[op.writes[index]] |= complete;
  }
  warp.fragment().op = at;
  return waitForLanes(warp, waiting, warp.alive & ~waiting);
}

} // namespace glm::ptx
