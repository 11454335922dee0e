#include "runtime/glm-run/Load.h"

#include "runtime/artifact/Streams.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <unistd.h>

namespace glm {

std::filesystem::path interpreterLibrary() {
  std::error_code ignored;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return program.parent_path().parent_path() / "lib" / "ptx" / "libcuda.so.1";
}

/// A line that is written over, for a person who waits: five times a second, from the second half second on.
static std::function<void(uint64_t, uint64_t)> uploadReport() {
  if (!isatty(STDERR_FILENO))
    return {};
  using Clock = std::chrono::steady_clock;
  return [next = Clock::now() + std::chrono::milliseconds(500), spoke = false](uint64_t done, uint64_t all) mutable {
    if (done < all && Clock::now() < next)
      return;
    if (done < all)
      printTalk("\rweights {:.1f} of {:.1f} GB", static_cast<double>(done) * 1e-9, static_cast<double>(all) * 1e-9);
    else if (spoke)
      printTalk("\r\033[K");
    spoke = done < all;
    next = Clock::now() + std::chrono::milliseconds(200);
  };
}

Result<LoadedEngine> loadEngine(const std::filesystem::path &artifact, const DeviceOptions &options) {
  auto start = std::chrono::steady_clock::now();
  Result<std::unique_ptr<Engine>> engine = Engine::load(
      artifact, {options.threads, options.device, interpreterLibrary(), !options.skipScaleCheck, uploadReport()});
  if (!engine)
    return engine.error();
  LoadedEngine loaded{std::move(*engine), 0};
  loaded.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return loaded;
}

} // namespace glm
