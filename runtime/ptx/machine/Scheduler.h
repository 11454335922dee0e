// Which blocks are resident, and whose turn it is.
#pragma once

#include "runtime/ptx/machine/Warp.h"

#include <atomic>
#include <mutex>

namespace glm::ptx {

class ClusterSource {
public:
  explicit ClusterSource(uint64_t count) : count(count) {}

  /// The linear index of a cluster that has not started; nothing when all have, or when one before it has failed.
  std::optional<uint64_t> next() {
    uint64_t index = started.fetch_add(1, std::memory_order_relaxed);
    return index < std::min(count, failed.load(std::memory_order_relaxed)) ? std::optional(index) : std::nullopt;
  }
  /// Of the failures the one of the first cluster is reported, whichever thread met it first: the others are kept running
  /// until they are past it.
  void fail(uint64_t index, LaunchFault fault) {
    std::lock_guard lock(mutex);
    if (index < failed.load(std::memory_order_relaxed)) {
      failed = index;
      first = std::move(fault);
    }
  }
  bool isPast(uint64_t index) const { return index > failed.load(std::memory_order_relaxed); }
  std::optional<LaunchFault> fault() const { return first; }

  /// Of a cooperative launch: where its blocks find the barrier of the grid, as cooperative_groups expects it (its
  /// details/driver_abi.h: the address in %envreg1 and %envreg2, two words); 0 for other launches.
  uint64_t workspace = 0;

  /// Warp instructions of the launch so far.
  uint64_t addSteps(uint64_t more) { return steps.fetch_add(more, std::memory_order_relaxed) + more; }

private:
  const uint64_t count;
  std::atomic<uint64_t> started = 0, failed = ~uint64_t{0}, steps = 0;
  std::mutex mutex;
  std::optional<LaunchFault> first;
};

/// What one host thread runs: clusters until the source has no more.
struct Workload {
  const LoadedModule *module = nullptr;
  uint32_t kernel = 0;
  const LaunchConfig *config = nullptr;
  const Options *options = nullptr;
  ClusterSource *source = nullptr;
  LaunchCounters *counters = nullptr;
  bool parallel = false;     ///< other threads take clusters too
  uint64_t resident = 1;     ///< clusters to start with
  uint64_t mostResident = 1; ///< clusters that the chip can hold: more are started when those that run do not get on
};

void runClusters(const Workload &workload);

/// Take the next cluster that has not started out of the launch: the index of its first block, or nothing when all started.
std::optional<Dim3> cancelCluster(Grid &grid);

/// The state of every warp of `cluster`, a line each.
std::string describeWarps(Cluster &cluster);

} // namespace glm::ptx
