#include "runtime/ptx/machine/Scheduler.h"

#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/machine/Call.h"
#include "runtime/ptx/machine/Counters.h"
#include "runtime/ptx/machine/Loop.h"
#include "runtime/ptx/machine/SharedShadow.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <thread>
#include <xmmintrin.h>

namespace glm::ptx {
namespace {

/// Warp instructions of a turn: long enough to keep a warp's registers in the cache, short enough for a program whose warps
/// poll each other.
constexpr uint64_t kTurn = 4096;
/// Warp instructions after which, in an ordered launch, one more cluster is started beside those that run: they may wait for it.
constexpr uint64_t kStepsBeforeMore = 1 << 18;
/// What shared memory holds before it is written: not zero, so that a program that needs zeros is seen, and the same in every run.
constexpr int kGarbage = 0xcd;

Dim3 clusterGrid(const LaunchConfig &config) {
  return {config.grid[0] / config.cluster[0], config.grid[1] / config.cluster[1], config.grid[2] / config.cluster[2]};
}

Dim3 firstBlock(const LaunchConfig &config, uint64_t index) {
  Dim3 clusters = clusterGrid(config);
  uint64_t x = index % clusters[0], y = index / clusters[0] % clusters[1], z = index / clusters[0] / clusters[1];
  return {static_cast<uint32_t>(x) * config.cluster[0], static_cast<uint32_t>(y) * config.cluster[1],
          static_cast<uint32_t>(z) * config.cluster[2]};
}

/// A cluster that runs, and its place in the launch.
struct Resident {
  std::unique_ptr<Cluster> cluster;
  uint64_t index = 0;
};

class Worker {
public:
  explicit Worker(const Workload &workload) : load(workload), wanted(workload.resident) {
    grid.module = load.module;
    grid.code = &load.module->program().code[load.kernel];
    grid.layout = &load.module->shared(load.kernel);
    grid.config = load.config;
    grid.options = load.options;
    grid.counters = load.counters;
    grid.parallel = load.parallel;
    grid.source = load.source;
  }

  void run() {
    for (;;) {
      while (residents.size() < wanted && start()) {
      }
      if (residents.empty() || !round())
        return;
    }
  }

private:
  bool start();
  void prepare(Cluster &cluster, uint64_t index);
  void prepare(Block &block, uint32_t warps);
  bool round();
  bool finish();
  bool unblock(bool ran);
  bool fail(uint64_t index, LaunchFault fault) {
    load.source->fail(index, std::move(fault));
    return false;
  }

