#include "runtime/artifact/Streams.h"
#include "runtime/ptx/glm-ptx/Commands.h"
#include "runtime/ptx/glm-ptx/Text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace glm::ptx {
namespace {

using Json = nlohmann::json;

uint64_t count(const Json &counters, const char *key) { return counters.at(key).get<uint64_t>(); }

/// "1.25" of the least that would do; "-" where there is nothing.
std::string ratio(uint64_t found, uint64_t least) {
  return least ? fmt::format("{:.2f}", static_cast<double>(found) / static_cast<double>(least)) : "-";
}

std::string dims(const Json &sizes) {
  return fmt::format("({}, {}, {})", sizes.at(0).get<uint64_t>(), sizes.at(1).get<uint64_t>(),
                     sizes.at(2).get<uint64_t>());
}

void printSummary(const Json &launch) {
  printResult("{}: grid {}, block {}, cluster {}, {} bytes of dynamic shared memory\n",
              launch.at("kernel").get<std::string>(), dims(launch.at("grid")), dims(launch.at("block")),
              dims(launch.at("cluster")), count(launch, "dynamic_shared_bytes"));
  printResult("  instructions      {} of warps, {} of lanes\n", count(launch, "warp_instructions"),
              count(launch, "lane_instructions"));
  for (const char *direction : {"read", "written"}) {
    std::string bytes = fmt::format("global_bytes_{}", direction),
                sectors = fmt::format("global_sectors_{}", direction),
                unique = fmt::format("global_unique_bytes_{}", direction);
    uint64_t requested = count(launch, bytes.c_str()), moved = 32 * count(launch, sectors.c_str());
    printResult("  global {:<10} {} bytes asked for, {} in sectors ({} of those), {} unique\n", direction, requested,
                moved, ratio(moved, requested), count(launch, unique.c_str()));
  }
  printResult("  shared            {} bytes, {} wavefronts ({} of the least)\n", count(launch, "shared_bytes"),
              count(launch, "shared_wavefronts"),
              ratio(count(launch, "shared_wavefronts"), count(launch, "shared_wavefronts_ideal")));
  printResult("  waits             {}, {} of them at barriers\n", count(launch, "waits"),
              count(launch, "barrier_waits"));
  std::string classes;
  for (const auto &[name, executed] : launch.at("classes").items())
    classes += fmt::format("{}{} {}", classes.empty() ? "" : ", ", name, executed.get<uint64_t>());
  printResult("  classes           {}\n", classes);
  for (const auto &[name, executed] : launch.at("matrix").items())
    printResult("  matrix            {} {}\n", executed.get<uint64_t>(), name);
}

void printLines(const Json &launch, uint32_t most) {
  std::vector<Json> lines = launch.at("lines").get<std::vector<Json>>();
  std::ranges::stable_sort(lines, std::ranges::greater{},
                           [](const Json &line) { return count(line, "warp_instructions"); });
  if (lines.size() > most)
    lines.resize(most);
  if (lines.empty())
    return;
  printResult("  {:>6} {:>12} {:>12} {:>10} {:>8} {:>8}  {}\n", "line", "warps", "global bytes", "conflicts", "sectors",
              "waits", "instruction");
  for (const Json &line : lines) {
    uint64_t global = count(line, "global_bytes_read") + count(line, "global_bytes_written");
    uint64_t sectors = 32 * (count(line, "global_sectors_read") + count(line, "global_sectors_written"));
    std::string source =
        line.contains("source_line")
            ? fmt::format("  {}:{}", line.at("source_file").get<std::string>(), count(line, "source_line"))
            : "";
    printResult("  {:>6} {:>12} {:>12} {:>10} {:>8} {:>8}  {}{}\n", count(line, "line"),
                count(line, "warp_instructions"), global,
                ratio(count(line, "shared_wavefronts"), count(line, "shared_wavefronts_ideal")), ratio(sectors, global),
                count(line, "waits"), line.at("instruction").get<std::string>(), source);
  }
}

} // namespace

Result<void> profileCommand(const ProfileOptions &options) {
  auto refuse = [&](std::string_view found) {
    return Error{
        fmt::format("{}: profile must be one that GLM_PTX_PROFILE or glm-ptx run --profile named, but found {}",
                    options.file.string(), found)};
  };
  Result<std::string> text = readText(options.file);
  if (!text)
    return text.error();
  Json profile = Json::parse(*text, nullptr, false);
  if (profile.is_discarded())
    return refuse("no JSON");
  // Every access is checked by the library, which throws: what is missing is one message, wherever it is.
  try {
    if (profile.at("version") != 1)
      return refuse(fmt::format("version {}", profile.at("version").dump()));
    uint64_t shown = 0;
    for (const Json &launch : profile.at("launches")) {
      if (!options.kernel.empty() && launch.at("kernel") != options.kernel)
        continue;
      ++shown;
      printSummary(launch);
      printLines(launch, options.lines);
    }
    if (!shown)
      return Error{fmt::format("{}: profile must have a launch{}, but found none", options.file.string(),
                               options.kernel.empty() ? "" : " of " + options.kernel)};
  } catch (const Json::exception &missing) {
    return refuse(missing.what());
  }
  return {};
}

} // namespace glm::ptx
