// An artifact that was read and checked, before any device is involved.
#pragma once

#include "runtime/memory/CheckedCheckpoint.h"
#include "runtime/memory/Weights.h"

#include <filesystem>
#include <memory>

namespace glm {

struct Artifact {
  std::filesystem::path folder;
  Manifest manifest;
  Checkpoint checkpoint; ///< mapped, read-only
  Weights weights;       ///< points into the two above

  std::filesystem::path library() const { return folder / manifest.library; }
};

/// Everything that can be known without loading code: manifest, files with sizes and header hashes, every tensor's dtype
/// and shape, scalars. On the heap, because its parts point at each other.
Result<std::unique_ptr<Artifact>> openArtifact(const std::filesystem::path &folder);

/// Whether this machine has what the code needs.
Result<void> checkCpu(const Manifest &manifest);

} // namespace glm
