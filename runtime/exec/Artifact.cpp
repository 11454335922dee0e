#include "runtime/exec/Artifact.h"

#include "runtime/device/CpuFeatures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace glm {

namespace fs = std::filesystem;

Result<std::unique_ptr<Artifact>> openArtifact(const fs::path &folder) {
  std::error_code failure;
  if (!fs::is_directory(folder, failure))
    return Error{fmt::format("{}: the artifact must be a folder, but found {}", folder.string(),
                             fs::exists(folder, failure) ? "something else" : "none")};
  Result<Manifest> manifest = readManifest(folder);
  if (!manifest)
    return manifest.error();
  // Code is only ever loaded from the artifact itself.
  if (fs::path(manifest->library).filename() != manifest->library || manifest->library.empty())
    return Error{fmt::format("manifest.json: library must be a file name within the artifact, but found \"{}\"",
                             manifest->library)};
  Result<Checkpoint> checkpoint = openCheckedCheckpoint(*manifest, folder);
  if (!checkpoint)
    return checkpoint.error();
  auto artifact = std::make_unique<Artifact>(Artifact{folder, std::move(*manifest), std::move(*checkpoint), {}});
  Result<Weights> weights = Weights::resolve(artifact->manifest, artifact->checkpoint);
  if (!weights)
    return weights.error();
  artifact->weights = std::move(*weights);
  return artifact;
}

Result<void> checkCpu(const Manifest &manifest) {
  std::vector<std::string> missing = missingFeatures(manifest.features, cpuFlags());
  if (missing.empty())
    return {};
  return Error{fmt::format("manifest.json: code for {} needs a processor with {}, but found one without {}",
                           manifest.target, fmt::join(manifest.features, ", "), fmt::join(missing, ", "))};
}

} // namespace glm
