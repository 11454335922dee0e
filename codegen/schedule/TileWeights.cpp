#include "codegen/schedule/Passes.h"
#include "codegen/target/Target.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace glm {

#define GEN_PASS_DECL_TILEWEIGHTS
#define GEN_PASS_DEF_TILEWEIGHTS
#include "codegen/schedule/Passes.h.inc"

namespace {

class TileWeightsPass : public impl::TileWeightsBase<TileWeightsPass> {
public:
  explicit TileWeightsPass(std::shared_ptr<const KernelFamilies> families) : families(std::move(families)) {}

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTargetAttr);
    if (!target || !isGpu(target))
      return;
    // Every bucket names its weights again.
    llvm::MapVector<StringRef, SmallVector<WeightOp>> weights;
    getOperation().walk([&](WeightOp weight) {
      if (isPacked(weight.getType()) && !isTiled(weight.getType()))
        weights[weight.getName()].push_back(weight);
    });
    for (auto &[name, uses] : weights)
      tile(uses, target);
  }

private:
  void tile(ArrayRef<WeightOp> uses, TargetAttr target) {
    for (WeightOp weight : uses)
      for (Operation *user : weight->getUsers()) {
        if (llvm::any_of(*families, [&](const auto &family) { return family->takesTiles(user, target); }))
          continue;
        remark::missed(weight.getLoc(), remark::RemarkOpts::name("not-tiled").category("glm-tile-weights"))
            << remark::detail::Remark::Arg("Weight", weight.getName().str())
            << remark::detail::Remark::Arg("User", user->getName().getStringRef().str());
        return;
      }
    for (WeightOp weight : uses)
      weight.getResult().setType(inTiles(cast<RankedTensorType>(weight.getType())));
  }

  std::shared_ptr<const KernelFamilies> families;
};

} // namespace

std::unique_ptr<Pass> createTileWeightsPass(std::shared_ptr<const KernelFamilies> families) {
  return std::make_unique<TileWeightsPass>(std::move(families));
}

} // namespace glm
