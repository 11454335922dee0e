// glm-compile: a Hugging Face folder in, an artifact out. Exit code 0 done, 1 refused or failed, 2 usage.
#include "frontend/glm-compile/CommandLine.h"
#include "frontend/glm-compile/Compile.h"
#include "runtime/artifact/Message.h"

#include <fmt/format.h>
#include <new>

/// Memory that is not there is no reason for a stack of frames.
static glm::Result<void> compileWithin(const glm::CompileOptions &options) try {
  return glm::compile(options);
} catch (const std::bad_alloc &) {
  return glm::Error{"glm-compile: memory must suffice, but found that an allocation failed"};
}

int main(int argc, char **argv) {
  glm::CommandLine line = glm::parseCommandLine(argc, argv);
  if (line.exitCode)
    return *line.exitCode;
  if (auto result = compileWithin(line.options); !result) {
    fmt::print(stderr, "{}", glm::errorText(result.error()));
    return 1;
  }
  return 0;
}
