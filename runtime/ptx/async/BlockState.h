// What this room remembers of a block while it runs: copies that its warps issued and have not waited for.
#pragma once

#include "runtime/ptx/machine/Access.h"

#include <array>
#include <deque>
#include <unordered_map>

namespace glm::ptx {

/// A cp.async of a warp: what each lane copies.
struct CopyBatch {
  const Op *op = nullptr;
  uint64_t number = 0;                               ///< among those of its warp
  LaneMask lanes = 0;                                ///< whose copy was not done yet
  uint32_t bytes = 0;                                ///< of shared memory, per lane
  std::array<const std::byte *, kWarpSize> source{}; ///< null: zeros only
  std::array<uint32_t, kWarpSize> destination{};     ///< offset within the block
  std::array<uint8_t, kWarpSize> sourceBytes{};      ///< the rest is zeros
  std::array<uint32_t, kWarpSize> group{};           ///< of each lane, counted from 0
  uint64_t flight = 0;                               ///< for the race check; 0: none
};

/// A copy out of shared memory, in two steps: the source is free again after the first, the result is there after the second.
struct OutgoingCopy {
  std::function<std::optional<LaunchFault>()> read, write; ///< empty once done

  std::optional<LaunchFault> advance(bool onlyRead);
};

/// Bulk copies of one thread that complete by groups.
struct BulkGroups {
  std::vector<std::shared_ptr<OutgoingCopy>> open;
  std::deque<std::vector<std::shared_ptr<OutgoingCopy>>> committed; ///< oldest first
};

struct WarpCopies {
  std::deque<CopyBatch> batches;               ///< oldest first
  uint64_t issued = 0;                         ///< batches so far
  std::array<uint32_t, kWarpSize> committed{}; ///< cp.async groups of each lane
  std::vector<uint64_t> landedTokens;          ///< mbarriers through which batches were made visible
  std::array<BulkGroups, kWarpSize> bulk;
};

/// Of an mbarrier: who did it, and in which phase of barrier.cluster a fence.mbarrier_init followed.
struct Initialization {
  uint32_t agent = 0, clock = 0, line = 0;
  std::optional<uint32_t> fencedIn;
};

struct BlockState {
  std::unordered_map<uint32_t, Initialization> initialized; ///< mbarriers, by offset
  std::vector<std::unique_ptr<WarpCopies>> warps;           ///< made when first used
  // Polls in a row that found nothing new: see MbarrierForms.cpp.
  uint64_t lastProgress = 0;
  uint32_t idlePolls = 0;
};

BlockState &stateOf(Block &block);
WarpCopies &copiesOf(Block &block, uint32_t warp);

/// Tokens of what a warp's own waits make visible to it.
uint64_t copyToken(const Block &block, uint32_t warp);
uint64_t bulkToken(const Block &block, uint32_t warp);

} // namespace glm::ptx
