// How figures of a plan look to people.
#pragma once

#include <cstdint>
#include <fmt/format.h>
#include <string>

namespace glm {

/// Below this a figure is told in MB or MiB.
inline constexpr double kSmall = 1e8;

/// "458.45 GiB", "3.12 MiB".
inline std::string gib(double bytes) {
  return bytes < kSmall ? fmt::format("{:.2f} MiB", bytes / 0x1p20) : fmt::format("{:.2f} GiB", bytes / 0x1p30);
}

/// "492.26 GB", "3.27 MB".
inline std::string gb(double bytes) {
  return bytes < kSmall ? fmt::format("{:.2f} MB", bytes * 1e-6) : fmt::format("{:.2f} GB", bytes * 1e-9);
}

/// "753,329,940,480".
inline std::string grouped(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3; at -= 3)
    text.insert(at - 3, 1, ',');
  return text;
}

/// "1 rank", "8 ranks".
inline std::string counted(uint64_t number, const char *what) {
  return fmt::format("{} {}{}", grouped(number), what, number == 1 ? "" : "s");
}

} // namespace glm
