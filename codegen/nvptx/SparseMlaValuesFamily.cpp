// sparse_mla_values: a block has up to 64 rows of the weight of a head. It joins that head's parts itself, into shared memory, and multiplies.
//
//     blocks   [ rows 0 .. 63 | 64 .. 127 | ... ] of head 0, [ rows 0 .. 63 | ... ] of head 1, ...
#include "codegen/linalg/AttentionParts.h"
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/TensorProduct.h"
#include "codegen/target/Target.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kColumns = 4;   ///< of a thread that joins
constexpr int64_t kMostTiles = 4; ///< of a block: more of them join less often

RankedTensorType weightType(KernelSparseMlaValuesOp op) { return withWideInputs(op.getWeight().getType()); }

int64_t tilesOf(KernelSparseMlaValuesOp op) {
  return llvm::divideCeil(static_cast<int64_t>(op.getRowCount()), TensorProduct::kTileRows);
}

int64_t blocksOfHead(KernelSparseMlaValuesOp op) { return llvm::divideCeil(tilesOf(op), kMostTiles); }

class GpuSparseMlaValuesFamily : public KernelFamily {
public:
  StringRef name() const override { return "gpu_sparse_mla_values"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    auto values = dyn_cast<KernelSparseMlaValuesOp>(op);
    if (!values || !isGpu(target) || joinedParts(values).rank % 8 != 0 || isTiled(weightType(values)) ||
        !TensorProduct::takes(values.getOutput().getType().getElementType(), {weightType(values)}, false, target))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), TensorProduct::inputRowsFor(1),
                             kMostTiles * TensorProduct::kTileRows);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr) const override {
    auto values = cast<KernelSparseMlaValuesOp>(op);
    return {static_cast<int64_t>(values.getHeads()) * blocksOfHead(values), warpsOf(values) * Warp::kLanes};
  }

  LogicalResult build(Operation *op, ScheduleAttr schedule, KernelBuilder &builder) const override {
    auto values = cast<KernelSparseMlaValuesOp>(op);
    Warp warp(builder, warpsOf(values));
    JoinedParts parts = joinedParts(values);
    Value blocks = builder.index(blocksOfHead(values)), head = builder.div(warp.block(), blocks);
    Value firstTile = builder.mul(builder.rem(warp.block(), blocks), builder.index(kMostTiles));
    Value lastTile = builder.min(builder.add(firstTile, builder.index(kMostTiles)), builder.index(tilesOf(values)));
    auto shared = builder.getI64IntegerAttr(static_cast<int64_t>(NVVM::NVVMMemorySpace::Shared));
    Value kept = builder.sharedMemory(MemRefType::get({1, parts.rank}, values.getOutput().getType().getElementType(),
                                                      MemRefLayoutAttrInterface(), shared));
    Value inKept = builder.index(0);
    TensorProduct product(builder, warp, /*matrices=*/1, schedule.getTileM(), /*tiled=*/false);
    int64_t rowCount = values.getRowCount();
    Value firstRow =
        builder.add(builder.mul(head, builder.index(values.getHeadRows())), builder.index(values.getRowBegin()));
    ProductWeights weights{{builder.weight(values.getWeight())}, firstRow, rowCount};
    weights.matrices.front().inputScale = nullptr;
    Value output = builder.buffer(values.getOutput()), firstColumn = builder.mul(head, builder.index(rowCount));
    auto load = [&](Value sums, ValueRange place) { return warp.loadWide(sums, place, kColumns); };
    builder.loop(builder.index(0), builder.rows(), 1, [&](Value row) {
      Value begin = builder.mul(warp.thread(), builder.index(kColumns));
      builder.loop(begin, builder.index(parts.rank), warp.threads() * kColumns, [&](Value column) {
        warp.storeWide(joinColumns(parts, builder, row, head, column, kColumns, load), kept, {inKept, column});
      });
      warp.barrier();
      builder.loop(firstTile, lastTile, 1, [&](Value tile) {
        product.run(weights, tile, {kept, builder.index(0), builder.index(1), [&](Value) { return inKept; }},
                    [&](Value, Value n, ArrayRef<Value> sums) {
                      builder.store(sums[0], output, {row, builder.add(firstColumn, n)});
                    });
      });
    });
    return success();
  }

private:
  static int64_t warpsOf(KernelSparseMlaValuesOp op) {
    return TensorProduct::warpsFor(weightType(op), static_cast<int64_t>(op.getHeads()) * tilesOf(op));
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuSparseMlaValuesFamily() { return std::make_unique<GpuSparseMlaValuesFamily>(); }

} // namespace glm
