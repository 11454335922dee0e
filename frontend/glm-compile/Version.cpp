#include "frontend/glm-compile/Version.h"

#include "codegen/target/Target.h"
#include "runtime/artifact/Manifest.h"

#include "llvm/Config/llvm-config.h"

#include <fmt/format.h>

namespace glm {

std::string producerText() { return fmt::format("glm-compile {}, LLVM {}", GLM_VERSION, LLVM_VERSION_STRING); }

std::string versionText() {
  std::string targets;
  for (const Chip &chip : knownChips())
    targets += (targets.empty() ? "" : ", ") + chip.name;
  return fmt::format("{}\nartifact format {}\ntargets {}", producerText(), kFormatVersion, targets);
}

} // namespace glm
