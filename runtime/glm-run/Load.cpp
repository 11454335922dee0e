#include "runtime/glm-run/Load.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>

namespace glm {

std::filesystem::path interpreterLibrary() {
  std::error_code ignored;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return program.parent_path().parent_path() / "lib" / "ptx" / "libcuda.so.1";
}

static Result<EngineOptions> chooseDevice(const std::filesystem::path &artifact, const DeviceOptions &options) {
  EngineOptions chosen;
  chosen.threads = options.threads;
  chosen.checkBlockScales = !options.skipScaleCheck;
  Result<Manifest> manifest = readManifest(artifact);
  if (!manifest)
    return manifest.error();
  std::string place = artifact.filename().string(), device = options.device;
  bool hostWanted = device.empty() ? !manifest->onGpu() : device == "host";
  if (hostWanted == manifest->onGpu())
    return Error{fmt::format("{}: --device={} needs an artifact for {}, but found one for {} ({}, {})", place, device,
                             hostWanted ? "the host" : "a GPU", hostWanted ? "a GPU" : "the host", manifest->target,
                             manifest->code.back().file)};
  if (device != "ptx")
    return chosen;
  chosen.driver = interpreterLibrary();
  chosen.ptxOnly = true;
  // The chip that the code is for, unless somebody wants to see what another one makes of it.
  setenv("GLM_PTX_CHIP", manifest->target.c_str(), /*overwrite=*/0);
  return chosen;
}

Result<LoadedEngine> loadEngine(const std::filesystem::path &artifact, const DeviceOptions &options) {
  auto start = std::chrono::steady_clock::now();
  Result<EngineOptions> chosen = chooseDevice(artifact, options);
  if (!chosen)
    return chosen.error();
  Result<std::unique_ptr<Engine>> engine = Engine::load(artifact, *chosen);
  if (!engine)
    return engine.error();
  LoadedEngine loaded{std::move(*engine), 0};
  loaded.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return loaded;
}

} // namespace glm
