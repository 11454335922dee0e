// tcgen05.mma.
#pragma once

#include "runtime/ptx/isa/Form.h"

namespace glm::ptx {

std::span<const Form> tensorMmaForms();

} // namespace glm::ptx
