#include "runtime/artifact/Manifest.h"
#include "runtime/artifact/Streams.h"
#include "runtime/device/CpuFeatures.h"
#include "runtime/exec/Artifact.h"
#include "runtime/glm-run/Commands.h"
#include "runtime/glm-run/KernelCounters.h"
#include "runtime/glm-run/Report.h"
#include "runtime/memory/Buffers.h"
#include "runtime/memory/CheckedCheckpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace glm {

static uint64_t precisionBytes(const Manifest &manifest) {
  uint64_t sum = 0;
  for (const PrecisionRow &row : manifest.precision)
    sum += row.bytes;
  return sum;
}

static int64_t launchesPerStep(const Manifest &manifest) {
  return manifest.programs.empty() ? 0 : static_cast<int64_t>(manifest.programs.back().launches.size());
}

static nlohmann::json codeJson(const Manifest &manifest) {
  std::set<std::string> flags = cpuFlags();
  nlohmann::json list = nlohmann::json::array();
  for (const Code &code : manifest.code) {
    nlohmann::json entry = {{"file", code.file}, {"bytes", code.bytes}, {"features", code.features}};
    // A GPU's are its driver's business.
    if (!manifest.onGpu())
      entry["missing"] = missingFeatures(code.features, flags);
    list.push_back(entry);
  }
  return list;
}

/// Counted by the interpreter, by kernel name; empty where none were asked for.
using Counted = std::map<std::string, KernelCounters>;

static nlohmann::json kernelUseJson(const Manifest &manifest, const Counted &counted) {
  nlohmann::json list = nlohmann::json::array();
  for (const Kernel &kernel : manifest.kernels) {
    nlohmann::json &entry = list.emplace_back(nlohmann::json{{"name", kernel.name},
                                                             {"threads", kernel.threads},
                                                             {"registers", kernel.registers},
                                                             {"spill_bytes", kernel.spillBytes},
                                                             {"shared_bytes", kernel.sharedBytes}});
    if (auto found = counted.find(kernel.name); found != counted.end()) {
      const KernelCounters &counters = found->second;
      entry["counted"] = {{"launches", counters.launches},
                          {"global_bytes", counters.askedBytes},
                          {"global_sector_bytes", counters.sectorBytes},
                          {"global_unique_bytes", counters.uniqueBytes},
                          {"shared_wavefronts", counters.wavefronts},
                          {"shared_wavefronts_ideal", counters.leastWavefronts}};
    }
  }
  return list;
}

static nlohmann::json infoJson(const Manifest &manifest, const std::filesystem::path &folder, const Counted &counted) {
  nlohmann::json programs = nlohmann::json::array();
  for (const Program &program : manifest.programs)
    programs.push_back({{"name", program.name}, {"rows", program.rows}, {"launches", program.launches.size()}});
  nlohmann::json precision = nlohmann::json::array();
  for (const PrecisionRow &row : manifest.precision)
    precision.push_back({{"pattern", row.pattern},
                         {"count", row.count},
                         {"stored", row.stored},
                         {"computed", row.computed},
                         {"bytes", row.bytes},
                         {"rule", row.rule},
                         {"source", row.source}});
  nlohmann::json result = {{"format", manifest.format},
                           {"producer", manifest.producer},
                           {"target", manifest.target},
                           {"code", codeJson(manifest)},
                           {"activations", manifest.activations},
                           {"layers", manifest.layers},
                           {"vocab_size", manifest.vocabSize},
                           {"max_model_len", manifest.maxModelLen},
                           {"max_rows", manifest.maxRows},
                           {"max_sequences", manifest.maxSequences},
                           {"page_size", manifest.pageSize},
                           {"pages", manifest.pages},
                           {"eos_token_ids", manifest.eosTokenIds},
                           {"kernels", manifest.kernels.size()},
                           {"launches_per_step", launchesPerStep(manifest)},
                           {"load_launches", manifest.load.size()},
                           {"programs", programs},
                           {"checkpoint", checkpointFolder(manifest, folder).string()},
                           {"weight_bytes", precisionBytes(manifest)},
                           {"cache_bytes", cacheBytes(manifest)},
                           {"arena_bytes", manifest.arenaBytes},
                           {"precision", precision}};
  if (manifest.onGpu())
    result["kernel_use"] = kernelUseJson(manifest, counted);
  return result;
}

static void printPrecision(const Manifest &manifest) {
  size_t width = 0;
  for (const PrecisionRow &row : manifest.precision)
    width = std::max(width, row.pattern.size());
  printResult("\n{:<{}} {:>7} {:>8} {:>8} {:>11}  {}\n", "tensors", width, "count", "stored", "computed", "bytes",
              "rule");
  for (const PrecisionRow &row : manifest.precision)
    printResult("{:<{}} {:>7} {:>8} {:>8} {:>11}  {}{}\n", row.pattern, width, row.count, row.stored, row.computed,
                formatBytes(static_cast<double>(row.bytes)), row.rule,
                row.source.empty() ? "" : fmt::format(" ({})", row.source));
}

