// gemm: a block for every tile_n rows of every weight, all rows of activations through it (TensorProduct.h).
//
//     blocks [ weight 0: n 0..15 | n 16..31 | ... | weight 1: n 0..15 | ... ]      of 16 rows
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
    if (!gemm || !isGpu(target) || !TensorProduct::takes(activationOf(gemm), typesOf(gemm), isGated(gemm), target))
      return std::nullopt;
    int64_t inputRows = TensorProduct::inputRowsFor(gemm.getInput().getType().getDimSize(0));
    auto tiles = llvm::map_to_vector(productsOf(gemm, 1), [](const ProductWeights &each) { return each.tiles(); });
    int64_t perBlock =
        TensorProduct::tilesPerBlock(llvm::all_of(typesOf(gemm), isTiled), isGated(gemm) ? 2 : 1, inputRows, tiles);
    return ScheduleAttr::get(op->getContext(), name(), inputRows, perBlock * TensorProduct::kTileRows);
  }

  bool takesTiles(Operation *op, TargetAttr target) const override {
    auto gemm = dyn_cast<KernelGemmOp>(op);
    return gemm && isGpu(target) &&
           TensorProduct::takesInTiles(activationOf(gemm), typesOf(gemm), isGated(gemm), target);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr schedule) const override {
    auto gemm = cast<KernelGemmOp>(op);
    LaunchShape shape{0, warpsOf(gemm) * Warp::kLanes};
    for (const ProductWeights &product : productsOf(gemm, perBlockOf(schedule)))
      shape.blocks += product.blocks();
    return shape;
  }

  LogicalResult build(Operation *op, ScheduleAttr schedule, KernelBuilder &builder) const override {
    auto gemm = cast<KernelGemmOp>(op);
    bool gated = isGated(gemm);
    Warp warp(builder, warpsOf(gemm));
    TensorProduct tensor(builder, warp, gated ? 2 : 1, schedule.getTileM(), llvm::any_of(typesOf(gemm), isTiled));
    ProductInput input{builder.buffer(gemm.getInput()), builder.index(0), builder.rows(),
                       [](Value row) { return row; }};
    Value residual = gemm.getResidual() ? builder.buffer(gemm.getResidual()) : Value();
    int64_t begin = 0;
    for (auto [number, product] : llvm::enumerate(productsOf(gemm, perBlockOf(schedule)))) {
      product.firstRow = builder.index(0);
      for (int64_t i = 0; i < (gated ? 2 : 1); ++i)
        product.matrices.push_back(builder.weight(gemm.getWeights()[number + i]));
      Value output = builder.buffer(gemm.getOutputs()[number]), block = builder.sub(warp.block(), builder.index(begin));
      Value mine = builder.both(builder.less(builder.index(begin - 1), warp.block()),
                                builder.less(block, builder.index(product.blocks())));
      builder.when(mine, [&, &product = product] {
        tensor.run(product, block, input, [&](Value row, Value n, ArrayRef<Value> sums) {
          Value value = gated ? builder.mul(builder.silu(sums[0]), sums[1]) : sums[0];
          builder.store(residual ? builder.add(builder.load(residual, {row, n}), value) : value, output, {row, n});
        });
      });
      begin += product.blocks();
    }
    return success();
  }

private:
  static bool isGated(KernelGemmOp gemm) { return gemm.getEpilogue() == Epilogue::SiluMul; }
  static Type activationOf(KernelGemmOp gemm) { return gemm.getInput().getType().getElementType(); }
  static SmallVector<RankedTensorType> typesOf(KernelGemmOp gemm) {
    return llvm::map_to_vector(gemm.getWeights(), typeOf);
  }
  static int64_t perBlockOf(ScheduleAttr schedule) { return schedule.getTileN() / TensorProduct::kTileRows; }

  /// One a weight, or one for gate and up.
  static SmallVector<ProductWeights> productsOf(KernelGemmOp gemm, int64_t tilesPerBlock) {
    SmallVector<ProductWeights> products;
    for (Value output : gemm.getOutputs()) {
      ProductWeights &product = products.emplace_back();
      product.count = cast<MemRefType>(output.getType()).getShape().back();
      product.tilesPerBlock = tilesPerBlock;
    }
    return products;
  }

  /// The weights have the same columns; a packed one has fewer chunks of them than a wide one.
  static int64_t warpsOf(KernelGemmOp gemm) {
    int64_t warps = 0, tiles = 0;
    for (const ProductWeights &product : productsOf(gemm, 1))
      tiles += product.tiles();
    for (Value weight : gemm.getWeights())
      warps = std::max(warps, TensorProduct::warpsFor(typeOf(weight), tiles));
    return warps;
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuGemmFamily() { return std::make_unique<GpuGemmFamily>(); }

} // namespace glm
