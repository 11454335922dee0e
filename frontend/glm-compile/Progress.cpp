#include "frontend/glm-compile/Progress.h"

#include "runtime/artifact/Streams.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

namespace glm {
namespace {

/// Mapped headers of a checkpoint that were read are part of it.
std::string peakMemory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return fmt::format("{:.1f} MiB", static_cast<double>(usage.ru_maxrss) / 1024); // reported in KiB
}

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

Progress::Progress(bool timing)
    : speaks(isatty(STDERR_FILENO)), timing(timing), start(std::chrono::steady_clock::now()), since(start) {
  manager.setEnabled(timing);
  root = manager.getRootScope();
}

Progress::~Progress() {
  root.stop();
  if (!timing)
    return;
  manager.print();
  manager.setEnabled(false); // it would print once more when it dies
  printTalk("peak memory {}\n", peakMemory());
}

void Progress::done(const std::string &what) {
  if (speaks)
    printTalk("{:<10}{:>8.2f} s\n", what, secondsSince(since));
  since = std::chrono::steady_clock::now();
}

void Progress::end(const std::string &text) const {
  if (speaks)
    printTalk("{}; {:.2f} s, at most {} of memory\n", text, secondsSince(start), peakMemory());
}

} // namespace glm
