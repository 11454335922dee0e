// Which rows of the room's table the tests of this program ran. When all tests have run (no filter), every row must have
// been run by one; with GLM_PTX_FORM_TABLE=FILE the table form -> tests is written there.
#include "runtime/ptx/arithmetic/Forms.h"
#include "test/runtime/ptx/arithmetic/Snippet.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

namespace glm::ptx {
namespace {

/// By pattern.
std::map<std::string_view, std::set<std::string>> &tests() {
  static std::map<std::string_view, std::set<std::string>> ran;
  return ran;
}

class CoverageEnvironment : public testing::Environment {
  void TearDown() override {
    if (const char *path = std::getenv("GLM_PTX_FORM_TABLE")) {
      std::ofstream file(path);
      for (const Form &form : arithmeticForms()) {
        file << form.pattern;
        for (const std::string &test : tests()[form.pattern])
          file << ' ' << test;
        file << '\n';
      }
    }
    const testing::UnitTest &all = *testing::UnitTest::GetInstance();
    if (all.test_to_run_count() != all.total_test_count())
      return;
    for (const Form &form : arithmeticForms())
      EXPECT_FALSE(tests()[form.pattern].empty()) << "no test runs the form " << form.pattern;
  }
};

[[maybe_unused]] const auto *const kRegistered = testing::AddGlobalTestEnvironment(new CoverageEnvironment);

} // namespace

void noteForms(const Program &program, LaneSet set) {
  const testing::TestInfo *test = testing::UnitTest::GetInstance()->current_test_info();
  for (const Function &function : program.module.functions)
    for (const Instruction &instruction : function.instructions)
      for (const Form &form : arithmeticForms(set))
        if (form.pattern.starts_with(instruction.mnemonic) && matchPattern(form.pattern, instruction)) {
          tests()[form.pattern].insert(std::string(test->test_suite_name()) + '.' + test->name());
          break;
        }
}

} // namespace glm::ptx
