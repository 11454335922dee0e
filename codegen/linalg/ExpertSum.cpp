#include "codegen/linalg/ExpertSum.h"

#include "codegen/linalg/Columns.h"

using namespace mlir;

namespace glm {

ExpertSum::ExpertSum(KernelBuilder &builder, Value parts, Value weights, Value shared, Value residual)
    : builder(builder), parts(builder.buffer(parts)), weights(builder.buffer(weights)),
      shared(shared ? builder.buffer(shared) : Value()), residual(residual ? builder.buffer(residual) : Value()),
      choices(builder.index(cast<MemRefType>(weights.getType()).getShape().back())) {}

Value ExpertSum::at(Value row, Value column, int64_t lanes, function_ref<Value(Value, ValueRange)> load) const {
  Value zero = inLanes(builder, builder.f32(0.0f), lanes);
  Value sum = builder.fold(builder.index(0), choices, 1, zero, [&](Value j, ValueRange carried) {
    Value weight = inLanes(builder, builder.load(weights, {row, j}), lanes);
    Value entry = builder.add(builder.mul(row, choices), j);
    return SmallVector<Value>{builder.fma(weight, load(parts, {entry, column}), carried[0])};
  })[0];
  for (Value other : {shared, residual})
    if (other)
      sum = builder.add(sum, load(other, {row, column}));
  return sum;
}

} // namespace glm
