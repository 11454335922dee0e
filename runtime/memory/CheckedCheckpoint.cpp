#include "runtime/memory/CheckedCheckpoint.h"

#include <fmt/format.h>

namespace glm {

namespace fs = std::filesystem;

fs::path checkpointFolder(const Manifest &manifest, const fs::path &folder) {
  // An absolute path on the right replaces what stands on the left. The file system and not the text resolves `..`:
  // the artifact may be reached through a link.
  fs::path joined = folder / manifest.checkpoint;
  std::error_code failure;
  fs::path resolved = fs::weakly_canonical(joined, failure);
  return failure ? joined : resolved;
}

static Result<void> checkSizes(const Manifest &manifest, const fs::path &root) {
  std::error_code failure;
  if (!fs::is_directory(root, failure))
    return Error{fmt::format("{}: the checkpoint's folder must exist, but found none (checkpoint of manifest.json says "
                             "where it is, and may be edited)",
                             root.string())};
  for (const CheckpointFile &file : manifest.files) {
    if (fs::exists(root / file.name, failure) && !fs::is_regular_file(root / file.name, failure))
      return Error{fmt::format("{}: the checkpoint file must be a regular file, but found another kind", file.name)};
    uint64_t found = fs::file_size(root / file.name, failure);
    if (failure)
      return Error{fmt::format("{}: the checkpoint file must exist in {}, but found {}", file.name, root.string(),
                               failure.message())};
    if (found < file.bytes)
      return Error{fmt::format("{}: the checkpoint file must have {} bytes, but found {} ({} missing)", file.name,
                               file.bytes, found, file.bytes - found)};
    if (found != file.bytes)
      return Error{
          fmt::format("{}: the checkpoint file must have {} bytes, but found {}", file.name, file.bytes, found)};
  }
  return {};
}

static Result<void> checkHashes(const Manifest &manifest, const Checkpoint &checkpoint) {
  for (const CheckpointFile &file : manifest.files) {
    const SafetensorsFile *opened = nullptr;
    for (const SafetensorsFile &candidate : checkpoint.files())
      if (candidate.path().filename() == fs::path(file.name).filename())
        opened = &candidate;
    if (!opened)
      return Error{fmt::format("{}: the file must belong to the checkpoint, but found that its index does not name it",
                               file.name)};
    if (opened->headerHash() != file.header)
      return Error{
          fmt::format("{}: the header must be the one that was compiled against (hash {:016x}), but found {:016x}",
                      file.name, file.header, opened->headerHash())};
  }
  return {};
}

Result<Checkpoint> openCheckedCheckpoint(const Manifest &manifest, const fs::path &folder) {
  fs::path root = checkpointFolder(manifest, folder);
  if (Result<void> sizes = checkSizes(manifest, root); !sizes)
    return sizes.error();
  Result<Checkpoint> checkpoint = Checkpoint::open(root);
  if (!checkpoint)
    return checkpoint;
  if (Result<void> hashes = checkHashes(manifest, *checkpoint); !hashes)
    return hashes.error();
  return checkpoint;
}

} // namespace glm
