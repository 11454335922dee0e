// Rotary positions: rope_angles, rope.
#include "codegen/linalg/Columns.h"
#include "codegen/linalg/PlainBodies.h"
#include "codegen/linalg/RowNorm.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace glm {

void buildPlain(KernelRopeAnglesOp op, KernelBuilder &builder) {
  Value positions = builder.buffer(op.getPositions()), output = builder.buffer(op.getOutput());
  Value frequencies = builder.constants(op.getInverseFrequencies());
  Value count = builder.index(op.getInverseFrequencies().size());
  auto [first, last] = builder.share(builder.rows());
  builder.loop(first, last, 1, [&](Value row) {
    Value position =
        arith::SIToFPOp::create(builder, builder.getF32Type(), builder.toI32(builder.load(positions, row)));
    builder.loop(builder.index(0), count, 1, [&](Value i) {
      Value angle = builder.mul(position, builder.load(frequencies, i));
      auto [sine, cosine] = builder.sinCos(angle);
      builder.store(cosine, output, {row, i});
      builder.store(sine, output, {row, builder.add(count, i)});
    });
  });
}

void rotate(KernelBuilder &builder, Value angles, Value row, int64_t width, ReadColumns read, WriteColumns write) {
  Value pairs = builder.index(width / 2);
  columns(builder, 0, width / 2, [&](Value pair, int64_t lanes) {
    Value cosine = loadLanes(builder, angles, {row, pair}, lanes),
          sine = loadLanes(builder, angles, {row, builder.add(pairs, pair)}, lanes);
    Value column = builder.mul(pair, builder.index(2)), next = builder.add(column, builder.index(1));
    Value even, odd;
    if (lanes == 1) {
      even = read(column, 1);
      odd = read(next, 1);
    } else {
      auto both = vector::DeinterleaveOp::create(builder, read(column, 2 * lanes));
      even = both.getRes1();
      odd = both.getRes2();
    }
    Value newEven = builder.sub(builder.mul(even, cosine), builder.mul(odd, sine));
    Value newOdd = builder.add(builder.mul(odd, cosine), builder.mul(even, sine));
    if (lanes == 1) {
      write(newEven, column, 1);
      write(newOdd, next, 1);
    } else {
      write(vector::InterleaveOp::create(builder, newEven, newOdd), column, 2 * lanes);
    }
  });
}

void buildPlain(KernelRopeOp op, KernelBuilder &builder) {
  Value input = builder.buffer(op.getInput()), angles = builder.buffer(op.getAngles()),
        output = builder.buffer(op.getOutput());
  int64_t heads = op.getHeads(), headWidth = op.getInput().getType().getShape().back() / heads;
  int64_t begin = op.getOffset(), end = begin + op.getWidth();
  auto [first, last] = builder.share(builder.mul(builder.rows(), builder.index(heads)));
  builder.loop(first, last, 1, [&](Value item) {
    Value row = builder.div(item, builder.index(heads));
    Value head = builder.mul(builder.rem(item, builder.index(heads)), builder.index(headWidth));
    auto copy = [&](Value column, int64_t lanes) {
      Value place = builder.add(head, column);
      builder.store(loadLanes(builder, input, {row, place}, lanes), output, {row, place});
    };
    columns(builder, 0, begin, copy);
    columns(builder, end, headWidth, copy);
    Value start = builder.add(head, builder.index(begin));
    rotate(
        builder, angles, row, op.getWidth(),
        [&](Value column, int64_t lanes) {
          return loadLanes(builder, input, {row, builder.add(start, column)}, lanes);
        },
        [&](Value value, Value column, int64_t) { builder.store(value, output, {row, builder.add(start, column)}); });
  });
}

} // namespace glm
