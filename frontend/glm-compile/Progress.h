// A line per phase for a person who waits; nothing in a pipe.
#pragma once

#include <chrono>
#include <string>

namespace glm {

class Progress {
public:
  /// Speaks if stderr is a terminal.
  Progress();

  /// `what` is done: print it with the seconds since the last call.
  void done(const std::string &what);

  /// A last line, without a time.
  void say(const std::string &text) const;

private:
  bool speaks;
  std::chrono::steady_clock::time_point since;
};

} // namespace glm
