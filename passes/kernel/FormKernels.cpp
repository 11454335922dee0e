#include "passes/kernel/StepFormer.h"

using namespace mlir;

namespace glm {

#define GEN_PASS_DEF_FORMKERNELSPASS
#include "passes/kernel/Passes.h.inc"

namespace {

class FormKernelsPass : public impl::FormKernelsPassBase<FormKernelsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto limits = module->getAttrOfType<LimitsAttr>(kLimitsAttr);
    if (!limits) {
      module.emitError("module must have ") << kLimitsAttr << ", but found none";
      return signalPassFailure();
    }
    SymbolTable symbols(module);
    for (auto function : llvm::make_early_inc_range(module.getOps<func::FuncOp>())) {
      if (function->hasAttr(kDeferredAttr))
        symbols.erase(function);
      else if (failed(StepFormer(function, limits, symbols).form()))
        return signalPassFailure();
    }
  }
};

} // namespace
} // namespace glm
