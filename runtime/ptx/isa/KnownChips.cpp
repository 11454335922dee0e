#include "runtime/ptx/isa/KnownChips.h"

#include "runtime/ptx/isa/Chip.h"

namespace glm::ptx {

std::string chipNames() {
  std::string names;
  for (const Chip &chip : chips())
    names.append(names.empty() ? "" : ", ").append(chip.name);
  return names;
}

} // namespace glm::ptx
