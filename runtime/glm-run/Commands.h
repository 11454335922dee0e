// What each subcommand of glm-run is asked, and the functions that do it. Results go to stdout, talk to stderr.
#pragma once

#include "runtime/artifact/Result.h"
#include "runtime/exec/Session.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace glm {

/// What all commands that compute share.
struct DeviceOptions {
  std::string device; ///< host, cuda or ptx; empty: what the artifact is for
  int64_t threads = 1;
  bool skipScaleCheck = false;
};

struct RunOptions {
  std::filesystem::path artifact;
  DeviceOptions device;
  std::vector<std::string> prompts; ///< one text of ids per sequence, already checked for form
  std::string promptFile;           ///< "-" is stdin
  int64_t newTokens = 16;
  Sampling sampling;
  bool ignoreEos = false;
  std::filesystem::path logits; ///< empty: not wanted; the same for trace
  std::filesystem::path trace;
  std::optional<int64_t> chunk;
  bool profile = false;
  bool json = false;
};
Result<void> runCommand(const RunOptions &options);

struct InfoOptions {
  std::filesystem::path artifact;
  std::filesystem::path counters; ///< a profile of the PTX interpreter; empty: none
  bool json = false;
};
Result<void> infoCommand(const InfoOptions &options);

struct VerifyOptions {
  std::filesystem::path artifact;
  bool weights = false; ///< read all of them
  int64_t threads = 1;
  bool json = false;
};
Result<void> verifyCommand(const VerifyOptions &options);

struct BenchOptions {
  std::filesystem::path artifact;
  DeviceOptions device;
  std::vector<int64_t> prompts; ///< empty: 512, or what the artifact allows
  std::vector<int64_t> news;    ///< empty: 128, or what the artifact allows
  std::vector<int64_t> batches = {1};
  std::vector<int64_t> depths = {0};
  int64_t repeat = 5;
  bool json = false;
};
Result<void> benchCommand(const BenchOptions &options);

} // namespace glm
