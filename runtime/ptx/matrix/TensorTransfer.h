// tcgen05.ld, st, cp, shift.
#pragma once

#include "runtime/ptx/isa/Form.h"

namespace glm::ptx {

std::span<const Form> tensorTransferForms();

} // namespace glm::ptx
