// An artifact in memory, ready for sessions.
#pragma once

#include "runtime/device/CudaDevice.h"
#include "runtime/device/HostDevice.h"
#include "runtime/exec/Artifact.h"
#include "runtime/exec/Executor.h"

namespace glm {

struct EngineOptions {
  /// Of the host: those that compute, or that read a GPU's weights.
  int64_t threads = 1;
  /// host, cuda or ptx; empty: what the artifact is for.
  std::string device = "";
  /// The driver library of ptx.
  std::filesystem::path interpreter = {};
  /// Read every block scale before anything is computed. Without it the caller vouches for them.
  bool checkBlockScales = true;
  /// Told the bytes of weights that the device has, and of all, while a GPU gets them.
  std::function<void(uint64_t, uint64_t)> report = {};
};

class Engine {
public:
  /// Open, check, load the code, reserve memory.
  static Result<std::unique_ptr<Engine>> load(const std::filesystem::path &folder, const EngineOptions &options);

  const Manifest &manifest() const { return artifact->manifest; }
  const Weights &weights() const { return artifact->weights; }
  Executor &executor() { return *steps; }
  Device &device() { return *machine; }
  /// The GPU behind it, if it is one.
  CudaDevice *gpuDevice() { return gpu.get(); }
  /// The threads of the host.
  ThreadPool &threadPool() { return host->threadPool(); }
  /// The file that this machine runs.
  const Code &code() const { return *chosen; }

private:
  Engine() = default;
  Result<void> chooseMachine(const EngineOptions &options);
  Result<void> placeWeights(const EngineOptions &options);

  // In the order in which they depend on each other: destroyed from the last to the first.
  std::unique_ptr<Artifact> artifact;
  const Code *chosen = nullptr; ///< in the manifest
  std::unique_ptr<HostDevice> host;
  std::unique_ptr<CudaDevice> gpu;
  Device *machine = nullptr; ///< one of the two
  Allocation filled;         ///< weights that the load program made
  Buffers buffers;
  std::unique_ptr<Executor> steps;
};

} // namespace glm
