// The kernel families of x86.
#pragma once

#include "codegen/schedule/KernelFamily.h"

namespace glm {

/// From the most special to the most general; `plain` is not among them.
void addX86Families(KernelFamilies &families);

std::unique_ptr<KernelFamily> makeGemmFamily();
std::unique_ptr<KernelFamily> makeMoeFamily();
std::unique_ptr<KernelFamily> makeHeadGemmFamily();
std::unique_ptr<KernelFamily> makeIndexScoreFamily();
std::unique_ptr<KernelFamily> makeSparseMlaFamily();

} // namespace glm
