// The state of a launch while it runs: clusters of blocks of warps. What handlers see.
#pragma once

#include "runtime/ptx/isa/Op.h"
#include "runtime/ptx/isa/Program.h"
#include "runtime/ptx/machine/AlignedBytes.h"
#include "runtime/ptx/machine/Clock.h"
#include "runtime/ptx/machine/Launch.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace glm::ptx {

struct Block;
struct Cluster;
struct Grid;
struct Fragment;
class SharedShadow; ///< machine/SharedShadow.h: who wrote and read each byte, what was initialized
class LaunchCounters;
struct LineCounters;

/// "named barrier 1: 64 of 128 threads arrived": what a fragment of a warp of `block` waits for, from Fragment::waitingDetail.
using Describe = std::string (*)(Block &block, uint64_t detail);

/// A function being run by some lanes.
struct Frame {
  const Code *code = nullptr;
  uint32_t base = 0;        ///< bytes within the warp's register file
  uint32_t localBase = 0;   ///< bytes within each thread's stack
  uint32_t returnOp = 0;    ///< op of the caller to go on with
  const Op *call = nullptr; ///< op that made this frame; null for the kernel's own

  bool operator==(const Frame &) const = default;
};

/// Lanes of a warp that run together. A warp that never diverges has one. Fragments of the same place are merged; the one
/// in the deepest call, then with the lowest op runs first, so that they meet where the paths of the program meet.
struct Fragment {
  uint32_t op = 0; ///< index into the innermost frame's Code::ops
  LaneMask lanes = 0;
  std::vector<Frame> frames; ///< outermost first
  bool waiting = false;      ///< its last outcome was Retry, and it was not tried again in this turn
  bool retried = false;      ///< its instruction was tried before
  /// The waiting instruction's own: 0 when it is tried for the first time, kept while it returns Retry. Fragments with a
  /// wait are not merged.
  uint64_t wait = 0;
  /// What the waiting instruction waits for, for reports: set before Retry, cleared by the loop on any other outcome.
  Describe waitingFor = nullptr;
  uint64_t waitingDetail = 0;
};

struct Warp {
  // What handlers use most, first.
  std::byte *frame = nullptr; ///< registers of the innermost frame of the running fragment
  const std::byte *constants = nullptr;
  LaneMask active = 0; ///< lanes of the running fragment
  uint32_t index = 0;  ///< in its block
  Block *block = nullptr;
  LaneMask *defined = nullptr;        ///< by register index: lanes that hold a value; null without checks
  LaunchCounters *counters = nullptr; ///< null: not counted
  LineCounters *lines = nullptr;      ///< by op, of the innermost function of the running fragment
  std::byte *stackBase = nullptr;     ///< local memory of lane 0
  uint32_t stackStride = 0;           ///< bytes from one lane's stack to the next
  uint32_t stackTop = 0;              ///< bytes in use of each

  /// A region of global memory that was touched last, while GlobalMemory::generation was `generation`.
  struct CachedRegion {
    uint64_t begin = 1, end = 0, generation = 0;
    bool writable = false;
  };
  std::array<CachedRegion, 4> regions{};
  uint32_t nextRegion = 0; ///< to be replaced

  LaneMask alive = 0;              ///< lanes that exist and have not exited
  LaneMask exist = 0;              ///< lanes that exist
  std::vector<Fragment> fragments; ///< [current] runs
  size_t current = 0;
  AlignedBytes registers;
  AlignedBytes stacks;
  uint64_t executed = 0;       ///< warp instructions: %clock
  LaneMask carry = 0;          ///< CC.CF of each lane: add.cc, addc, sub.cc, subc, mad.cc, madc
  LaneMask clusterArrived = 0; ///< at barrier.cluster, without a wait yet
  uint32_t clusterPhase = 0;   ///< of that arrival
  uint32_t divergentJumps = 0; ///< in a row with several fragments
  bool checks = true;
  const Op *ops = nullptr;  ///< of the innermost function of the running fragment
  uint32_t localBase = 0;   ///< where its stack frame begins
  uint32_t agent = 0;       ///< its place in vector clocks
  VectorClock clock;        ///< what of each agent happened before now
  VectorClock fenced;       ///< what of each agent the async proxy can see
  bool fencedSince = false; ///< a memory fence came before: what is written after may be a message (Access.h, release)

