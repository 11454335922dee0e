// The product of a row of a weight with something, as its meaning has it: one sum, float32, ascending.
#pragma once

#include "codegen/builder/KernelBuilder.h"

namespace glm {

/// The sum over k = 0 .. count-1 of x(k) * weight(k), one fused multiply-add each.
mlir::Value product(KernelBuilder &builder, int64_t count, llvm::function_ref<mlir::Value(mlir::Value)> x,
                    llvm::function_ref<mlir::Value(mlir::Value)> weight);

/// x as NVFP4 has it where it is an input of `weight`, in a block whose largest magnitude is `most`.
mlir::Value asInput(KernelBuilder &builder, const WeightMatrix &weight, mlir::Value x, mlir::Value most);

/// Round block number `block` of `row`, memref<width x f32>, in place, as an input of `weight`.
void roundBlock(KernelBuilder &builder, const WeightMatrix &weight, mlir::Value row, mlir::Value block);

/// The product of row n of a weight with row `row` of a buffer, which is rounded to NVFP4 first if the weight has an input scale.
mlir::Value product(KernelBuilder &builder, const WeightMatrix &weight, mlir::Value n, mlir::Value input,
                    mlir::Value row);

} // namespace glm
