// ldmatrix, stmatrix, movmatrix: core matrices between shared memory and registers.
#pragma once

#include "runtime/ptx/isa/Form.h"

namespace glm::ptx {

std::span<const Form> ldmatrixForms();

} // namespace glm::ptx
