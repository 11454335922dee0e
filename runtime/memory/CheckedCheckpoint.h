// The checkpoint behind an artifact, and the proof that it is still the one that was compiled against.
#pragma once

#include "runtime/artifact/Checkpoint.h"
#include "runtime/artifact/Manifest.h"

namespace glm {

/// The folder that `manifest.checkpoint` means for an artifact in `folder`.
std::filesystem::path checkpointFolder(const Manifest &manifest, const std::filesystem::path &folder);

/// Check that every file that the manifest names exists with its size, before any of them is read: a download that
/// stopped early is named with the bytes it lacks. Then open the checkpoint and compare the hashes of the headers.
Result<Checkpoint> openCheckedCheckpoint(const Manifest &manifest, const std::filesystem::path &folder);

} // namespace glm
