// The command line of glm-compile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace glm {

/// Most positions that nobody asked for: caches of a longer default would surprise.
inline constexpr int64_t kDefaultPositions = 32768;
inline constexpr int64_t kDefaultSequences = 8;

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
  std::optional<int64_t> maxSequences;
  int64_t tensorParallel = 1;
  std::string kvCache;
  std::string kernels = "fast";   ///< "fast", or "plain": the meaning of each kernel
  bool cubin = true;              ///< of a GPU: machine code beside PTX
  std::string plan;               ///< "", "text" or "json"
  std::optional<uint64_t> memory; ///< bytes of one device, for the plan
  std::string printPrecision;     ///< "", "text" or "json"
  std::string stopAfter;          ///< "", "model", "kernel" or "plan"
  std::filesystem::path dump;
  int64_t threads = 0; ///< kernels compiled at once; 0: as many as there are processors
  bool timing = false; ///< report of phases and passes on stderr
  std::string remarks; ///< expression over the categories of missed remarks to print; empty: none

  bool writesArtifact() const { return plan.empty() && printPrecision.empty() && stopAfter.empty(); }

  /// Where the module that a pass or LLVM crashed on is left: beside the output.
  std::string reproducer() const {
    std::string stem = output.empty() ? "glm-compile" : output;
    while (stem.size() > 1 && stem.back() == '/') // NAME.glm/ names the same folder
      stem.pop_back();
    return stem + ".reproducer.mlir";
  }
};

} // namespace glm
