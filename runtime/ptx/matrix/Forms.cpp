#include "runtime/ptx/matrix/Forms.h"

namespace glm::ptx {

std::span<const Form> matrixForms() { return {}; }

} // namespace glm::ptx
