// mma.sync.m8n8k4 on f16: four products of quarter warps at once.
#pragma once

#include "runtime/ptx/isa/Form.h"

namespace glm::ptx {

std::span<const Form> mmaQuadForms();

} // namespace glm::ptx
