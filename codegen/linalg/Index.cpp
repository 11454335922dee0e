// How much each position of its sequence matters to a row: index_score.
#include "codegen/linalg/Columns.h"
#include "codegen/linalg/PlainBodies.h"

using namespace mlir;

namespace glm {

void buildPlain(KernelIndexScoreOp op, KernelBuilder &builder) {
  Value query = builder.buffer(op.getQuery()), weights = builder.buffer(op.getWeights()),
        keys = builder.buffer(op.getKeys());
  Value positions = builder.buffer(op.getPositions()), slots = builder.buffer(op.getSlots()),
        pages = builder.buffer(op.getPages());
  Value scores = builder.buffer(op.getScores());
  int64_t heads = op.getWeights().getType().getShape().back();
  int64_t width = op.getKeys().getType().getShape().back();
  Value zero = builder.f32(0.0f), scale = builder.f32(op.getScale().convertToFloat());
  builder.loop(builder.index(0), builder.rows(), 1, [&](Value row) {
    Value slot = builder.load(slots, row);
    // 16 scores are a cache line: no two threads write to one.
    auto [first, last] = builder.share(builder.add(builder.load(positions, row), builder.index(1)), /*grain=*/16);
    builder.loop(first, last, 1, [&](Value position) {
      Value place = builder.cacheRow(pages, slot, position, op.getPageSize());
      Value score = builder.fold(builder.index(0), builder.index(heads), 1, zero, [&](Value head, ValueRange carried) {
        Value start = builder.mul(head, builder.index(width));
        Value product = dot(builder, width, query, {row, start}, keys, {place, builder.index(0)});
        Value part = builder.max(builder.mul(scale, product), zero);
        return SmallVector<Value>{builder.fma(builder.load(weights, {row, head}), part, carried[0])};
      })[0];
      builder.store(score, scores, {row, position});
    });
  });
}

} // namespace glm
