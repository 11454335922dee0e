// From kernel bodies (scf, vector, memref, arith, math) to the LLVM dialect.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace glm {

/// The passes that turn one kernel's module into the LLVM dialect, in order.
void addLlvmLowering(mlir::OpPassManager &passes);

/// The same on one module, now.
mlir::LogicalResult lowerToLlvmDialect(mlir::ModuleOp module);

} // namespace glm
