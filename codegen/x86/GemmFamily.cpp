// gemm: every thread streams its rows of each weight through a tile of up to 8 rows of activations.
//
//          K ->                      N ->
//     x  [ 8 rows, prepared ]   W  [ thread 0 | thread 1 | ... ]    each W row: one linear stream, 8 sums
#include "codegen/target/Target.h"
#include "codegen/x86/Families.h"
#include "codegen/x86/Product.h"

using namespace mlir;

namespace glm {
namespace {

class GemmFamily : public KernelFamily {
public:
  StringRef name() const override { return "x86_gemm"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    // Inputs that are rounded to NVFP4 are left to the plain bodies: no x86 multiplies codes.
    if (!isa<KernelGemmOp>(op) || isGpu(target) || llvm::any_of(op->getOperandTypes(), quantizesInputs))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), dotRows(target), 1);
  }

  LogicalResult build(Operation *op, ScheduleAttr schedule, KernelBuilder &builder) const override {
    auto gemm = cast<KernelGemmOp>(op);
    auto target = op->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(kTargetAttr);
    auto inputType = cast<MemRefType>(gemm.getInput().getType());
    SmallVector<Type> elements;
    for (Value weight : gemm.getWeights())
      elements.push_back(getElementTypeOrSelf(weight.getType()));
    Product product(builder, elements, inputType.getElementType(), inputType.getDimSize(1), target);
    ProductRows rows{builder.index(0), builder.rows(), builder.buffer(gemm.getInput()), builder.index(0),
                     [](Value row) { return row; }};
    if (gemm.getEpilogue() == Epilogue::SiluMul) {
      runSiluMul(gemm, builder, product, rows);
      return success();
    }
    Value residual = gemm.getResidual() ? builder.buffer(gemm.getResidual()) : Value();
    for (auto [weight, output] : llvm::zip_equal(gemm.getWeights(), gemm.getOutputs())) {
      WeightMatrix matrix = builder.weight(weight);
      Value to = builder.buffer(output);
      auto [begin, end] = builder.share(builder.index(matrix.rows));
      product.run(rows, {{matrix}, begin, end}, [&](Value row, Value n, ArrayRef<Value> sums) {
        builder.store(residual ? builder.add(builder.load(residual, {row, n}), sums[0]) : sums[0], to, {row, n});
      });
    }
    return success();
  }

private:
  static void runSiluMul(KernelGemmOp gemm, KernelBuilder &builder, Product &product, const ProductRows &rows) {
    WeightMatrix gate = builder.weight(gemm.getWeights()[0]), up = builder.weight(gemm.getWeights()[1]);
    Value to = builder.buffer(gemm.getOutputs()[0]);
    auto [begin, end] = builder.share(builder.index(gate.rows));
    product.run(rows, {{gate, up}, begin, end}, [&](Value row, Value n, ArrayRef<Value> sums) {
      builder.store(builder.mul(builder.silu(sums[0]), sums[1]), to, {row, n});
    });
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGemmFamily() { return std::make_unique<GemmFamily>(); }

} // namespace glm
