// Where the time goes: a line per phase for a person who waits, nothing in a pipe; a report of all passes where one is asked for.
#pragma once

#include "mlir/Support/Timing.h"

#include <chrono>
#include <string>

namespace glm {

class Progress {
public:
  /// Speaks if stderr is a terminal. `timing`: at the end MLIR's report of phases and their passes, and the most memory that was
  /// in use, on stderr.
  explicit Progress(bool timing);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// What happens while the result lives belongs to phase `what` of the report.
  mlir::TimingScope begin(const std::string &what) { return root.nest(what); }

  /// `what` is done: print it with the seconds since the last call.
  void done(const std::string &what);

  /// A last line: `text`, the seconds of all and the most memory in use.
  void end(const std::string &text) const;

private:
  bool speaks, timing;
  std::chrono::steady_clock::time_point start, since;
  mlir::DefaultTimingManager manager;
  mlir::TimingScope root;
};

} // namespace glm
