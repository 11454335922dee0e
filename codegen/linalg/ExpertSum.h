// The weighted sum of a row's experts: what the bodies of moe_combine and moe_down_combine share, the plain one and those of GPUs, so that a row
// has the same bits in each.
#pragma once

#include "codegen/builder/KernelBuilder.h"

namespace glm {

class ExpertSum {
public:
  /// `parts` is what the experts made: the input of moe_combine. The others are its operands; `shared` and `residual` may be null.
  ExpertSum(KernelBuilder &builder, mlir::Value parts, mlir::Value weights, mlir::Value shared, mlir::Value residual);

  /// Columns of a row, from `column` on; `load` reads so many of a memref.
  mlir::Value at(mlir::Value row, mlir::Value column, int64_t lanes,
                 llvm::function_ref<mlir::Value(mlir::Value, mlir::ValueRange)> load) const;

private:
  KernelBuilder &builder;
  mlir::Value parts, weights, shared, residual, choices;
};

} // namespace glm
