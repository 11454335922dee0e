// The order of everything: from naive model IR to launches and lowered kernels, in named phases.
#pragma once

#include "codegen/schedule/KernelFamily.h"

#include "mlir/Pass/PassManager.h"

#include <memory>

namespace glm {

/// Every family of every target, from the most special to `plain`.
std::shared_ptr<const KernelFamilies> allFamilies();

/// Model phase: from the importer's naive program to fused ops on tensors of static shape.
void addModelPhase(mlir::OpPassManager &passes);

/// Kernel phase: buffers, and a place in memory for each.
void addKernelPhase(mlir::OpPassManager &passes);

/// Plan phase: schedules, launches, and a module with a body per distinct kernel. `plain`: the meaning of every kernel instead of its
/// fast form, to compare with.
void addPlanPhase(mlir::OpPassManager &passes, bool plain);

/// Kernel bodies to the LLVM dialect.
void addLoweringPhase(mlir::OpPassManager &passes);

/// All dialects that any phase may hold, with their translation to LLVM IR.
void registerAllDialects(mlir::DialectRegistry &registry);

/// All passes, by flag, and the phases as pipelines (glm-model-phase, glm-kernel-phase, glm-plan-phase, glm-lowering-phase).
void registerAllPasses();

} // namespace glm
