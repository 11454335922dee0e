// What this room keeps for a block: products in flight, tensor memory.
#pragma once

#include "runtime/ptx/machine/Warp.h"
#include "runtime/ptx/matrix/TensorMemory.h"
#include "runtime/ptx/matrix/TensorQueue.h"
#include "runtime/ptx/matrix/WgmmaQueue.h"

#include <array>
#include <vector>

namespace glm::ptx {

/// Who allocated tensor memory.
struct TensorOwner {
  uint32_t warp = 0;
  const Op *op = nullptr;
};

struct MatrixState {
  std::vector<WgmmaQueue> wgmma;    ///< by warp
  std::vector<TensorQueue> tensors; ///< by warp
  TensorMemory tensor;
  std::array<TensorOwner, kTensorColumns / TensorMemory::kUnit> owners{}; ///< by where the allocation begins
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

/// Where the registers of the running frame are known to hold values, for work that fills them later.
inline uint64_t definedOffset(const Warp &warp) {
  return warp.checks ? static_cast<uint64_t>(reinterpret_cast<std::byte *>(warp.defined) - warp.registers.data()) : 0;
}
/// What `op` writes late is there.
inline void defineLate(Warp &warp, const Op &op, uint64_t offset) {
  auto *defined = reinterpret_cast<LaneMask *>(warp.registers.data() + offset);
  for (uint32_t index = 0; warp.checks && index < op.writeCount; ++index)
    defined[op.writes[index]] = ~LaneMask{0};
}

/// An address in a block's shared memory as one of its cluster.
inline uint32_t sharedAddressOf(const Block &block, uint32_t offset) { return block.rank << kRankShift | offset; }

/// Fails the launch with a message of our checks.
inline Outcome fail(Warp &warp, const Op &op, const std::string &message) {
  return warp.fault(op, -1, LaunchFault::Kind::LaunchFailed, message);
}

} // namespace glm::ptx
