// shfl, vote, match, redux, activemask, elect (PTX ISA, "Parallel Synchronization and Communication Instructions" and "Data
// Movement: shfl.sync").
#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/machine/Collective.h"
#include "runtime/ptx/machine/Groups.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>

namespace glm::ptx {
namespace {

template <typename F>
void forLanes(LaneMask lanes, F function) {
  for (; lanes; lanes &= lanes - 1)
    function(std::countr_zero(lanes));
}

/// The lanes of a member mask that is the same everywhere, all here: nearly always.
bool wholeWarp(const Warp &warp, LaneMask lanes, const uint32_t *masks, LaneMask *groups) {
  if (lanes != warp.alive)
    return false;
  uint32_t different = 0;
  for (uint32_t lane = 0; lane < kWarpSize; ++lane)
    different |= (lanes >> lane & 1) ? masks[lane] ^ masks[std::countr_zero(lanes)] : 0;
  if (different || (lanes & ~masks[std::countr_zero(lanes)]))
    return false;
  std::fill_n(groups, kWarpSize, lanes);
  return true;
}

/// perform(complete, groups) for the lanes whose groups are complete; false from it is a fault. Slot `mask`: member masks.
template <typename F>
Outcome collective(Warp &warp, const Op &op, LaneMask lanes, Slot mask, F perform) {
  LaneMask complete = lanes, groups[kWarpSize];
  const auto *masks = warp.read<uint32_t>(mask);
  if (!wholeWarp(warp, lanes, masks, groups) && !gatherGroups(warp, op, lanes, masks, complete, groups))
    return Outcome::Fault;
  if (complete && !perform(complete, groups))
    return Outcome::Fault;
  return leaveComplete(warp, op, lanes, complete);
}

enum class Shuffle : uint16_t { Up, Down, Butterfly, Index };

/// slots: destination, predicate, value, lane operand; more: clamp operand, member mask.
Outcome shuffle(Warp &warp, const Op &op, LaneMask lanes) {
  auto mode = static_cast<Shuffle>(op.variant);
  return collective(warp, op, lanes, op.more[1], [&](LaneMask complete, const LaneMask *groups) {
    const auto *b = warp.read<uint32_t>(op.slots[3]), *c = warp.read<uint32_t>(op.more[0]);
    uint32_t values[kWarpSize];
    std::copy_n(warp.read<uint32_t>(op.slots[2]), kWarpSize, values);
    auto *to = op.slots[0] == kNoSlot ? nullptr : warp.write<uint32_t>(op.slots[0]);
    LaneMask inRange = 0;
    bool fine = true;
    forLanes(complete, [&](int lane) {
      // PTX ISA, "shfl.sync": segmask in bits 8 to 12 of c, the clamp value in bits 0 to 4.
      uint32_t own = static_cast<uint32_t>(lane), offset = b[lane] & 31, clamp = c[lane] & 31,
               segment = c[lane] >> 8 & 31;
      uint32_t maxLane = (own & segment) | (clamp & ~segment);
      uint32_t minLane = own & segment;
      int source = 0;
      bool valid = false;
      switch (mode) {
      case Shuffle::Up:
        source = lane - static_cast<int>(offset);
        valid = source >= static_cast<int>(maxLane);
        break;
      case Shuffle::Down:
        source = lane + static_cast<int>(offset);
        valid = source <= static_cast<int>(maxLane);
        break;
      case Shuffle::Butterfly:
        source = lane ^ static_cast<int>(offset);
        valid = source <= static_cast<int>(maxLane);
        break;
      case Shuffle::Index:
        source = static_cast<int>(minLane | (offset & ~segment));
        valid = source <= static_cast<int>(maxLane);
        break;
      }
      if (!valid)
        source = lane;
      if (fine && !(groups[lane] >> source & 1)) {
        warp.fault(op, lane, LaunchFault::Kind::LaunchFailed,
                   fmt::format("shuffle must read a lane that takes part in it, but found lane {}, which {}", source,
                               (warp.exist >> source & 1) ? (warp.alive >> source & 1) ? "does not" : "has exited"
                                                          : "does not exist"));
        fine = false;
      }
      if (to)
        to[lane] = values[source];
      inRange |= LaneMask{valid} << lane;
    });
    if (op.slots[1] != kNoSlot)
      warp.setPredicate(op.slots[1], complete, inRange);
    return fine;
  });
}

Result<void> pairDestination(Builder &builder, const Operand &operand, Type first, Op &op) {
  const Operand &value = operand.kind == Operand::Kind::Pair ? operand.parts[0] : operand;
  Result<Slot> to = builder.destination(value, first);
  if (!to)
    return to.error();
  op.slots[0] = *to;
  if (operand.kind != Operand::Kind::Pair)
    return {};
  Result<Slot> predicate = builder.destination(operand.parts[1], Type::Pred);
  if (!predicate)
    return predicate.error();
  op.slots[1] = *predicate;
  return {};
}

Result<void> sourceInto(Builder &builder, size_t index, Type type, Slot &slot) {
  Result<Slot> source = builder.source(index, type);
  if (!source)
    return source.error();
  slot = *source;
  return {};
}

Result<void> buildShuffle(Builder &builder, const Match &match, Op &op) {
  if (Result<void> count = builder.expectOperands(5, 5); !count)
    return count;
  if (Result<void> done = pairDestination(builder, builder.operand(0), Type::B32, op); !done)
    return done;
  std::vector<Slot> more(2);
  for (Result<void> done :
       {sourceInto(builder, 1, Type::B32, op.slots[2]), sourceInto(builder, 2, Type::B32, op.slots[3]),
        sourceInto(builder, 3, Type::B32, more[0]), sourceInto(builder, 4, Type::B32, more[1])})
    if (!done)
      return done;
  builder.setMore(op, more);
  std::string_view mode = match.words[0];
  op.variant = static_cast<uint16_t>(mode == "up"     ? Shuffle::Up
                                     : mode == "down" ? Shuffle::Down
                                     : mode == "bfly" ? Shuffle::Butterfly
                                                      : Shuffle::Index);
  op.run = shuffle;
  return {};
}

enum class Vote : uint16_t { All, Any, Uniform, Ballot };

/// slots: destination, predicate, member mask.
Outcome vote(Warp &warp, const Op &op, LaneMask lanes) {
  return collective(warp, op, lanes, op.slots[2], [&](LaneMask complete, const LaneMask *groups) {
    LaneMask votes = warp.predicate(op.slots[1]), result = 0;
    auto *ballot = op.variant == static_cast<uint16_t>(Vote::Ballot) ? warp.write<uint32_t>(op.slots[0]) : nullptr;
    forLanes(complete, [&](int lane) {
      LaneMask yes = votes & groups[lane];
      switch (static_cast<Vote>(op.variant)) {
      case Vote::All:
        result |= LaneMask{yes == groups[lane]} << lane;
        break;
      case Vote::Any:
        result |= LaneMask{yes != 0} << lane;
        break;
      case Vote::Uniform:
        result |= LaneMask{yes == 0 || yes == groups[lane]} << lane;
        break;
      case Vote::Ballot:
        ballot[lane] = yes;
        break;
      }
    });
    if (!ballot)
      warp.setPredicate(op.slots[0], complete, result);
    return true;
  });
}

Result<void> buildVote(Builder &builder, const Match &match, Op &op) {
  if (Result<void> count = builder.expectOperands(3, 3); !count)
    return count;
  std::string_view mode = match.words[0];
  bool ballot = mode == "ballot";
  Result<Slot> to = builder.destination(0, ballot ? Type::B32 : Type::Pred);
  if (!to)
    return to.error();
  op.slots[0] = *to;
  for (Result<void> done :
       {sourceInto(builder, 1, Type::Pred, op.slots[1]), sourceInto(builder, 2, Type::B32, op.slots[2])})
    if (!done)
      return done;
  if (op.slots[0] == kNoSlot)
    return builder.error("must have a destination", "_");
  op.variant = static_cast<uint16_t>(ballot          ? Vote::Ballot
                                     : mode == "all" ? Vote::All
                                     : mode == "any" ? Vote::Any
                                                     : Vote::Uniform);
  op.run = vote;
  return {};
}

/// slots: destination, predicate (match.all), value, member mask.
template <typename T, bool all>
Outcome match(Warp &warp, const Op &op, LaneMask lanes) {
  return collective(warp, op, lanes, op.slots[3], [&](LaneMask complete, const LaneMask *groups) {
    T values[kWarpSize];
    std::copy_n(warp.read<T>(op.slots[2]), kWarpSize, values);
    auto *to = op.slots[0] == kNoSlot ? nullptr : warp.write<uint32_t>(op.slots[0]);
    LaneMask agreed = 0;
    forLanes(complete, [&](int lane) {
      LaneMask same = 0;
      forLanes(groups[lane], [&](int other) { same |= LaneMask{values[other] == values[lane]} << other; });
      bool everywhere = same == groups[lane];
      agreed |= LaneMask{everywhere} << lane;
      if (to)
        to[lane] = all && !everywhere ? 0 : same;
    });
    if (op.slots[1] != kNoSlot)
      warp.setPredicate(op.slots[1], complete, agreed);
    return true;
  });
}

Result<void> buildMatch(Builder &builder, const Match &match_, Op &op) {
  if (Result<void> count = builder.expectOperands(3, 3); !count)
    return count;
  if (Result<void> done = pairDestination(builder, builder.operand(0), Type::B32, op); !done)
    return done;
  bool all = match_.words[0] == "all";
  if (!all && op.slots[1] != kNoSlot)
    return builder.error("must have a predicate only for .all", "one");
  Type type = match_.type(1);
  for (Result<void> done : {sourceInto(builder, 1, type, op.slots[2]), sourceInto(builder, 2, Type::B32, op.slots[3])})
    if (!done)
      return done;
  if (type == Type::B64)
    op.run = all ? match<uint64_t, true> : match<uint64_t, false>;
  else
    op.run = all ? match<uint32_t, true> : match<uint32_t, false>;
  return {};
}

using Reduce = uint32_t (*)(uint32_t, uint32_t);

/// min and max of floats: a number wins against a NaN, or with .NaN loses; -0 is below +0 (PTX ISA, "redux.sync").
template <bool isMax, bool nan>
uint32_t reduceFloat(uint32_t a, uint32_t b) {
  float x = std::bit_cast<float>(a), y = std::bit_cast<float>(b);
  if (std::isnan(x) || std::isnan(y)) {
    if (nan || (std::isnan(x) && std::isnan(y)))
      return 0x7fffffffu;
    return std::isnan(x) ? b : a;
  }
  if (x == y)
    return std::signbit(x) == isMax ? b : a;
  return (x < y) == isMax ? b : a;
}

/// slots: destination, value, member mask.
uint32_t same(uint32_t value) { return value; }
uint32_t absolute(uint32_t value) { return value & 0x7fffffffu; }

template <Reduce reduce, uint32_t (*prepare)(uint32_t) = same>
Outcome redux(Warp &warp, const Op &op, LaneMask lanes) {
  return collective(warp, op, lanes, op.slots[2], [&](LaneMask complete, const LaneMask *groups) {
    uint32_t values[kWarpSize];
    std::copy_n(warp.read<uint32_t>(op.slots[1]), kWarpSize, values);
    auto *to = warp.write<uint32_t>(op.slots[0]);
    for (LaneMask rest = complete; rest;) {
      LaneMask group = groups[std::countr_zero(rest)];
      uint32_t result = prepare(values[std::countr_zero(group)]);
      forLanes(group & (group - 1), [&](int lane) { result = reduce(result, prepare(values[lane])); });
      forLanes(group, [&](int lane) { to[lane] = result; });
      rest &= ~group;
    }
    return true;
  });
}

uint32_t addWords(uint32_t a, uint32_t b) { return a + b; }
uint32_t andWords(uint32_t a, uint32_t b) { return a & b; }
uint32_t orWords(uint32_t a, uint32_t b) { return a | b; }
uint32_t xorWords(uint32_t a, uint32_t b) { return a ^ b; }
template <typename T>
uint32_t minWords(uint32_t a, uint32_t b) {
  return static_cast<uint32_t>(std::min(static_cast<T>(a), static_cast<T>(b)));
}
template <typename T>
uint32_t maxWords(uint32_t a, uint32_t b) {
  return static_cast<uint32_t>(std::max(static_cast<T>(a), static_cast<T>(b)));
}

template <bool isMax>
Handler floatRedux(bool isAbsolute, bool nan) {
  if (isAbsolute)
    return nan ? redux<reduceFloat<isMax, true>, absolute> : redux<reduceFloat<isMax, false>, absolute>;
  return nan ? redux<reduceFloat<isMax, true>> : redux<reduceFloat<isMax, false>>;
}

Result<void> buildRedux(Builder &builder, const Match &match, Op &op) {
  if (Result<void> count = builder.expectOperands(3, 3); !count)
    return count;
  std::string_view operation = match.words[0];
  Type type = match.type(match.words.size() - 1);
  Result<Slot> to = builder.destination(0, type);
  if (!to)
    return to.error();
  if (*to == kNoSlot)
    return builder.error("must have a destination", "_");
  op.slots[0] = *to;
  for (Result<void> done : {sourceInto(builder, 1, type, op.slots[1]), sourceInto(builder, 2, Type::B32, op.slots[2])})
    if (!done)
      return done;
  if (type == Type::F32)
    op.run = operation == "max" ? floatRedux<true>(match.has(1), match.has(2))
                                : floatRedux<false>(match.has(1), match.has(2));
  else if (operation == "add")
    op.run = redux<addWords>;
  else if (operation == "min")
    op.run = type == Type::S32 ? redux<minWords<int32_t>> : redux<minWords<uint32_t>>;
  else if (operation == "max")
    op.run = type == Type::S32 ? redux<maxWords<int32_t>> : redux<maxWords<uint32_t>>;
  else if (operation == "and")
    op.run = redux<andWords>;
  else
    op.run = operation == "or" ? redux<orWords> : redux<xorWords>;
  return {};
}

Outcome activeMask(Warp &warp, const Op &op, LaneMask lanes) {
  auto *to = warp.write<uint32_t>(op.slots[0]);
  forLanes(lanes, [&](int lane) { to[lane] = lanes; });
  return Outcome::Next;
}

Result<void> buildActiveMask(Builder &builder, const Match &, Op &op) {
  if (Result<void> count = builder.expectOperands(1, 1); !count)
    return count;
  Result<Slot> to = builder.destination(0, Type::B32);
  if (!to)
    return to.error();
  op.slots[0] = *to;
  op.run = activeMask;
  return {};
}

/// The lowest lane of the group leads. slots: destination, predicate, member mask.
Outcome elect(Warp &warp, const Op &op, LaneMask lanes) {
  return collective(warp, op, lanes, op.slots[2], [&](LaneMask complete, const LaneMask *groups) {
    LaneMask leaders = 0;
    auto *to = op.slots[0] == kNoSlot ? nullptr : warp.write<uint32_t>(op.slots[0]);
    forLanes(complete, [&](int lane) {
      int leader = std::countr_zero(groups[lane]);
      leaders |= LaneMask{1} << leader;
      if (to)
        to[lane] = static_cast<uint32_t>(leader);
    });
    if (op.slots[1] != kNoSlot)
      warp.setPredicate(op.slots[1], complete, leaders);
    return true;
  });
}

Result<void> buildElect(Builder &builder, const Match &, Op &op) {
  if (Result<void> count = builder.expectOperands(2, 2); !count)
    return count;
  if (Result<void> done = pairDestination(builder, builder.operand(0), Type::B32, op); !done)
    return done;
  op.run = elect;
  return sourceInto(builder, 1, Type::B32, op.slots[2]);
}

constexpr auto kCollective = OpClass::Collective;

const Form kForms[] = {
    {"shfl.sync.(up|down|bfly|idx).b32", Feature::Base, 60, kCollective, buildShuffle},
    {"vote.sync.(all|any|uni).pred", Feature::Base, 60, kCollective, buildVote},
    {"vote.sync.(ballot).b32", Feature::Base, 60, kCollective, buildVote},
    {"match.(any|all).sync.(b32|b64)", Feature::Base, 60, kCollective, buildMatch},
    {"redux.sync.(add|min|max).(u32|s32)", Feature::Base, 70, kCollective, buildRedux},
    {"redux.sync.(and|or|xor).(b32)", Feature::Base, 70, kCollective, buildRedux},
    {"redux.sync.(min|max)[.abs][.NaN].(f32)", Feature::ReduxF32, 86, kCollective, buildRedux},
    {"activemask.b32", Feature::Base, 62, kCollective, buildActiveMask},
    {"elect.sync", Feature::Base, 80, kCollective, buildElect},
};

} // namespace

std::span<const Form> collectiveForms() { return kForms; }

} // namespace glm::ptx
