#include "runtime/ptx/instructions/InstructionSet.h"

#include "runtime/ptx/arithmetic/Forms.h"
#include "runtime/ptx/async/Forms.h"
#include "runtime/ptx/machine/Forms.h"
#include "runtime/ptx/matrix/Forms.h"

#include <array>

namespace glm::ptx {

const FormTable &instructionSet() {
  static const std::array tables = {machineForms(), arithmeticForms(), asyncForms(), matrixForms()};
  static const FormTable table(tables);
  return table;
}

} // namespace glm::ptx
