// tcgen05: allocation, fences, waits, commit.
#pragma once

#include "runtime/ptx/isa/Form.h"

namespace glm::ptx {

std::span<const Form> tensorAllocateForms();

} // namespace glm::ptx
