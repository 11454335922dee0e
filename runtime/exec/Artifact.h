// An artifact that was read and checked, before any device is involved.
#pragma once

#include "runtime/memory/CheckedCheckpoint.h"
#include "runtime/memory/Weights.h"

#include <filesystem>
#include <memory>
#include <set>
#include <string>

namespace glm {

struct Artifact {
  std::filesystem::path folder;
  Manifest manifest;
  Checkpoint checkpoint; ///< mapped, read-only
  Weights weights;       ///< points into the two above
};

/// Everything that can be known without loading code: manifest, files with sizes and header hashes, every tensor's dtype
/// and shape, scalars, the bytes of the code. On the heap, because its parts point at each other.
Result<std::unique_ptr<Artifact>> openArtifact(const std::filesystem::path &folder);

/// The first library that runs on a processor with `flags` (CpuFeatures.h), or what the last, which needs least, lacks.
Result<const Code *> chooseCode(const Manifest &manifest, const std::set<std::string> &flags);

/// The best code for a GPU, or the first of PTX.
Result<const Code *> chooseGpuCode(const Manifest &manifest, bool ptxOnly);

} // namespace glm
