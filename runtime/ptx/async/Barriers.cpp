#include "runtime/ptx/async/Barriers.h"

#include "runtime/ptx/async/BlockState.h"

#include <cstring>
#include <fmt/format.h>

namespace glm::ptx {

namespace {

constexpr uint32_t kBarrierBytes = 8;

std::string nameOf(const Block &own, uint32_t address) {
  uint32_t rank = address >> kRankShift;
  std::string name = fmt::format("mbarrier at shared offset {}", address & kSharedOffsetMask);
  return rank == own.rank ? name : name + fmt::format(" of block rank {}", rank);
}

template <typename Change>
std::optional<LaunchFault> changeBeside(Block &block, uint32_t warp, const Op &op, uint32_t address, Change change) {
  std::optional<LaunchFault> fault;
  std::byte *bytes = touchAsync(block, warp, op, Space::Shared, address, kBarrierBytes, kBarrierBytes,
                                {.writes = true, .async = true, .sync = true}, fault);
  if (!bytes)
    return fault;
  auto &word = *reinterpret_cast<uint64_t *>(bytes);
  Mbarrier barrier(word);
  Mbarrier::Problem problem;
  if (!barrier.isValid())
    problem = fmt::format("must be initialized, but found {:#018x}", word);
  else
    problem = change(barrier);
  if (problem)
    return LaunchFault{LaunchFault::Kind::LaunchFailed,
                       fmt::format("{}: {} {}", placeOf(block, warp, -1, op), nameOf(block, address), *problem)};
  detail::storeBarrier(*block.cluster, address, word, barrier);
  return std::nullopt;
}

/// Whether `warp` comes after the initialization of the mbarrier at `address`. False after a fault.
bool isAfterInitialization(Warp &warp, const Op &op, int lane, uint32_t address) {
  if (!warp.checks)
    return true;
  Cluster &cluster = *warp.block->cluster;
  BlockState &state = stateOf(*blockOf(cluster, address));
  auto found = state.initialized.find(address & kSharedOffsetMask);
  if (found == state.initialized.end())
    return true;
  const Initialization &done = found->second;
  bool isFenced = done.fencedIn && *done.fencedIn != cluster.barrierPhase;
  if (isFenced || done.agent == warp.agent || done.clock <= warp.clock[done.agent])
    return true;
  auto warps = static_cast<uint32_t>(warp.block->warps.size());
  return detail::refuseBarrier(
      warp, op, lane, address,
      fmt::format("must be used after a barrier that orders it with its mbarrier.init, but found that of warp {} of "
                  "block rank {}, line {} without one",
                  done.agent % warps, done.agent / warps, done.line));
}

} // namespace

uint64_t barrierToken(Cluster &cluster, uint32_t sharedAddress) {
  const Block *block = blockOf(cluster, sharedAddress);
  uint32_t offset = sharedAddress & kSharedOffsetMask;
  uint64_t word = 0;
  if (block && offset + kBarrierBytes <= block->shared.size())
    std::memcpy(&word, block->shared.data() + offset, kBarrierBytes);
  return barrierToken(sharedAddress, Mbarrier(word).parity());
}

void noteInitialized(Warp &warp, const Op &op, uint32_t address) {
  if (warp.checks)
    stateOf(*blockOf(*warp.block->cluster, address)).initialized[address & kSharedOffsetMask] = {
        warp.agent, warp.clock[warp.agent], op.line, std::nullopt};
}

void fenceInitialized(Warp &warp) {
  for (auto &[offset, done] : stateOf(*warp.block).initialized)
    if (done.agent == warp.agent && !done.fencedIn)
      done.fencedIn = warp.block->cluster->barrierPhase;
}

void detail::storeBarrier(Cluster &cluster, uint32_t address, uint64_t &word, Mbarrier changed) {
  uint32_t before = Mbarrier(word).parity();
  word = changed.bits();
  if (changed.parity() == before)
    return;
  if (auto released = cluster.tokens.find(barrierToken(address, before)); released != cluster.tokens.end()) {
    const ClockPair &clocks = released->second;
    cluster.tokens[barrierToken(address, changed.parity())].join(clocks);
  }
}

std::optional<uint32_t> sharedAddress(Warp &warp, const Op &op, int lane, bool generic, uint64_t address) {
  if (generic && (address & kWindowMask) != kSharedWindow) {
    warp.fault(op, lane, LaunchFault::Kind::IllegalAddress,
               fmt::format("address {:#x} must be one of shared memory, but found another space", address));
    return std::nullopt;
  }
  return static_cast<uint32_t>(address);
}

std::byte *detail::barrierBytes(Warp &warp, const Op &op, int lane, uint32_t address) {
  std::byte *bytes = touch(warp, op, lane, Space::Shared, address, kBarrierBytes, kBarrierBytes, {.sync = true});
  if (!bytes)
    return nullptr;
  uint64_t word = *reinterpret_cast<const uint64_t *>(bytes);
  if (Mbarrier(word).isValid())
    return isAfterInitialization(warp, op, lane, address) ? bytes : nullptr;
  refuseBarrier(warp, op, lane, address, fmt::format("must be initialized, but found {:#018x}", word));
  return nullptr;
}

bool detail::refuseBarrier(Warp &warp, const Op &op, int lane, uint32_t address, const std::string &problem) {
  warp.fault(op, lane, LaunchFault::Kind::LaunchFailed, fmt::format("{} {}", nameOf(*warp.block, address), problem));
  return false;
}

std::optional<LaunchFault> arriveAt(Block &block, uint32_t warp, const Op &op, uint32_t address, uint32_t count) {
  return changeBeside(block, warp, op, address, [&](Mbarrier &barrier) { return barrier.arrive(count); });
}

std::optional<LaunchFault> completeAt(Block &block, uint32_t warp, const Op &op, uint32_t address, uint32_t bytes) {
  return changeBeside(block, warp, op, address, [&](Mbarrier &barrier) { return barrier.completeTransactions(bytes); });
}

std::string describeBarrier(Block &block, uint64_t detail) {
  auto address = static_cast<uint32_t>(detail);
  const Block *owner = blockOf(*block.cluster, address);
  uint64_t word = 0;
  uint32_t offset = address & kSharedOffsetMask;
  if (owner && offset + kBarrierBytes <= owner->shared.size())
    word = *reinterpret_cast<const uint64_t *>(owner->shared.data() + offset);
  return fmt::format("{}: {}", nameOf(block, address), Mbarrier(word).describe());
}

} // namespace glm::ptx
