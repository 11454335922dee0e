#include "codegen/schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace glm {

#define GEN_PASS_DECL_SELECTSCHEDULE
#define GEN_PASS_DEF_SELECTSCHEDULE
#include "codegen/schedule/Passes.h.inc"

namespace {

class SelectSchedulePass : public impl::SelectScheduleBase<SelectSchedulePass> {
public:
  SelectSchedulePass(std::shared_ptr<const KernelFamilies> families, bool usePlain) : families(std::move(families)) {
    plain = usePlain;
  }

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTargetAttr);
    if (!target) {
      getOperation()->emitError("module must have glm.target, but found none");
      return signalPassFailure();
    }
    WalkResult result = getOperation().walk([&](KernelOpInterface op) {
      if (op->hasAttr(kScheduleAttr))
        return WalkResult::advance();
      std::optional<ScheduleAttr> schedule = choose(op, target);
      if (!schedule) {
        op->emitError("kernel must have a family for ") << target.getChip() << ", but found none";
        return WalkResult::interrupt();
      }
      op->setAttr(kScheduleAttr, *schedule);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  std::optional<ScheduleAttr> choose(Operation *op, TargetAttr target) const {
    for (const std::unique_ptr<KernelFamily> &family : *families)
      if (!plain || family->name() == "plain")
        if (std::optional<ScheduleAttr> schedule = family->match(op, target))
          return schedule;
    return std::nullopt;
  }

  std::shared_ptr<const KernelFamilies> families;
};

} // namespace

std::unique_ptr<Pass> createSelectSchedulePass(std::shared_ptr<const KernelFamilies> families, bool plain) {
  return std::make_unique<SelectSchedulePass>(std::move(families), plain);
}

} // namespace glm
