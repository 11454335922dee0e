// Parsing the command line of glm-compile.
#pragma once

#include "frontend/glm-compile/Options.h"
#include "runtime/artifact/Result.h"

namespace glm {

/// Either options, or the exit code of a command line that asks for nothing more (help, version, usage error).
struct CommandLine {
  CompileOptions options;
  std::optional<int> exitCode;
};

CommandLine parseCommandLine(int argc, char **argv);

} // namespace glm
