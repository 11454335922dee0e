#include "codegen/schedule/Passes.h"
#include "codegen/target/Target.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace glm {

#define GEN_PASS_DECL_SAMPLEONGPU
#define GEN_PASS_DEF_SAMPLEONGPU
#include "codegen/schedule/Passes.h.inc"

namespace {

/// Words of one draw (glm.kernel.sample).
constexpr int64_t kWords = 5;
constexpr StringRef kSampled = "sampled";

/// The argument of `step` for its logits, or null.
Value logitsOf(func::FuncOp step) {
  for (BlockArgument argument : step.getArguments())
    if (auto name = step.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr); name == "logits")
      return argument;
  return {};
}

int64_t rowsOf(Value buffer) { return cast<MemRefType>(buffer.getType()).getDimSize(0); }

LogicalResult sample(func::FuncOp step, Value logits, MemRefType type) {
  auto builder = ImplicitLocOpBuilder::atBlockBegin(step.getLoc(), &step.front());
  Value sampled = memref::GetGlobalOp::create(builder, type, kSampled);
  for (auto embed : step.front().getOps<KernelEmbedOp>())
    embed.getSampledMutable().assign(sampled);
  unsigned number = step.getNumArguments();
  auto name = builder.getNamedAttr(kNameAttr, builder.getStringAttr("sampling"));
  if (failed(step.insertArgument(number, MemRefType::get({rowsOf(logits), kWords}, builder.getI32Type()),
                                 builder.getDictionaryAttr(name), step.getLoc())))
    return failure();
  builder.setInsertionPoint(step.front().getTerminator());
  auto op = KernelSampleOp::create(builder, logits, step.getArgument(number), sampled);
  op->setAttr(kOutputRowsAttr, builder.getUnitAttr());
  return success();
}

class SampleOnGpuPass : public impl::SampleOnGpuBase<SampleOnGpuPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto target = module->getAttrOfType<TargetAttr>(kTargetAttr);
    if (!target || !isGpu(target))
      return;
    int64_t mostRows = 0;
    for (auto step : module.getOps<func::FuncOp>()) {
      Value logits = logitsOf(step);
      if (!logits) {
        step.emitError("step must have an argument logits, but found none");
        return signalPassFailure();
      }
      mostRows = std::max(mostRows, rowsOf(logits));
    }
    auto type = MemRefType::get({mostRows}, IntegerType::get(&getContext(), 32));
    auto builder = OpBuilder::atBlockBegin(module.getBody());
    // A unit value: defined here and not initialised (StepFormer has caches so).
    memref::GlobalOp::create(builder, module.getLoc(), kSampled, builder.getStringAttr("private"), type,
                             builder.getUnitAttr(), /*constant=*/false, /*alignment=*/IntegerAttr());
    for (auto step : module.getOps<func::FuncOp>())
      if (failed(sample(step, logitsOf(step), type)))
        return signalPassFailure();
  }
};

} // namespace

std::unique_ptr<Pass> createSampleOnGpuPass() { return std::make_unique<SampleOnGpuPass>(); }

} // namespace glm
