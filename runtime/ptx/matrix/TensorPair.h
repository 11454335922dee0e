// The blocks that a tcgen05 instruction works for: the own one, or with .cta_group::2 the two whose ranks in the cluster differ
// in the last bit, the even one first.
#pragma once

#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/matrix/MatrixState.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace glm::ptx {

/// Empty with a `problem` if .cta_group::2 finds no pair.
inline std::vector<Block *> tensorBlocks(Block &block, int ctaGroup, std::optional<std::string> &problem) {
  if (ctaGroup == 1)
    return {&block};
  std::vector<Block> &blocks = block.cluster->blocks;
  uint32_t even = block.rank & ~1u;
  if (even + 1 >= blocks.size()) {
    problem = "a .cta_group::2 instruction must run in a cluster of an even number of blocks, but found " +
              std::to_string(blocks.size());
    return {};
  }
  return {&blocks[even], &blocks[even + 1]};
}

/// Tell the race check that an asynchronous operation will read `ranges` of `source`'s shared memory, until the issuing block's
/// next commit. False after a fault.
inline bool startTensorReading(Warp &warp, const Op &op, Block &source, std::span<const SharedRange> ranges) {
  if (!warp.checks)
    return true;
  std::optional<LaunchFault> fault;
  uint64_t id = inFlight(source, ranges, false, warp, op, fault);
  if (fault) {
    warp.block->grid->fault = std::move(fault);
    return false;
  }
  if (id)
    matrixState(*warp.block).flights.push_back({source.rank, id});
  return true;
}

/// A fault of work that runs beside the warps.
inline LaunchFault tensorFault(Block &block, uint32_t warp, const Op &op, LaunchFault::Kind kind,
                               const std::string &what) {
  return {kind, placeOf(block, warp, -1, op) + ": " + what};
}

} // namespace glm::ptx
