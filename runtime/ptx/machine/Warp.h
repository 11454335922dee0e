// The state of a launch while it runs: clusters of blocks of warps. What handlers see.
#pragma once

#include "runtime/ptx/isa/Op.h"
#include "runtime/ptx/isa/Program.h"
#include "runtime/ptx/machine/Launch.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace glm::ptx {

struct Block;
struct Cluster;
struct Grid;
class SharedShadow; ///< machine/SharedShadow.h: who wrote and read each byte, what was initialized
struct LaunchCounters;

/// A function being run by some lanes.
struct Frame {
  const Code *code = nullptr;
  uint32_t base = 0;      ///< bytes within the warp's register file
  uint64_t localBase = 0; ///< bytes within each thread's stack
  uint32_t returnOp = 0;  ///< op of the caller to go on with
};

/// Lanes of a warp that run together. A warp that never diverges has one. Fragments of the same place are merged; the one
/// with the lowest op runs first, so that they meet where the paths of the program meet.
struct Fragment {
  uint32_t op = 0; ///< index into the innermost frame's Code::ops
  LaneMask lanes = 0;
  std::vector<Frame> frames; ///< outermost first
  bool waiting = false;      ///< its last outcome was Retry
};

struct Warp {
  // What handlers use most, first.
  std::byte *frame = nullptr; ///< registers of the innermost frame of the running fragment
  const std::byte *constants = nullptr;
  LaneMask active = 0; ///< lanes of the running fragment
  uint32_t index = 0;  ///< in its block
  Block *block = nullptr;
  LaneMask alive = 0;              ///< lanes that exist and have not exited
  std::vector<Fragment> fragments; ///< [current] runs
  size_t current = 0;
  std::vector<std::byte> registers;
  std::vector<std::byte> stacks; ///< kWarpSize * stackBytes: local memory
  uint64_t executed = 0;         ///< warp instructions: %clock
  LaneMask carry = 0;            ///< CC.CF of each lane: add.cc, addc, sub.cc, subc, mad.cc, madc

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

  /// End the launch: records `message` ("<subject> <rule>, but <found>") with the place of `op` and `lane` (-1: the warp).
  Outcome fault(const Op &op, int lane, LaunchFault::Kind kind, std::string message);
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
  Dim3 index{};                  ///< %ctaid
  uint32_t rank = 0;             ///< %cluster_ctarank
  std::vector<std::byte> shared; ///< static, then dynamic; the first Chip::sharedReserved bytes are the system's
  uint32_t staticShared = 0;
  std::vector<Warp> warps;
  uint32_t running = 0;                 ///< warps with living lanes
  std::unique_ptr<SharedShadow> shadow; ///< null without checks

  struct NamedBarrier {
    uint32_t expected = 0; ///< threads; 0: nobody waits
    uint32_t arrived = 0;
    uint32_t phase = 0;
    uint32_t reduction[2] = {}; ///< bar.red: of the phase that fills, of the last complete one
  };
  std::array<NamedBarrier, 16> barriers{};

  /// Rooms keep their own state here, made on first use: async (mbarriers, copy groups), matrix (tensor memory, wgmma groups).
  std::shared_ptr<void> asyncState, matrixState;
};

struct Cluster {
  Grid *grid = nullptr;
  std::vector<Block> blocks;
  std::deque<PendingWork> pending;               ///< oldest first
  uint32_t barrierArrived = 0, barrierPhase = 0; ///< barrier.cluster, in threads
};

struct Grid {
  const LoadedModule *module = nullptr;
  const Code *code = nullptr;
  const LaunchConfig *config = nullptr;
  const Options *options = nullptr;
  LaunchCounters *counters = nullptr; ///< of this host thread; null: not counted
  std::optional<LaunchFault> fault;
};

} // namespace glm::ptx
