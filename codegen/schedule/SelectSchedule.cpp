#include "codegen/schedule/Launch.h"
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
    if (failed(writeSchedules(getOperation(), target, [&](Operation *op) { return choose(op, target); })))
      signalPassFailure();
  }

private:
  Choice choose(Operation *op, TargetAttr target) const {
    if (!plain)
      return chooseFamily(*families, op, target);
    auto family = llvm::find_if(*families, [](const auto &each) { return each->name() == "plain"; });
    if (family == families->end())
      return {};
    std::optional<ScheduleAttr> schedule = (*family)->match(op, target);
    return schedule ? Choice{family->get(), *schedule} : Choice();
  }

  std::shared_ptr<const KernelFamilies> families;
};

} // namespace

std::unique_ptr<Pass> createSelectSchedulePass(std::shared_ptr<const KernelFamilies> families, bool plain) {
  return std::make_unique<SelectSchedulePass>(std::move(families), plain);
}

} // namespace glm
