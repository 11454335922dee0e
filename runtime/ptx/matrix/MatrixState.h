// What this room keeps for a block: products in flight, tensor memory.
#pragma once

#include "runtime/ptx/machine/Warp.h"
#include "runtime/ptx/matrix/TensorMemory.h"
#include "runtime/ptx/matrix/WgmmaQueue.h"

#include <vector>

namespace glm::ptx {

struct MatrixState {
  std::vector<WgmmaQueue> wgmma; ///< by warp
  TensorMemory tensor;
};

/// Made on first use.
MatrixState &matrixState(Block &block);

} // namespace glm::ptx
