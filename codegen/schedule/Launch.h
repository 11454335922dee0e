// What a kernel op, single or fused, is as one launch of a GPU, or one function of a host.
#pragma once

#include "codegen/schedule/KernelFamily.h"

#include <string>

namespace glm {

/// The first of the families that takes `op`, or null, with the schedule under which it does.
struct Choice {
  const KernelFamily *family = nullptr;
  ScheduleAttr schedule;
};
Choice chooseFamily(const KernelFamilies &families, mlir::Operation *op, TargetAttr target);

/// Write the schedule that `choose` finds into every kernel op of `module` that has none yet.
mlir::LogicalResult writeSchedules(mlir::ModuleOp module, TargetAttr target,
                                   llvm::function_ref<Choice(mlir::Operation *)> choose);

class Launches {
public:
  explicit Launches(const KernelFamilies &families) : families(families) {}

  /// The grid. Fused kernels share blocks of the most threads that one of them wants.
  mlir::FailureOr<LaunchShape> shapeOf(mlir::Operation *op) const;

  /// What of the grid a body relies on: the blocks of kernels that stand side by side, where they do not follow from the live rows.
  std::string shapeKey(mlir::Operation *op) const;

  /// Build the body, that of a fused op from those of its kernels.
  mlir::LogicalResult build(mlir::Operation *op, KernelBuilder &builder) const;

private:
  mlir::FailureOr<const KernelFamily *> familyOf(mlir::Operation *op) const;
  mlir::LogicalResult buildSideBySide(KernelFusedOp op, KernelBuilder &builder) const;
  mlir::LogicalResult buildPrologue(KernelFusedOp op, KernelBuilder &builder) const;

  const KernelFamilies &families;
};

} // namespace glm
