// From the device flags to an engine.
#pragma once

#include "runtime/exec/Engine.h"
#include "runtime/glm-run/Commands.h"

namespace glm {

struct LoadedEngine {
  std::unique_ptr<Engine> engine;
  double seconds = 0; ///< that loading took
};

Result<LoadedEngine> loadEngine(const std::filesystem::path &artifact, const DeviceOptions &options);

/// The driver library that interprets PTX, where the build and a package leave it: `lib/ptx` beside the folder of this program.
std::filesystem::path interpreterLibrary();

} // namespace glm
