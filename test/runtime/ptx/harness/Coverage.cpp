#include "test/runtime/ptx/harness/Coverage.h"

#include "runtime/ptx/instructions/InstructionSet.h"

#include <gtest/gtest.h>

namespace glm::ptx::test {

Coverage &Coverage::instance() {
  static Coverage coverage;
  return coverage;
}

void Coverage::executed(const Instruction &instruction) {
  const ::testing::TestInfo *test = ::testing::UnitTest::GetInstance()->current_test_info();
  std::string name = test ? std::string(test->test_suite_name()) + "." + test->name() : "";
  for (const Form *form : instructionSet().named(instruction.mnemonic))
    if (matchPattern(form->pattern, instruction)) {
      tests[form].insert(name);
      break;
    }
  // Special registers that change are forms of their own.
  for (const Operand &operand : instruction.operands)
    if (operand.kind == Operand::Kind::Special)
      for (const Form *form : instructionSet().named(operand.name))
        tests[form].insert(name);
}

const std::set<std::string> &Coverage::testsOf(const Form &form) const {
  static const std::set<std::string> none;
  // Tables are copied on their way: a form is known by its pattern and its feature.
  for (const auto &[known, names] : tests)
    if (known->pattern == form.pattern)
      return names;
  return none;
}

} // namespace glm::ptx::test
