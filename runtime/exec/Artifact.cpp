#include "runtime/exec/Artifact.h"

#include "runtime/artifact/Library.h"
#include "runtime/device/CpuFeatures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace glm {

namespace fs = std::filesystem;

Result<std::unique_ptr<Artifact>> openArtifact(const fs::path &folder) {
  Result<Manifest> manifest = readManifest(folder);
  if (!manifest)
    return manifest.error();
  if (Result<void> library = checkLibrary(folder, *manifest); !library)
    return library.error();
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
