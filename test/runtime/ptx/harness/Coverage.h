// Which forms were executed by which tests.
#pragma once

#include "runtime/ptx/isa/Form.h"

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace glm::ptx::test {

class Coverage {
public:
  static Coverage &instance();

  /// `instruction` was executed in the running test.
  void executed(const Instruction &instruction);

  /// The tests that executed a form.
  const std::set<std::string> &testsOf(const Form &form) const;

private:
  std::map<const Form *, std::set<std::string>> tests;
};

} // namespace glm::ptx::test
