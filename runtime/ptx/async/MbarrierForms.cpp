// mbarrier.*: PTX ISA, "Parallel Synchronization and Communication Instructions: mbarrier".
#include "runtime/ptx/async/Addressing.h"
#include "runtime/ptx/async/Barriers.h"
#include "runtime/ptx/async/BlockState.h"
#include "runtime/ptx/async/Forms.h"

#include <fmt/format.h>
#include <limits>

namespace glm::ptx {

namespace {

/// What all operations on an mbarrier know.
struct BarrierOperands {
  AddressSlot address{};
  Slot state = kNoSlot; ///< destination
  Slot value = kNoSlot; ///< count, bytes, phase or state
  bool drop = false, noComplete = false, expects = false, relaxed = false, byParity = false;
};

const BarrierOperands &operandsOf(const Op &op) { return *static_cast<const BarrierOperands *>(op.extra); }

/// Calls `change(lane, barrier)` for each lane's mbarrier, one lane after the other, and releases through those that it
/// changes unless `relaxed`.
template <typename Change>
Outcome changeBarriers(Warp &warp, const Op &op, LaneMask lanes, bool relaxed, Change change) {
  const BarrierOperands &operands = operandsOf(op);
  LaneAddresses addresses = operands.address.read(warp);
  uint64_t released = std::numeric_limits<uint64_t>::max();
  bool fine = forEachLane(lanes, [&](int lane) {
    std::optional<uint32_t> address = sharedAddress(warp, op, lane, operands.address.generic, addresses[lane]);
    if (!address)
      return false;
    uint64_t token = barrierToken(*warp.block->cluster, *address);
    if (!relaxed && token != released)
      release(warp, token);
    released = token;
    return changeBarrier(warp, op, lane, *address, [&](Mbarrier &barrier) { return change(lane, barrier); });
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

Outcome runInit(Warp &warp, const Op &op, LaneMask lanes) {
  const BarrierOperands &operands = operandsOf(op);
  LaneAddresses addresses = operands.address.read(warp);
  const auto *counts = warp.read<uint32_t>(operands.value);
  bool fine = forEachLane(lanes, [&](int lane) {
    std::optional<uint32_t> address = sharedAddress(warp, op, lane, operands.address.generic, addresses[lane]);
    if (!address)
      return false;
    if (counts[lane] == 0 || counts[lane] > Mbarrier::kMaxCount) {
      warp.fault(
          op, lane, LaunchFault::Kind::LaunchFailed,
          fmt::format("mbarrier.init must have a count from 1 to {}, but found {}", Mbarrier::kMaxCount, counts[lane]));
      return false;
    }
    std::byte *bytes = touch(warp, op, lane, Space::Shared, *address, 8, 8, {.writes = true, .sync = true});
    if (!bytes)
      return false;
    *reinterpret_cast<uint64_t *>(bytes) = Mbarrier::initial(counts[lane]).bits();
    noteInitialized(warp, op, *address);
    return true;
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

Outcome runInvalidate(Warp &warp, const Op &op, LaneMask lanes) {
  return changeBarriers(warp, op, lanes, true, [](int, Mbarrier &barrier) -> Mbarrier::Problem {
    barrier = Mbarrier(0);
    return std::nullopt;
  });
}

Outcome runArrive(Warp &warp, const Op &op, LaneMask lanes) {
  const BarrierOperands &operands = operandsOf(op);
  const auto *values = operands.value == kNoSlot ? nullptr : warp.read<uint32_t>(operands.value);
  auto *states = operands.state == kNoSlot ? nullptr : warp.write<uint64_t>(operands.state);
  return changeBarriers(warp, op, lanes, operands.relaxed, [&](int lane, Mbarrier &barrier) -> Mbarrier::Problem {
    uint64_t before = barrier.bits();
    uint32_t count = 1;
    if (operands.expects) {
      if (Mbarrier::Problem problem = barrier.expectTransactions(values[lane]))
        return problem;
    } else if (values) {
      count = values[lane];
    }
    Mbarrier::Problem problem =
        operands.drop ? barrier.arriveDrop(count, operands.noComplete) : barrier.arrive(count, operands.noComplete);
    if (!problem && states)
      states[lane] = before;
    return problem;
  });
}

Outcome runExpect(Warp &warp, const Op &op, LaneMask lanes) {
  const auto *bytes = warp.read<uint32_t>(operandsOf(op).value);
  return changeBarriers(warp, op, lanes, true,
                        [&](int lane, Mbarrier &barrier) { return barrier.expectTransactions(bytes[lane]); });
}

Outcome runComplete(Warp &warp, const Op &op, LaneMask lanes) {
  const auto *bytes = warp.read<uint32_t>(operandsOf(op).value);
  return changeBarriers(warp, op, lanes, true,
                        [&](int lane, Mbarrier &barrier) { return barrier.completeTransactions(bytes[lane]); });
}

Outcome runPendingCount(Warp &warp, const Op &op, LaneMask lanes) {
  const auto *states = warp.read<uint64_t>(op.slots[1]);
  auto *counts = warp.write<uint32_t>(op.slots[0]);
  forEachLane(lanes, [&](int lane) {
    counts[lane] = Mbarrier(states[lane]).pending();
    return true;
  });
  return Outcome::Next;
}

/// Which lanes' phases are complete, by their mbarriers' addresses; nothing after a fault.
std::optional<LaneMask> completeLanes(Warp &warp, const Op &op, LaneMask lanes, LaneAddresses &addresses) {
  const BarrierOperands &operands = operandsOf(op);
  const auto *parities = warp.read<uint32_t>(operands.value);
  const auto *states = warp.read<uint64_t>(operands.value);
  addresses = operands.address.read(warp);
  LaneMask complete = 0;
  bool fine = forEachLane(lanes, [&](int lane) {
    std::optional<uint32_t> address = sharedAddress(warp, op, lane, operands.address.generic, addresses[lane]);
    if (!address)
      return false;
    addresses[lane] = *address;
    return changeBarrier(warp, op, lane, *address, [&](Mbarrier &barrier) -> Mbarrier::Problem {
      bool done = operands.byParity ? barrier.isComplete(parities[lane]) : barrier.isComplete(Mbarrier(states[lane]));
      complete |= done ? LaneMask{1} << lane : 0;
      return std::nullopt;
    });
  });
  return fine ? std::optional(complete) : std::nullopt;
}

Outcome answer(Warp &warp, const Op &op, LaneMask lanes, LaneMask complete, const LaneAddresses &addresses) {
  const BarrierOperands &operands = operandsOf(op);
  if (!operands.relaxed) {
    const auto *parities = warp.read<uint32_t>(operands.value);
    const auto *states = warp.read<uint64_t>(operands.value);
    uint64_t acquired = std::numeric_limits<uint64_t>::max();
    forEachLane(complete, [&](int lane) {
      uint32_t parity = operands.byParity ? parities[lane] : Mbarrier(states[lane]).parity();
      uint64_t token = barrierToken(static_cast<uint32_t>(addresses[lane]), parity);
      if (token != acquired)
        acquire(warp, token);
      acquired = token;
      return true;
    });
  }
  warp.setPredicate(operands.state, lanes, complete);
  return Outcome::Next;
}

/// Tries of one try_wait until it answers false though others still run: they may wait for what this warp does then.
constexpr uint64_t kMostTries = 1 << 14;
/// Answers of false in a row, of all warps of a block, while nothing changed, after which nothing can change any more. Where
/// others still run they may be long at it without a trace, so that polls of test_wait are many.
constexpr uint32_t kIdleTimeouts = 1 << 10, kIdlePolls = 1 << 20;

/// Whether the launch is stuck: a program that polls has been told that nothing came too often.
bool isStuck(Block &block, uint32_t limit) {
  BlockState &state = stateOf(block);
  if (state.lastProgress != block.grid->progress) {
    state.lastProgress = block.grid->progress;
    state.idlePolls = 0;
  }
  return ++state.idlePolls > limit;
}

/// An unfinished wait lets the others run first; from its second try on it lets one piece of asynchronous work be done, so
/// that data comes only to programs that wait for it. A try_wait goes on waiting while others run; a test_wait answers.
template <bool MaySuspend>
Outcome runWait(Warp &warp, const Op &op, LaneMask lanes) {
  LaneAddresses addresses;
  std::optional<LaneMask> complete = completeLanes(warp, op, lanes, addresses);
  if (!complete)
    return Outcome::Fault;
  if (*complete == lanes)
    return answer(warp, op, lanes, *complete, addresses);
  Fragment &fragment = warp.fragment();
  fragment.waitingFor = describeBarrier;
  fragment.waitingDetail = addresses[std::countr_zero(lanes & ~*complete)];
  uint64_t tries = ++warp.waitState();
  if (tries == 1)
    return Outcome::Retry;
  Block &block = *warp.block;
  if (drainOne(warp)) {
    if (block.grid->fault)
      return Outcome::Fault;
    complete = completeLanes(warp, op, lanes, addresses);
    if (!complete)
      return Outcome::Fault;
    if (*complete == lanes)
      return answer(warp, op, lanes, *complete, addresses);
  }
  if (MaySuspend && !block.cluster->stalled && tries < kMostTries)
    return Outcome::Retry;
  bool isQuiet = MaySuspend && block.cluster->stalled;
  if (isStuck(block, isQuiet ? kIdleTimeouts : kIdlePolls))
    return deadlock(warp, op);
  answer(warp, op, lanes, *complete, addresses);
  // A poll's loop gives way to those it waits for.
  return MaySuspend ? Outcome::Next : Outcome::Yield;
}

Result<void> finish(Builder &builder, Op &op, BarrierOperands operands, Handler handler) {
  op.run = handler;
  builder.setExtra(op, operands);
  return {};
}

// mbarrier.init[.space].b64 [addr], count
Result<void> buildInit(Builder &builder, const Match &match, Op &op) {
  if (Result<void> counted = builder.expectOperands(2, 2); !counted)
    return counted;
  Result<AddressSlot> address = addressSlot(builder, 0, sharedOr(match.words[0]));
  if (!address)
    return address.error();
  Result<Slot> count = builder.source(1, Type::B32);
  if (!count)
    return count.error();
  return finish(builder, op, {.address = *address, .value = *count}, runInit);
}

// mbarrier.inval[.space].b64 [addr]
Result<void> buildInvalidate(Builder &builder, const Match &match, Op &op) {
  if (Result<void> counted = builder.expectOperands(1, 1); !counted)
    return counted;
  Result<AddressSlot> address = addressSlot(builder, 0, sharedOr(match.words[0]));
  if (!address)
    return address.error();
  return finish(builder, op, {.address = *address}, runInvalidate);
}

/// mbarrier.arrive and its kin: state, [addr]{, value}. Of another block only the sink can be the state.
Result<void> buildArrival(Builder &builder, Op &op, std::string_view space, bool valueNeeded,
                          BarrierOperands operands) {
  if (Result<void> counted = builder.expectOperands(valueNeeded ? 3 : 2, 3); !counted)
    return counted;
  if (space == "shared::cluster" && builder.operand(0).kind != Operand::Kind::Sink)
    return builder.error("gives no state of an mbarrier in .shared::cluster and takes _", "a destination");
  Result<Slot> state = builder.destination(0, Type::B64);
  if (!state)
    return state.error();
  Result<AddressSlot> address = addressSlot(builder, 1, sharedOr(space));
  if (!address)
    return address.error();
  operands.state = *state;
  operands.address = *address;
  if (builder.operandCount() == 3) {
    Result<Slot> value = builder.source(2, Type::B32);
    if (!value)
      return value.error();
    operands.value = *value;
  }
  return finish(builder, op, operands, runArrive);
}

// mbarrier.(arrive|arrive_drop)[.sem][.scope][.space].b64 state, [addr]{, count}
Result<void> buildArrive(Builder &builder, const Match &match, Op &op) {
  return buildArrival(builder, op, match.words[3], false,
                      {.drop = match.words[0] == "arrive_drop", .relaxed = match.words[1] == "relaxed"});
}

// mbarrier.(arrive|arrive_drop).expect_tx[.sem][.scope][.space].b64 state, [addr], bytes
Result<void> buildArriveExpect(Builder &builder, const Match &match, Op &op) {
  return buildArrival(
      builder, op, match.words[3], true,
      {.drop = match.words[0] == "arrive_drop", .expects = true, .relaxed = match.words[1] == "relaxed"});
}

// mbarrier.(arrive|arrive_drop).expect_tx.space.sem.scope.b64: the order of words in the ISA's own text of arrive_drop
Result<void> buildArriveExpectSpaceFirst(Builder &builder, const Match &match, Op &op) {
  return buildArrival(
      builder, op, match.words[1], true,
      {.drop = match.words[0] == "arrive_drop", .expects = true, .relaxed = match.words[2] == "relaxed"});
}

// mbarrier.(arrive|arrive_drop).noComplete[.release][.cta][.space].b64 state, [addr], count
Result<void> buildArriveNoComplete(Builder &builder, const Match &match, Op &op) {
  return buildArrival(builder, op, match.words[3], true, {.drop = match.words[0] == "arrive_drop", .noComplete = true});
}

// mbarrier.(expect_tx|complete_tx)[.relaxed][.scope][.space].b64 [addr], bytes
Result<void> buildTransactions(Builder &builder, const Match &match, Op &op) {
  if (Result<void> counted = builder.expectOperands(2, 2); !counted)
    return counted;
  Result<AddressSlot> address = addressSlot(builder, 0, sharedOr(match.words[3]));
  if (!address)
    return address.error();
  Result<Slot> bytes = builder.source(1, Type::B32);
  if (!bytes)
    return bytes.error();
  return finish(builder, op, {.address = *address, .value = *bytes},
                match.words[0] == "expect_tx" ? runExpect : runComplete);
}

// mbarrier.(test_wait|try_wait)[.parity][.sem][.scope][.space].b64 pred, [addr], state{, suspend hint}
Result<void> buildWait(Builder &builder, const Match &match, Op &op) {
  bool maySuspend = match.words[0] == "try_wait";
  if (Result<void> counted = builder.expectOperands(3, maySuspend ? 4 : 3); !counted)
    return counted;
  BarrierOperands operands{.relaxed = match.words[2] == "relaxed", .byParity = match.has(1)};
  Result<Slot> predicate = builder.destination(0, Type::Pred);
  if (!predicate)
    return predicate.error();
  Result<AddressSlot> address = addressSlot(builder, 1, sharedOr(match.words[4]));
  if (!address)
    return address.error();
  Result<Slot> phase = builder.source(2, operands.byParity ? Type::B32 : Type::B64);
  if (!phase)
    return phase.error();
  if (builder.operandCount() == 4)
    if (Result<Slot> hint = builder.source(3, Type::B32); !hint)
      return hint.error();
  operands.state = *predicate;
  operands.address = *address;
  operands.value = *phase;
  return finish(builder, op, operands, maySuspend ? runWait<true> : runWait<false>);
}

// mbarrier.pending_count.b64 count, state
Result<void> buildPendingCount(Builder &builder, const Match &, Op &op) {
  if (Result<void> counted = builder.expectOperands(2, 2); !counted)
    return counted;
  Result<Slot> count = builder.destination(0, Type::B32);
  if (!count)
    return count.error();
  Result<Slot> state = builder.source(1, Type::B64);
  if (!state)
    return state.error();
  op.slots[0] = *count;
  op.slots[1] = *state;
  op.run = runPendingCount;
  return {};
}

constexpr auto kClass = OpClass::Barrier;
constexpr Form kForms[] = {
    {"mbarrier.init[.(shared|shared::cta)].b64", Feature::Base, 70, kClass, buildInit},
    {"mbarrier.inval[.(shared|shared::cta)].b64", Feature::Base, 70, kClass, buildInvalidate},
    {"mbarrier.(arrive|arrive_drop)[.(release|relaxed)][.(cta|cluster)][.(shared|shared::cta|shared::cluster)].b64",
     Feature::Base, 70, kClass, buildArrive},
    {"mbarrier.(arrive|arrive_drop).expect_tx[.(release|relaxed)][.(cta|cluster)]"
     "[.(shared|shared::cta|shared::cluster)].b64",
     Feature::Base, 80, kClass, buildArriveExpect},
    {"mbarrier.(arrive|arrive_drop).expect_tx.(shared|shared::cta|shared::cluster).(release|relaxed).(cta|cluster).b64",
     Feature::Base, 80, kClass, buildArriveExpectSpaceFirst},
    {"mbarrier.(arrive|arrive_drop).noComplete[.release][.cta][.(shared|shared::cta)].b64", Feature::Base, 70, kClass,
     buildArriveNoComplete},
    {"mbarrier.(expect_tx|complete_tx)[.relaxed][.(cta|cluster)][.(shared|shared::cta|shared::cluster)].b64",
     Feature::Base, 80, kClass, buildTransactions},
    {"mbarrier.(test_wait|try_wait)[.parity][.(acquire|relaxed)][.(cta|cluster)][.(shared|shared::cta)].b64",
     Feature::Base, 78, kClass, buildWait},
    {"mbarrier.pending_count.b64", Feature::Base, 70, kClass, buildPendingCount},
};

} // namespace

std::span<const Form> mbarrierForms() { return kForms; }

} // namespace glm::ptx
