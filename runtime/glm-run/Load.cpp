#include "runtime/glm-run/Load.h"

#include <chrono>
#include <filesystem>

namespace glm {

std::filesystem::path interpreterLibrary() {
  std::error_code ignored;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return program.parent_path().parent_path() / "lib" / "ptx" / "libcuda.so.1";
}

Result<LoadedEngine> loadEngine(const std::filesystem::path &artifact, const DeviceOptions &options) {
  auto start = std::chrono::steady_clock::now();
  Result<std::unique_ptr<Engine>> engine =
      Engine::load(artifact, {options.threads, options.device, interpreterLibrary(), !options.skipScaleCheck});
  if (!engine)
    return engine.error();
  LoadedEngine loaded{std::move(*engine), 0};
  loaded.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return loaded;
}

} // namespace glm
