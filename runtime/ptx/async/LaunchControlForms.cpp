// clusterlaunchcontrol: a running cluster takes over the work of one that has not started. PTX ISA, "Parallel
// Synchronization and Communication Instructions: clusterlaunchcontrol".
//
// The 16 bytes of an answer are opaque to programs; ours are the first block's coordinates and whether there is one.
#include "runtime/ptx/async/BulkCopies.h"
#include "runtime/ptx/async/Forms.h"
#include "runtime/ptx/machine/Scheduler.h"

#include <cstring>

namespace glm::ptx {

namespace {

struct Answer {
  uint32_t block[3] = {};
  uint32_t isCanceled = 0;
};
constexpr uint32_t kAnswerBytes = sizeof(Answer);
static_assert(kAnswerBytes == 16);

struct CancelOperands {
  AddressSlot answer{}, barrier{};
  bool toAll = false; ///< .multicast::cluster::all
};

// [answer in shared memory], [mbarrier]
Outcome runCancel(Warp &warp, const Op &op, LaneMask lanes) {
  const auto &operands = *static_cast<const CancelOperands *>(op.extra);
  LaneAddresses answers = operands.answer.read(warp), barriers = operands.barrier.read(warp);
  Block &block = *warp.block;
  bool fine = forEachLane(lanes, [&](int lane) {
    std::optional<uint32_t> answer = sharedAddress(warp, op, lane, operands.answer.generic, answers[lane]);
    std::optional<uint32_t> barrier = sharedAddress(warp, op, lane, operands.barrier.generic, barriers[lane]);
    if (!answer || !barrier)
      return false;
    std::optional<uint16_t> mask;
    if (operands.toAll)
      mask = static_cast<uint16_t>((1u << block.cluster->blocks.size()) - 1);
    auto copy = std::make_shared<IncomingCopy>();
    *copy = {&block, warp.index, &op, {}, kAnswerBytes};
    copy->targets = copyTargets(warp, op, lane, *answer, *barrier, mask, false, kAnswerBytes, kAnswerBytes);
    SharedRange range{0, kAnswerBytes};
    if (copy->targets.empty() || !launchTargets(warp, op, copy->targets, {&range, 1}))
      return false;
    enqueue(warp, op, [copy] {
      Answer result;
      if (std::optional<Dim3> canceled = cancelCluster(*copy->issuer->grid)) {
        std::copy(canceled->begin(), canceled->end(), result.block);
        result.isCanceled = 1;
      }
      for (const CopyTarget &target : copy->targets)
        std::memcpy(target.place.block->shared.data() + target.place.offset, &result, kAnswerBytes);
      return copy->finish();
    });
    return true;
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

Outcome runIsCanceled(Warp &warp, const Op &op, LaneMask lanes) {
  const auto *answers = warp.read<Answer>(op.slots[1]);
  LaneMask canceled = 0;
  forEachLane(lanes, [&](int lane) {
    canceled |= answers[lane].isCanceled ? LaneMask{1} << lane : 0;
    return true;
  });
  warp.setPredicate(op.slots[0], lanes, canceled);
  return Outcome::Next;
}

/// Coordinates of the canceled cluster's first block; which, `detail` says: a bit each. The fourth of a vector is 0.
Outcome runFirstBlock(Warp &warp, const Op &op, LaneMask lanes) {
  const auto *answers = warp.read<Answer>(op.slots[0]);
  for (uint32_t i = 0; i < op.moreCount; ++i) {
    if (op.more[i] == kNoSlot)
      continue;
    auto *values = warp.write<uint32_t>(op.more[i]);
    uint32_t component = op.detail + i;
    forEachLane(lanes, [&](int lane) {
      values[lane] = component < 3 ? answers[lane].block[component] : 0;
      return true;
    });
  }
  return Outcome::Next;
}

// clusterlaunchcontrol.try_cancel.async[.shared::cta].mbarrier::complete_tx::bytes[.multicast::cluster::all].b128
Result<void> buildCancelWith(Builder &builder, Op &op, std::string_view space, bool toAll) {
  if (Result<void> counted = builder.expectOperands(2, 2); !counted)
    return counted;
  CancelOperands operands{.toAll = toAll};
  Result<AddressSlot> answer = addressSlot(builder, 0, sharedOr(space));
  if (!answer)
    return answer.error();
  Result<AddressSlot> barrier = addressSlot(builder, 1, sharedOr(space));
  if (!barrier)
    return barrier.error();
  operands.answer = *answer;
  operands.barrier = *barrier;
  op.ordered = true; // who takes what depends on who asks first
  op.run = runCancel;
  builder.setExtra(op, operands);
  return {};
}

Result<void> buildCancel(Builder &builder, const Match &match, Op &op) {
  return buildCancelWith(builder, op, match.words[0], false);
}

Result<void> buildCancelToAll(Builder &builder, const Match &match, Op &op) {
  return buildCancelWith(builder, op, match.words[0], true);
}

// clusterlaunchcontrol.query_cancel.is_canceled.pred.b128 predicate, answer
Result<void> buildIsCanceled(Builder &builder, const Match &, Op &op) {
  if (Result<void> counted = builder.expectOperands(2, 2); !counted)
    return counted;
  Result<Slot> predicate = builder.destination(0, Type::Pred);
  if (!predicate)
    return predicate.error();
  Result<Slot> answer = builder.source(1, Type::B128);
  if (!answer)
    return answer.error();
  op.slots[0] = *predicate;
  op.slots[1] = *answer;
  op.run = runIsCanceled;
  return {};
}

Result<void> buildFirstBlockWith(Builder &builder, Op &op, uint32_t component, size_t count) {
  if (Result<void> counted = builder.expectOperands(2, 2); !counted)
    return counted;
  std::vector<Slot> values;
  if (Result<void> written = builder.destinations(builder.operand(0), Type::B32, count, values); !written)
    return written;
  Result<Slot> answer = builder.source(1, Type::B128);
  if (!answer)
    return answer.error();
  op.slots[0] = *answer;
  op.detail = component;
  op.run = runFirstBlock;
  builder.setMore(op, values);
  return {};
}

// clusterlaunchcontrol.query_cancel.get_first_ctaid.v4.b32.b128 {x, y, z, _}, answer
Result<void> buildFirstBlock(Builder &builder, const Match &, Op &op) { return buildFirstBlockWith(builder, op, 0, 4); }

// clusterlaunchcontrol.query_cancel.(get_first_ctaid::x|y|z).b32.b128 value, answer
Result<void> buildFirstBlockOf(Builder &builder, const Match &match, Op &op) {
  return buildFirstBlockWith(builder, op, static_cast<uint32_t>(match.words[0].back() - 'x'), 1);
}

constexpr auto kOther = OpClass::Other;
constexpr Form kForms[] = {
    {"clusterlaunchcontrol.try_cancel.async[.shared::cta].mbarrier::complete_tx::bytes.b128", Feature::Sm100, 86,
     OpClass::Async, buildCancel},
    {"clusterlaunchcontrol.try_cancel.async[.shared::cta].mbarrier::complete_tx::bytes.multicast::cluster::all.b128",
     Feature::NarrowConvert, 86, OpClass::Async, buildCancelToAll},
    {"clusterlaunchcontrol.query_cancel.is_canceled.pred.b128", Feature::Sm100, 86, kOther, buildIsCanceled},
    {"clusterlaunchcontrol.query_cancel.get_first_ctaid.v4.b32.b128", Feature::Sm100, 86, kOther, buildFirstBlock},
    {"clusterlaunchcontrol.query_cancel.(get_first_ctaid::x|get_first_ctaid::y|get_first_ctaid::z).b32.b128",
     Feature::Sm100, 86, kOther, buildFirstBlockOf},
};

} // namespace

std::span<const Form> launchControlForms() { return kForms; }

} // namespace glm::ptx
