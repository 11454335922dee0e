#include "runtime/ptx/arithmetic/Forms.h"

namespace glm::ptx {

std::span<const Form> arithmeticForms() { return {}; }

} // namespace glm::ptx
