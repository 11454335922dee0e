// Rows into a paged cache, normalised and rotated on the way: rope_cache_write.
#include "codegen/linalg/Columns.h"
#include "codegen/linalg/PlainBodies.h"
#include "codegen/linalg/Products.h"
#include "codegen/linalg/RowNorm.h"

using namespace mlir;

namespace glm {

void buildPlain(KernelRopeCacheWriteOp op, KernelBuilder &builder) {
  Value input = builder.buffer(op.getInput()), cache = builder.buffer(op.getCache());
  Value positions = builder.buffer(op.getPositions()), slots = builder.buffer(op.getSlots()),
        pages = builder.buffer(op.getPages());
  Value angles = op.getAngles() ? builder.buffer(op.getAngles()) : Value();
  RowNorm norm;
  if (op.getNormWeight()) {
    norm.kind = *op.getNorm();
    norm.eps = op.getEps()->convertToFloat();
    norm.width = cast<ShapedType>(op.getNormWeight().getType()).getDimSize(0);
    norm.weight = builder.vectorWeight(op.getNormWeight());
    norm.bias = op.getNormBias() ? builder.vectorWeight(op.getNormBias()) : Value();
  }
  int64_t width = op.getInput().getType().getShape().back();
  Type activation = op.getInput().getType().getElementType();
  // What a step leaves is rounded as if it had been stored as an activation: the numbers of the unfused ops.
  Value scratch = builder.scratch(width, builder.getF32Type());
  auto keep = [&](Value value, Value column) { builder.store(builder.round(value, activation), scratch, column); };

  auto [first, last] = builder.share(builder.rows());
  builder.loop(first, last, 1, [&](Value row) {
    auto read = [&](Value column, int64_t lanes) { return loadLanes(builder, input, {row, column}, lanes); };
    if (norm.weight)
      normalise(builder, norm, read, [&](Value value, Value column, int64_t) { keep(value, column); });
    columns(builder, norm.width, width,
            [&](Value column, int64_t lanes) { builder.store(read(column, lanes), scratch, column); });
    if (angles) {
      Value start = builder.index(op.getRopeOffset());
      rotate(
          builder, angles, row, op.getRopeWidth(),
          [&](Value column, int64_t lanes) { return loadLanes(builder, scratch, builder.add(start, column), lanes); },
          [&](Value value, Value column, int64_t) { keep(value, builder.add(start, column)); });
    }
    if (op.getConsumer()) {
      WeightMatrix consumer = builder.weight(op.getConsumer());
      builder.loop(builder.index(0), builder.index(consumer.columns / consumer.block), 1,
                   [&](Value block) { roundBlock(builder, consumer, scratch, block); });
    }
    Value place = builder.cacheRow(pages, builder.load(slots, row), builder.load(positions, row), op.getPageSize());
    columns(builder, 0, width, [&](Value column, int64_t lanes) {
      builder.store(loadLanes(builder, scratch, column, lanes), cache, {place, column});
    });
  });
}

} // namespace glm
