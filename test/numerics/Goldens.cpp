#include "test/numerics/Goldens.h"

#include "test/Inputs/CheckpointRequest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>

namespace glm::test {
namespace {

/// Removes the folder when the process ends.
struct Scratch {
  std::filesystem::path path;

  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "glm-numerics-XXXXXX").string();
    if (!mkdtemp(pattern.data()))
      throw std::runtime_error(pattern + ": folder must be writable, but found an error");
    path = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

std::filesystem::path committed(const GoldenCase &golden) {
  return std::filesystem::path(GLM_TEST_INPUTS) / "golden" / golden.name;
}

} // namespace

const std::vector<GoldenCase> &wideGoldens() {
  static const std::vector<GoldenCase> cases = {{"share", 2}, {"groups", 1}, {"ratio", 3}, {"every", 1}};
  return cases;
}

const std::vector<GoldenCase> &packedGoldens() {
  static const std::vector<GoldenCase> cases = {
      {"share-card", 1, true}, {"ratio-all", 1, true}, {"groups-ct", 1, true}};
  return cases;
}

std::vector<GoldenCase> allGoldens() {
  std::vector<GoldenCase> cases = wideGoldens();
  cases.insert(cases.end(), packedGoldens().begin(), packedGoldens().end());
  return cases;
}

const GoldenCase &goldenCase(const std::string &name) {
  for (const auto *cases : {&wideGoldens(), &packedGoldens()})
    for (const GoldenCase &golden : *cases)
      if (name == golden.name)
        return golden;
  throw std::runtime_error(name + ": name must be a golden's, but found none");
}

const std::filesystem::path &scratchFolder() {
  static const Scratch scratch;
  return scratch.path;
}

const std::filesystem::path &keptFolder() {
  static const char *kept = std::getenv("GLM_TEST_KEEP");
  static const std::filesystem::path folder = kept ? std::filesystem::absolute(kept) : scratchFolder();
  return folder;
}

std::filesystem::path checkpointFolder(const GoldenCase &golden) {
  if (golden.packed)
    return committed(golden);
  std::filesystem::path folder = keptFolder() / golden.name;
  if (std::filesystem::exists(folder))
    return folder;
  CheckpointRequest request;
  std::ifstream config(committed(golden) / "config.json");
  request.config = nlohmann::ordered_json::parse(config);
  request.seed = std::stoull(goldenValues(golden).contents().metadata().at("seed"));
  request.shards = golden.shards;
  if (auto done = makeCheckpoint(request, folder); !done)
    throw std::runtime_error(done.error().message);
  return folder;
}

const TensorFile &goldenValues(const GoldenCase &golden) {
  static std::map<std::string, std::unique_ptr<TensorFile>> files;
  std::unique_ptr<TensorFile> &file = files[golden.name];
  if (!file) {
    auto opened = TensorFile::open(committed(golden) / "golden.safetensors");
    if (!opened)
      throw std::runtime_error(opened.error().message);
    file = std::make_unique<TensorFile>(std::move(*opened));
  }
  return *file;
}

std::vector<int32_t> goldenPrompt(const GoldenCase &golden, int64_t sequence) {
  return goldenValues(golden).ints(fmt::format("{}.ids", sequence)).values;
}

std::string testName(const std::string &name) {
  std::string clean = name;
  std::replace_if(
      clean.begin(), clean.end(), [](char letter) { return !std::isalnum(static_cast<unsigned char>(letter)); }, '_');
  return clean;
}

} // namespace glm::test
