// What a list of precision rules names, asked of the product and of a slower rule that is plainly right.
#pragma once

#include "frontend/config/Precision.h"

#include <vector>

namespace glm::fuzz {

/// Applies `rules` to the names of some modules; a refusal must have the form of all messages.
void checkMatching(const std::vector<PrecisionRule> &rules);

} // namespace glm::fuzz
