#include "codegen/emit/ArtifactFolder.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace glm {
namespace {

/// `NAME.glm/` names the same folder as `NAME.glm`.
fs::path withoutSlash(const fs::path &path) { return path.has_filename() ? path : path.parent_path(); }

/// `<output>.<purpose>-<process>-<number>`, the first that is free.
fs::path freeSibling(const fs::path &output, const char *purpose) {
  std::error_code ignored;
  for (int number = 0;; ++number) {
    fs::path sibling = output;
    sibling += fmt::format(".{}-{}-{}", purpose, getpid(), number);
    if (!fs::exists(fs::symlink_status(sibling, ignored)))
      return sibling;
  }
}

} // namespace

Result<void> checkOutput(const fs::path &path) {
  fs::path output = withoutSlash(path), parent = output.has_parent_path() ? output.parent_path() : ".";
  std::error_code failure;
  if (!fs::is_directory(parent, failure))
    return Error{
        fmt::format("{}: output must lie in a folder that exists, but found no {}", path.string(), parent.string())};
  if (access(parent.c_str(), W_OK | X_OK) != 0)
    return Error{fmt::format("{}: output must lie in a folder that is writable, but found {} ({})", path.string(),
                             parent.string(), std::strerror(errno))};
  if (!fs::exists(fs::symlink_status(output, failure)))
    return {};
  if (!fs::is_directory(output, failure))
    return Error{fmt::format("{}: output must be a glm artifact or absent, but found a file", path.string())};
  if (!fs::exists(output / "manifest.json", failure))
    return Error{fmt::format("{}: output must be a glm artifact or absent, but found a folder without manifest.json",
                             path.string())};
  return {};
}

Result<ArtifactFolder> ArtifactFolder::create(const fs::path &path) {
  if (Result<void> checked = checkOutput(path); !checked)
    return checked.error();
  fs::path output = withoutSlash(path), temporary = freeSibling(output, "tmp");
  ArtifactFolder folder(output, temporary);
  std::error_code failure;
  if (!fs::create_directory(temporary, failure))
    return Error{fmt::format("{}: folder must be writable, but found: {}", temporary.string(), failure.message())};
  return folder;
}

ArtifactFolder::ArtifactFolder(ArtifactFolder &&other) noexcept
    : output(std::move(other.output)), temporary(std::exchange(other.temporary, {})), guard(std::move(other.guard)) {}

ArtifactFolder::~ArtifactFolder() {
  std::error_code ignored;
  if (!temporary.empty())
    fs::remove_all(temporary, ignored);
}

Result<void> ArtifactFolder::publish() {
  // The name may have been taken while kernels were compiled.
  if (Result<void> checked = checkOutput(output); !checked)
    return checked;
  SignalsWait whole; // an artifact that stepped aside would be left without its name
  std::error_code failure, ignored;
  fs::path previous;
  if (fs::exists(fs::symlink_status(output, ignored))) {
    // A rename replaces an empty folder only, so there is a moment without the name; never one with half an artifact.
    previous = freeSibling(output, "old");
    fs::rename(output, previous, failure);
    if (failure)
      return Error{fmt::format("{}: artifact must be replaceable, but found: {}", output.string(), failure.message())};
  }
  fs::rename(temporary, output, failure);
  if (failure) {
    if (!previous.empty())
      fs::rename(previous, output, ignored);
    return Error{fmt::format("{}: artifact must take its name, but found: {}", output.string(), failure.message())};
  }
  guard->keep();
  temporary.clear();
  if (!previous.empty())
    fs::remove_all(previous, ignored);
  return {};
}

} // namespace glm
