// The command line of glm-compile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace glm {

struct CompileOptions {
  std::filesystem::path model;
  std::string output;
  std::string target = "host";
  std::string activations = "bf16";
  std::string precision = "checkpoint";
  std::vector<std::string> rules; ///< --set PATTERN=TYPE
  std::optional<double> latentNormEps;
  std::optional<int64_t> maxModelLen;
  int64_t maxRows = 64;
  int64_t maxSequences = 8;
  std::string kvCache;
  std::string kernels = "fast"; ///< "fast", or "plain": the meaning of each kernel
  std::string printPrecision;   ///< "", "text" or "json"
  std::string stopAfter;        ///< "", "model", "kernel" or "plan"
  std::filesystem::path dump;
  int64_t threads = 0; ///< kernels compiled at once; 0: as many as there are processors
  std::string remarks; ///< expression over the categories of missed remarks to print; empty: none

  bool writesArtifact() const { return printPrecision.empty() && stopAfter.empty(); }
};

} // namespace glm
