// An artifact in memory, ready for sessions.
#pragma once

#include "runtime/device/HostDevice.h"
#include "runtime/exec/Artifact.h"
#include "runtime/exec/Executor.h"

namespace glm {

struct EngineOptions {
  int64_t threads = 1;
  /// Read every block scale before anything is computed. Without it the caller vouches for them.
  bool checkBlockScales = true;
};

class Engine {
public:
  /// Open, check, load the code, reserve memory.
  static Result<std::unique_ptr<Engine>> load(const std::filesystem::path &folder, const EngineOptions &options);

  const Manifest &manifest() const { return artifact->manifest; }
  const Weights &weights() const { return artifact->weights; }
  Executor &executor() { return *steps; }
  HostDevice &device() { return *host; }
  /// The library that this processor runs.
  const Code &code() const { return *chosen; }

private:
  Engine() = default;

  // In the order in which they depend on each other: destroyed from the last to the first.
  std::unique_ptr<Artifact> artifact;
  const Code *chosen = nullptr; ///< in the manifest
  std::unique_ptr<HostDevice> host;
  Buffers buffers;
  std::unique_ptr<Executor> steps;
};

} // namespace glm
