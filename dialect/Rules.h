// The rules that an op of the model phase and its kernel have in common: shapes are the same on tensors and on buffers.
//
// Rules of many parts are structs with a function that fills them from either op, as both name their operands alike. `result`
// is what the op computes: a tensor, or the buffer that it writes.
#pragma once

#include "dialect/Checks.h"

namespace glm {

/// `result[t] = table[tokens[t]]`.
bool checkEmbed(Checks check, Named tokens, Named table, Named result);

/// `result[i] = input[rows[i]]`.
bool checkSelectRows(Checks check, Named input, Named rows, Named result);

/// A cosine and a sine per row and frequency.
bool checkRopeAngles(Checks check, Named positions, llvm::ArrayRef<float> inverseFrequencies, Named result);

/// A norm over the first columns of `input`, as many as `weight` has.
bool checkNorm(Checks check, Named input, Named weight, Named bias, NormKind norm, const llvm::APFloat &eps);

/// `result = input * weight^T`: [T, K] by [N, K] is [T, N].
bool checkProduct(Checks check, Named input, Named weight, Named result);

/// The same rows by several weights, a result for each.
bool checkProducts(Checks check, Named input, mlir::ValueRange weights, mlir::ValueRange results);

/// A row of `input` is `heads` equal parts.
bool checkHeads(Checks check, Named input, int64_t heads);

/// How the rows of a step find their places in a cache: a position (if one is written or compared) and a slot per row, and the
/// page table, [slots, pages].
bool checkPlaces(Checks check, Named rows, Named positions, Named slots, Named pages);

/// The queries of the indexer: a head per head weight, each as wide as a key.
bool checkIndexQuery(Checks check, Named query, Named weights, int64_t keyWidth, const llvm::APFloat &scale);

/// Weights [experts, F, K] twice: the gate and what it gates.
bool checkGateUp(Checks check, Named input, Named gate, Named up);

/// glm.head_linear: rows [rowBegin, rowBegin + rowCount) of each head's part of a weight [heads * headRows, K] take part.
struct HeadProductRule {
  Named input, weight, result;
  int64_t heads, headRows, rowBegin, rowCount;
  bool transposed;

  bool holds(Checks check) const;
};

template <typename OpT>
HeadProductRule headProductRule(OpT op, mlir::Value result) {
  return {.input = {"input", op.getInput()},
          .weight = {"weight", op.getWeight()},
          .result = {"result", result},
          .heads = int64_t(op.getHeads()),
          .headRows = int64_t(op.getHeadRows()),
          .rowBegin = int64_t(op.getRowBegin()),
          .rowCount = int64_t(op.getRowCount()),
          .transposed = op.getTransposed()};
}

/// glm.rope: columns [offset, offset + width) of each head of a row are rotated by `angles`, [T, width].
struct RopeRule {
  Named input, angles;
  int64_t heads, offset, width;

  bool holds(Checks check) const;
};

template <typename OpT>
RopeRule ropeRule(OpT op) {
  return {.input = {"input", op.getInput()},
          .angles = {"angles", op.getAngles()},
          .heads = int64_t(op.getHeads()),
          .offset = int64_t(op.getOffset()),
          .width = int64_t(op.getWidth())};
}

/// glm.cache_write: rows into a cache of `cacheWidth` columns, normalised and rotated on the way if so asked.
struct CacheWriteRule {
  Named input, positions, slots, pages, normWeight, normBias, angles, consumer;
  int64_t cacheWidth;
  std::optional<NormKind> norm;
  std::optional<llvm::APFloat> eps;
  int64_t ropeOffset, ropeWidth;

  bool holds(Checks check) const;

private:
  bool normHolds(Checks check) const;
  bool ropeHolds(Checks check) const;
  bool consumerHolds(Checks check) const;
};

template <typename OpT>
CacheWriteRule cacheWriteRule(OpT op, int64_t cacheWidth) {
  return {.input = {"input", op.getInput()},
          .positions = {"positions", op.getPositions()},
          .slots = {"slots", op.getSlots()},
          .pages = {"pages", op.getPages()},
          .normWeight = {"norm_weight", op.getNormWeight()},
          .normBias = {"norm_bias", op.getNormBias()},
          .angles = {"angles", op.getAngles()},
          .consumer = {"consumer", op.getConsumer()},
          .cacheWidth = cacheWidth,
          .norm = op.getNorm(),
          .eps = op.getEps(),
          .ropeOffset = int64_t(op.getRopeOffset()),
          .ropeWidth = int64_t(op.getRopeWidth())};
}

/// glm.latent_attention: per head a query in the latent space and a rotated one; a cache row holds the keys of both.
struct LatentAttentionRule {
  Named queryLatent, query, indices, slots, pages, result;
  int64_t cacheWidth, heads, ropeWidth;
  llvm::APFloat scale;

  bool holds(Checks check) const;
};

template <typename OpT>
LatentAttentionRule latentAttentionRule(OpT op, int64_t cacheWidth, mlir::Value result) {
  return {.queryLatent = {"query_latent", op.getQueryLatent()},
          .query = {"query", op.getQuery()},
          .indices = {"indices", op.getIndices()},
          .slots = {"slots", op.getSlots()},
          .pages = {"pages", op.getPages()},
          .result = {"result", result},
          .cacheWidth = cacheWidth,
          .heads = int64_t(op.getHeads()),
          .ropeWidth = int64_t(op.getRopeWidth()),
          .scale = op.getScale()};
}

/// glm.route: experts and their weights, both [T, top_k], from logits [T, experts].
struct RouteRule {
  Named logits, bias, experts, weights;
  int64_t groups, keptGroups;
  llvm::APFloat scaling;

  bool holds(Checks check) const;
};

template <typename OpT>
RouteRule routeRule(OpT op) {
  return {.logits = {"logits", op.getLogits()},
          .bias = {"bias", op.getBias()},
          .experts = {"experts", op.getExperts()},
          .weights = {"weights", op.getWeights()},
          .groups = int64_t(op.getGroups()),
          .keptGroups = int64_t(op.getKeptGroups()),
          .scaling = op.getScaling()};
}

} // namespace glm
