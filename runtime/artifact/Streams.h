// The standard streams of our programs. Results go to stdout and arrive whole, or the program fails; everything else goes to
// stderr, where a line that nobody can read is no reason to stop.
#pragma once

#include "runtime/artifact/Result.h"

#include <fmt/format.h>
#include <string_view>

namespace glm {

/// First thing in main: a standard stream that the caller closed must not become the number of a file that we open.
void occupyStandardStreams();

/// `text` to stdout, as far as it goes: `flushResults` and `finishProgram` ask.
void writeResult(std::string_view text);
/// `text` to stderr.
void writeTalk(std::string_view text);

template <typename... Args>
void printResult(fmt::format_string<Args...> format, Args &&...args) {
  writeResult(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void printTalk(fmt::format_string<Args...> format, Args &&...args) {
  writeTalk(fmt::format(format, std::forward<Args>(args)...));
}

/// Error unless stdout has taken all that was written to it so far.
Result<void> flushResults();

/// Last thing in main, its exit code: 0, or 1 with the lines of the error (Message.h) on stderr, also if results did not all arrive.
int finishProgram(const Result<void> &done);

} // namespace glm
