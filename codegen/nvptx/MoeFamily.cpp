// moe_gate_up, moe_down: a block for every tile_n rows of every expert that a step can reach, that expert's entries through it
// (TensorProduct.h).
//
//     blocks   [ rows 0.. | 16.. | ... ] of place 0, [ rows 0.. | ... ] of place 1, ...            of 16 rows
//     entries  [ expert 3: 0 5 | expert 7: 2 | expert 9: 1 3 4 ]      place 0 is where expert 3 starts, 2 expert 7, 3 expert 9
//
// moe_down_combine: the last block of some columns to come adds what the experts made of them.
//
// With fewer entries than experts a place is one of the sorted list of entries, and only a place where an expert starts has work; with
// more, a place is an expert.
#include "codegen/linalg/ExpertSum.h"
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/TensorProduct.h"
#include "codegen/target/Target.h"

#include <limits>

using namespace mlir;

namespace glm {
namespace {

/// Rows that an expert gets at once, in its fair shares of all entries: more of them cost registers, fewer read popular experts twice.
constexpr int64_t kMostShares = 8;

class MoeKernel {
public:
  MoeKernel(KernelBuilder &builder, Warp &warp, Value offsets, Value entries)
      : builder(builder), warp(warp), offsets(builder.buffer(offsets)), entries(builder.buffer(entries)),
        experts(cast<MemRefType>(offsets.getType()).getDimSize(0) - 1) {}

  /// body(expert, block, first, count): the expert of this block, its number among the expert's `blocks`, its part of the list of entries.
  void forMyExpert(int64_t blocks, llvm::function_ref<void(Value, Value, Value, Value)> body) {
    Value place = builder.div(warp.block(), builder.index(blocks)),
          block = builder.rem(warp.block(), builder.index(blocks));
    Value places = builder.div(warp.blocks(), builder.index(blocks));
    Value everyExpert = builder.equal(places, builder.index(experts));
    Value expert = builder.select(everyExpert, place, expertAt(place));
    // Beyond the last entry there is no expert.
    Value there = builder.less(expert, builder.index(experts));
    expert = builder.min(expert, builder.index(experts - 1));
    Value first = builder.load(offsets, expert), last = builder.load(offsets, builder.add(expert, builder.index(1)));
    Value starts = builder.either(everyExpert, builder.equal(first, place));
    builder.when(builder.both(there, starts), [&] { body(expert, block, first, builder.sub(last, first)); });
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
    if (!isMoe(op) || !isGpu(target) ||
        !TensorProduct::takes(activationOf(op), matricesOf(op), /*together=*/true, target))
      return std::nullopt;
    // An expert has at most the rows of the input: those of a step, or all entries. Few have far more than their share.
    int64_t rows = cast<MemRefType>(op->getOperand(0).getType()).getDimSize(0);
    int64_t share = llvm::divideCeil(entriesOf(op), expertsOf(op));
    int64_t inputRows = TensorProduct::inputRowsFor(std::min(rows, kMostShares * share));
    SmallVector<RankedTensorType> matrices = matricesOf(op);
    int64_t perBlock = TensorProduct::tilesPerBlock(isTiled(matrices.front()), static_cast<int64_t>(matrices.size()),
                                                    inputRows, productOf(op, 1).tiles(), placesOf(op));
    return ScheduleAttr::get(op->getContext(), name(), inputRows, perBlock * TensorProduct::kTileRows);
  }

  bool takesTiles(Operation *op, TargetAttr target) const override {
    return isMoe(op) && isGpu(target) &&
           TensorProduct::takesInTiles(activationOf(op), matricesOf(op), /*together=*/true, target);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr schedule) const override {
    return {placesOf(op) * productOf(op, perBlockOf(schedule)).blocks(), warpsOf(op) * Warp::kLanes};
  }

