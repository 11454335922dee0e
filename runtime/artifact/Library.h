// The code of an artifact as files: whether they are the ones that were written.
#pragma once

#include "runtime/artifact/Manifest.h"

namespace glm {

/// What a manifest says about a library that was just written: its name, size, hash, and the features that it needs.
Result<Code> describeLibrary(const std::filesystem::path &library, std::vector<std::string> features);

/// Refuse a library in `folder` of another size or other bytes than `code` says. The system's loader believes what it maps: a file that
/// was cut short would end the process instead of a message.
Result<void> checkLibrary(const std::filesystem::path &folder, const Code &code);

} // namespace glm
