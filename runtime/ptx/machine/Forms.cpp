#include "runtime/ptx/machine/Forms.h"

namespace glm::ptx {

std::span<const Form> machineForms() { return {}; }

} // namespace glm::ptx