  LogicalResult build(Operation *op, ScheduleAttr schedule, KernelBuilder &builder) const override {
    Warp warp(builder, warpsOf(op));
    SmallVector<Value> weights = weightsOf(op);
    TensorProduct tensor(builder, warp, static_cast<int64_t>(weights.size()), schedule.getTileM(),
                         isTiled(weights.front().getType()));
    MoeKernel kernel(builder, warp, op->getOperand(1), op->getOperand(2));
    Value inputBuffer = builder.buffer(op->getOperand(0)), output = builder.buffer(outputOf(op));
    auto gateUp = dyn_cast<KernelMoeGateUpOp>(op);
    auto combined = dyn_cast<KernelMoeDownCombineOp>(op);
    ProductWeights product = productOf(op, perBlockOf(schedule));
    product.firstRow = builder.index(0);
    kernel.forMyExpert(product.blocks(), [&](Value expert, Value block, Value first, Value count) {
      for (Value weight : weights)
        product.matrices.push_back(builder.expertWeight(weight, expert));
      auto rowOf = [&](Value i) {
        Value entry = kernel.entry(builder.add(first, i));
        return gateUp ? builder.div(entry, builder.index(gateUp.getTopK())) : entry;
      };
      tensor.run(product, block, {inputBuffer, builder.index(0), count, rowOf},
                 [&](Value i, Value n, ArrayRef<Value> sums) {
                   Value value = gateUp ? builder.mul(builder.silu(sums[0]), sums[1]) : sums[0];
                   builder.store(value, output, {kernel.entry(builder.add(first, i)), n});
                 });
    });
    if (combined)
      combine(combined, product, warp, builder);
    return success();
  }

private:
  /// The sum of a row's experts, once all of them have left their part of this block's columns: in the order of moe_combine.
  static void combine(KernelMoeDownCombineOp op, const ProductWeights &product, Warp &warp, KernelBuilder &builder) {
    Value blocks = builder.index(product.blocks()), block = builder.rem(warp.block(), blocks);
    Value arrivals = builder.buffer(op.getArrivals()), scratch = warp.shared(1, builder.getI32Type());
    Value output = builder.buffer(op.getOutput());
    ExpertSum sum(builder, op.getParts(), op.getWeights(), op.getShared(), op.getResidual());
    int64_t columns = product.tilesPerBlock * TensorProduct::kTileRows;
    Value begin = builder.mul(block, builder.index(columns));
    Value end = builder.min(builder.add(begin, builder.index(columns)), builder.index(product.count));
    auto load = [&](Value memref, ValueRange place) { return builder.load(memref, place); };
    builder.when(warp.isLastBlock(arrivals, block, builder.div(warp.blocks(), blocks), scratch), [&] {
      builder.loop(builder.index(0), builder.rows(), 1, [&](Value row) {
        builder.loop(builder.add(begin, warp.thread()), end, warp.threads(),
                     [&](Value n) { builder.store(sum.at(row, n, 1, load), output, {row, n}); });
      });
    });
  }

  static bool isMoe(Operation *op) { return isa<KernelMoeGateUpOp, KernelMoeDownOp, KernelMoeDownCombineOp>(op); }
  static Type activationOf(Operation *op) { return cast<MemRefType>(op->getOperand(0).getType()).getElementType(); }
  static int64_t perBlockOf(ScheduleAttr schedule) { return schedule.getTileN() / TensorProduct::kTileRows; }
  static SmallVector<RankedTensorType> matricesOf(Operation *op) {
    return llvm::map_to_vector(weightsOf(op), matrixOf);
  }

  /// Rows times choices, whatever the op.
  static int64_t entriesOf(Operation *op) { return cast<MemRefType>(op->getOperand(2).getType()).getDimSize(0); }
  static int64_t expertsOf(Operation *op) {
    return cast<RankedTensorType>(weightsOf(op).front().getType()).getDimSize(0);
  }
  /// Places where an expert can start.
  static int64_t placesOf(Operation *op) { return std::min(entriesOf(op), expertsOf(op)); }

  static ProductWeights productOf(Operation *op, int64_t tilesPerBlock) {
    ProductWeights product;
    product.count = matrixOf(weightsOf(op).front()).getDimSize(0);
    product.tilesPerBlock = tilesPerBlock;
    return product;
  }

  static SmallVector<Value> weightsOf(Operation *op) {
    if (auto gateUp = dyn_cast<KernelMoeGateUpOp>(op))
      return {gateUp.getGate(), gateUp.getUp()};
    return {op->getOperand(3)}; // of moe_down, with or without what follows
  }

  /// What the products are stored to.
  static Value outputOf(Operation *op) {
    auto combined = dyn_cast<KernelMoeDownCombineOp>(op);
    return combined ? combined.getParts() : op->getOperands().back();
  }

  static int64_t warpsOf(Operation *op) {
    // There are tiles of several experts.
    return TensorProduct::warpsFor(matrixOf(weightsOf(op).front()), std::numeric_limits<int64_t>::max());
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuMoeFamily() { return std::make_unique<GpuMoeFamily>(); }

} // namespace glm
