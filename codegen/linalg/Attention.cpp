// Attention to chosen positions in the latent space: sparse_mla.
#include "codegen/linalg/Columns.h"
#include "codegen/linalg/PlainBodies.h"

using namespace mlir;

namespace glm {
namespace {

/// One row and head. Two passes over the chosen positions: logits and their maximum, then probabilities and the sum of
/// values.
class Attention {
public:
  Attention(KernelSparseMlaOp op, KernelBuilder &builder) : op(op), builder(builder) {
    queryLatent = builder.buffer(op.getQueryLatent());
    query = builder.buffer(op.getQuery());
    latent = builder.buffer(op.getLatent());
    indices = builder.buffer(op.getIndices());
    slots = builder.buffer(op.getSlots());
    pages = builder.buffer(op.getPages());
    output = builder.buffer(op.getOutput());
    chosen = op.getIndices().getType().getShape().back();
    rank = op.getOutput().getType().getShape().back() / static_cast<int64_t>(op.getHeads());
    places = builder.scratch(chosen, builder.getIndexType());
    weights = builder.scratch(chosen, builder.getF32Type());
  }

  void build(Value row, Value head) {
    Value count = findPlaces(row);
    Value total = softmax(count, computeLogits(row, head, count));
    Value start = builder.mul(head, builder.index(rank));
    columns(builder, 0, rank, [&](Value column, int64_t lanes) {
      Value zero = inLanes(builder, builder.f32(0.0f), lanes);
      Value sum = builder.fold(builder.index(0), count, 1, zero, [&](Value j, ValueRange carried) {
        Value value = loadLanes(builder, latent, {builder.load(places, j), column}, lanes);
        return SmallVector<Value>{builder.fma(inLanes(builder, builder.load(weights, j), lanes), value, carried[0])};
      })[0];
      builder.store(builder.div(sum, inLanes(builder, total, lanes)), output, {row, builder.add(start, column)});
    });
  }

private:
  /// Where the chosen positions lie in the cache; how many there are.
  Value findPlaces(Value row) {
    Value slot = builder.load(slots, row);
    return builder.fold(builder.index(0), builder.index(chosen), 1, builder.index(0), [&](Value j, ValueRange carried) {
      Value position = builder.load(indices, {row, j});
      Value there = builder.less(builder.index(-1), position);
      builder.when(
          there, [&] { builder.store(builder.cacheRow(pages, slot, position, op.getPageSize()), places, carried[0]); });
      return SmallVector<Value>{builder.add(carried[0], builder.select(there, builder.index(1), builder.index(0)))};
    })[0];
  }

  /// Leaves the logits in `weights`; their maximum.
  Value computeLogits(Value row, Value head, Value count) {
    int64_t ropeWidth = op.getRopeWidth();
    int64_t queryWidth = op.getQuery().getType().getShape().back() / static_cast<int64_t>(op.getHeads());
    Value latentStart = builder.mul(head, builder.index(rank));
    Value ropeStart = builder.add(builder.mul(head, builder.index(queryWidth)), builder.index(queryWidth - ropeWidth));
    Value lowest = builder.f32(-std::numeric_limits<float>::infinity());
    return builder.fold(builder.index(0), count, 1, lowest, [&](Value j, ValueRange carried) {
      Value place = builder.load(places, j);
      Value content = dot(builder, rank, queryLatent, {row, latentStart}, latent, {place, builder.index(0)});
      Value order = dot(builder, ropeWidth, query, {row, ropeStart}, latent, {place, builder.index(rank)});
      Value logit = builder.mul(builder.add(content, order), builder.f32(op.getScale().convertToFloat()));
      builder.store(logit, weights, j);
      return SmallVector<Value>{builder.max(carried[0], logit)};
    })[0];
  }

  /// Turns the logits in `weights` to powers of e; their sum.
  Value softmax(Value count, Value maximum) {
    return builder.fold(builder.index(0), count, 1, builder.f32(0.0f), [&](Value j, ValueRange carried) {
      Value power = builder.exp(builder.sub(builder.load(weights, j), maximum));
      builder.store(power, weights, j);
      return SmallVector<Value>{builder.add(carried[0], power)};
    })[0];
  }

  KernelSparseMlaOp op;
  KernelBuilder &builder;
  Value queryLatent, query, latent, indices, slots, pages, output;
  int64_t chosen = 0; ///< most positions that a row attends to
  int64_t rank = 0;   ///< columns of a value
  Value places;       ///< [chosen] rows of the cache
  Value weights;      ///< [chosen] logits, then unnormalised probabilities
};

} // namespace

void buildPlain(KernelSparseMlaOp op, KernelBuilder &builder) {
  Attention attention(op, builder);
  Value heads = builder.index(op.getHeads());
  auto [first, last] = builder.share(builder.mul(builder.rows(), heads));
  builder.loop(first, last, 1,
               [&](Value item) { attention.build(builder.div(item, heads), builder.rem(item, heads)); });
}

} // namespace glm
