// A folder that appears under its name when all of it is there.
#pragma once

#include "runtime/artifact/RemovedOnSignal.h"
#include "runtime/artifact/Result.h"

#include <filesystem>
#include <memory>

namespace glm {

/// Error unless `output` is absent or a glm artifact (a folder with manifest.json), in a folder that exists. Compiling takes long:
/// ask before.
Result<void> checkOutput(const std::filesystem::path &output);

/// A temporary folder `NAME.glm.tmp-<process>-<number>` beside `output`, on the same file system, so that taking the name is one rename.
/// Removed with everything in it unless it is published, also when a signal ends the process.
class ArtifactFolder {
public:
  static Result<ArtifactFolder> create(const std::filesystem::path &output);
  ArtifactFolder(ArtifactFolder &&other) noexcept;
  ArtifactFolder &operator=(ArtifactFolder &&) = delete;
  ~ArtifactFolder();

  /// Where to write.
  const std::filesystem::path &path() const { return temporary; }

  /// Give the folder its name. An artifact that has it steps aside first, and back if that fails.
  Result<void> publish();

private:
  ArtifactFolder(std::filesystem::path output, std::filesystem::path temporary)
      : output(std::move(output)), temporary(std::move(temporary)),
        guard(std::make_unique<RemovedOnSignal>(this->temporary)) {}

  std::filesystem::path output;
  std::filesystem::path temporary; ///< empty once published
  std::unique_ptr<RemovedOnSignal> guard;
};

} // namespace glm
