// The code of an artifact as a file: whether it is the one that was written.
#pragma once

#include "runtime/artifact/Manifest.h"

namespace glm {

/// Fill in what the manifest says about `folder`/library.
Result<void> describeLibrary(const std::filesystem::path &folder, Manifest &manifest);

/// Refuse a library of another size or other bytes than the manifest says. The system's loader believes what it maps: a file that
/// was cut short would end the process instead of a message.
Result<void> checkLibrary(const std::filesystem::path &folder, const Manifest &manifest);

} // namespace glm
