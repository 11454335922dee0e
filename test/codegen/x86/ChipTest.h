// A test that executes code for a chip, and passes by where the machine lacks it.
#pragma once

#include <gtest/gtest.h>
#include <optional>
#include <string>

namespace glm::test {

/// A feature of `chip` that this machine lacks.
std::optional<std::string> missingFeature(const std::string &chip);

class ChipTest : public ::testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    if (auto missing = missingFeature(chip()))
      GTEST_SKIP() << "code for " << chip() << " needs " << *missing << ", which this machine lacks";
  }
  std::string chip() const { return GetParam(); }
};

inline std::string chipTestName(const ::testing::TestParamInfo<std::string> &info) {
  std::string name = info.param;
  for (char &letter : name)
    if (letter == '-' || letter == '+')
      letter = '_';
  return name;
}

/// Every x86 chip that --target knows, with every target that it has.
#define GLM_ON_EACH_CHIP(suite)                                                                                        \
  INSTANTIATE_TEST_SUITE_P(Chips, suite, ::testing::Values("host", "x86-64-v4+avx512bf16", "x86-64-v4", "x86-64-v3"),  \
                           chipTestName)

} // namespace glm::test
