// Which chips there are, for whoever lets a person choose one.
#pragma once

#include <string>
#include <string_view>

namespace glm::ptx {

/// What the driver is when nobody says.
inline constexpr std::string_view kDefaultChip = "sm_120a";

/// "sm_90a, sm_100a, ...", for messages.
std::string chipNames();

} // namespace glm::ptx
