// Queries with heads in lanes: one key, broadcast element by element, meets all heads of a group at once, and no sum over
// lanes is needed.
//
//     scratch  [ step 0: heads 0 .. L-1 | step 1: heads 0 .. L-1 | ... ]     a step is one column, or a pair of bf16 columns
//     sums     [ heads 0 .. L-1 ] += scratch[step] * broadcast(key[step])
#pragma once

#include "codegen/builder/KernelBuilder.h"

namespace glm {

/// The transposed queries of one group of heads.
class HeadLanes {
public:
  /// `width` columns per head. With bf16 pairs if queries and keys are bf16, `width` is even and the target has the product. To be made
  /// at the start of the function: allocates the scratch.
  HeadLanes(KernelBuilder &builder, int64_t width, mlir::Type element, TargetAttr target);

  int64_t lanes() const { return laneCount; }

  /// Columns [from, from + count) of each head of `source` (heads `stride` columns apart) become columns [to, to + count) of the scratch, for
  /// heads firstHead .. firstHead + lanes - 1; those beyond `heads` become 0.
  void fill(mlir::Value source, mlir::Value row, mlir::Value firstHead, int64_t heads, int64_t stride, int64_t from,
            int64_t to, int64_t count);

  /// For each of `keyRows`, the dot products of that row of `keys` with all heads of the group: a vector of f32 per key row.
  llvm::SmallVector<mlir::Value> dot(mlir::Value keys, llvm::ArrayRef<mlir::Value> keyRows);

private:
  mlir::Value broadcastKey(mlir::Value keys, mlir::Value row, mlir::Value step);

  KernelBuilder &builder;
  int64_t width, laneCount;
  bool pairs;
  mlir::Type element;  ///< of the scratch
  mlir::Value scratch; ///< memref<steps x lanes * (pairs ? 2 : 1) x element>
};

} // namespace glm
