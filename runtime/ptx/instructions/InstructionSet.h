// Every instruction form that this driver knows.
#pragma once

#include "runtime/ptx/isa/Form.h"

namespace glm::ptx {

const FormTable &instructionSet();

} // namespace glm::ptx
