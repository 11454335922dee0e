#include "runtime/ptx/async/BlockState.h"

namespace glm::ptx {

namespace {

// Tokens are numbers that no address is: the window of shared memory is the mbarriers', these bits are above all others.
constexpr uint64_t kCopyTokens = 0xa5ull << 56, kBulkTokens = 0xa6ull << 56;

uint64_t ofWarp(uint64_t kind, const Block &block, uint32_t warp) { return kind | uint64_t{block.rank} << 32 | warp; }

} // namespace

std::optional<LaunchFault> OutgoingCopy::advance(bool onlyRead) {
  if (read) {
    std::optional<LaunchFault> fault = read();
    read = nullptr;
    if (fault)
      return fault;
  }
  if (onlyRead || !write)
    return std::nullopt;
  std::optional<LaunchFault> fault = write();
  write = nullptr;
  return fault;
}

BlockState &stateOf(Block &block) {
  if (!block.asyncState)
    block.asyncState = std::make_shared<BlockState>();
  return *static_cast<BlockState *>(block.asyncState.get());
}

WarpCopies &copiesOf(Block &block, uint32_t warp) {
  BlockState &state = stateOf(block);
  if (state.warps.empty())
    state.warps.resize(block.warps.size());
  if (!state.warps[warp])
    state.warps[warp] = std::make_unique<WarpCopies>();
  return *state.warps[warp];
}

uint64_t copyToken(const Block &block, uint32_t warp) { return ofWarp(kCopyTokens, block, warp); }
uint64_t bulkToken(const Block &block, uint32_t warp) { return ofWarp(kBulkTokens, block, warp); }

} // namespace glm::ptx
