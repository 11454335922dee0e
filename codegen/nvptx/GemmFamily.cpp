// gemm: a block for every 16 rows of every weight, all rows of activations through it (TensorProduct.h).
//
//     blocks [ weight 0: n 0..15 | n 16..31 | ... | weight 1: n 0..15 | ... ]
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/TensorProduct.h"
#include "codegen/target/Target.h"

using namespace mlir;

namespace glm {
namespace {

RankedTensorType typeOf(Value weight) { return cast<RankedTensorType>(weight.getType()); }

class GpuGemmFamily : public KernelFamily {
public:
  StringRef name() const override { return "gpu_gemm"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    auto gemm = dyn_cast<KernelGemmOp>(op);
    if (!gemm || !isGpu(target))
      return std::nullopt;
    Type activation = gemm.getInput().getType().getElementType();
    bool gated = gemm.getEpilogue() == Epilogue::SiluMul;
    if (!TensorProduct::takes(activation, llvm::map_to_vector(gemm.getWeights(), typeOf), gated, target))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(),
                             TensorProduct::inputRowsFor(gemm.getInput().getType().getDimSize(0)),
                             TensorProduct::kTileRows);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr) const override {
    auto gemm = cast<KernelGemmOp>(op);
    LaunchShape shape{0, warpsOf(gemm) * Warp::kLanes};
    for (const ProductWeights &product : productsOf(gemm))
      shape.blocks += product.tiles();
    return shape;
  }

  LogicalResult build(Operation *op, ScheduleAttr schedule, KernelBuilder &builder) const override {
    auto gemm = cast<KernelGemmOp>(op);
    bool gated = gemm.getEpilogue() == Epilogue::SiluMul;
    Warp warp(builder, warpsOf(gemm));
    TensorProduct tensor(builder, warp, gated ? 2 : 1, schedule.getTileM());
    ProductInput input{builder.buffer(gemm.getInput()), builder.index(0), builder.rows(),
                       [](Value row) { return row; }};
    Value residual = gemm.getResidual() ? builder.buffer(gemm.getResidual()) : Value();
    int64_t begin = 0;
    for (auto [number, product] : llvm::enumerate(productsOf(gemm))) {
      product.firstRow = builder.index(0);
      for (int64_t i = 0; i < (gated ? 2 : 1); ++i)
        product.matrices.push_back(builder.weight(gemm.getWeights()[number + i]));
      Value output = builder.buffer(gemm.getOutputs()[number]), tile = builder.sub(warp.block(), builder.index(begin));
      Value mine = builder.both(builder.less(builder.index(begin - 1), warp.block()),
                                builder.less(tile, builder.index(product.tiles())));
      builder.when(mine, [&, &product = product] {
        tensor.run(product, tile, input, [&](Value row, Value n, ArrayRef<Value> sums) {
          Value value = gated ? builder.mul(builder.silu(sums[0]), sums[1]) : sums[0];
          builder.store(residual ? builder.add(builder.load(residual, {row, n}), value) : value, output, {row, n});
        });
      });
      begin += product.tiles();
    }
    return success();
  }

private:
  /// One a weight, or one for gate and up.
  static SmallVector<ProductWeights> productsOf(KernelGemmOp gemm) {
    SmallVector<ProductWeights> products;
    for (Value output : gemm.getOutputs())
      products.emplace_back().count = cast<MemRefType>(output.getType()).getShape().back();
    return products;
  }

  /// The weights have the same columns; a packed one has fewer chunks of them than a wide one.
  static int64_t warpsOf(KernelGemmOp gemm) {
    int64_t warps = 0, tiles = 0;
    for (const ProductWeights &product : productsOf(gemm))
      tiles += product.tiles();
    for (Value weight : gemm.getWeights())
      warps = std::max(warps, TensorProduct::warpsFor(typeOf(weight), tiles));
    return warps;
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuGemmFamily() { return std::make_unique<GpuGemmFamily>(); }

} // namespace glm
