#include "runtime/ptx/isa/KnownChips.h"

#include "runtime/ptx/isa/Chip.h"

#include <fmt/ranges.h>
#include <ranges>

namespace glm::ptx {

std::string chipNames() { return fmt::format("{}", fmt::join(chips() | std::views::transform(&Chip::name), ", ")); }

} // namespace glm::ptx
