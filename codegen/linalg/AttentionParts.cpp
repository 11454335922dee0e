#include "codegen/linalg/AttentionParts.h"
#include "codegen/linalg/Columns.h"

#include <limits>

using namespace mlir;

namespace glm {

Softmax Softmax::none(KernelBuilder &builder) {
  return {builder.f32(-std::numeric_limits<float>::infinity()), builder.f32(0.0f)};
}

JoinFactors joinSoftmax(KernelBuilder &builder, Softmax &joined, Softmax next) {
  Value grows = builder.less(joined.largest, next.largest), one = builder.f32(1.0f);
  Value power = builder.exp(
      builder.select(grows, builder.sub(joined.largest, next.largest), builder.sub(next.largest, joined.largest)));
  JoinFactors factors{builder.select(grows, power, one), builder.select(grows, one, power)};
  joined = {builder.max(joined.largest, next.largest), joinSums(builder, joined.total, next.total, factors)};
  return factors;
}

Value joinSums(KernelBuilder &builder, Value sum, Value part, JoinFactors factors) {
  return builder.fma(sum, factors.before, builder.mul(part, factors.next));
}

Value joinParts(KernelBuilder &builder, Value parts, int64_t lanes, function_ref<Softmax(Value)> softmax,
                function_ref<Value(Value)> sum) {
  Value zero = builder.f32(0.0f);
  Softmax none = Softmax::none(builder);
  SmallVector<Value> initial = {none.largest, none.total, inLanes(builder, zero, lanes)};
  auto all = builder.fold(builder.index(0), parts, 1, initial, [&](Value part, ValueRange carried) {
    Softmax joined{carried[0], carried[1]}, next = softmax(part);
    JoinFactors factors = joinSoftmax(builder, joined, next);
    Value isEmpty = builder.equal(next.total, zero);
    Value there = sum(builder.select(isEmpty, builder.index(0), part));
    Value sums = joinSums(builder, carried[2], there,
                          {inLanes(builder, factors.before, lanes), inLanes(builder, factors.next, lanes)});
    return SmallVector<Value>{builder.select(isEmpty, carried[0], joined.largest),
                              builder.select(isEmpty, carried[1], joined.total),
                              builder.select(isEmpty, carried[2], sums)};
  });
  return builder.div(all[2], inLanes(builder, all[1], lanes));
}

Value joinColumns(const JoinedParts &joined, KernelBuilder &builder, Value row, Value head, Value column, int64_t lanes,
                  function_ref<Value(Value, ValueRange)> load) {
  Value sums = builder.buffer(joined.sums), stats = builder.buffer(joined.stats);
  Value parts = builder.index(joined.count), first = builder.mul(head, parts);
  auto softmax = [&](Value part) {
    Value place = builder.mul(builder.add(first, part), builder.index(2));
    return Softmax{builder.load(stats, {row, place}), builder.load(stats, {row, builder.add(place, builder.index(1))})};
  };
  auto sum = [&](Value part) {
    Value start = builder.mul(builder.add(first, part), builder.index(joined.rank));
    return load(sums, {row, builder.add(start, column)});
  };
  return joinParts(builder, parts, lanes, softmax, sum);
}

} // namespace glm
