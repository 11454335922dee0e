// fence and membar (PTX ISA, "membar / fence"). Memory is sequentially consistent here: fences only tell the race check what
// is ordered.
#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/machine/Groups.h"

namespace glm::ptx {
namespace {

/// What the warp writes after it may tell others that what came before is done.
Outcome memoryFence(Warp &warp, const Op &, LaneMask) {
  warp.fencedSince = true;
  return Outcome::Next;
}

Outcome asyncFence(Warp &warp, const Op &, LaneMask) {
  proxyFence(warp);
  return Outcome::Next;
}

/// Between aliases of memory, or to tensor maps: nothing is cached here.
Outcome otherFence(Warp &, const Op &, LaneMask) { return Outcome::Next; }

template <Handler handler>
Result<void> buildFence(Builder &builder, const Match &, Op &op) {
  if (Result<void> count = builder.expectOperands(0, 0); !count)
    return count;
  op.run = handler;
  return {};
}

/// fence.proxy.tensormap::generic.acquire [address], 128
Result<void> buildTensormapAcquire(Builder &builder, const Match &, Op &op) {
  if (Result<void> count = builder.expectOperands(2, 2); !count)
    return count;
  if (Result<AddressOperand> address = builder.address(0); !address)
    return address.error();
  Result<int64_t> size = builder.constant(1);
  if (!size)
    return size.error();
  if (*size != 128)
    return builder.error("must cover 128 bytes", "another size");
  op.run = otherFence;
  return {};
}

constexpr auto kBarrier = OpClass::Barrier;

const Form kForms[] = {
    {"membar.(cta|gl|sys)", Feature::Base, 14, kBarrier, buildFence<memoryFence>},
    {"membar.proxy.async[.(global|shared::cta|shared::cluster)]", Feature::Base, 80, kBarrier, buildFence<asyncFence>},
    {"membar.proxy.alias", Feature::Base, 75, kBarrier, buildFence<otherFence>},
    {"fence[.(sc|acq_rel|acquire|release)].(cta|cluster|gpu|sys)", Feature::Base, 60, kBarrier,
     buildFence<memoryFence>},
    {"fence.acquire.sync_restrict::shared::cluster.cluster", Feature::Base, 86, kBarrier, buildFence<memoryFence>},
    {"fence.release.sync_restrict::shared::cta.cluster", Feature::Base, 86, kBarrier, buildFence<memoryFence>},
    {"fence.mbarrier_init.release.cluster", Feature::Base, 80, kBarrier, buildFence<memoryFence>},
    {"fence.proxy.async[.(global|shared::cta|shared::cluster)]", Feature::Base, 80, kBarrier, buildFence<asyncFence>},
    {"fence.proxy.async::generic.acquire.sync_restrict::shared::cluster.cluster", Feature::Base, 86, kBarrier,
     buildFence<asyncFence>},
    {"fence.proxy.async::generic.release.sync_restrict::shared::cta.cluster", Feature::Base, 86, kBarrier,
     buildFence<asyncFence>},
    {"fence.proxy.alias", Feature::Base, 75, kBarrier, buildFence<otherFence>},
    {"fence.proxy.tensormap::generic.release.(cta|cluster|gpu|sys)", Feature::Base, 83, kBarrier,
     buildFence<otherFence>},
    {"fence.proxy.tensormap::generic.acquire.(cta|cluster|gpu|sys)", Feature::Base, 83, kBarrier,
     buildTensormapAcquire},
};

} // namespace

std::span<const Form> fenceForms() { return kForms; }

} // namespace glm::ptx
