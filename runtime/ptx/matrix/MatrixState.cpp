#include "runtime/ptx/matrix/MatrixState.h"

namespace glm::ptx {

MatrixState &matrixState(Block &block) {
  if (!block.matrixState) {
    auto state = std::make_shared<MatrixState>();
    state->wgmma.resize(block.warps.size());
    state->tensors.resize(block.warps.size());
    block.matrixState = std::move(state);
  }
  return *static_cast<MatrixState *>(block.matrixState.get());
}

} // namespace glm::ptx
