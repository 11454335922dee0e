#include "runtime/exec/Engine.h"

#include "runtime/device/CpuFeatures.h"
#include "runtime/memory/BlockScales.h"

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
  if (Result<void> placed = engine->artifact->weights.place(device); !placed)
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

Result<void> Engine::chooseMachine(const EngineOptions &options) {
  Result<const Code *> code =
      manifest().onGpu() ? chooseGpuCode(manifest(), options.ptxOnly) : chooseCode(manifest(), cpuFlags());
  if (!code)
    return code.error();
  chosen = *code;
  machine = host.get();
  if (!manifest().onGpu())
    return {};
  Result<std::unique_ptr<CudaDevice>> opened = CudaDevice::open(options.driver);
  if (!opened)
    return opened.error();
  gpu = std::move(*opened);
  machine = gpu.get();
  return {};
}

} // namespace glm
