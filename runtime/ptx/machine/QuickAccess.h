// The common case of loads and stores: all 32 lanes, a space that the words name, nothing to count. What is not found to be in
// order here takes the slow road of touchLanes, which says what is wrong.
#pragma once

#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/machine/SharedShadow.h"

#include <bit>

namespace glm::ptx {

using LaneOffsets = uint32_t __attribute__((ext_vector_type(32)));
using LaneAddresses = uint64_t __attribute__((ext_vector_type(32)));

/// Offsets within the own block's shared memory if each lane's `bytes` bytes lie within it and are aligned to their size.
inline bool ownSharedOffsets(const Warp &warp, const Op &op, uint32_t bytes, LaneOffsets &offsets) {
  const Block &block = *warp.block;
  uint32_t lowest = block.grid->module->program().chip->sharedReserved;
  auto size = static_cast<uint32_t>(block.shared.size());
  if (size < lowest + bytes)
    return false;
  std::memcpy(&offsets, warp.read<uint32_t>(op.slots[0]), sizeof(offsets));
  offsets += static_cast<uint32_t>(op.immediate) - (block.rank << kRankShift);
  auto outside = (offsets - lowest) > (size - bytes - lowest);
  return !__builtin_reduce_or(std::bit_cast<LaneOffsets>(outside) | (offsets & (bytes - 1)));
}

/// Addresses if each lane's bytes lie in one region of global memory that this warp touched before, and are aligned.
inline bool knownGlobalAddresses(const Warp &warp, const Op &op, uint32_t bytes, bool writes,
                                 LaneAddresses &addresses) {
  std::memcpy(&addresses, warp.read<uint64_t>(op.slots[0]), sizeof(addresses));
  addresses += static_cast<uint64_t>(op.immediate);
  uint64_t first = addresses[0], generation = warp.block->grid->module->memory().generation();
  for (const Warp::CachedRegion &region : warp.regions) {
    if (first < region.begin || first >= region.end || region.generation != generation || (writes && !region.writable))
      continue;
    // Differences of addresses within half of the address space: the sign tells.
    LaneAddresses outside = (addresses - region.begin) | (region.end - bytes - addresses);
    uint64_t any = __builtin_reduce_or(outside), bits = __builtin_reduce_or(addresses);
    return !(any >> 63) && !(bits & (bytes - 1));
  }
  return false;
}

} // namespace glm::ptx
