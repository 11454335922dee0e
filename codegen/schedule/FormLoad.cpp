#include "codegen/schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace glm {

#define GEN_PASS_DECL_FORMLOAD
#define GEN_PASS_DEF_FORMLOAD
#include "codegen/schedule/Passes.h.inc"

namespace {

RankedTensorType asStored(RankedTensorType tiled) {
  auto encoding = cast<Nvfp4Attr>(tiled.getEncoding());
  auto stored = Nvfp4Attr::get(tiled.getContext(), encoding.getBlock(), encoding.getSource(),
                               encoding.getQuantizedInputs(), /*tiled=*/false);
  return RankedTensorType::get(tiled.getShape(), tiled.getElementType(), stored);
}

class FormLoadPass : public impl::FormLoadBase<FormLoadPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::MapVector<StringRef, WeightOp> tiled;
    module.walk([&](WeightOp weight) {
      if (isTiled(weight.getType()))
        tiled.try_emplace(weight.getName(), weight);
    });
    if (tiled.empty())
      return;
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    auto load = func::FuncOp::create(builder, module.getLoc(), "load", builder.getFunctionType({}, {}));
    load->setAttr(kLoadAttr, builder.getUnitAttr());
    builder.setInsertionPointToStart(load.addEntryBlock());
    for (auto &[name, weight] : tiled) {
      auto type = cast<RankedTensorType>(weight.getType());
      Value from = WeightOp::create(builder, weight.getLoc(), asStored(type), name);
      Value to = WeightOp::create(builder, weight.getLoc(), type, name);
      KernelPackWeightOp::create(builder, weight.getLoc(), from, to);
    }
    func::ReturnOp::create(builder, module.getLoc());
  }
};

} // namespace

std::unique_ptr<Pass> createFormLoadPass() { return std::make_unique<FormLoadPass>(); }

} // namespace glm
