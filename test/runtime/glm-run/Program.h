// Calls glm-run on a toy artifact and collects what it says.
#pragma once

#include "test/runtime/artifact/Outcome.h"
#include "test/runtime/exec/ToyArtifact.h"

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

namespace glm {

using test::Outcome;

class GlmRunTest : public testing::Test {
protected:
  /// Run with arguments as a shell reads them; `input` is its stdin.
  Outcome glmRun(const std::string &arguments, const std::string &input = "") {
    return test::runProgram(folder, GLM_RUN " " + arguments, input);
  }

  /// "run NAME.glm " and its siblings, on a fresh artifact.
  std::string on(const std::string &subcommand, const toy::Options &options = {}) {
    return subcommand + " " + toy::writeArtifact(folder.path(), options).string() + " ";
  }

  void expectError(const Outcome &outcome, const std::string &message) {
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.err, "error: " + message + "\n");
    EXPECT_EQ(outcome.out, "");
  }

  std::string read(const std::filesystem::path &path) const { return folder.read(path); }

  test::TemporaryFolder folder;
};

/// Greedy continuation of a prompt by the toy model's formula.
inline std::vector<int32_t> greedy(std::vector<int32_t> tokens, int64_t count) {
  std::vector<int32_t> generated;
  for (int64_t i = 0; i < count; ++i) {
    std::vector<float> logits = toy::referenceLogits(tokens);
    auto last = logits.end() - toy::kVocab;
    generated.push_back(static_cast<int32_t>(std::max_element(last, logits.end()) - last));
    tokens.push_back(generated.back());
  }
  return generated;
}

/// "1,2,3\n"
inline std::string line(const std::vector<int32_t> &tokens) {
  std::string text;
  for (int32_t token : tokens)
    text += (text.empty() ? "" : ",") + std::to_string(token);
  return text + "\n";
}

} // namespace glm
