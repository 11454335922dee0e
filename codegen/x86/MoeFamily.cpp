// moe_gate_up and moe_down: expert after expert, every thread streams its rows of the expert's weights through the rows that
// chose it, up to 8 at a time. A weight is read once per step and expert as long as no more than 8 rows chose it.
#include "codegen/target/Target.h"
#include "codegen/x86/Families.h"
#include "codegen/x86/Product.h"

using namespace mlir;

namespace glm {
namespace {

class MoeFamily : public KernelFamily {
public:
  StringRef name() const override { return "x86_moe"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    if (!isa<KernelMoeGateUpOp, KernelMoeDownOp>(op) || isGpu(target) ||
        llvm::any_of(op->getOperandTypes(), quantizesInputs))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), dotRows(target), 1);
  }

  LogicalResult build(Operation *op, ScheduleAttr schedule, KernelBuilder &builder) const override {
    if (auto gateUp = dyn_cast<KernelMoeGateUpOp>(op))
      buildGateUp(gateUp, builder);
    else
      buildDown(cast<KernelMoeDownOp>(op), builder);
    return success();
  }

private:
  static Product makeProduct(KernelBuilder &builder, Value input, ValueRange weights) {
    SmallVector<Type> elements;
    for (Value weight : weights)
      elements.push_back(getElementTypeOrSelf(weight.getType()));
    auto type = cast<MemRefType>(input.getType());
    auto target = input.getParentRegion()->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(kTargetAttr);
    return Product(builder, elements, type.getElementType(), type.getDimSize(1), target);
  }

  /// body(expert, first entry, last entry) for every expert that a row chose.
  static void overExperts(KernelBuilder &builder, Value offsets, int64_t experts,
                          llvm::function_ref<void(Value, Value, Value)> body) {
    builder.loop(builder.index(0), builder.index(experts), 1, [&](Value expert) {
      Value first = builder.load(offsets, {expert});
      Value last = builder.load(offsets, {builder.add(expert, builder.index(1))});
      builder.when(arith::CmpIOp::create(builder, arith::CmpIPredicate::ult, first, last),
                   [&] { body(expert, first, last); });
    });
  }

  static void buildGateUp(KernelMoeGateUpOp op, KernelBuilder &builder) {
    Product product = makeProduct(builder, op.getInput(), {op.getGate(), op.getUp()});
    Value input = builder.buffer(op.getInput()), entries = builder.buffer(op.getEntries()),
          output = builder.buffer(op.getOutput());
    int64_t experts = cast<RankedTensorType>(op.getGate().getType()).getDimSize(0);
    Value topK = builder.index(op.getTopK());
    overExperts(builder, builder.buffer(op.getOffsets()), experts, [&](Value expert, Value first, Value last) {
      WeightMatrix gate = builder.expertWeight(op.getGate(), expert), up = builder.expertWeight(op.getUp(), expert);
      auto [begin, end] = builder.share(builder.index(gate.rows));
      ProductRows rows{first, last, input, builder.index(0),
                       [&](Value entry) { return builder.div(builder.load(entries, {entry}), topK); }};
      product.run(rows, {{gate, up}, begin, end}, [&](Value entry, Value n, ArrayRef<Value> sums) {
        builder.store(builder.mul(builder.silu(sums[0]), sums[1]), output, {builder.load(entries, {entry}), n});
      });
    });
  }

  static void buildDown(KernelMoeDownOp op, KernelBuilder &builder) {
    Product product = makeProduct(builder, op.getInput(), {op.getDown()});
    Value input = builder.buffer(op.getInput()), entries = builder.buffer(op.getEntries()),
          output = builder.buffer(op.getOutput());
    int64_t experts = cast<RankedTensorType>(op.getDown().getType()).getDimSize(0);
    overExperts(builder, builder.buffer(op.getOffsets()), experts, [&](Value expert, Value first, Value last) {
      WeightMatrix down = builder.expertWeight(op.getDown(), expert);
      auto [begin, end] = builder.share(builder.index(down.rows));
      ProductRows rows{first, last, input, builder.index(0),
                       [&](Value entry) { return builder.load(entries, {entry}); }};
      product.run(rows, {{down}, begin, end}, [&](Value entry, Value n, ArrayRef<Value> sums) {
        builder.store(sums[0], output, {builder.load(entries, {entry}), n});
      });
    });
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeMoeFamily() { return std::make_unique<MoeFamily>(); }

} // namespace glm
