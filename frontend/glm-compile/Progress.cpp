#include "frontend/glm-compile/Progress.h"

#include <fmt/format.h>
#include <unistd.h>

namespace glm {

Progress::Progress() : speaks(isatty(STDERR_FILENO)), since(std::chrono::steady_clock::now()) {}

void Progress::done(const std::string &what) {
  auto now = std::chrono::steady_clock::now();
  if (speaks)
    fmt::print(stderr, "{:<10}{:>8.2f} s\n", what, std::chrono::duration<double>(now - since).count());
  since = now;
}

void Progress::say(const std::string &text) const {
  if (speaks)
    fmt::print(stderr, "{}\n", text);
}

} // namespace glm
