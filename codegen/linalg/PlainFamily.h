// The family that takes every kernel op on every chip: the meaning itself.
#pragma once

#include "codegen/schedule/KernelFamily.h"

namespace glm {

/// The family `plain`, schedule tile 1 x 1: the last of every target's families, and the oracle of the others.
std::unique_ptr<KernelFamily> plainFamily();

} // namespace glm
