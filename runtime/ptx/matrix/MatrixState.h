// What this room keeps for a block: products in flight, tensor memory.
#pragma once

#include "runtime/ptx/machine/Warp.h"
#include "runtime/ptx/matrix/TensorMemory.h"
#include "runtime/ptx/matrix/TensorQueue.h"
#include "runtime/ptx/matrix/WgmmaQueue.h"

#include <vector>

namespace glm::ptx {

struct MatrixState {
  std::vector<WgmmaQueue> wgmma;    ///< by warp
  std::vector<TensorQueue> tensors; ///< by warp
  TensorMemory tensor;
  std::vector<TensorFlight> flights;
};

/// Made on first use.
MatrixState &matrixState(Block &block);

/// Registers that are in flight hold this NaN, which no operation gives.
inline constexpr uint32_t kPoison = 0x7fff5eed;

/// While an operation reads or writes registers of the frame that issued it.
class FrameScope {
public:
  FrameScope(Warp &warp, uint64_t offset) : warp(warp), saved(warp.frame) {
    warp.frame = warp.registers.data() + offset;
  }
  ~FrameScope() { warp.frame = saved; }
  FrameScope(const FrameScope &) = delete;
  FrameScope &operator=(const FrameScope &) = delete;

private:
  Warp &warp;
  std::byte *saved;
};

inline uint64_t frameOffset(const Warp &warp) { return static_cast<uint64_t>(warp.frame - warp.registers.data()); }

/// An address in a block's shared memory as one of its cluster.
inline uint32_t sharedAddressOf(const Block &block, uint32_t offset) { return block.rank << kRankShift | offset; }

/// Fails the launch with a message of our checks.
inline Outcome fail(Warp &warp, const Op &op, const std::string &message) {
  return warp.fault(op, -1, LaunchFault::Kind::LaunchFailed, message);
}

} // namespace glm::ptx
