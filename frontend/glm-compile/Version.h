// What the program was built from.
#pragma once

#include <string>

namespace glm {

/// "glm-compile 0.1.0, LLVM 22.1.8": goes into the artifact.
std::string producerText();

/// The same with the artifact format and the targets, for --version.
std::string versionText();

} // namespace glm
