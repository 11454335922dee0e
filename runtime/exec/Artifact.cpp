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
  for (const Code &code : manifest->code)
    if (Result<void> checked = checkLibrary(folder, code); !checked)
      return checked.error();
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

Result<const Code *> chooseCode(const Manifest &manifest, const std::set<std::string> &flags) {
  for (const Code &code : manifest.code)
    if (missingFeatures(code.features, flags).empty())
      return &code;
  const Code &last = manifest.code.back();
  return Error{fmt::format("manifest.json: code for {} needs a processor with {}, but found one without {}",
                           manifest.target, fmt::join(last.features, ", "),
                           fmt::join(missingFeatures(last.features, flags), ", "))};
}

Result<const Code *> chooseGpuCode(const Manifest &manifest, bool ptxOnly) {
  for (const Code &code : manifest.code)
    if (!ptxOnly || code.file.ends_with(".ptx"))
      return &code;
  return Error{fmt::format("manifest.json: code must have PTX, but found {}", manifest.code.front().file)};
}

} // namespace glm
