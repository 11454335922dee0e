// fence and membar between threads (PTX ISA, "membar / fence"); async/ProxyForms.cpp has those between proxies. Within a launch
// memory is sequentially consistent here, and fences tell the race check what is ordered. Kernels of other streams run on
// other threads of the host, whose processor may load before an earlier store is seen: a fence is the host's too.
#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/machine/Groups.h"

#include <atomic>

namespace glm::ptx {
namespace {

/// What the warp writes after it may tell others that what came before is done.
Outcome memoryFence(Warp &warp, const Op &, LaneMask) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  warp.fencedSince = true;
  return Outcome::Next;
}

template <Handler handler>
Result<void> buildFence(Builder &builder, const Match &, Op &op) {
  if (Result<void> count = builder.expectOperands(0, 0); !count)
    return count;
  op.run = handler;
  return {};
}

constexpr auto kBarrier = OpClass::Barrier;

const Form kForms[] = {
    {"membar.(cta|gl|sys)", Feature::Base, 14, kBarrier, buildFence<memoryFence>},
    {"fence[.(sc|acq_rel|acquire|release)].(cta|cluster|gpu|sys)", Feature::Base, 60, kBarrier,
     buildFence<memoryFence>},
};

} // namespace

std::span<const Form> fenceForms() { return kForms; }

} // namespace glm::ptx
