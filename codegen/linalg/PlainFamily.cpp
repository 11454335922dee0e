#include "codegen/linalg/PlainFamily.h"
#include "codegen/linalg/PlainBodies.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace glm {
namespace {

class PlainFamily final : public KernelFamily {
public:
  StringRef name() const override { return "plain"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr) const override {
    return ScheduleAttr::get(op->getContext(), name(), /*tile_m=*/1, /*tile_n=*/1);
  }

  LogicalResult build(Operation *op, ScheduleAttr, KernelBuilder &builder) const override {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<KernelEmbedOp, KernelGatherRowsOp, KernelRopeAnglesOp, KernelNormOp, KernelAddOp, KernelGemmOp,
              KernelHeadGemmOp, KernelRopeOp, KernelRopeCacheWriteOp, KernelIndexScoreOp, KernelTopKOp,
              KernelSparseMlaOp, KernelRouteOp, KernelGroupRowsOp, KernelMoeGateUpOp, KernelMoeDownOp,
              KernelMoeCombineOp>([&](auto kernel) {
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
