// PTX files, and the chip that they are for.
#pragma once

#include "runtime/artifact/Result.h"
#include "runtime/ptx/isa/Chip.h"

#include <filesystem>
#include <string>

namespace glm::ptx {

Result<std::string> readText(const std::filesystem::path &file);

/// `wanted`, or if it is empty GLM_PTX_CHIP, the chip that `target` names, the driver's default.
Result<const Chip *> chooseChip(const std::string &wanted, std::string_view target);

} // namespace glm::ptx
