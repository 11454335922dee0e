// Rows that are moved or added: embed, gather_rows, add, moe_combine.
#include "codegen/linalg/Columns.h"
#include "codegen/linalg/PlainBodies.h"

using namespace mlir;

namespace glm {
namespace {

int64_t widthOf(Value buffer) { return cast<MemRefType>(buffer.getType()).getShape().back(); }

} // namespace

void buildPlain(KernelEmbedOp op, KernelBuilder &builder) {
  Value tokens = builder.buffer(op.getTokens()), output = builder.buffer(op.getOutput());
  Value table = builder.weight(op.getTable()).data;
  elements(builder, builder.rows(), widthOf(op.getOutput()), [&](Value row, Value column, int64_t lanes) {
    builder.store(loadLanes(builder, table, {builder.load(tokens, row), column}, lanes), output, {row, column});
  });
}

void buildPlain(KernelGatherRowsOp op, KernelBuilder &builder) {
  Value input = builder.buffer(op.getInput()), rows = builder.buffer(op.getRows()),
        output = builder.buffer(op.getOutput());
  elements(builder, builder.rows(), widthOf(op.getOutput()), [&](Value row, Value column, int64_t lanes) {
    builder.store(loadLanes(builder, input, {builder.load(rows, row), column}, lanes), output, {row, column});
  });
}

void buildPlain(KernelAddOp op, KernelBuilder &builder) {
  Value lhs = builder.buffer(op.getLhs()), rhs = builder.buffer(op.getRhs()), output = builder.buffer(op.getOutput());
  elements(builder, builder.rows(), widthOf(op.getOutput()), [&](Value row, Value column, int64_t lanes) {
    Value sum =
        builder.add(loadLanes(builder, lhs, {row, column}, lanes), loadLanes(builder, rhs, {row, column}, lanes));
    builder.store(sum, output, {row, column});
  });
}

void buildPlain(KernelMoeCombineOp op, KernelBuilder &builder) {
  Value input = builder.buffer(op.getInput()), weights = builder.buffer(op.getWeights()),
        output = builder.buffer(op.getOutput());
  Value shared = op.getShared() ? builder.buffer(op.getShared()) : Value();
  Value residual = op.getResidual() ? builder.buffer(op.getResidual()) : Value();
  Value choices = builder.index(widthOf(op.getWeights()));
  elements(builder, builder.rows(), widthOf(op.getOutput()), [&](Value row, Value column, int64_t lanes) {
    Value zero = inLanes(builder, builder.f32(0.0f), lanes);
    Value sum = builder.fold(builder.index(0), choices, 1, zero, [&](Value j, ValueRange carried) {
      Value weight = inLanes(builder, builder.load(weights, {row, j}), lanes);
      Value entry = builder.add(builder.mul(row, choices), j);
      return SmallVector<Value>{builder.fma(weight, loadLanes(builder, input, {entry, column}, lanes), carried[0])};
    })[0];
    for (Value other : {shared, residual})
      if (other)
        sum = builder.add(sum, loadLanes(builder, other, {row, column}, lanes));
    builder.store(sum, output, {row, column});
  });
}

} // namespace glm
