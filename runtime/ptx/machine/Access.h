// Touching memory from handlers: one place that translates addresses, checks them, tracks races and counts.
#pragma once

#include "runtime/ptx/machine/Address.h"
#include "runtime/ptx/machine/Warp.h"

#include <span>

namespace glm::ptx {

/// How memory is touched.
struct Touch {
  bool writes = false;
  bool atomic = false; ///< atomics and reductions never race with each other
  bool async = false;  ///< through the async proxy (bulk copies, tensor cores reading shared memory)
  bool sync = false; ///< synchronization objects (mbarrier, volatile and acquire-release accesses): ordered, not racing
};

/// The host address of `bytes` bytes at `address` of `space` as `lane` of `warp` sees it; the access must be aligned to
/// `align`. Null after a fault was recorded with `op`'s place. Space::Shared takes addresses of the own cluster too; of the
/// other spaces' addresses, Param and Generic are generic ones, Local is an offset in the thread's stack.
std::byte *touch(Warp &warp, const Op &op, int lane, Space space, uint64_t address, uint32_t bytes, uint32_t align,
                 Touch how);

/// `touch` for all `lanes` at once, much quicker: `host[lane]` for each, false after a fault.
bool touchLanes(Warp &warp, const Op &op, LaneMask lanes, Space space, const uint64_t *addresses, uint32_t bytes,
                uint32_t align, Touch how, std::byte **host);

/// The addresses of an op that was built from an AddressOperand: `base` holds 64-bit values if `wide`, else 32-bit ones.
void laneAddresses(const Warp &warp, Slot base, bool wide, int64_t offset, uint64_t *addresses);

/// The same for work that runs beside the warps; `issuer` is the op that asked for it, as the warp `index` of `block`.
/// Shared memory is taken as it is: who touches it when is told by inFlight and landed.
std::byte *touchAsync(Block &block, uint32_t warp, const Op &issuer, Space space, uint64_t address, uint64_t bytes,
                      uint32_t align, Touch how, std::optional<LaunchFault> &fault);

/// The block of `cluster` that a shared address names; null if its rank is beyond the cluster.
Block *blockOf(Cluster &cluster, uint32_t sharedAddress);

/// "kernel K, block (0,0,0), warp 1, lane 3, FILE.ptx:17 (source a.cu:4)".
std::string placeOf(const Block &block, uint32_t warp, int lane, const Op &op);

/// Order what `warp` did before with what somebody who acquires `token` does after (happens-before for the race check).
/// Tokens are addresses of synchronization objects, or numbers that a room hands out (barriers, copy groups).
void release(Warp &warp, uint64_t token);
void acquire(Warp &warp, uint64_t token);
/// A fence.proxy.async (or an instruction that implies it): generic writes before it are visible to the async proxy.
void proxyFence(Warp &warp);

/// What `warp` did and saw before now, for work that is done later; releaseTo publishes it through `token`. Empty without checks.
ClockPair snapshot(Warp &warp);
void releaseTo(Cluster &cluster, uint64_t token, const ClockPair &clocks);

/// Bytes of a block's shared memory; `offset` may carry the rank of an address.
struct SharedRange {
  uint32_t offset = 0, bytes = 0;
};

/// Asynchronous work of `warp` will touch these ranges of `destination`'s shared memory, or write them (`written`). Until it has
/// landed, a touch by anybody is a race (reading what is written, writing what is read); now, what the generic proxy did to
/// these bytes must be over, and, to be read, visible through a proxy fence. Returns an id; 0 without checks, and after it filled
/// `fault` because a rule is broken.
uint64_t inFlight(Block &destination, std::span<const SharedRange> ranges, bool written, Warp &warp, const Op &op,
                  std::optional<LaunchFault> &fault);
uint64_t inFlight(Block &destination, uint64_t sharedAddress, uint64_t bytes, bool written, Warp &warp, const Op &op,
                  std::optional<LaunchFault> &fault);
/// The work is done and made visible through `token`: from now on a touch by a warp that has not acquired it since is a race.
void landed(Block &destination, uint64_t id, uint64_t token);

/// Enqueue work to be done as late as possible.
void enqueue(Warp &warp, const Op &op, std::function<std::optional<LaunchFault>()> work);
/// Run the oldest pending work of the cluster, or all of it. drainOne: false when nothing was pending. A fault becomes the launch's.
bool drainOne(Warp &warp);
bool drainOne(Cluster &cluster);
Outcome drainAll(Warp &warp, const Op &op);

/// Report that nobody can go on, with the state of every warp. For programs that poll for ever: called by instructions that time out.
Outcome deadlock(Warp &warp, const Op &op);

} // namespace glm::ptx
