#include "runtime/ptx/async/Forms.h"

namespace glm::ptx {

std::span<const Form> asyncForms() { return {}; }

} // namespace glm::ptx
