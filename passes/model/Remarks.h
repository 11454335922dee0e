// How the fusions of this room say what they did not do.
#pragma once

#include "mlir/IR/Operation.h"

namespace glm {

/// Reports that `pass` left `operation` alone because of `reason`; `glm-opt --remarks-filter-missed=PASS` prints it.
void remarkMissed(mlir::Operation *operation, llvm::StringRef pass, llvm::StringRef reason);

} // namespace glm
