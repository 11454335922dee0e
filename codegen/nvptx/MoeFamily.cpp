// moe_gate_up, moe_down: a block for every 16 rows of every expert that a step can reach, that expert's entries through it
// (TensorProduct.h).
//
//     blocks   [ tile 0 | tile 1 | ... ] of place 0, [ tile 0 | ... ] of place 1, ...
//     entries  [ expert 3: 0 5 | expert 7: 2 | expert 9: 1 3 4 ]      place 0 is where expert 3 starts, 2 expert 7, 3 expert 9
//
// With fewer entries than experts a place is one of the sorted list of entries, and only a place where an expert starts has work; with
// more, a place is an expert.
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/TensorProduct.h"
#include "codegen/target/Target.h"

#include <limits>

using namespace mlir;

namespace glm {
namespace {

class MoeKernel {
public:
  MoeKernel(KernelBuilder &builder, Warp &warp, Value offsets, Value entries)
      : builder(builder), warp(warp), offsets(builder.buffer(offsets)), entries(builder.buffer(entries)),
        experts(cast<MemRefType>(offsets.getType()).getDimSize(0) - 1) {}

  /// body(expert, tile, first, count): the expert of this block and its part of the list of entries.
  void forMyExpert(int64_t tiles, llvm::function_ref<void(Value, Value, Value, Value)> body) {
    Value place = builder.div(warp.block(), builder.index(tiles)),
          tile = builder.rem(warp.block(), builder.index(tiles));
    Value places = builder.div(warp.blocks(), builder.index(tiles));
    Value everyExpert = builder.equal(places, builder.index(experts));
    Value expert = builder.select(everyExpert, place, expertAt(place));
    // Beyond the last entry there is no expert.
    Value there = builder.less(expert, builder.index(experts));
    expert = builder.min(expert, builder.index(experts - 1));
    Value first = builder.load(offsets, expert), last = builder.load(offsets, builder.add(expert, builder.index(1)));
    Value starts = builder.either(everyExpert, builder.equal(first, place));
    builder.when(builder.both(there, starts), [&] { body(expert, tile, first, builder.sub(last, first)); });
  }

  Value entry(Value number) { return builder.load(entries, number); }

private:
  /// The expert whose entries hold the place: the number of experts that end at or before it.
  Value expertAt(Value place) {
    return builder.firstOf(experts, [&](Value expert) {
      return builder.less(place, builder.load(offsets, builder.add(expert, builder.index(1))));
    });
  }

  KernelBuilder &builder;
  Warp &warp;
  Value offsets, entries;
  int64_t experts;
};

RankedTensorType matrixOf(Value weight) {
  auto type = cast<RankedTensorType>(weight.getType());
  return RankedTensorType::get(type.getShape().drop_front(), type.getElementType(), type.getEncoding());
}

class GpuMoeFamily : public KernelFamily {
public:
  StringRef name() const override { return "gpu_moe"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    if (!isa<KernelMoeGateUpOp, KernelMoeDownOp>(op) || !isGpu(target))
      return std::nullopt;
    Type activation = cast<MemRefType>(op->getOperand(0).getType()).getElementType();
    if (!TensorProduct::takes(activation, llvm::map_to_vector(weightsOf(op), matrixOf), /*together=*/true, target))
      return std::nullopt;
    // An expert has at most the rows of the input: those of a step, or all entries.
    int64_t rows = cast<MemRefType>(op->getOperand(0).getType()).getDimSize(0);
    return ScheduleAttr::get(op->getContext(), name(), TensorProduct::inputRowsFor(rows), TensorProduct::kTileRows);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr) const override {
    // Rows times choices, whatever the op.
    int64_t entryCount = cast<MemRefType>(op->getOperand(2).getType()).getDimSize(0);
    int64_t experts = cast<RankedTensorType>(weightsOf(op).front().getType()).getDimSize(0);
    ProductWeights product;
    product.count = matrixOf(weightsOf(op).front()).getDimSize(0);
    return {std::min(entryCount, experts) * product.tiles(), warpsOf(op) * Warp::kLanes};
  }

  LogicalResult build(Operation *op, ScheduleAttr schedule, KernelBuilder &builder) const override {
    Warp warp(builder, warpsOf(op));
    SmallVector<Value> weights = weightsOf(op);
    TensorProduct tensor(builder, warp, static_cast<int64_t>(weights.size()), schedule.getTileM());
    MoeKernel kernel(builder, warp, op->getOperand(1), op->getOperand(2));
    Value inputBuffer = builder.buffer(op->getOperand(0)), output = builder.buffer(op->getOperands().back());
    auto gateUp = dyn_cast<KernelMoeGateUpOp>(op);
    ProductWeights product;
    product.count = matrixOf(weights.front()).getDimSize(0);
    product.firstRow = builder.index(0);
    kernel.forMyExpert(product.tiles(), [&](Value expert, Value tile, Value first, Value count) {
      for (Value weight : weights)
        product.matrices.push_back(builder.expertWeight(weight, expert));
      auto rowOf = [&](Value i) {
        Value entry = kernel.entry(builder.add(first, i));
        return gateUp ? builder.div(entry, builder.index(gateUp.getTopK())) : entry;
      };
      tensor.run(product, tile, {inputBuffer, builder.index(0), count, rowOf},
                 [&](Value i, Value n, ArrayRef<Value> sums) {
                   Value value = gateUp ? builder.mul(builder.silu(sums[0]), sums[1]) : sums[0];
                   builder.store(value, output, {kernel.entry(builder.add(first, i)), n});
                 });
    });
    return success();
  }

private:
  static SmallVector<Value> weightsOf(Operation *op) {
    if (auto gateUp = dyn_cast<KernelMoeGateUpOp>(op))
      return {gateUp.getGate(), gateUp.getUp()};
    return {cast<KernelMoeDownOp>(op).getDown()};
  }

  static int64_t warpsOf(Operation *op) {
    // There are tiles of several experts.
    return TensorProduct::warpsFor(matrixOf(weightsOf(op).front()), std::numeric_limits<int64_t>::max());
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuMoeFamily() { return std::make_unique<GpuMoeFamily>(); }

} // namespace glm
