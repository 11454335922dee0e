// Prompts as people type them: token ids separated by commas.
#pragma once

#include "runtime/artifact/Result.h"

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace glm {

/// "1,2,3"; blanks around an id are fine. The error is without a place: the caller knows where the text came from.
Result<std::vector<int32_t>> parseTokens(const std::string &text);

/// One sequence a line; `name` is the place in messages. An empty line is refused: skipping it would shift the order of the results.
Result<std::vector<std::vector<int32_t>>> readPrompts(std::istream &lines, const std::string &name);

} // namespace glm
