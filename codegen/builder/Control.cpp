// Of KernelBuilder: shares of work, loops and conditions.
#include "codegen/builder/KernelBuilder.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {

std::pair<Value, Value> KernelBuilder::share(Value count, int64_t grain) {
  Value units = div(add(count, index(grain - 1)), index(grain));
  Value first = mul(div(mul(units, threadValue), threadsValue), index(grain));
  Value second = mul(div(mul(units, add(threadValue, index(1))), threadsValue), index(grain));
  return {first, min(second, count)};
}

void KernelBuilder::loop(Value lower, Value upper, int64_t step, function_ref<void(Value)> body) {
  fold(lower, upper, step, {}, [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}

SmallVector<Value> KernelBuilder::fold(Value lower, Value upper, int64_t step, ValueRange initial,
                                       function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  // Made without a body builder: the body is written by this builder, which has to stand inside.
  auto loop =
      scf::ForOp::create(*this, lower, upper, index(step), initial, [](OpBuilder &, Location, Value, ValueRange) {});
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(*this, next);
  return SmallVector<Value>(loop.getResults());
}

Value KernelBuilder::firstOf(int64_t count, function_ref<Value(Value)> holds) {
  SmallVector<Value> bounds = {index(0), index(count)};
  return fold(index(0), index(llvm::Log2_64_Ceil(count + 1)), 1, bounds, [&](Value, ValueRange carried) {
    Value middle = div(add(carried[0], carried[1]), index(2));
    Value open = less(carried[0], carried[1]), held = holds(min(middle, index(count - 1)));
    Value low = select(both(open, negation(held)), add(middle, index(1)), carried[0]);
    return SmallVector<Value>{low, select(both(open, held), middle, carried[1])};
  })[0];
}

void KernelBuilder::when(Value condition, function_ref<void()> body) {
  auto branch = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  body();
}

} // namespace glm
