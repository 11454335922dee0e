// Attention over a row's chosen positions, in parts that are joined: what the bodies of sparse_mla, sparse_mla_part and sparse_mla_join share,
// the plain ones and those of GPUs, so that a row has the same bits whether one thread takes all parts or each has its own.
#pragma once

#include "codegen/builder/KernelBuilder.h"

namespace glm {

/// What sparse_mla and sparse_mla_part have in common.
struct LatentAttention {
  mlir::Value queryLatent, query, latent, indices, slots, pages; ///< operands
  int64_t pageSize = 0, heads = 0, ropeWidth = 0;
  float scale = 1.0f;

  static int64_t widthOf(mlir::Value buffer) {
    return llvm::cast<mlir::MemRefType>(buffer.getType()).getShape().back();
  }
  int64_t rank() const { return widthOf(queryLatent) / heads; } ///< columns of a value
  int64_t queryWidth() const { return widthOf(query) / heads; } ///< of a head
  int64_t mostPositions() const { return widthOf(indices); }    ///< that a row attends to
};

template <typename OpT>
LatentAttention latentAttention(OpT op) {
  return {.queryLatent = op.getQueryLatent(),
          .query = op.getQuery(),
          .latent = op.getLatent(),
          .indices = op.getIndices(),
          .slots = op.getSlots(),
          .pages = op.getPages(),
          .pageSize = int64_t(op.getPageSize()),
          .heads = int64_t(op.getHeads()),
          .ropeWidth = int64_t(op.getRopeWidth()),
          .scale = op.getScale().convertToFloat()};
}

/// Of some logits: the largest, and the sum of e^(logit - largest).
struct Softmax {
  mlir::Value largest, total;

  /// Of no logits.
  static Softmax none(KernelBuilder &builder);
};

/// What the sums so far and those of the next part are multiplied with when they are added.
struct JoinFactors {
  mlir::Value before, next;
};

/// Joins `next` to `joined`.
JoinFactors joinSoftmax(KernelBuilder &builder, Softmax &joined, Softmax next);

/// sum * before + part * next; the factors are as wide as the sums.
mlir::Value joinSums(KernelBuilder &builder, mlir::Value sum, mlir::Value part, JoinFactors factors);

/// Columns of one head's output from all parts, of which `softmax` and `sum` give one each. Instead of a part without positions, whose sums
/// were never written, `sum` is asked for the first one, and what it gives is dropped.
mlir::Value joinParts(KernelBuilder &builder, mlir::Value parts, int64_t lanes,
                      llvm::function_ref<Softmax(mlir::Value)> softmax,
                      llvm::function_ref<mlir::Value(mlir::Value)> sum);

/// What is joined.
struct JoinedParts {
  mlir::Value sums, stats; ///< operands
  int64_t count = 0;       ///< parts of a row
  int64_t rank = 0;        ///< columns of a value
};

template <typename OpT>
JoinedParts joinedParts(OpT op) {
  int64_t count = op.countParts(), heads = op.getHeads();
  return {op.getSums(), op.getStats(), count, LatentAttention::widthOf(op.getSums()) / (count * heads)};
}

/// Columns of one head of what sparse_mla_join computes, `column` being that of the head; `load` reads them of `sums`.
mlir::Value joinColumns(const JoinedParts &parts, KernelBuilder &builder, mlir::Value row, mlir::Value head,
                        mlir::Value column, int64_t lanes,
                        llvm::function_ref<mlir::Value(mlir::Value, mlir::ValueRange)> load);

} // namespace glm