  /// Registers of 32 lanes.
  template <typename T>
  const T *read(Slot slot) const {
    return reinterpret_cast<const T *>((slot & kConstantSlot ? constants : frame) + (slot & ~kConstantSlot));
  }
  template <typename T>
  T *write(Slot slot) {
    return reinterpret_cast<T *>(frame + slot);
  }

  LaneMask predicate(Slot slot) const { return *read<LaneMask>(slot); }
  /// Bits outside `lanes` stay.
  void setPredicate(Slot slot, LaneMask lanes, LaneMask value) {
    LaneMask &mask = *write<LaneMask>(slot);
    mask = (mask & ~lanes) | (value & lanes);
  }

  Fragment &fragment() { return fragments[current]; }
  /// Of the running fragment: 0 when an instruction is tried first; an instruction that waits sets it, as it likes, before it
  /// returns Retry, and finds it when it is tried again.
  uint64_t &waitState() { return fragments[current].wait; }

  /// End the launch: records `message` ("<subject> <rule>, but <found>") with the place of `op` and `lane` (-1: the warp).
  Outcome fault(const Op &op, int lane, LaunchFault::Kind kind, const std::string &message);
};

/// Work that goes on beside the warps: asynchronous copies, matrix operations of the tensor core. Runs as late as the
/// program allows (when somebody waits for it, or when no warp can go on), so that a missing wait is seen. In order of issue.
struct PendingWork {
  std::function<std::optional<LaunchFault>()> run;
  uint32_t issuingWarp = 0; ///< of `block`
  Block *block = nullptr;
};

struct Block {
  Cluster *cluster = nullptr;
  Grid *grid = nullptr;
  Dim3 index{};        ///< %ctaid
  uint32_t rank = 0;   ///< %cluster_ctarank
  AlignedBytes shared; ///< the system's Chip::sharedReserved bytes, static, then dynamic
  std::vector<Warp> warps;
  uint32_t running = 0;                 ///< warps with living lanes
  std::unique_ptr<SharedShadow> shadow; ///< null without checks

  struct NamedBarrier {
    uint32_t expected = 0; ///< threads; 0: nobody waits
    uint32_t arrived = 0;
    uint32_t phase = 0;
    uint32_t reduction = 0;            ///< bar.red: of the phase that fills
    std::array<uint32_t, 2> results{}; ///< of complete phases, by parity
    const Op *first = nullptr;         ///< that arrived in this phase
  };
  std::array<NamedBarrier, 16> barriers{};

  /// Rooms keep their own state here, made on first use: async (mbarriers, copy groups), matrix (tensor memory, wgmma groups).
  std::shared_ptr<void> asyncState, matrixState;
  /// What a room finds left undone once the block has ended; null: nothing to look for.
  std::optional<LaunchFault> (*checkEnd)(Block &) = nullptr;
};

struct Cluster {
  Grid *grid = nullptr;
  std::vector<Block> blocks;
  std::deque<PendingWork> pending; ///< oldest first
  /// Nobody could go on and nothing is pending: instructions that may time out do so now; if nobody goes on then either, it is
  /// a deadlock.
  bool stalled = false;
  uint32_t barrierArrived = 0, barrierPhase = 0;  ///< barrier.cluster, in threads
  std::unordered_map<uint64_t, ClockPair> tokens; ///< what was released: see Access.h
  uint32_t agents = 0; ///< of vector clocks: the warps of all blocks, then one for each block's asynchronous work
  std::vector<ClockPair> asyncClocks; ///< by block: of its asynchronous work
};

/// Hands out the clusters of a launch, in order: x first, then y, then z.
class ClusterSource;

/// Of one host thread: what its blocks share.
struct Grid {
  const LoadedModule *module = nullptr;
  const Code *code = nullptr;
  const SharedLayout *layout = nullptr;
  const LaunchConfig *config = nullptr;
  const Options *options = nullptr;
  LaunchCounters *counters = nullptr; ///< of this host thread; null: not counted
  std::optional<LaunchFault> fault;
  /// Counts what others can see: stores, arrivals, finished copies, exits. Warps that only poll while it stands still wait for
  /// something that cannot come.
  uint64_t progress = 0;
  /// Blocks may run on several threads at once: atomics on global memory must be the host's.
  bool parallel = false;
  ClusterSource *source = nullptr;
};

} // namespace glm::ptx
