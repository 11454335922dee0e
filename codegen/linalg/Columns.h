// Walks over the columns of a row: 16 at a time, then one by one. Which columns share a vector follows from the width alone,
// so that a row's numbers depend neither on its neighbours nor on the threads.
#pragma once

#include "codegen/builder/KernelBuilder.h"

namespace glm {

/// Columns of one vector.
inline constexpr int64_t kColumnLanes = 16;

/// body(column, lanes) for all columns of begin .. end-1, lanes being 16 or, at the end, 1.
void columns(KernelBuilder &builder, int64_t begin, int64_t end, llvm::function_ref<void(mlir::Value, int64_t)> body);

/// body(row, column, lanes) for all elements of `rows` rows, shared among the threads: vectors of all rows if the width is
/// a multiple of 16, else whole rows. For bodies without sums.
void elements(KernelBuilder &builder, mlir::Value rows, int64_t width,
              llvm::function_ref<void(mlir::Value, mlir::Value, int64_t)> body);

/// One pass over 0 .. width-1 that starts with zeros: sums = step(sums, column, lanes), with 16 sums that are added as a tree
/// before the columns that are left are taken one by one.
mlir::Value accumulate(KernelBuilder &builder, int64_t width,
                       llvm::function_ref<mlir::Value(mlir::Value, mlir::Value, int64_t)> step);

/// The sum over 0 .. width-1 of a[column] * b[column], rows of two memrefs that start at the given places.
mlir::Value dot(KernelBuilder &builder, int64_t width, mlir::Value a, mlir::ValueRange aStart, mlir::Value b,
                mlir::ValueRange bStart);

/// A scalar for one lane, else a vector.
mlir::Value loadLanes(KernelBuilder &builder, mlir::Value memref, mlir::ValueRange indices, int64_t lanes);

/// `value`, a scalar, in as many lanes.
mlir::Value inLanes(KernelBuilder &builder, mlir::Value value, int64_t lanes);

} // namespace glm
