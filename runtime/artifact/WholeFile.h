// Files that are written whole or not at all.
#pragma once

#include "runtime/artifact/Result.h"

#include <filesystem>
#include <span>
#include <string_view>

namespace glm {

/// Whether `path` can be written, as far as can be known before: asked before hours of work.
Result<void> checkFileTarget(const std::filesystem::path &path);

/// The pieces one behind the other, through a temporary name, then renamed: a file of that name is replaced when all of it is on
/// disk.
Result<void> writeWholeFile(const std::filesystem::path &path, std::span<const std::string_view> pieces);

} // namespace glm
