#include "runtime/glm-run/Load.h"

#include <chrono>
#include <fmt/format.h>

namespace glm {

Result<LoadedEngine> loadEngine(const std::filesystem::path &artifact, const DeviceOptions &options) {
  auto start = std::chrono::steady_clock::now();
  if (!options.device.empty() && options.device != "host") {
    Result<Manifest> manifest = readManifest(artifact);
    if (!manifest)
      return manifest.error();
    return Error{fmt::format("{}: --device={} needs an artifact with GPU kernels, but found one for the host ({}, {})",
                             artifact.filename().string(), options.device, manifest->target,
                             manifest->code.back().file)};
  }
  Result<std::unique_ptr<Engine>> engine = Engine::load(artifact, {options.threads, !options.skipScaleCheck});
  if (!engine)
    return engine.error();
  LoadedEngine loaded{std::move(*engine), 0};
  loaded.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return loaded;
}

} // namespace glm
