// The kernel families of GPUs.
#pragma once

#include "codegen/schedule/KernelFamily.h"

namespace glm {

/// From the most special on; `plain` comes behind them.
void addGpuFamilies(KernelFamilies &families);

std::unique_ptr<KernelFamily> makeGpuGemmFamily();
std::unique_ptr<KernelFamily> makeGpuHeadGemmFamily();
std::unique_ptr<KernelFamily> makeGpuMoeFamily();
std::unique_ptr<KernelFamily> makeGpuIndexScoreFamily();
std::unique_ptr<KernelFamily> makeGpuSparseMlaFamily();
std::unique_ptr<KernelFamily> makeGpuSparseMlaJoinFamily();
std::unique_ptr<KernelFamily> makeGpuSparseMlaValuesFamily();
std::unique_ptr<KernelFamily> makeGpuRowFamily();
std::unique_ptr<KernelFamily> makeGpuTopKFamily();
std::unique_ptr<KernelFamily> makeGpuRouteFamily();
std::unique_ptr<KernelFamily> makeGpuSampleFamily();
std::unique_ptr<KernelFamily> makeGpuPackWeightFamily();

} // namespace glm
