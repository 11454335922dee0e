// The passes of codegen/schedule. They take the families as a parameter: codegen/pipeline knows which there are.
#pragma once

#include "codegen/schedule/KernelFamily.h"

#include "mlir/Pass/Pass.h"

#include <memory>

namespace glm {

std::unique_ptr<mlir::Pass> createSelectSchedulePass(std::shared_ptr<const KernelFamilies> families,
                                                     bool plain = false);
std::unique_ptr<mlir::Pass> createSampleOnGpuPass();
std::unique_ptr<mlir::Pass> createTileWeightsPass(std::shared_ptr<const KernelFamilies> families);
std::unique_ptr<mlir::Pass> createFormLoadPass();
std::unique_ptr<mlir::Pass> createSplitAttentionPass(std::shared_ptr<const KernelFamilies> families);
std::unique_ptr<mlir::Pass> createFuseLaunchesPass(std::shared_ptr<const KernelFamilies> families);
std::unique_ptr<mlir::Pass> createGroupLaunchesPass(std::shared_ptr<const KernelFamilies> families);
std::unique_ptr<mlir::Pass> createOutlineKernelsPass(std::shared_ptr<const KernelFamilies> families);

} // namespace glm
