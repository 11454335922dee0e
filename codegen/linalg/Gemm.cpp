// Rows times weights: gemm.
#include "codegen/linalg/PlainBodies.h"
#include "codegen/linalg/Products.h"

using namespace mlir;

namespace glm {

Value product(KernelBuilder &builder, int64_t count, function_ref<Value(Value)> x, function_ref<Value(Value)> weight) {
  return builder.fold(builder.index(0), builder.index(count), 1, builder.f32(0.0f), [&](Value k, ValueRange carried) {
    return SmallVector<Value>{builder.fma(x(k), weight(k), carried[0])};
  })[0];
}

Value asInput(KernelBuilder &builder, const WeightMatrix &weight, Value x, Value most) {
  Value scale = builder.mul(builder.blockScale(most, weight.inputScale), weight.inputScale);
  return builder.mul(builder.roundE2m1(builder.mul(x, builder.div(builder.f32(1.0f), scale))), scale);
}

/// The largest magnitude of a block of which `x` gives each number.
static Value largest(KernelBuilder &builder, const WeightMatrix &weight, function_ref<Value(Value)> x) {
  auto next = [&](Value i, ValueRange carried) {
    Value value = x(i), magnitude = builder.max(value, builder.sub(builder.f32(0.0f), value));
    return SmallVector<Value>{builder.max(carried[0], magnitude)};
  };
  return builder.fold(builder.index(0), builder.index(weight.block), 1, builder.f32(0.0f), next)[0];
}

void roundBlock(KernelBuilder &builder, const WeightMatrix &weight, Value row, Value block) {
  Value begin = builder.mul(block, builder.index(weight.block));
  Value most = largest(builder, weight, [&](Value i) { return builder.load(row, builder.add(begin, i)); });
  builder.loop(builder.index(0), builder.index(weight.block), 1, [&](Value i) {
    Value place = builder.add(begin, i);
    builder.store(asInput(builder, weight, builder.load(row, place), most), row, place);
  });
}

/// input[row, k] as NVFP4 has it: its block's scale follows from the largest magnitude in it.
static Value quantized(KernelBuilder &builder, const WeightMatrix &weight, Value input, Value row, Value k) {
  Value begin = builder.mul(builder.div(k, builder.index(weight.block)), builder.index(weight.block));
  Value most = largest(builder, weight, [&](Value i) { return builder.load(input, {row, builder.add(begin, i)}); });
  return asInput(builder, weight, builder.load(input, {row, k}), most);
}

Value product(KernelBuilder &builder, const WeightMatrix &weight, Value n, Value input, Value row) {
  return product(
      builder, weight.columns,
      [&](Value k) {
        return weight.inputScale ? quantized(builder, weight, input, row, k) : builder.load(input, {row, k});
      },
      [&](Value k) { return builder.element(weight, n, k); });
}

void buildPlain(KernelGemmOp op, KernelBuilder &builder) {
  Value input = builder.buffer(op.getInput());
  Value residual = op.getResidual() ? builder.buffer(op.getResidual()) : Value();
  SmallVector<WeightMatrix> weights;
  for (Value operand : op.getWeights())
    weights.push_back(builder.weight(operand));
  for (auto [number, operand] : llvm::enumerate(op.getOutputs())) {
    Value output = builder.buffer(operand);
    // Columns are shared, not rows: one row keeps all threads busy.
    auto [first, last] = builder.share(builder.index(weights[number].rows));
    builder.loop(first, last, 1, [&](Value n) {
      builder.loop(builder.index(0), builder.rows(), 1, [&](Value row) {
        Value value = product(builder, weights[number], n, input, row);
        if (op.getEpilogue() == Epilogue::SiluMul)
          value = builder.mul(builder.silu(value), product(builder, weights[1], n, input, row));
        if (residual)
          value = builder.add(builder.load(residual, {row, n}), value);
        builder.store(value, output, {row, n});
      });
    });
  }
}

} // namespace glm
