// The best positions of a row: top_k.
//
// Scores are compared as unsigned numbers of the same order. The k-th largest is found bit by bit, from the highest: a
// bit is set if at least k scores are not below the number that has it. One more pass takes what is above, and of its
// equals the first.
#include "codegen/linalg/Columns.h"
#include "codegen/linalg/PlainBodies.h"
#include "codegen/linalg/ScoreKeys.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kLanes = 16;

Value compare(KernelBuilder &builder, arith::CmpIPredicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(builder, predicate, a, b);
}

Value keysAt(KernelBuilder &builder, Value scores, Value row, Value position, int64_t lanes) {
  return scoreKeys(builder, loadLanes(builder, scores, {row, position}, lanes), lanes);
}

/// How many of the first `count` scores are not below `bound`, or (`above`) are above it.
Value countKeys(KernelBuilder &builder, Value scores, Value row, Value count, Value bound,
                arith::CmpIPredicate predicate) {
  auto step = [&](Value position, Value sum, int64_t lanes) {
    Value hit =
        compare(builder, predicate, keysAt(builder, scores, row, position, lanes), inLanes(builder, bound, lanes));
    return SmallVector<Value>{builder.add(sum, arith::ExtUIOp::create(builder, sum.getType(), hit))};
  };
  Value middle = builder.sub(count, builder.rem(count, builder.index(kLanes)));
  Value zero = builder.i32(0);
  Value sums = builder.fold(builder.index(0), middle, kLanes, builder.splat(zero, kLanes),
                            [&](Value position, ValueRange carried) { return step(position, carried[0], kLanes); })[0];
  return builder.fold(middle, count, 1, builder.sum(sums),
                      [&](Value position, ValueRange carried) { return step(position, carried[0], 1); })[0];
}

void chooseAll(KernelBuilder &builder, Value indices, Value row, Value count, int64_t topK) {
  builder.loop(builder.index(0), builder.index(topK), 1, [&](Value i) {
    builder.store(builder.select(builder.less(i, count), i, builder.index(-1)), indices, {row, i});
  });
}

void chooseBest(KernelBuilder &builder, Value scores, Value indices, Value row, Value count, int64_t topK) {
  Value wanted = builder.i32(topK);
  Value last =
      builder.fold(builder.index(0), builder.index(32), 1, builder.i32(0), [&](Value round, ValueRange carried) {
        Value bit = arith::ShRUIOp::create(builder, builder.i32(INT32_MIN), builder.toI32(round));
        Value candidate = arith::OrIOp::create(builder, carried[0], bit);
        Value enough = countKeys(builder, scores, row, count, candidate, arith::CmpIPredicate::uge);
        return SmallVector<Value>{builder.select(builder.less(enough, wanted), carried[0], candidate)};
      })[0];
  Value equals = builder.sub(wanted, countKeys(builder, scores, row, count, last, arith::CmpIPredicate::ugt));
  builder.fold(builder.index(0), count, 1, {builder.index(0), equals}, [&](Value position, ValueRange carried) {
    Value key = keysAt(builder, scores, row, position, 1);
    Value equal = builder.both(builder.equal(key, last), builder.less(builder.i32(0), carried[1]));
    Value taken = builder.either(compare(builder, arith::CmpIPredicate::ugt, key, last), equal);
    builder.when(taken, [&] { builder.store(position, indices, {row, carried[0]}); });
    Value one = builder.select(taken, builder.index(1), builder.index(0));
    return SmallVector<Value>{builder.add(carried[0], one),
                              builder.sub(carried[1], arith::ExtUIOp::create(builder, builder.getI32Type(), equal))};
  });
}

} // namespace

Value scoreKeys(KernelBuilder &builder, Value scores, int64_t lanes) {
  Type type = lanes == 1 ? Type(builder.getI32Type()) : VectorType::get({lanes}, builder.getI32Type());
  // Adding zero makes -0 a +0: they are equal scores.
  Value score = builder.add(scores, inLanes(builder, builder.f32(0.0f), lanes));
  Value bits = arith::BitcastOp::create(builder, type, score);
  Value sign = arith::ShRSIOp::create(builder, bits, inLanes(builder, builder.i32(31), lanes));
  Value mask = arith::OrIOp::create(builder, sign, inLanes(builder, builder.i32(INT32_MIN), lanes));
  return arith::XOrIOp::create(builder, bits, mask);
}

void buildPlain(KernelTopKOp op, KernelBuilder &builder) {
  Value scores = builder.buffer(op.getScores()), positions = builder.buffer(op.getPositions()),
        indices = builder.buffer(op.getIndices());
  int64_t topK = op.getIndices().getType().getShape().back();
  auto [first, last] = builder.share(builder.rows());
  builder.loop(first, last, 1, [&](Value row) {
    Value count = builder.add(builder.load(positions, row), builder.index(1));
    Value more = builder.less(builder.index(topK), count);
    builder.when(more, [&] { chooseBest(builder, scores, indices, row, count, topK); });
    builder.when(builder.negation(more), [&] { chooseAll(builder, indices, row, count, topK); });
  });
}

} // namespace glm
