#include "runtime/exec/Engine.h"

#include "runtime/device/CpuFeatures.h"
#include "runtime/memory/BlockScales.h"

#include <cstdlib>
#include <fmt/format.h>

namespace glm {

Result<std::unique_ptr<Engine>> Engine::load(const std::filesystem::path &folder, const EngineOptions &options) {
  std::unique_ptr<Engine> engine(new Engine());
  Result<std::unique_ptr<Artifact>> artifact = openArtifact(folder);
  if (!artifact)
    return artifact.error();
  engine->artifact = std::move(*artifact);
  const Manifest &manifest = engine->artifact->manifest;
  engine->host = std::make_unique<HostDevice>(options.threads);
  if (Result<void> chosen = engine->chooseMachine(options); !chosen)
    return chosen.error();
  Device &device = *engine->machine;
  if (Result<void> loaded = device.loadKernels(folder / engine->chosen->file, manifest.kernels); !loaded)
    return loaded.error();
  if (options.checkBlockScales)
    if (Result<void> scales = checkBlockScales(manifest, engine->artifact->weights, engine->host->threadPool());
        !scales)
      return scales.error();
  if (Result<void> placed = engine->placeWeights(options); !placed)
    return placed.error();
  Result<Buffers> buffers = Buffers::allocate(manifest, device);
  if (!buffers)
    return buffers.error();
  engine->buffers = std::move(*buffers);
  Result<Executor> executor = Executor::prepare(manifest, device, engine->artifact->weights, engine->buffers);
  if (!executor)
    return executor.error();
  engine->steps = std::make_unique<Executor>(std::move(*executor));
  return engine;
}

Result<void> Engine::placeWeights(const EngineOptions &options) {
  std::function<void(uint64_t)> report;
  if (options.report && manifest().onGpu())
    report = [&, all = residentBytes(manifest(), artifact->weights)](uint64_t done) { options.report(done, all); };
  Result<Allocation> placed = artifact->weights.place(*machine, report);
  if (!placed)
    return placed.error();
  filled = std::move(*placed);
  return {};
}

Result<void> Engine::chooseMachine(const EngineOptions &options) {
  bool onGpu = manifest().onGpu(), interpreted = options.device == "ptx";
  if (!options.device.empty() && (options.device == "host") == onGpu)
    return Error{fmt::format("{}: --device={} needs an artifact for {}, but found one for {} ({}, {})",
                             artifact->folder.filename().string(), options.device, onGpu ? "the host" : "a GPU",
                             onGpu ? "a GPU" : "the host", manifest().target, manifest().code.back().file)};
  Result<const Code *> code = onGpu ? chooseGpuCode(manifest(), interpreted) : chooseCode(manifest(), cpuFlags());
  if (!code)
    return code.error();
  chosen = *code;
  machine = host.get();
  if (!onGpu)
    return {};
  // The chip that the code is for, unless somebody wants to see what another one makes of it.
  if (interpreted)
    setenv("GLM_PTX_CHIP", manifest().target.c_str(), /*overwrite=*/0);
  Result<std::unique_ptr<CudaDevice>> opened =
      CudaDevice::open(interpreted ? options.interpreter : std::filesystem::path("libcuda.so.1"));
  if (!opened)
    return opened.error();
  gpu = std::move(*opened);
  machine = gpu.get();
  return {};
}

} // namespace glm
