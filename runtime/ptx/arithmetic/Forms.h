// The instruction forms of this room.
#pragma once

#include "runtime/ptx/isa/Form.h"

namespace glm::ptx {

std::span<const Form> arithmeticForms();

} // namespace glm::ptx
