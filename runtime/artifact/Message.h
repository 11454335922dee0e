// How messages are printed: what files say about themselves must not break a line, a log or a terminal.
#pragma once

#include "runtime/artifact/Result.h"

#include <string>
#include <string_view>

namespace glm {

/// `text` on one line: control characters, and bytes that are not UTF-8, are spelled `\xNN`; of a text beyond 1000 bytes the middle is
/// left out, so that its place and what was found stay.
std::string oneLine(std::string_view text);

/// What `main` prints: `error: ...`, a line for each thing that is wrong. Beyond 20 the others are counted.
std::string errorText(const Error &error);

} // namespace glm
