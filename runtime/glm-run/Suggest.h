// A near name for a mistyped one.
#pragma once

#include <string>
#include <vector>

namespace glm {

/// The known word with the fewest edits (insert, delete, replace a letter) from `word`; empty if more than a third of
/// the word would change.
std::string nearestName(const std::string &word, const std::vector<std::string> &known);

} // namespace glm
