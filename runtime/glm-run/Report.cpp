#include "runtime/glm-run/Report.h"

#include "runtime/artifact/Streams.h"

#include <fmt/format.h>

namespace glm {

std::string formatBytes(double bytes) {
  static constexpr const char *units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  for (; bytes >= 1024 && unit < 4; ++unit)
    bytes /= 1024;
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.2f} {}", bytes, units[unit]);
}

double perSecond(double count, double seconds) { return seconds > 0 ? count / seconds : 0; }

void printProfile(const Profile &profile) {
  double steps = static_cast<double>(std::max<int64_t>(profile.steps(), 1));
  double total = profile.seconds();
  printTalk("{:<28} {:>13} {:>11} {:>7}\n", "kernel family", "launches/step", "us/step", "share");
  for (const Profile::Family &family : profile.families())
    printTalk("{:<28} {:>13.1f} {:>11.1f} {:>6.1f}%\n", family.name, static_cast<double>(family.launches) / steps,
              family.seconds / steps * 1e6, total > 0 ? family.seconds / total * 100 : 0);
  printTalk("{:<28} {:>13} {:>11.1f}\n", fmt::format("all, {} steps", profile.steps()), "", total / steps * 1e6);
}

nlohmann::json profileJson(const Profile &profile) {
  nlohmann::json rows = nlohmann::json::array();
  for (const Profile::Family &family : profile.families())
    rows.push_back({{"kernel", family.name}, {"launches", family.launches}, {"seconds", family.seconds}});
  return rows;
}

} // namespace glm