static void printKernelUse(const Manifest &manifest) {
  size_t width = 0;
  for (const Kernel &kernel : manifest.kernels)
    width = std::max(width, kernel.name.size());
  printResult("\n{:<{}} {:>7} {:>9} {:>7} {:>12}\n", "kernel", width, "threads", "registers", "spilled",
              "shared memory");
  for (const Kernel &kernel : manifest.kernels)
    printResult("{:<{}} {:>7} {:>9} {:>7} {:>13}\n", kernel.name, width, kernel.threads, kernel.registers,
                kernel.spillBytes, kernel.sharedBytes);
}

/// Bytes of global memory and accesses to shared memory, in units of the least that would do.
static void printCounters(const Counted &counted) {
  size_t width = 0;
  for (const auto &[name, counters] : counted)
    width = std::max(width, name.size());
  printResult("\n{:<{}} {:>8} {:>11} {:>8} {:>8} {:>10}\n", "counted", width, "launches", "bytes", "asked", "sectors",
              "conflicts");
  for (const auto &[name, counters] : counted)
    printResult("{:<{}} {:>8} {:>11} {:>8} {:>8} {:>10}\n", name, width, counters.launches,
                formatBytes(static_cast<double>(counters.uniqueBytes)),
                ratioText(counters.askedBytes, counters.uniqueBytes),
                ratioText(counters.sectorBytes, counters.uniqueBytes),
                ratioText(counters.wavefronts, counters.leastWavefronts));
}

static void printCode(const Manifest &manifest) {
  Result<const Code *> chosen =
      manifest.onGpu() ? chooseGpuCode(manifest, /*ptxOnly=*/false) : chooseCode(manifest, cpuFlags());
  for (const Code &code : manifest.code) {
    std::string needs = code.features.empty() ? "nothing beyond the base of its target"
                                              : fmt::format("{}", fmt::join(code.features, ", "));
    bool best = chosen && &code == *chosen;
    printResult("{:<12} {}{}: needs {}\n", "code", code.file,
                !best              ? ""
                : manifest.onGpu() ? " (first choice)"
                                   : " (runs here)",
                needs);
  }
}

static void printInfo(const Manifest &manifest, const std::filesystem::path &folder, const Counted &counted) {
  auto line = [](const char *what, const std::string &value) { printResult("{:<12} {}\n", what, value); };
  line("artifact", fmt::format("{}, format {}, made by {}", folder.string(), manifest.format, manifest.producer));
  line("target", fmt::format("{}, activations {}", manifest.target, manifest.activations));
  printCode(manifest);
  line("model", fmt::format("{} layers, {} ids, {} experts of which {} per token", manifest.layers, manifest.vocabSize,
                            manifest.experts, manifest.expertsPerToken));
  line("checkpoint", fmt::format("{}, {} files", checkpointFolder(manifest, folder).string(), manifest.files.size()));
  line("context", fmt::format("{} tokens a sequence, {} sequences at once, {} pages of {} tokens", manifest.maxModelLen,
                              manifest.maxSequences, manifest.pages, manifest.pageSize));
  line("stop ids", fmt::format("{}", fmt::join(manifest.eosTokenIds, ", ")));
  line("weights", formatBytes(static_cast<double>(precisionBytes(manifest))));
  line("caches", formatBytes(static_cast<double>(cacheBytes(manifest))) + " when full");
  line("arena", formatBytes(static_cast<double>(manifest.arenaBytes)));
  line("kernels", std::to_string(manifest.kernels.size()));
  for (const Program &program : manifest.programs)
    line("program",
         fmt::format("{}: steps of up to {} rows, {} launches", program.name, program.rows, program.launches.size()));
  if (!manifest.load.empty())
    line("program", fmt::format("load: {} weights packed before the first step", manifest.load.size()));
  if (!manifest.precision.empty())
    printPrecision(manifest);
  if (manifest.onGpu())
    printKernelUse(manifest);
  if (!counted.empty())
    printCounters(counted);
}

Result<void> infoCommand(const InfoOptions &options) {
  Result<Manifest> manifest = readManifest(options.artifact);
  if (!manifest)
    return manifest.error();
  Counted counted;
  if (!options.counters.empty()) {
    auto read = readKernelCounters(options.counters);
    if (!read)
      return read.error();
    counted = std::move(*read);
  }
  if (options.json)
    printResult("{}\n", infoJson(*manifest, options.artifact, counted).dump(2));
  else
    printInfo(*manifest, options.artifact, counted);
  return {};
}

} // namespace glm
