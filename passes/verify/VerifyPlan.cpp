#include "passes/verify/Passes.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace glm {

#define GEN_PASS_DEF_VERIFYPLANPASS
#include "passes/verify/Passes.h.inc"

namespace {

/// The attribute of that name and kind, or an error and null.
template <typename Attr>
Attr requireAttr(ModuleOp module, StringRef name) {
  auto attribute = module->getAttrOfType<Attr>(name);
  if (!attribute)
    module.emitError("module must have ") << name << ", but found none";
  return attribute;
}

LogicalResult verifyBuffer(PlanBufferOp buffer, int64_t arenaBytes) {
  int64_t end = buffer.getOffset() + buffer.getBytes();
  if (buffer.getSpace() == Space::Cache || end <= arenaBytes)
    return success();
  return buffer.emitError("buffer must lie within the arena of ")
         << arenaBytes << " bytes, but found its end at " << end;
}

LogicalResult verifyKernel(ModuleOp kernel) {
  if (kernel.getSymName() && SymbolTable::lookupSymbolIn(kernel, *kernel.getSymName()))
    return success();
  return kernel.emitError("kernel must hold a function of its name, but found none in ")
         << kernel.getSymName().value_or("a module without name");
}

/// One program for each bucket of rows, the smallest first: the runtime takes the first that is large enough.
LogicalResult verifyBuckets(ModuleOp module, LimitsAttr limits) {
  auto rows = llvm::map_to_vector(module.getOps<PlanProgramOp>(),
                                  [](PlanProgramOp program) { return static_cast<int64_t>(program.getRows()); });
  if (ArrayRef<int64_t>(rows) == limits.getRows())
    return success();
  InFlightDiagnostic error = module.emitError("programs must have the rows of the limits, in their order: [");
  llvm::interleaveComma(limits.getRows(), error);
  error << "], but found [";
  llvm::interleaveComma(rows, error);
  return error << "]";
}

class VerifyPlanPass : public impl::VerifyPlanPassBase<VerifyPlanPass> {
  void runOnOperation() override {
    if (failed(verify(getOperation())))
      signalPassFailure();
  }

  static LogicalResult verify(ModuleOp module) {
    auto arena = requireAttr<IntegerAttr>(module, kArenaBytesAttr);
    auto limits = requireAttr<LimitsAttr>(module, kLimitsAttr);
    auto target = requireAttr<TargetAttr>(module, kTargetAttr);
    if (!arena || !limits || !target)
      return failure();
    for (Operation &op : *module.getBody()) {
      LogicalResult verified = llvm::TypeSwitch<Operation *, LogicalResult>(&op)
                                   .Case([&](PlanBufferOp buffer) { return verifyBuffer(buffer, arena.getInt()); })
                                   .Case([](ModuleOp kernel) { return verifyKernel(kernel); })
                                   .Case<PlanWeightOp, PlanProgramOp, PlanLoadOp>([](auto) { return success(); })
                                   .Default([](Operation *other) {
                                     return other->emitError("plan phase must hold plan ops and kernels, but found ")
                                            << other->getName();
                                   });
      if (failed(verified))
        return failure();
    }
    return verifyBuckets(module, limits);
  }
};

} // namespace
} // namespace glm
