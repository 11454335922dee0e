// Experts: group_rows, moe_gate_up, moe_down. (moe_combine is in Rows.cpp.)
#include "codegen/linalg/PlainBodies.h"
#include "codegen/linalg/Products.h"

using namespace mlir;

namespace glm {

void buildPlain(KernelGroupRowsOp op, KernelBuilder &builder) {
  Value experts = builder.buffer(op.getExperts()), offsets = builder.buffer(op.getOffsets()),
        entries = builder.buffer(op.getEntries());
  int64_t count = op.getOffsets().getType().getDimSize(0) - 1;
  Value choices = builder.index(op.getExperts().getType().getShape().back());
  Value zero = builder.index(0), one = builder.index(1), total = builder.mul(builder.rows(), choices);
  Value next = builder.scratch(count, builder.getI32Type());
  auto expertOf = [&](Value entry) {
    return builder.load(experts, {builder.div(entry, choices), builder.rem(entry, choices)});
  };
  // A counting sort is a chain: one thread does it.
  builder.when(builder.equal(builder.thread(), zero), [&] {
    builder.loop(zero, builder.index(count), 1, [&](Value expert) { builder.store(zero, next, expert); });
    builder.loop(zero, total, 1, [&](Value entry) {
      Value expert = expertOf(entry);
      builder.store(builder.add(builder.load(next, expert), one), next, expert);
    });
    Value end = builder.fold(zero, builder.index(count), 1, zero, [&](Value expert, ValueRange carried) {
      Value after = builder.add(carried[0], builder.load(next, expert));
      builder.store(carried[0], offsets, expert);
      builder.store(carried[0], next, expert);
      return SmallVector<Value>{after};
    })[0];
    builder.store(end, offsets, builder.index(count));
    builder.loop(zero, total, 1, [&](Value entry) {
      Value expert = expertOf(entry), place = builder.load(next, expert);
      builder.store(entry, entries, place);
      builder.store(builder.add(place, one), next, expert);
    });
  });
}

namespace {

/// body(expert, begin, end) for each expert that has entries, begin .. end-1 of the list.
void forEachExpert(KernelBuilder &builder, TypedValue<MemRefType> operand,
                   function_ref<void(Value, Value, Value)> body) {
  Value offsets = builder.buffer(operand);
  builder.loop(builder.index(0), builder.index(operand.getType().getDimSize(0) - 1), 1, [&](Value expert) {
    Value begin = builder.load(offsets, expert), end = builder.load(offsets, builder.add(expert, builder.index(1)));
    builder.when(builder.less(begin, end), [&] { body(expert, begin, end); });
  });
}

} // namespace

// The columns of each expert are shared, not the experts: few experts keep all threads busy.

void buildPlain(KernelMoeGateUpOp op, KernelBuilder &builder) {
  Value input = builder.buffer(op.getInput()), entries = builder.buffer(op.getEntries()),
        output = builder.buffer(op.getOutput());
  auto [first, last] = builder.share(builder.index(op.getOutput().getType().getShape().back()));
  forEachExpert(builder, op.getOffsets(), [&, first = first, last = last](Value expert, Value begin, Value end) {
    WeightMatrix gate = builder.expertWeight(op.getGate(), expert), up = builder.expertWeight(op.getUp(), expert);
    builder.loop(first, last, 1, [&](Value n) {
      builder.loop(begin, end, 1, [&](Value i) {
        Value entry = builder.load(entries, i), row = builder.div(entry, builder.index(op.getTopK()));
        Value gated = builder.silu(product(builder, gate, n, input, row));
        builder.store(builder.mul(gated, product(builder, up, n, input, row)), output, {entry, n});
      });
    });
  });
}

void buildPlain(KernelMoeDownOp op, KernelBuilder &builder) {
  Value input = builder.buffer(op.getInput()), entries = builder.buffer(op.getEntries()),
        output = builder.buffer(op.getOutput());
  auto [first, last] = builder.share(builder.index(op.getOutput().getType().getShape().back()));
  forEachExpert(builder, op.getOffsets(), [&, first = first, last = last](Value expert, Value begin, Value end) {
    WeightMatrix down = builder.expertWeight(op.getDown(), expert);
    builder.loop(first, last, 1, [&](Value n) {
      builder.loop(begin, end, 1, [&](Value i) {
        Value entry = builder.load(entries, i);
        builder.store(product(builder, down, n, input, entry), output, {entry, n});
      });
    });
  });
}

} // namespace glm
