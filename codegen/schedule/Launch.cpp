#include "codegen/schedule/Launch.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace glm {
namespace {

ScheduleAttr scheduleOf(Operation *op) { return op->getAttrOfType<ScheduleAttr>(kScheduleAttr); }

/// What a prologue leaves in the memory of its block: what never leaves the launch, and all of it where several blocks compute it.
SmallVector<Value> keptBy(KernelFusedOp fused, Operation *prologue, int64_t blocks) {
  SmallVector<MemoryEffects::EffectInstance> effects;
  cast<MemoryEffectOpInterface>(prologue).getEffects(effects);
  SmallVector<Value> kept;
  for (const MemoryEffects::EffectInstance &effect : effects) {
    bool isInner = effect.getValue().getParentRegion() == &fused.getBody();
    if (isa<MemoryEffects::Write>(effect.getEffect()) && (isInner || blocks > 1))
      kept.push_back(effect.getValue());
  }
  return kept;
}

} // namespace

Choice chooseFamily(const KernelFamilies &families, Operation *op, TargetAttr target) {
  for (const std::unique_ptr<KernelFamily> &family : families)
    if (std::optional<ScheduleAttr> schedule = family->match(op, target))
      return {family.get(), *schedule};
  return {};
}

LogicalResult writeSchedules(ModuleOp module, TargetAttr target, function_ref<Choice(Operation *)> choose) {
  WalkResult result = module.walk([&](KernelOpInterface op) {
    if (op->hasAttr(kScheduleAttr) || isa<KernelFusedOp>(op.getOperation()))
      return WalkResult::advance();
    Choice choice = choose(op);
    if (!choice.family) {
      op->emitError("kernel must have a family for ") << target.getChip() << ", but found none";
      return WalkResult::interrupt();
    }
    op->setAttr(kScheduleAttr, choice.schedule);
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

FailureOr<const KernelFamily *> Launches::familyOf(Operation *op) const {
  ScheduleAttr schedule = scheduleOf(op);
  if (!schedule)
    return op->emitError("kernel must have glm.schedule (glm-select-schedule), but found none"), failure();
  for (const std::unique_ptr<KernelFamily> &family : families)
    if (family->name() == schedule.getFamily())
      return family.get();
  return op->emitError("schedule must name a family, but found ") << schedule.getFamily(), failure();
}

FailureOr<LaunchShape> Launches::shapeOf(Operation *op) const {
  auto fused = dyn_cast<KernelFusedOp>(op);
  if (!fused) {
    FailureOr<const KernelFamily *> family = familyOf(op);
    return failed(family) ? FailureOr<LaunchShape>(failure()) : (*family)->launchShape(op, scheduleOf(op));
  }
  LaunchShape shape{0, 0};
  for (KernelOpInterface kernel : fused.kernels()) {
    FailureOr<LaunchShape> own = shapeOf(kernel);
    if (failed(own))
      return failure();
    bool adds = fused.getFusion() == Fusion::SideBySide;
    shape = {own->blocks + (adds ? shape.blocks : 0), std::max(shape.threads, own->threads),
             adds ? 0 : own->blocksPerRow};
  }
  return shape;
}

std::string Launches::shapeKey(Operation *op) const {
  std::string key;
  if (auto fused = dyn_cast<KernelFusedOp>(op); fused && fused.getFusion() == Fusion::SideBySide)
    for (KernelOpInterface kernel : fused.kernels())
      if (FailureOr<LaunchShape> shape = shapeOf(kernel); succeeded(shape) && shape->blocksPerRow == 0)
        key += llvm::formatv(" {0}", shape->blocks);
  return key;
}

LogicalResult Launches::build(Operation *op, KernelBuilder &builder) const {
  if (auto fused = dyn_cast<KernelFusedOp>(op))
    return fused.getFusion() == Fusion::SideBySide ? buildSideBySide(fused, builder) : buildPrologue(fused, builder);
  FailureOr<const KernelFamily *> family = familyOf(op);
  return failed(family) ? failure() : (*family)->build(op, scheduleOf(op), builder);
}

LogicalResult Launches::buildSideBySide(KernelFusedOp op, KernelBuilder &builder) const {
  Value first = builder.index(0);
  for (KernelOpInterface kernel : op.kernels()) {
    FailureOr<LaunchShape> shape = shapeOf(kernel);
    if (failed(shape))
      return failure();
    // Programs of other sizes run the same code: where each row has blocks, the live rows say how many.
    Value count = shape->blocksPerRow ? builder.mul(builder.rows(), builder.index(shape->blocksPerRow))
                                      : builder.index(shape->blocks);
    LogicalResult built = success();
    builder.asKernel(first, count, shape->threads, [&] { built = build(kernel, builder); });
    if (failed(built))
      return failure();
    first = builder.add(first, count);
  }
  return success();
}

LogicalResult Launches::buildPrologue(KernelFusedOp op, KernelBuilder &builder) const {
  Operation *prologue = op.kernels()[0], *kernel = op.kernels()[1];
  FailureOr<LaunchShape> first = shapeOf(prologue), second = shapeOf(kernel);
  if (failed(first) || failed(second))
    return failure();
  LogicalResult built = success();
  builder.asPrologue(keptBy(op, prologue, second->blocks), first->threads, [&] { built = build(prologue, builder); });
  if (failed(built))
    return failure();
  builder.asKernel(builder.index(0), builder.blocks(), second->threads, [&] { built = build(kernel, builder); });
  return built;
}

} // namespace glm
