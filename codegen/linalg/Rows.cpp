// Rows that are moved or added: embed, gather_rows, add, moe_combine.
#include "codegen/linalg/Columns.h"
#include "codegen/linalg/ExpertSum.h"
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
  Value output = builder.buffer(op.getOutput());
  ExpertSum sum(builder, op.getInput(), op.getWeights(), op.getShared(), op.getResidual());
  elements(builder, builder.rows(), widthOf(op.getOutput()), [&](Value row, Value column, int64_t lanes) {
    auto load = [&](Value memref, ValueRange place) { return loadLanes(builder, memref, place, lanes); };
    builder.store(sum.at(row, column, lanes, load), output, {row, column});
  });
}

} // namespace glm
