#include "runtime/ptx/machine/Launch.h"

#include "runtime/ptx/machine/Counters.h"
#include "runtime/ptx/machine/Profile.h"
#include "runtime/ptx/machine/Scheduler.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <thread>

namespace glm::ptx {
namespace {

/// Blocks that a multiprocessor can hold (CUDA programming guide, "Occupancy"), registers aside: a program that depends on
/// residency does so by a cooperative launch, and there the driver has checked it.
uint64_t blocksPerMultiprocessor(const Chip &chip, const SharedLayout &layout, const LaunchConfig &config) {
  uint64_t threads = uint64_t{config.block[0]} * config.block[1] * config.block[2];
  uint64_t shared = chip.sharedReserved + layout.bytes + config.dynamicShared;
  uint64_t warps = (threads + kWarpSize - 1) / kWarpSize;
  return std::max<uint64_t>(
      1, std::min({uint64_t{chip.blocksPerSm}, chip.threadsPerSm / (warps * kWarpSize), chip.sharedPerSm / shared}));
}

/// Two words: its size, and a barrier that starts at zero (cooperative_groups, details/driver_abi.h).
constexpr uint32_t kWorkspaceBytes = 8;

std::optional<LaunchFault> refuse(const LoadedModule &module, uint32_t kernel, std::string message) {
  return LaunchFault{LaunchFault::Kind::LaunchFailed,
                     fmt::format("kernel {}: {}", module.program().module.functions[kernel].name, message)};
}

std::optional<LaunchFault> checkShape(const LoadedModule &module, uint32_t kernel, const LaunchConfig &config) {
  for (size_t axis = 0; axis < 3; ++axis) {
    if (!config.grid[axis] || !config.block[axis] || !config.cluster[axis])
      return refuse(module, kernel,
                    fmt::format("grid, block and cluster must not be empty, but found {} x {} x {}", config.grid[axis],
                                config.block[axis], config.cluster[axis]));
    if (config.grid[axis] % config.cluster[axis])
      return refuse(module, kernel,
                    fmt::format("grid must be a multiple of the cluster, but found {} and {}", config.grid[axis],
                                config.cluster[axis]));
  }
  const Code &code = module.program().code[kernel];
  if (config.parameters.size() < code.parameterBytes)
    return refuse(module, kernel,
                  fmt::format("launch must pass {} bytes of parameters, but found {}", code.parameterBytes,
                              config.parameters.size()));
  return std::nullopt;
}

} // namespace

std::optional<LaunchFault> runLaunch(const LoadedModule &module, uint32_t kernel, const LaunchConfig &config,
                                     const Options &options, Profile *profile) {
  if (std::optional<LaunchFault> fault = checkShape(module, kernel, config))
    return fault;
  const Program &program = module.program();
  uint64_t clusterBlocks = uint64_t{config.cluster[0]} * config.cluster[1] * config.cluster[2];
  uint64_t clusters = uint64_t{config.grid[0]} * config.grid[1] * config.grid[2] / clusterBlocks;
  ClusterSource source(clusters);
  bool ordered = config.cooperative || module.isOrdered(kernel);
  if (config.cooperative) {
    Result<uint64_t> workspace = module.memory().allocate(kWorkspaceBytes, kWorkspaceBytes, Region::Kind::Module,
                                                          module.device(), "workspace of a cooperative launch");
    if (!workspace)
      return refuse(module, kernel, workspace.error().message);
    source.workspace = *workspace;
    std::memcpy(reinterpret_cast<void *>(*workspace), &kWorkspaceBytes, sizeof(kWorkspaceBytes));
  }
  uint64_t threads = options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  threads = ordered ? 1 : std::min(threads, clusters);

  std::vector<LaunchCounters> counters;
  if (profile)
    counters.assign(threads, LaunchCounters(program));
  Workload workload{.module = &module, .kernel = kernel, .config = &config, .options = &options, .source = &source};
  workload.parallel = threads > 1;
  workload.resident = config.cooperative ? clusters : 1;
  uint64_t most = program.chip->multiprocessors *
                  blocksPerMultiprocessor(*program.chip, module.shared(kernel), config) / clusterBlocks;
  workload.mostResident = ordered ? std::max({workload.resident, most, uint64_t{1}}) : 1;
  auto run = [&](uint64_t index) {
    Workload own = workload;
    own.counters = profile ? &counters[index] : nullptr;
    runClusters(own);
  };
  std::vector<std::thread> helpers;
  for (uint64_t index = 1; index < threads; ++index)
    helpers.emplace_back(run, index);
  run(0);
  for (std::thread &helper : helpers)
    helper.join();
  if (source.workspace)
    module.memory().release(source.workspace);
  if (profile) {
    for (uint64_t index = 1; index < threads; ++index)
      counters[0].add(counters[index]);
    profile->add(module, kernel, config, counters[0]);
  }
  return source.fault();
}

} // namespace glm::ptx
