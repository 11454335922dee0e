#include "codegen/linalg/Columns.h"

using namespace mlir;

namespace glm {
void columns(KernelBuilder &builder, int64_t begin, int64_t end, function_ref<void(Value, int64_t)> body) {
  int64_t middle = end - (end - begin) % kColumnLanes;
  if (begin < middle)
    builder.loop(builder.index(begin), builder.index(middle), kColumnLanes,
                 [&](Value column) { body(column, kColumnLanes); });
  if (middle < end)
    builder.loop(builder.index(middle), builder.index(end), 1, [&](Value column) { body(column, 1); });
}

void elements(KernelBuilder &builder, Value rows, int64_t width, function_ref<void(Value, Value, int64_t)> body) {
  if (width % kColumnLanes != 0) {
    auto [first, last] = builder.share(rows);
    builder.loop(first, last, 1, [&](Value row) {
      columns(builder, 0, width, [&](Value column, int64_t lanes) { body(row, column, lanes); });
    });
    return;
  }
  Value vectors = builder.index(width / kColumnLanes);
  auto [first, last] = builder.share(builder.mul(rows, vectors));
  builder.loop(first, last, 1, [&](Value vector) {
    body(builder.div(vector, vectors), builder.mul(builder.rem(vector, vectors), builder.index(kColumnLanes)),
         kColumnLanes);
  });
}

Value accumulate(KernelBuilder &builder, int64_t width, function_ref<Value(Value, Value, int64_t)> step) {
  int64_t middle = width - width % kColumnLanes;
  Value total = builder.f32(0.0f);
  if (middle > 0) {
    Value zeros = builder.splat(total, kColumnLanes);
    auto sums = builder.fold(
        builder.index(0), builder.index(middle), kColumnLanes, zeros,
        [&](Value column, ValueRange carried) { return SmallVector<Value>{step(carried[0], column, kColumnLanes)}; });
    total = builder.sum(sums[0]);
  }
  if (middle == width)
    return total;
  return builder.fold(builder.index(middle), builder.index(width), 1, total, [&](Value column, ValueRange carried) {
    return SmallVector<Value>{step(carried[0], column, 1)};
  })[0];
}

Value dot(KernelBuilder &builder, int64_t width, Value a, ValueRange aStart, Value b, ValueRange bStart) {
  auto element = [&](Value memref, ValueRange start, Value column, int64_t lanes) {
    SmallVector<Value> place(start);
    place.back() = builder.add(place.back(), column);
    return loadLanes(builder, memref, place, lanes);
  };
  return accumulate(builder, width, [&](Value sums, Value column, int64_t lanes) {
    return builder.fma(element(a, aStart, column, lanes), element(b, bStart, column, lanes), sums);
  });
}

Value loadLanes(KernelBuilder &builder, Value memref, ValueRange indices, int64_t lanes) {
  return lanes == 1 ? builder.load(memref, indices) : builder.loadVector(memref, indices, lanes);
}

Value inLanes(KernelBuilder &builder, Value value, int64_t lanes) {
  return lanes == 1 ? value : builder.splat(value, lanes);
}

} // namespace glm