  const Workload &load;
  Grid grid;
  uint64_t wanted;
  std::vector<Resident> residents;
  std::vector<std::unique_ptr<Cluster>> spare; ///< ended clusters, whose memory is used again
  uint64_t stepsSinceStart = 0;
  uint32_t idleRounds = 0;
  bool exhausted = false; ///< the source has no more
};

bool Worker::start() {
  std::optional<uint64_t> index = load.source->next();
  if (!index) {
    exhausted = true;
    return false;
  }
  std::unique_ptr<Cluster> cluster;
  if (spare.empty()) {
    cluster = std::make_unique<Cluster>();
  } else {
    cluster = std::move(spare.back());
    spare.pop_back();
  }
  prepare(*cluster, *index);
  residents.push_back({std::move(cluster), *index});
  stepsSinceStart = 0;
  return true;
}

void Worker::prepare(Cluster &cluster, uint64_t index) {
  const LaunchConfig &config = *load.config;
  const Dim3 &shape = config.cluster;
  uint32_t count = shape[0] * shape[1] * shape[2];
  uint32_t threads = config.block[0] * config.block[1] * config.block[2];
  uint32_t warps = (threads + kWarpSize - 1) / kWarpSize;
  cluster.grid = &grid;
  cluster.blocks.resize(count);
  cluster.pending.clear();
  cluster.stalled = false;
  cluster.barrierArrived = 0;
  cluster.barrierPhase = 0;
  cluster.tokens.clear();
  cluster.agents = count * (warps + 1);
  cluster.asyncClocks.assign(count, {});
  Dim3 first = firstBlock(config, index);
  for (uint32_t rank = 0; rank < count; ++rank) {
    Block &block = cluster.blocks[rank];
    block.cluster = &cluster;
    block.grid = &grid;
    block.rank = rank;
    block.index = {first[0] + rank % shape[0], first[1] + rank / shape[0] % shape[1],
                   first[2] + rank / shape[0] / shape[1]};
    if (load.options->checks) {
      ClockPair &clocks = cluster.asyncClocks[rank];
      clocks.before.reset(cluster.agents);
      clocks.fenced.reset(cluster.agents);
      clocks.before[count * warps + rank] = 1;
    }
    prepare(block, warps);
  }
  if (load.counters)
    load.counters->blocks += count;
}

void Worker::prepare(Block &block, uint32_t warps) {
  const Program &program = load.module->program();
  const LaunchConfig &config = *load.config;
  // With dynamic bytes they begin where the layout says, behind the static ones.
  uint32_t total = config.dynamicShared ? grid.layout->dynamicStart + config.dynamicShared
                                        : program.chip->sharedReserved + grid.layout->bytes;
  block.shared.resize(total);
  std::memset(block.shared.data(), kGarbage, total);
  block.barriers = {};
  block.asyncState.reset();
  block.matrixState.reset();
  block.checkEnd = nullptr;
  if (!load.options->checks)
    block.shadow.reset();
  else if (block.shadow)
    block.shadow->reset(total, block.cluster->agents);
  else
    block.shadow = std::make_unique<SharedShadow>(total, block.cluster->agents);
  block.warps.resize(warps);
  block.running = warps;
  uint32_t threads = config.block[0] * config.block[1] * config.block[2];
  for (uint32_t index = 0; index < warps; ++index) {
    Warp &warp = block.warps[index];
    warp.constants = load.module->constants();
    warp.index = index;
    warp.block = &block;
    warp.counters = load.counters;
    warp.checks = load.options->checks;
    uint32_t left = threads - index * kWarpSize;
    warp.exist = left >= kWarpSize ? ~LaneMask{0} : (LaneMask{1} << left) - 1;
    warp.alive = warp.exist;
    warp.executed = 0;
    warp.divergentJumps = 0;
    warp.clusterArrived = 0;
    warp.carry = 0;
    warp.agent = block.rank * warps + index;
    warp.fencedSince = false;
    if (warp.checks) {
      warp.clock.reset(block.cluster->agents);
      warp.fenced.reset(block.cluster->agents);
      warp.clock[warp.agent] = 1;
    }
    enterKernel(warp, *grid.code, warp.alive);
  }
}

/// A turn for every warp. False when the launch is over for this worker.
bool Worker::round() {
  bool ran = false, onlyPolled = true;
  uint64_t before = grid.progress;
  for (Resident &resident : residents) {
    if (load.source->isPast(resident.index))
      return false;
    uint64_t steps = 0;
    for (Block &block : resident.cluster->blocks)
      for (Warp &warp : block.warps) {
        if (!warp.alive)
          continue;
        uint64_t executed = warp.executed;
        Turn turn = runTurn(warp, kTurn);
        steps += warp.executed - executed;
        if (turn == Turn::Faulted)
          return fail(resident.index, std::move(*grid.fault));
        ran |= turn != Turn::Waits;
        onlyPolled &= turn == Turn::Waits || turn == Turn::Yielded;
      }
    stepsSinceStart += steps;
    uint64_t limit = load.options->stepLimit;
    if (uint64_t total = load.source->addSteps(steps); limit && total > limit) {
      Block &block = resident.cluster->blocks[0];
      return fail(
          resident.index,
          {LaunchFault::Kind::LaunchTimeout,
           fmt::format("kernel {}, block ({},{},{}): launch must end within {} warp instructions, but found {}\n{}",
                       grid.code->function->name, block.index[0], block.index[1], block.index[2], limit, total,
                       describeWarps(*resident.cluster))});
    }
  }
  if (!finish())
    return false;
  bool progressed = grid.progress != before;
  if (progressed || !onlyPolled) {
    idleRounds = 0;
    if (progressed || ran)
      for (Resident &resident : residents)
        resident.cluster->stalled = false;
    if (!load.parallel && stepsSinceStart > kStepsBeforeMore && wanted < load.mostResident && !exhausted) {
      wanted = residents.size() + 1;
      stepsSinceStart = 0;
    }
    return true;
  }
  return unblock(ran);
}

/// Take away the clusters that ended; what they left to be done beside them is done now.
bool Worker::finish() {
  for (size_t index = 0; index < residents.size();) {
    Cluster &cluster = *residents[index].cluster;
    bool ended = std::ranges::all_of(cluster.blocks, [](const Block &block) { return !block.running; });
    if (!ended) {
      ++index;
      continue;
    }
    while (!cluster.pending.empty()) {
      PendingWork work = std::move(cluster.pending.front());
      cluster.pending.pop_front();
      if (std::optional<LaunchFault> fault = work.run())
        return fail(residents[index].index, std::move(*fault));
    }
    if (load.options->checks)
      for (Block &block : cluster.blocks)
        if (std::optional<LaunchFault> fault = block.checkEnd ? block.checkEnd(block) : std::nullopt)
          return fail(residents[index].index, std::move(*fault));
    ++grid.progress;
    spare.push_back(std::move(residents[index].cluster));
    residents.erase(residents.begin() + static_cast<ptrdiff_t>(index));
    if (!load.config->cooperative)
      wanted = std::max<uint64_t>(load.resident, residents.size());
  }
  return true;
}

/// Nobody got on in a whole round: all wait, or poll what does not change.
bool Worker::unblock(bool ran) {
  for (Resident &resident : residents)
    if (!resident.cluster->pending.empty()) {
      if (!drainOne(*resident.cluster))
        return true;
      if (grid.fault)
        return fail(resident.index, std::move(*grid.fault));
      return true;
    }
  ++idleRounds;
  if (!exhausted && wanted < load.mostResident) {
    wanted = residents.size() + 1;
    return true;
  }
  if (ran) {
    // Polling may also wait for another launch, or for the host.
    std::this_thread::yield();
    return true;
  }
  if (residents.empty())
    return true;
  if (!residents[0].cluster->stalled) {
    for (Resident &resident : residents)
      resident.cluster->stalled = true;
    return true;
  }
  for (Block &block : residents[0].cluster->blocks)
    for (Warp &warp : block.warps)
      if (warp.alive) {
        deadlock(warp, warp.fragments[0].frames.back().code->ops[warp.fragments[0].op]);
        return fail(residents[0].index, std::move(*grid.fault));
      }
  return true;
}

} // namespace

void runClusters(const Workload &workload) {
  // Handlers rely on the processor's default: round to nearest, keep subnormals, no traps. The host program may run with another
  // one (-ffast-math sets one), and must not see our flags.
  constexpr unsigned kDefaultControl = 0x1f80;
  const unsigned hosts = _mm_getcsr();
  _mm_setcsr(kDefaultControl);
  Worker(workload).run();
  _mm_setcsr(hosts);
}

std::optional<Dim3> cancelCluster(Grid &grid) {
  std::optional<uint64_t> index = grid.source->next();
  if (!index)
    return std::nullopt;
  return firstBlock(*grid.config, *index);
}

std::string describeWarps(Cluster &cluster) {
  std::string text;
  for (Block &block : cluster.blocks)
    for (const Warp &warp : block.warps) {
      if (!warp.alive)
        continue;
      for (const Fragment &fragment : warp.fragments) {
        const Op &op = fragment.frames.back().code->ops[fragment.op];
        text += fmt::format("  {}: lanes {:#010x} {}", placeOf(block, warp.index, -1, op), fragment.lanes,
                            fragment.retried ? "wait" : "run");
        if (fragment.waitingFor)
          text += " for " + fragment.waitingFor(block, fragment.waitingDetail);
        text += '\n';
      }
    }
  if (!text.empty())
    text.pop_back();
  return text;
}

} // namespace glm::ptx
