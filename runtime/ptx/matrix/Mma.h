// mma.sync on dense matrices.
#pragma once

#include "runtime/ptx/isa/Form.h"

namespace glm::ptx {

std::span<const Form> mmaForms();

} // namespace glm::ptx
