// wmma.load, wmma.store, wmma.mma.
#pragma once

#include "runtime/ptx/isa/Form.h"

namespace glm::ptx {

std::span<const Form> wmmaForms();

} // namespace glm::ptx
