// bar, barrier, barrier.cluster, bar.warp.sync (PTX ISA, "Parallel Synchronization and Communication Instructions").
#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/machine/Collective.h"
#include "runtime/ptx/machine/Groups.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

namespace glm::ptx {
namespace {

/// Tokens of barriers, where no address lies.
constexpr uint64_t kNamedBarrierTokens = 0x1000000000000000ull, kClusterBarrierTokens = 0x1100000000000000ull;
/// NamedBarrier::expected of a barrier of all threads of the block.
constexpr uint32_t kAllThreads = UINT32_MAX;

// Two phases have tokens of their own: somebody may arrive at the next phase before everybody has left this one, which orders
// nothing of what came between. Who has not left this one holds the next one up, so two are enough.
uint64_t tokenOf(const Block &block, uint32_t id, uint64_t phase) {
  return kNamedBarrierTokens | uint64_t{block.rank} << 8 | (phase & 1) << 4 | id;
}

uint64_t clusterToken(uint32_t phase) { return kClusterBarrierTokens | (phase & 1); }

enum class Reduction : uint8_t { None, Popc, And, Or };

struct BarrierWords {
  bool arrive = false, aligned = false;
  Reduction reduction = Reduction::None;

  uint16_t pack() const { return static_cast<uint16_t>(arrive | aligned << 1 | static_cast<uint16_t>(reduction) << 2); }
  static BarrierWords of(const Op &op) {
    return {(op.variant & 1) != 0, (op.variant & 2) != 0, static_cast<Reduction>(op.variant >> 2)};
  }
};

uint32_t livingThreads(const Block &block) {
  uint32_t threads = 0;
  for (const Warp &warp : block.warps)
    threads += static_cast<uint32_t>(std::popcount(warp.alive));
  return threads;
}

std::string describeBarrier(Block &block, uint64_t id) {
  const Block::NamedBarrier &barrier = block.barriers[id];
  uint32_t expected = barrier.expected == kAllThreads ? livingThreads(block) : barrier.expected;
  return fmt::format("barrier {}: {} of {} threads arrived", id, barrier.arrived, expected);
}

/// Threads that a warp's arrival counts for: barriers count whole warps, those of a warp that never existed or that exited
/// included, when the program gives a count.
uint32_t arriving(const Warp &warp, LaneMask lanes, uint32_t expected) {
  if (expected != kAllThreads && lanes == warp.alive)
    return kWarpSize;
  return static_cast<uint32_t>(std::popcount(lanes));
}

void completeIfFull(Block &block, Block::NamedBarrier &barrier) {
  uint32_t expected = barrier.expected == kAllThreads ? livingThreads(block) : barrier.expected;
  if (barrier.arrived < expected)
    return;
  barrier.results[barrier.phase & 1] = barrier.reduction;
  ++barrier.phase;
  barrier.arrived = 0;
  barrier.expected = 0;
  barrier.reduction = 0;
  barrier.first = nullptr;
  ++block.grid->progress;
}

void addToReduction(Warp &warp, const Op &op, Block::NamedBarrier &barrier, Reduction reduction, LaneMask lanes) {
  if (reduction == Reduction::None)
    return;
  LaneMask votes = warp.predicate(op.slots[3]) & lanes;
  switch (reduction) {
  case Reduction::Popc:
    barrier.reduction += static_cast<uint32_t>(std::popcount(votes));
    break;
  case Reduction::And:
    // Counts the noes: a barrier starts with zero.
    barrier.reduction |= votes != lanes;
    break;
  case Reduction::Or:
    barrier.reduction |= votes != 0;
    break;
  case Reduction::None:
    break;
  }
}

void giveResult(Warp &warp, const Op &op, uint32_t result, Reduction reduction, LaneMask lanes) {
  if (op.slots[0] == kNoSlot)
    return;
  if (reduction == Reduction::Popc) {
    auto *to = warp.write<uint32_t>(op.slots[0]);
    for (LaneMask rest = lanes; rest; rest &= rest - 1)
      to[std::countr_zero(rest)] = result;
  } else {
    bool all = reduction == Reduction::And ? !result : result;
    warp.setPredicate(op.slots[0], lanes, all ? lanes : 0);
  }
}

/// slots: result, barrier, thread count (or none), predicate.
Outcome barrier(Warp &warp, const Op &op, LaneMask lanes) {
  BarrierWords words = BarrierWords::of(op);
  Block &block = *warp.block;
  int first = std::countr_zero(lanes);
  uint32_t id = warp.read<uint32_t>(op.slots[1])[first];
  if (id >= block.barriers.size())
    return warp.fault(op, first, LaunchFault::Kind::IllegalInstruction,
                      fmt::format("barrier must be one of 0 to 15, but found {}", id));
  Block::NamedBarrier &barrier = block.barriers[id];
  uint64_t &wait = warp.waitState();
  if (!wait) {
    if (words.aligned) {
      if (Outcome gathered = gatherWarp(warp, op, lanes); gathered != Outcome::Next)
        return gathered;
    } else if (LaneMask others = warp.active & ~lanes) {
      // Lanes that the guard holds back go on by themselves.
      auto at = static_cast<uint32_t>(&op - warp.ops);
      warp.fragments[splitFragment(warp, others)].op = at + 1;
      warp.fragment().op = at;
      return Outcome::Jump;
    }
    uint32_t expected = kAllThreads;
    if (op.slots[2] != kNoSlot) {
      expected = warp.read<uint32_t>(op.slots[2])[first];
      if (!expected || expected % kWarpSize)
        return warp.fault(
            op, first, LaunchFault::Kind::IllegalInstruction,
            fmt::format("thread count of a barrier must be a multiple of {}, but found {}", kWarpSize, expected));
    }
    if (!barrier.expected) {
      barrier.expected = expected;
      barrier.first = &op;
    } else if (barrier.expected != expected) {
      return warp.fault(
          op, first, LaunchFault::Kind::LaunchFailed,
          fmt::format("barrier {} must be used with one thread count at a time, but found {} here and {} at "
                      "line {}",
                      id, expected == kAllThreads ? "all" : std::to_string(expected),
                      barrier.expected == kAllThreads ? "all" : std::to_string(barrier.expected), barrier.first->line));
    }
    addToReduction(warp, op, barrier, words.reduction, lanes);
    release(warp, tokenOf(block, id, barrier.phase));
    wait = uint64_t{barrier.phase} + 1;
    barrier.arrived += arriving(warp, lanes, expected);
    completeIfFull(block, barrier);
    if (words.arrive)
      return Outcome::Next;
  } else if (barrier.phase == wait - 1) {
    // Lanes may have exited since.
    completeIfFull(block, barrier);
  }
  if (barrier.phase == wait - 1) {
    warp.fragment().waitingFor = describeBarrier;
    warp.fragment().waitingDetail = id;
    return Outcome::Retry;
  }
  acquire(warp, tokenOf(block, id, wait - 1));
  if (words.reduction != Reduction::None)
    giveResult(warp, op, barrier.results[(wait - 1) & 1], words.reduction, lanes);
  return Outcome::Next;
}

/// bar.* are aligned; barrier.* say so.
template <bool arrive, bool alwaysAligned>
Result<void> buildBarrier(Builder &builder, const Match &match, Op &op) {
  BarrierWords words{.arrive = arrive, .aligned = alwaysAligned};
  for (std::string_view word : match.words) {
    words.aligned |= word == "aligned";
    if (word == "popc")
      words.reduction = Reduction::Popc;
    else if (word == "and")
      words.reduction = Reduction::And;
    else if (word == "or")
      words.reduction = Reduction::Or;
  }
  bool reduces = words.reduction != Reduction::None;
  size_t least = arrive ? 2 : reduces ? 3 : 1, most = reduces ? 4 : 2;
  if (Result<void> count = builder.expectOperands(least, most); !count)
    return count;
  size_t index = 0;
  if (reduces) {
    Result<Slot> to = builder.destination(index++, words.reduction == Reduction::Popc ? Type::U32 : Type::Pred);
    if (!to)
      return to.error();
    op.slots[0] = *to;
  }
  Result<Slot> id = builder.source(index++, Type::U32);
  if (!id)
    return id.error();
  op.slots[1] = *id;
  if (builder.operandCount() - reduces > index) {
    Result<Slot> threads = builder.source(index++, Type::U32);
    if (!threads)
      return threads.error();
    op.slots[2] = *threads;
  }
  if (reduces) {
    Result<Slot> predicate = builder.source(index, Type::Pred);
    if (!predicate)
      return predicate.error();
    op.slots[3] = *predicate;
  }
  op.variant = words.pack();
  op.run = barrier;
  return {};
}

Outcome warpBarrier(Warp &warp, const Op &op, LaneMask lanes) {
  LaneMask complete = 0, groups[kWarpSize];
  if (!gatherGroups(warp, op, lanes, warp.read<uint32_t>(op.slots[0]), complete, groups))
    return Outcome::Fault;
  return leaveComplete(warp, op, lanes, complete);
}

Result<void> buildWarpBarrier(Builder &builder, const Match &, Op &op) {
  if (Result<void> count = builder.expectOperands(1, 1); !count)
    return count;
  Result<Slot> mask = builder.source(0, Type::B32);
  if (!mask)
    return mask.error();
  op.slots[0] = *mask;
  op.run = warpBarrier;
  return {};
}

uint32_t livingThreads(const Cluster &cluster) {
  uint32_t threads = 0;
  for (const Block &block : cluster.blocks)
    threads += livingThreads(block);
  return threads;
}

std::string describeClusterBarrier(Block &block, uint64_t) {
  return fmt::format("barrier.cluster: {} of {} threads arrived", block.cluster->barrierArrived,
                     livingThreads(*block.cluster));
}

/// Exited threads count as arrived: only those that live are waited for.
void completeIfFull(Cluster &cluster) {
  if (cluster.barrierArrived < livingThreads(cluster))
    return;
  cluster.barrierArrived = 0;
  ++cluster.barrierPhase;
  ++cluster.grid->progress;
}

/// variant: 1 aligned, 2 relaxed.
constexpr uint16_t kAligned = 1, kRelaxed = 2;

Outcome clusterArrive(Warp &warp, const Op &op, LaneMask lanes) {
  if (op.variant & kAligned)
    if (Outcome gathered = gatherWarp(warp, op, lanes); gathered != Outcome::Next)
      return gathered;
  Cluster &cluster = *warp.block->cluster;
  for (LaneMask rest = lanes; rest; rest &= rest - 1) {
    int lane = std::countr_zero(rest);
    if (warp.clusterArrived >> lane & 1)
      return warp.fault(op, lane, LaunchFault::Kind::LaunchFailed,
                        "barrier.cluster.arrive must be followed by a wait, but found a second arrive");
  }
  if (!(op.variant & kRelaxed))
    release(warp, clusterToken(cluster.barrierPhase));
  warp.clusterArrived |= lanes;
  warp.clusterPhase = cluster.barrierPhase;
  cluster.barrierArrived += static_cast<uint32_t>(std::popcount(lanes));
  ++cluster.grid->progress;
  completeIfFull(cluster);
  return Outcome::Next;
}

Outcome clusterWait(Warp &warp, const Op &op, LaneMask lanes) {
  if (op.variant & kAligned)
    if (Outcome gathered = gatherWarp(warp, op, lanes); gathered != Outcome::Next)
      return gathered;
  Cluster &cluster = *warp.block->cluster;
  if (LaneMask strangers = lanes & ~warp.clusterArrived)
    return warp.fault(op, std::countr_zero(strangers), LaunchFault::Kind::LaunchFailed,
                      "barrier.cluster.wait must follow an arrive, but found none");
  if (cluster.barrierPhase == warp.clusterPhase)
    completeIfFull(cluster);
  if (cluster.barrierPhase == warp.clusterPhase) {
    if (LaneMask others = warp.active & ~lanes) {
      auto at = static_cast<uint32_t>(&op - warp.ops);
      warp.fragments[splitFragment(warp, others)].op = at + 1;
      warp.fragment().op = at;
    }
    warp.waitState() = uint64_t{warp.clusterPhase} + 1;
    warp.fragment().waitingFor = describeClusterBarrier;
    return Outcome::Retry;
  }
  warp.clusterArrived &= ~lanes;
  acquire(warp, clusterToken(warp.clusterPhase));
  return Outcome::Next;
}

template <Handler handler>
Result<void> buildClusterBarrier(Builder &builder, const Match &match, Op &op) {
  if (Result<void> count = builder.expectOperands(0, 0); !count)
    return count;
  for (std::string_view word : match.words)
    op.variant |= word == "aligned" ? kAligned : word == "relaxed" ? kRelaxed : 0;
  op.run = handler;
  return {};
}

constexpr auto kBarrier = OpClass::Barrier;

const Form kForms[] = {
    {"bar.warp.sync", Feature::Base, 60, kBarrier, buildWarpBarrier},
    {"bar[.cta].sync", Feature::Base, 10, kBarrier, buildBarrier<false, true>},
    {"bar[.cta].arrive", Feature::Base, 20, kBarrier, buildBarrier<true, true>},
    {"bar[.cta].red.(popc).u32", Feature::Base, 20, kBarrier, buildBarrier<false, true>},
    {"bar[.cta].red.(and|or).pred", Feature::Base, 20, kBarrier, buildBarrier<false, true>},
    {"barrier[.cta].sync[.aligned]", Feature::Base, 60, kBarrier, buildBarrier<false, false>},
    {"barrier[.cta].arrive[.aligned]", Feature::Base, 60, kBarrier, buildBarrier<true, false>},
    {"barrier[.cta].red.(popc)[.aligned].u32", Feature::Base, 60, kBarrier, buildBarrier<false, false>},
    {"barrier[.cta].red.(and|or)[.aligned].pred", Feature::Base, 60, kBarrier, buildBarrier<false, false>},
    {"barrier.cluster.arrive[.(release|relaxed)][.aligned]", Feature::Base, 78, kBarrier,
     buildClusterBarrier<clusterArrive>},
    {"barrier.cluster.wait[.acquire][.aligned]", Feature::Base, 78, kBarrier, buildClusterBarrier<clusterWait>},
};

} // namespace

std::span<const Form> barrierForms() { return kForms; }

} // namespace glm::ptx
