#include "runtime/glm-run/KernelCounters.h"

#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>

namespace glm {

static void add(KernelCounters &counters, const nlohmann::json &launch) {
  auto number = [&](const char *key) { return launch.at(key).get<uint64_t>(); };
  ++counters.launches;
  counters.askedBytes += number("global_bytes_read") + number("global_bytes_written");
  counters.sectorBytes += 32 * (number("global_sectors_read") + number("global_sectors_written"));
  counters.uniqueBytes += number("global_unique_bytes_read") + number("global_unique_bytes_written");
  counters.wavefronts += number("shared_wavefronts");
  counters.leastWavefronts += number("shared_wavefronts_ideal");
}

Result<std::map<std::string, KernelCounters>> readKernelCounters(const std::filesystem::path &file) {
  auto refuse = [&](std::string_view found) {
    return Error{
        fmt::format("{}: counters must be a file that GLM_PTX_PROFILE named, but found {}", file.string(), found)};
  };
  std::ifstream text(file);
  if (!text)
    return refuse("none that can be read");
  nlohmann::json profile = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (profile.is_discarded())
    return refuse("no JSON");
  std::map<std::string, KernelCounters> kernels;
  try {
    if (profile.at("version") != 1)
      return refuse(fmt::format("version {}", profile.at("version").dump()));
    for (const nlohmann::json &launch : profile.at("launches"))
      add(kernels[launch.at("kernel").get<std::string>()], launch);
  } catch (const nlohmann::json::exception &missing) {
    return refuse(missing.what());
  }
  return kernels;
}

std::string ratioText(uint64_t found, uint64_t least) {
  return least ? fmt::format("{:.2f}", static_cast<double>(found) / static_cast<double>(least)) : "-";
}

} // namespace glm
