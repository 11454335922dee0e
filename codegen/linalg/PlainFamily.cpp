#include "codegen/linalg/PlainFamily.h"
#include "codegen/linalg/Columns.h"
#include "codegen/linalg/PlainBodies.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {
namespace {

bool isWritten(Operation *op, Value operand) {
  SmallVector<MemoryEffects::EffectInstance> effects;
  cast<MemoryEffectOpInterface>(op).getEffectsOnValue(operand, effects);
  return llvm::any_of(effects, [](auto &effect) { return isa<MemoryEffects::Write>(effect.getEffect()); });
}

class PlainFamily final : public KernelFamily {
public:
  StringRef name() const override { return "plain"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr) const override {
    // The meaning of a sample is the runtime's sampler, that of two ops in one is theirs; what lies in tiles was given to those who asked for it.
    if (isa<KernelSampleOp, KernelSparseMlaValuesOp, KernelMoeDownCombineOp>(op) ||
        llvm::any_of(op->getOperandTypes(), isTiled))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), /*tile_m=*/1, /*tile_n=*/1);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr) const override {
    if (isa<KernelGroupRowsOp>(op))
      return {}; // a chain
    // A thread for each vector of columns, or for each row where that is more; a body shares its work among any number of them.
    int64_t work = 1;
    for (Value operand : op->getOperands())
      if (auto buffer = dyn_cast<MemRefType>(operand.getType()); buffer && isWritten(op, operand))
        work = std::max({work, buffer.getNumElements() / kColumnLanes, buffer.getDimSize(0)});
    constexpr int64_t threads = 128, mostBlocks = 1024;
    return {std::min<int64_t>(mostBlocks, llvm::divideCeil(work, threads)), threads};
  }

  LogicalResult build(Operation *op, ScheduleAttr, KernelBuilder &builder) const override {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<KernelEmbedOp, KernelGatherRowsOp, KernelRopeAnglesOp, KernelNormOp, KernelAddOp, KernelGemmOp,
              KernelHeadGemmOp, KernelRopeOp, KernelRopeCacheWriteOp, KernelIndexScoreOp, KernelTopKOp,
              KernelSparseMlaOp, KernelSparseMlaPartOp, KernelSparseMlaJoinOp, KernelRouteOp, KernelGroupRowsOp,
              KernelMoeGateUpOp, KernelMoeDownOp, KernelMoeCombineOp>([&](auto kernel) {
          buildPlain(kernel, builder);
          return success();
        })
        .Default([](Operation *other) -> LogicalResult {
          return other->emitError("plain: op must be one of the kernel phase, but found ") << other->getName();
        });
  }
};

} // namespace

std::unique_ptr<KernelFamily> plainFamily() { return std::make_unique<PlainFamily>(); }

} // namespace glm
