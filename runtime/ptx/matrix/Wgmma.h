// wgmma: products of a warpgroup from shared memory.
#pragma once

#include "runtime/ptx/isa/Form.h"

namespace glm::ptx {

std::span<const Form> wgmmaForms();

} // namespace glm::ptx
