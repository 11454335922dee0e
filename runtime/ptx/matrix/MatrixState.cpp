#include "runtime/ptx/matrix/MatrixState.h"

namespace glm::ptx {

MatrixState &matrixState(Block &block) {
  if (!block.matrixState)
    block.matrixState = std::make_shared<MatrixState>();
  return *static_cast<MatrixState *>(block.matrixState.get());
}

} // namespace glm::ptx
