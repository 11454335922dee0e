// The golden checkpoints, where the tests find them.
#pragma once

#include "test/numerics/TensorFile.h"

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

namespace glm::test {

struct GoldenCase {
  const char *name;
  int shards = 1;
  bool packed = false; ///< weights are in the folder; else they come from the stream and the seed in the golden file
};

/// share, groups, ratio, every; share-card, ratio-all, groups-ct.
const std::vector<GoldenCase> &wideGoldens();
const std::vector<GoldenCase> &packedGoldens();
std::vector<GoldenCase> allGoldens();
const GoldenCase &goldenCase(const std::string &name);

/// A folder of this process, removed when it ends.
const std::filesystem::path &scratchFolder();
/// Where checkpoints and artifacts are kept: the scratch folder, or GLM_TEST_KEEP=FOLDER, in which a later process finds them again.
const std::filesystem::path &keptFolder();

/// Config and weights; written to the kept folder on first use where they come from the stream.
std::filesystem::path checkpointFolder(const GoldenCase &golden);

/// golden.safetensors, opened once.
const TensorFile &goldenValues(const GoldenCase &golden);

/// Prompt `sequence`.
std::vector<int32_t> goldenPrompt(const GoldenCase &golden, int64_t sequence);

/// The case's name, fit for a test's name.
std::string testName(const std::string &name);
inline void PrintTo(const GoldenCase &golden, std::ostream *stream) { *stream << golden.name; }

} // namespace glm::test
