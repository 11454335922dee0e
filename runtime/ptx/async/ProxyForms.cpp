// Proxy fences and the fences of asynchronous operations: PTX ISA, "membar / fence" and "Proxies".
//
// Memory is one for all proxies here; what a fence does is to tell the race check what the async proxy may see.
#include "runtime/ptx/async/Addressing.h"
#include "runtime/ptx/async/Barriers.h"
#include "runtime/ptx/async/Forms.h"
#include "runtime/ptx/async/TensorMap.h"

namespace glm::ptx {

namespace {

Outcome runAsyncFence(Warp &warp, const Op &, LaneMask) {
  proxyFence(warp);
  return Outcome::Next;
}

/// What the warp writes after it may tell others that what came before is done.
Outcome runMemoryFence(Warp &warp, const Op &, LaneMask) {
  warp.fencedSince = true;
  return Outcome::Next;
}

Outcome runInitFence(Warp &warp, const Op &op, LaneMask lanes) {
  fenceInitialized(warp);
  return runMemoryFence(warp, op, lanes);
}

/// Between aliases of memory, or for tensor maps: nothing is cached here.
Outcome runOrderOnly(Warp &, const Op &, LaneMask) { return Outcome::Next; }

Outcome runAcquireMap(Warp &warp, const Op &op, LaneMask lanes) {
  LaneAddresses addresses = static_cast<const AddressSlot *>(op.extra)->read(warp);
  bool fine = forEachLane(lanes, [&](int lane) {
    return touch(warp, op, lane, Space::Generic, addresses[lane], kTensorMapBytes, kTensorMapAlign, {}) != nullptr;
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

// fence.proxy.async[.(global|shared::cta|shared::cluster)]: of global memory only, it says nothing of shared memory.
Result<void> buildAsyncFence(Builder &builder, const Match &match, Op &op) {
  op.run = match.words[0] == "global" ? runOrderOnly : runAsyncFence;
  return builder.expectOperands(0, 0);
}

Result<void> buildRestrictedFence(Builder &builder, const Match &, Op &op) {
  op.run = runAsyncFence;
  return builder.expectOperands(0, 0);
}

Result<void> buildOrderOnly(Builder &builder, const Match &, Op &op) {
  op.run = runOrderOnly;
  return builder.expectOperands(0, 0);
}

Result<void> buildInitFence(Builder &builder, const Match &, Op &op) {
  op.run = runInitFence;
  return builder.expectOperands(0, 0);
}

Result<void> buildMemoryFence(Builder &builder, const Match &, Op &op) {
  op.run = runMemoryFence;
  return builder.expectOperands(0, 0);
}

// fence.proxy.tensormap::generic.acquire.(scope) [map], 128
Result<void> buildAcquireMap(Builder &builder, const Match &, Op &op) {
  if (Result<void> counted = builder.expectOperands(2, 2); !counted)
    return counted;
  Result<AddressSlot> map = addressSlot(builder, 0, Space::Generic);
  if (!map)
    return map.error();
  Result<int64_t> size = builder.constant(1);
  if (!size)
    return size.error();
  if (*size != kTensorMapBytes)
    return builder.error("covers 128 bytes", std::to_string(*size));
  op.run = runAcquireMap;
  builder.setExtra(op, *map);
  return {};
}

constexpr auto kBarrier = OpClass::Barrier;
constexpr Form kForms[] = {
    {"fence.proxy.async[.(global|shared::cta|shared::cluster)]", Feature::Base, 80, kBarrier, buildAsyncFence},
    {"fence.proxy.async::generic.acquire.sync_restrict::shared::cluster.cluster", Feature::Base, 86, kBarrier,
     buildRestrictedFence},
    {"fence.proxy.async::generic.release.sync_restrict::shared::cta.cluster", Feature::Base, 86, kBarrier,
     buildRestrictedFence},
    {"fence.proxy.alias", Feature::Base, 75, kBarrier, buildOrderOnly},
    {"membar.proxy.alias", Feature::Base, 75, kBarrier, buildOrderOnly},
    {"fence.proxy.tensormap::generic.release.(cta|cluster|gpu|sys)", Feature::Base, 83, kBarrier, buildOrderOnly},
    {"fence.proxy.tensormap::generic.acquire.(cta|cluster|gpu|sys)", Feature::Base, 83, kBarrier, buildAcquireMap},
    {"fence.mbarrier_init.release.cluster", Feature::Base, 80, kBarrier, buildInitFence},
    {"fence.acquire.sync_restrict::shared::cluster.cluster", Feature::Base, 86, kBarrier, buildMemoryFence},
    {"fence.release.sync_restrict::shared::cta.cluster", Feature::Base, 86, kBarrier, buildMemoryFence},
};

} // namespace

std::span<const Form> proxyForms() { return kForms; }

} // namespace glm::ptx
