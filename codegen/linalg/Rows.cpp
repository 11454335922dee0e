// Rows that are moved or added: embed, gather_rows, add, moe_combine.
#include "codegen/linalg/Columns.h"
#include "codegen/linalg/PlainBodies.h"
#include "codegen/linalg/Tokens.h"

using namespace mlir;

namespace glm {
namespace {

int64_t widthOf(Value buffer) { return cast<MemRefType>(buffer.getType()).getShape().back(); }

} // namespace

Value tokenOf(KernelBuilder &builder, KernelEmbedOp op, Value row) {
  Value token = builder.load(builder.buffer(op.getTokens()), row), zero = builder.index(0);
  if (!op.getSampled())
    return token;
  // Read in any case, of a row that is there: a load is no more than a branch.
  Value place = builder.max(builder.sub(builder.index(-1), token), zero);
  Value sampled = builder.max(builder.load(builder.buffer(op.getSampled()), place), zero);
  return builder.select(builder.less(token, zero), sampled, token);
}

void buildPlain(KernelEmbedOp op, KernelBuilder &builder) {
  Value output = builder.buffer(op.getOutput()), table = builder.weight(op.getTable()).data;
  elements(builder, builder.rows(), widthOf(op.getOutput()), [&](Value row, Value column, int64_t lanes) {
    Value token = tokenOf(builder, op, row);
    builder.store(loadLanes(builder, table, {token, column}, lanes), output, {row, column});
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
