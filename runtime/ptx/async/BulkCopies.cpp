#include "runtime/ptx/async/BulkCopies.h"

#include <fmt/format.h>

namespace glm::ptx {

std::optional<LaunchFault> IncomingCopy::finish() {
  for (const CopyTarget &target : targets) {
    if (target.flight)
      landed(*target.place.block, target.flight, barrierToken(*issuer->cluster, target.barrier));
    if (std::optional<LaunchFault> fault = completeAt(*issuer, warp, *op, target.barrier, transactionBytes))
      return fault;
  }
  return std::nullopt;
}

bool failWith(Warp &warp, std::optional<LaunchFault> fault) {
  std::optional<LaunchFault> &kept = warp.block->grid->fault;
  if (!kept)
    kept = std::move(fault);
  return false;
}

bool refuse(Warp &warp, const Op &op, int lane, const std::string &message) {
  warp.fault(op, lane, LaunchFault::Kind::LaunchFailed, message);
  return false;
}

std::vector<CopyTarget> copyTargets(Warp &warp, const Op &op, int lane, uint32_t destination, uint32_t barrier,
                                    std::optional<uint16_t> mask, bool pairs, uint64_t bytes, uint32_t align) {
  Cluster &cluster = *warp.block->cluster;
  uint32_t barrierRank = barrier >> kRankShift, destinationRank = destination >> kRankShift;
  uint32_t offset = destination & kSharedOffsetMask, barrierOffset = barrier & kSharedOffsetMask;
  bool isNear = mask || barrierRank == destinationRank || (pairs && barrierRank == (destinationRank ^ 1));
  if (!isNear) {
    refuse(warp, op, lane,
           fmt::format("mbarrier must lie in the block of the destination, rank {}, but found rank {}", destinationRank,
                       barrierRank));
    return {};
  }
  uint32_t blocks = mask ? *mask : 1u << destinationRank;
  if (!mask && destinationRank >= cluster.blocks.size())
    blocks = 0;
  if (blocks == 0 || blocks >> cluster.blocks.size() != 0) {
    refuse(warp, op, lane,
           fmt::format("destination must name blocks of the cluster of {}, but found {}", cluster.blocks.size(),
                       mask ? fmt::format("mask {:#06x}", *mask) : fmt::format("rank {}", destinationRank)));
    return {};
  }
  std::vector<CopyTarget> targets;
  for (uint32_t rank = 0; rank < cluster.blocks.size(); ++rank) {
    if (!(blocks >> rank & 1))
      continue;
    std::optional<LaunchFault> fault;
    if (!touchAsync(*warp.block, warp.index, op, Space::Shared, rank << kRankShift | offset, bytes, align,
                    {.writes = true, .async = true}, fault)) {
      failWith(warp, std::move(fault));
      return {};
    }
    uint32_t heard = mask ? (pairs ? (rank & ~1u) | (barrierRank & 1) : rank) : barrierRank;
    uint32_t completes = heard << kRankShift | barrierOffset;
    // It must be there when the copy is issued: nothing holds the copy back until it is.
    if (!detail::barrierBytes(warp, op, lane, completes))
      return {};
    targets.push_back({{&cluster.blocks[rank], offset}, completes});
  }
  return targets;
}

bool launchTargets(Warp &warp, const Op &op, std::vector<CopyTarget> &targets, std::span<const SharedRange> ranges) {
  if (!warp.checks)
    return true;
  std::vector<SharedRange> moved(ranges.begin(), ranges.end());
  for (CopyTarget &target : targets) {
    for (size_t i = 0; i < ranges.size(); ++i)
      moved[i].offset = ranges[i].offset + target.place.offset;
    std::optional<LaunchFault> fault;
    target.flight = inFlight(*target.place.block, moved, true, warp, op, fault);
    if (fault)
      return failWith(warp, std::move(fault));
  }
  return true;
}

void addToGroup(Warp &warp, const Op &op, int lane, std::shared_ptr<OutgoingCopy> copy) {
  copiesOf(*warp.block, warp.index).bulk[lane].open.push_back(copy);
  enqueue(warp, op, [copy = std::move(copy)] { return copy->advance(false); });
}

Result<void> checkPolicy(Builder &builder, bool isGiven) {
  if (!isGiven)
    return {};
  Result<Slot> policy = builder.source(builder.operandCount() - 1, Type::B64);
  return policy ? Result<void>() : policy.error();
}

} // namespace glm::ptx
