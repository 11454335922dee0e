// Touching memory from handlers: one place that translates addresses, checks them, tracks races and counts.
#pragma once

#include "runtime/ptx/machine/Address.h"
#include "runtime/ptx/machine/Warp.h"

namespace glm::ptx {

/// How memory is touched.
struct Touch {
  bool writes = false;
  bool atomic = false; ///< atomics and reductions never race with each other
  bool async = false;  ///< through the async proxy (bulk copies, tensor cores reading shared memory)
  bool sync = false; ///< synchronization objects (mbarrier, volatile and acquire-release accesses): ordered, not racing
};

/// The host address of `bytes` bytes at `address` of `space` as `lane` of `warp` sees it; the access must be aligned to
/// `align`. Null after a fault was recorded with `op`'s place. Space::Shared takes addresses of the own cluster too.
std::byte *touch(Warp &warp, const Op &op, int lane, Space space, uint64_t address, uint32_t bytes, uint32_t align,
                 Touch how);

/// The same for work that runs beside the warps; `issuer` is the op that asked for it, as the warp `index` of `block`.
std::byte *touchAsync(Block &block, uint32_t warp, const Op &issuer, Space space, uint64_t address, uint64_t bytes,
                      uint32_t align, Touch how, std::optional<LaunchFault> &fault);

/// The block of `cluster` that a shared address names; null if its rank is beyond the cluster.
Block *blockOf(Cluster &cluster, uint32_t sharedAddress);

/// Order what `warp` did before with what somebody who acquires `token` does after (happens-before for the race check).
/// Tokens are addresses of synchronization objects, or numbers that a room hands out (barriers, copy groups).
void release(Warp &warp, uint64_t token);
void acquire(Warp &warp, uint64_t token);
/// A fence.proxy.async (or an instruction that implies it): generic writes before it are visible to the async proxy.
void proxyFence(Warp &warp);

/// Enqueue work; `drain` runs everything that was issued by this warp (or by anybody, for a wait on an mbarrier).
void enqueue(Warp &warp, const Op &op, std::function<std::optional<LaunchFault>()> work);
Outcome drainAll(Warp &warp, const Op &op);

} // namespace glm::ptx
