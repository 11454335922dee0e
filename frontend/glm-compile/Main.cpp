// glm-compile: a Hugging Face folder in, an artifact out. Exit code 0 done, 1 refused or failed, 2 usage.
#include "frontend/glm-compile/CommandLine.h"
#include "frontend/glm-compile/Compile.h"

#include <fmt/format.h>

int main(int argc, char **argv) {
  glm::CommandLine line = glm::parseCommandLine(argc, argv);
  if (line.exitCode)
    return *line.exitCode;
  if (auto result = glm::compile(line.options); !result) {
    fmt::print(stderr, "error: {}\n", result.error().message);
    return 1;
  }
  return 0;
}
