// glm-compile and glm-run as users start them.
#pragma once

#include "test/numerics/TensorFile.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace glm::test {

/// What a program left behind.
struct Finished {
  int status = 0; ///< exit code; 128 + number for a signal
  std::string output, errors;
};

/// Start a program of the build's bin folder and wait for it.
Finished runProgram(const std::string &name, const std::vector<std::string> &arguments);

/// The artifact of a checkpoint under these options; compiled on first use, then shared by all tests of the process.
/// Throws std::runtime_error with the program's own words if it fails.
std::filesystem::path compileOnce(const std::filesystem::path &checkpoint, const std::vector<std::string> &options);

struct RunOptions {
  int64_t newTokens = 0;
  std::optional<int64_t> chunk = std::nullopt; ///< rows of a prefill step
  std::optional<int64_t> threads = std::nullopt;
  bool trace = false;
  std::string device = ""; ///< of glm-run; empty: what the artifact is for
};

struct RunOutput {
  std::vector<Matrix> logits;                  ///< one a prompt
  std::vector<std::vector<int32_t>> generated; ///< one a prompt
  std::unique_ptr<TensorFile> trace;
};

/// Score prompts, or go on greedily past stop ids, in one batch. Throws std::runtime_error if glm-run fails.
RunOutput runPrompts(const std::filesystem::path &artifact, const std::vector<std::vector<int32_t>> &prompts,
                     const RunOptions &options);

} // namespace glm::test
