// The norms of a row: norm.
#include "codegen/linalg/Columns.h"
#include "codegen/linalg/PlainBodies.h"
#include "codegen/linalg/RowNorm.h"

using namespace mlir;

namespace glm {
namespace {

/// The sum of (x - center)^2 over the columns divided by their number; without a center, of x^2.
Value meanSquare(KernelBuilder &builder, int64_t width, Value center, ReadColumns read) {
  Value sum = accumulate(builder, width, [&](Value sums, Value column, int64_t lanes) {
    Value x = read(column, lanes);
    if (center)
      x = builder.sub(x, inLanes(builder, center, lanes));
    return builder.fma(x, x, sums);
  });
  return builder.div(sum, builder.f32(static_cast<float>(width)));
}

} // namespace

void normalise(KernelBuilder &builder, const RowNorm &norm, ReadColumns read, WriteColumns write) {
  Value center;
  if (norm.kind == NormKind::Layer) {
    Value sum = accumulate(builder, norm.width, [&](Value sums, Value column, int64_t lanes) {
      return builder.add(sums, read(column, lanes));
    });
    center = builder.div(sum, builder.f32(static_cast<float>(norm.width)));
  }
  Value variance = meanSquare(builder, norm.width, center, read);
  Value factor = builder.div(builder.f32(1.0f), builder.sqrt(builder.add(variance, builder.f32(norm.eps))));
  columns(builder, 0, norm.width, [&](Value column, int64_t lanes) {
    Value x = read(column, lanes);
    if (center)
      x = builder.sub(x, inLanes(builder, center, lanes));
    Value y =
        builder.mul(builder.mul(x, inLanes(builder, factor, lanes)), loadLanes(builder, norm.weight, column, lanes));
    if (norm.bias)
      y = builder.add(y, loadLanes(builder, norm.bias, column, lanes));
    write(y, column, lanes);
  });
}

void buildPlain(KernelNormOp op, KernelBuilder &builder) {
  Value input = builder.buffer(op.getInput()), output = builder.buffer(op.getOutput());
  Value delta = op.getDelta() ? builder.buffer(op.getDelta()) : Value();
  Value source = op.getSum() ? builder.buffer(op.getSum()) : input;
  RowNorm norm;
  norm.kind = op.getNorm();
  norm.eps = op.getEps().convertToFloat();
  norm.width = cast<ShapedType>(op.getWeight().getType()).getDimSize(0);
  norm.weight = builder.vectorWeight(op.getWeight());
  norm.bias = op.getBias() ? builder.vectorWeight(op.getBias()) : Value();
  int64_t width = op.getOutput().getType().getShape().back();
  auto [first, last] = builder.share(builder.rows());
  builder.loop(first, last, 1, [&](Value row) {
    if (delta)
      columns(builder, 0, width, [&](Value column, int64_t lanes) {
        Value sum = builder.add(loadLanes(builder, input, {row, column}, lanes),
                                loadLanes(builder, delta, {row, column}, lanes));
        builder.store(sum, source, {row, column});
      });
    // The sum is read back as it was rounded: the same numbers as an add and a norm of their own.
    auto read = [&](Value column, int64_t lanes) { return loadLanes(builder, source, {row, column}, lanes); };
    normalise(builder, norm, read,
              [&](Value value, Value column, int64_t) { builder.store(value, output, {row, column}); });
    columns(builder, norm.width, width,
            [&](Value column, int64_t lanes) { builder.store(read(column, lanes), output, {row, column}); });
  });
}

} // namespace glm
