// mbarrier objects where they lie: in the shared memory of a block of the cluster.
#pragma once

#include "runtime/ptx/async/Mbarrier.h"
#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/machine/Address.h"

namespace glm::ptx {

/// A shared address of the cluster (Address.h) as bytes of one block.
struct SharedPlace {
  Block *block = nullptr;
  uint32_t offset = 0; ///< within the block

  uint32_t address() const { return block->rank << kRankShift | offset; }
};

/// What is released and acquired through a phase of the mbarrier at a shared address (Access.h, release). One token for all
/// phases would let who arrives at the next one early order, for those that have not left this one, what came between.
constexpr uint64_t barrierToken(uint32_t sharedAddress, uint32_t phaseParity) {
  return kSharedWindow | sharedAddress | (phaseParity & 1);
}
/// Of the phase that it is in.
uint64_t barrierToken(Cluster &cluster, uint32_t sharedAddress);

/// Remember that `warp` initializes the mbarrier at `address`, and that it fenced those that it had initialized: who uses
/// one must come after, or after a cluster barrier since the fence.
void noteInitialized(Warp &warp, const Op &op, uint32_t address);
void fenceInitialized(Warp &warp);

/// An address operand of `lane` as a shared address: of the shared window if it is `generic`. Nothing after a fault.
std::optional<uint32_t> sharedAddress(Warp &warp, const Op &op, int lane, bool generic, uint64_t address);

/// The mbarrier at `address`, as `lane` of `warp` sees it: `change` gets it and says what is wrong with it, if anything; the
/// result is stored. False after a fault.
template <typename Change>
bool changeBarrier(Warp &warp, const Op &op, int lane, uint32_t address, Change change);

/// The same for work that runs beside the warps; issued by `op` of warp `warp` of `block`.
std::optional<LaunchFault> arriveAt(Block &block, uint32_t warp, const Op &op, uint32_t address, uint32_t count);
std::optional<LaunchFault> completeAt(Block &block, uint32_t warp, const Op &op, uint32_t address, uint32_t bytes);

/// "mbarrier at shared offset 64 of block rank 1: phase parity 0, ...", for Fragment::waitingFor; `detail` is its address.
std::string describeBarrier(Block &block, uint64_t detail);

namespace detail {
/// Checked for alignment, bounds and initialization; null after a fault.
std::byte *barrierBytes(Warp &warp, const Op &op, int lane, uint32_t address);
/// `word` is the object at `address`. What was released through a phase is also acquired through the next.
void storeBarrier(Cluster &cluster, uint32_t address, uint64_t &word, Mbarrier changed);
bool refuseBarrier(Warp &warp, const Op &op, int lane, uint32_t address, const std::string &problem);
} // namespace detail

template <typename Change>
bool changeBarrier(Warp &warp, const Op &op, int lane, uint32_t address, Change change) {
  std::byte *bytes = detail::barrierBytes(warp, op, lane, address);
  if (!bytes)
    return false;
  auto &word = *reinterpret_cast<uint64_t *>(bytes);
  Mbarrier barrier(word);
  if (Mbarrier::Problem problem = change(barrier))
    return detail::refuseBarrier(warp, op, lane, address, *problem);
  if (word != barrier.bits())
    ++warp.block->grid->progress;
  detail::storeBarrier(*warp.block->cluster, address, word, barrier);
  return true;
}

} // namespace glm::ptx
