// head_gemm: each head's part of a row times that head's rows of a weight, or times their columns.
//
//     blocks   [ tile 0 | tile 1 | ... ] of head 0, [ tile 0 | ... ] of head 1, ...
//     rows of the weight: TensorProduct.h, 16 a tile; their columns (transposed): TransposedProduct.h, 128 a tile
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/TensorProduct.h"
#include "codegen/nvptx/TransposedProduct.h"
#include "codegen/target/Target.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {
namespace {

/// What is multiplied by heads is no input of the weight: nobody rounds it.
RankedTensorType weightType(KernelHeadGemmOp op) { return withWideInputs(op.getWeight().getType()); }

int64_t tilesOf(KernelHeadGemmOp op) {
  return op.getTransposed() ? llvm::divideCeil(weightType(op).getDimSize(1), TransposedProduct::kTileColumns)
                            : llvm::divideCeil(op.getRowCount(), TensorProduct::kTileRows);
}

int64_t warpsOf(KernelHeadGemmOp op) {
  return op.getTransposed()
             ? TransposedProduct::kWarps
             : TensorProduct::warpsFor(weightType(op), static_cast<int64_t>(op.getHeads()) * tilesOf(op));
}

class GpuHeadGemmFamily : public KernelFamily {
public:
  StringRef name() const override { return "gpu_head_gemm"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    auto gemm = dyn_cast<KernelHeadGemmOp>(op);
    if (!gemm || !isGpu(target))
      return std::nullopt;
    Type activation = gemm.getInput().getType().getElementType();
    int64_t inputWidth = gemm.getInput().getType().getShape().back() / static_cast<int64_t>(gemm.getHeads());
    bool takes = gemm.getTransposed()
                     ? TransposedProduct::takes(activation, weightType(gemm), gemm.getRowCount()) && inputWidth % 2 == 0
                     : TensorProduct::takes(activation, {weightType(gemm)}, false, target) && inputWidth % 8 == 0 &&
                           !isTiled(weightType(gemm));
    if (!takes)
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(),
                             gemm.getTransposed()
                                 ? TransposedProduct::kTileRows
                                 : TensorProduct::inputRowsFor(gemm.getInput().getType().getDimSize(0)),
                             gemm.getTransposed() ? TransposedProduct::kTileColumns : TensorProduct::kTileRows);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr) const override {
    auto gemm = cast<KernelHeadGemmOp>(op);
    return {static_cast<int64_t>(gemm.getHeads()) * tilesOf(gemm), warpsOf(gemm) * Warp::kLanes};
  }

  LogicalResult build(Operation *op, ScheduleAttr schedule, KernelBuilder &builder) const override {
    auto gemm = cast<KernelHeadGemmOp>(op);
    Warp warp(builder, warpsOf(gemm));
    Value tiles = builder.index(tilesOf(gemm));
    Value head = builder.div(warp.block(), tiles), tile = builder.rem(warp.block(), tiles);
    Value input = builder.buffer(gemm.getInput()), output = builder.buffer(gemm.getOutput());
    int64_t heads = gemm.getHeads();
    Value inputColumn = builder.mul(head, builder.index(gemm.getInput().getType().getShape().back() / heads));
    Value outputColumn = builder.mul(head, builder.index(gemm.getOutput().getType().getShape().back() / heads));
    Value firstRow =
        builder.add(builder.mul(head, builder.index(gemm.getHeadRows())), builder.index(gemm.getRowBegin()));
    WeightMatrix weight = builder.weight(gemm.getWeight());
    weight.inputScale = nullptr;
    auto store = [&](Value row, Value n, Value sum) {
      builder.store(sum, output, {row, builder.add(outputColumn, n)});
    };
    if (gemm.getTransposed()) {
      TransposedProduct product(builder, warp);
      product.run({weight, firstRow, static_cast<int64_t>(gemm.getRowCount()), input, inputColumn}, tile, store);
      return success();
    }
    TensorProduct product(builder, warp, /*matrices=*/1, schedule.getTileM(), /*tiled=*/false);
    product.run({{weight}, firstRow, static_cast<int64_t>(gemm.getRowCount())}, tile,
                {input, inputColumn, builder.rows(), [](Value row) { return row; }},
                [&](Value row, Value n, ArrayRef<Value> sums) { store(row, n, sums[0]); });
    return success();
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuHeadGemmFamily() { return std::make_unique<GpuHeadGemmFamily>(); }

} // namespace glm
