// One row's norm and rotation, which norm, rope and rope_cache_write share: the fused op has the numbers of the single ones.
#pragma once

#include "codegen/builder/KernelBuilder.h"

namespace glm {

struct RowNorm {
  NormKind kind = NormKind::Rms;
  float eps = 0.0f;
  int64_t width = 0;  ///< columns that take part
  mlir::Value weight; ///< memref<width>
  mlir::Value bias;   ///< memref<width>, of a layer norm
};

/// Elements of a row: `lanes` of them from `column` on.
using ReadColumns = llvm::function_ref<mlir::Value(mlir::Value column, int64_t lanes)>;
using WriteColumns = llvm::function_ref<void(mlir::Value value, mlir::Value column, int64_t lanes)>;

/// Read the first columns of a row (more than once), normalise and write them.
void normalise(KernelBuilder &builder, const RowNorm &norm, ReadColumns read, WriteColumns write);

/// Rotate the interleaved pairs of columns 0 .. width-1 by row `row` of `angles`: cosines, then sines.
void rotate(KernelBuilder &builder, mlir::Value angles, mlir::Value row, int64_t width, ReadColumns read,
            WriteColumns write);

} // namespace glm
