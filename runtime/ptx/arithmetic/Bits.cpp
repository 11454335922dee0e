// Bits: logic, shifts, fields, bytes (PTX ISA, "Logic and Shift Instructions", the bit instructions of "Integer Arithmetic
// Instructions", and prmt).
#include "runtime/ptx/arithmetic/Lanes.h"
#include "runtime/ptx/arithmetic/Operands.h"
#include "runtime/ptx/arithmetic/Tables.h"

GLM_PTX_BEGIN_LANES
namespace {

using enum OpClass;
constexpr Feature kBase = Feature::Base;

struct And {
  auto operator()(auto a, auto b) const { return a & b; }
};
struct Or {
  auto operator()(auto a, auto b) const { return a | b; }
};
struct Xor {
  auto operator()(auto a, auto b) const { return a ^ b; }
};
struct Not {
  auto operator()(auto a) const { return ~a; }
};
struct LogicalNot {
  template <typename V>
  V operator()(V a) const {
    return a == 0 ? V(1) : V(0);
  }
};

/// Shifts by more than the width give zeros (or sign bits).
struct ShiftLeft {
  template <typename V>
  V operator()(V a, Rebind<V, uint32_t> by) const {
    constexpr uint32_t kWidth = 8 * sizeof(ElementOf<V>);
    const V amount = convert<ElementOf<V>>(by & (kWidth - 1));
    return convert<ElementOf<V>>(by) >= kWidth || convert<ElementOf<V>>(by >> 16) != 0 ? V(0) : a << amount;
  }
};
struct ShiftRight {
  template <typename V>
  V operator()(V a, Rebind<V, uint32_t> by) const {
    using T = ElementOf<V>;
    constexpr uint32_t kWidth = 8 * sizeof(T);
    const auto bounded = __builtin_elementwise_min(by, Rebind<V, uint32_t>(kWidth));
    const V amount = convert<T>(bounded);
    if constexpr (std::is_signed_v<T>)
      return a >> (amount > static_cast<T>(kWidth - 1) ? V(static_cast<T>(kWidth - 1)) : amount);
    else
      return amount > static_cast<T>(kWidth - 1) ? V(0) : a >> (amount & static_cast<T>(kWidth - 1));
  }
};

template <bool Left, bool Clamp>
struct FunnelShift {
  template <typename V>
  V operator()(V low, V high, V by) const {
    const V amount = Clamp ? __builtin_elementwise_min(by, V(32)) : by & 31u;
    using W = Rebind<V, uint64_t>;
    const W both = convert<uint64_t>(high) << 32 | convert<uint64_t>(low);
    const W wide = convert<uint64_t>(amount);
    // By 32 the left shift gives the low register; both shifts stay within 64 bits.
    return convert<uint32_t>(Left ? both << wide >> 32 : both >> wide);
  }
};

/// Bit i of the table is the result for inputs a, b, c whose bits form i (a the highest): PTX ISA, lop3.
struct Lookup {
  explicit Lookup(const Op &op) {
    for (uint32_t i = 0; i < 8; ++i)
      entries[i] = (op.detail >> i & 1) != 0 ? ~0u : 0u;
  }
  template <typename V>
  V operator()(V a, V b, V c) const {
    const auto choose = [](V selector, V zero, V one) { return zero ^ (selector & (zero ^ one)); };
    const V low = choose(b, choose(c, entries[0], entries[1]), choose(c, entries[2], entries[3]));
    const V high = choose(b, choose(c, entries[4], entries[5]), choose(c, entries[6], entries[7]));
    return choose(a, low, high);
  }
  uint32_t entries[8];
};

struct CountOnes {
  template <typename V>
  Rebind<V, uint32_t> operator()(V a) const {
    return convert<uint32_t>(__builtin_elementwise_popcount(a));
  }
};
struct CountLeadingZeros {
  template <typename V>
  Rebind<V, uint32_t> operator()(V a) const {
    // The bits below the highest one, counted, tell where it is: no instruction of AVX2 does.
    constexpr uint32_t kWidth = 8 * sizeof(ElementOf<V>);
    V filled = a;
    for (uint32_t by = 1; by < kWidth; by *= 2)
      filled |= filled >> by;
    return kWidth - convert<uint32_t>(__builtin_elementwise_popcount(filled));
  }
};
struct Reverse {
  auto operator()(auto a) const { return __builtin_elementwise_bitreverse(a); }
};
/// The highest bit that differs from the sign; all ones if there is none. `Shift`: how far to shift it to the top instead.
template <bool Shift>
struct FindHighest {
  template <typename V>
  Rebind<V, uint32_t> operator()(V a) const {
    using U = std::make_unsigned_t<ElementOf<V>>;
    constexpr uint32_t kTop = 8 * sizeof(U) - 1;
    const auto zeros = CountLeadingZeros()(bitsAs<U>(a < 0 ? ~a : a));
    const Rebind<V, uint32_t> found = Shift ? zeros : kTop - zeros;
    return zeros > kTop ? Rebind<V, uint32_t>(~0u) : found;
  }
};

/// `bits` ones from bit 0 on; all of them from the width on.
template <typename V>
V onesBelow(V bits) {
  constexpr uint32_t kWidth = 8 * sizeof(ElementOf<V>);
  return bits >= kWidth ? ~V(0) : (V(1) << (bits & (kWidth - 1))) - 1;
}

struct ExtractField {
  template <typename V>
  V operator()(V a, Rebind<V, uint32_t> position, Rebind<V, uint32_t> length) const {
    using T = ElementOf<V>;
    using U = Rebind<V, std::make_unsigned_t<T>>;
    constexpr uint32_t kWidth = 8 * sizeof(T);
    const U bits = bitsAs<ElementOf<U>>(a);
    const U from = convert<ElementOf<U>>(position & 0xffu);
    const U wanted = convert<ElementOf<U>>(length & 0xffu);
    const U present = from >= kWidth ? U(0) : U(kWidth) - from;
    const U count = wanted < present ? wanted : present;
    const U mask = onesBelow(count);
    const U field = (from >= kWidth ? U(0) : bits >> (from & (kWidth - 1))) & mask;
    if constexpr (!std::is_signed_v<T>)
      return field;
    // The sign is the field's top bit, or the register's if the field goes beyond it; an empty field has none.
    const U top = from + wanted - 1;
    const U sign = bits >> (top >= kWidth ? U(kWidth - 1) : top) & 1;
    return bitsAs<T>(wanted != 0 && sign != 0 ? field | ~mask : field);
  }
};
struct InsertField {
  template <typename V>
  V operator()(V a, V b, Rebind<V, uint32_t> position, Rebind<V, uint32_t> length) const {
    using T = ElementOf<V>;
    constexpr uint32_t kWidth = 8 * sizeof(T);
    const V from = convert<T>(position & 0xffu);
    const V mask = from >= kWidth ? V(0) : onesBelow(convert<T>(length & 0xffu)) << (from & (kWidth - 1));
    return (b & ~mask) | ((a << (from & (kWidth - 1))) & mask);
  }
};

template <bool Clamp>
struct Extend {
  template <typename V>
  V operator()(V a, Rebind<V, uint32_t> bits) const {
    using T = ElementOf<V>;
    using U = Rebind<V, uint32_t>;
    const auto all = Clamp ? bits >= 32u : bits < 0u;
    const U count = bits & 31u;
    const U shift = 31u - (count - 1 & 31u);
    const V extended = bitsAs<T>(bitsAs<uint32_t>(a) << shift) >> bitsAs<T>(shift);
    return all ? a : count == 0 ? V(0) : extended;
  }
};
template <bool Clamp>
struct Mask {
  template <typename V>
  V operator()(V position, V width) const {
    const V from = position & 31u;
    const V count = width & 31u;
    const V sum = from + count;
    auto beyond = sum >= 32u;
    V low = ~V(0) << from;
    if constexpr (Clamp) {
      beyond = beyond || position >= 32u || width >= 32u;
      low = position >= 32u ? V(0) : low;
    }
    const V high = beyond ? V(0) : ~V(0) << (sum & 31u);
    return low & ~high;
  }
};
/// The n-th one of a mask from a place on, upwards or downwards: PTX ISA, fns.
struct FindNth {
  uint32_t operator()(uint32_t mask, uint32_t base, int32_t offset) const {
    if (base > 31)
      return ~0u;
    if (offset == 0)
      return (mask >> base & 1) != 0 ? base : ~0u;
    const int step = offset > 0 ? 1 : -1;
    uint32_t left = offset > 0 ? static_cast<uint32_t>(offset) : 0u - static_cast<uint32_t>(offset);
    for (int place = static_cast<int>(base); place >= 0 && place < 32; place += step)
      if ((mask >> place & 1) != 0 && --left == 0)
        return static_cast<uint32_t>(place);
    return ~0u;
  }
};

/// Four bytes of {b, a} chosen by nibbles; bit 3 of a nibble replicates the byte's sign instead (PTX ISA, prmt).
struct Permute {
  template <typename V>
  V operator()(V a, V b, V selectors) const {
    V result = V(0);
    for (uint32_t i = 0; i < 4; ++i) {
      const V nibble = selectors >> (4 * i);
      const V word = (nibble & 4u) != 0 ? b : a;
      const V byte = word >> ((nibble & 3u) * 8) & 0xffu;
      const V sign = (byte >> 7) * 0xffu;
      result |= ((nibble & 8u) != 0 ? sign : byte) << (8 * i);
    }
    return result;
  }
};
enum class PermuteMode : uint8_t { ForwardFour, BackwardFour, Replicate8, EdgeLeft, EdgeRight, Replicate16 };
/// The named modes, as the selectors that they stand for: row per low two bits of the selector.
template <PermuteMode M>
struct PermuteNamed {
  static constexpr uint32_t kSelectors[6][4] = {{0x3210, 0x4321, 0x5432, 0x6543}, {0x5670, 0x6701, 0x7012, 0x0123},
                                                {0x0000, 0x1111, 0x2222, 0x3333}, {0x3210, 0x3211, 0x3222, 0x3333},
                                                {0x0000, 0x1110, 0x2210, 0x3210}, {0x1010, 0x3232, 0x1010, 0x3232}};
  template <typename V>
  V operator()(V a, V b, V selector) const {
    constexpr auto &kRow = kSelectors[static_cast<int>(M)];
    const V which = selector & 3u;
    const V low = (which & 1u) != 0 ? V(kRow[1]) : V(kRow[0]);
    const V high = (which & 1u) != 0 ? V(kRow[3]) : V(kRow[2]);
    return Permute()(a, b, (which & 2u) != 0 ? high : low);
  }
};

/// lop3 with a predicate: p = (result != 0) BoolOp q. Predicates: op.more[0] is p (or none), op.more[1] q.
template <bool IsAnd>
Outcome lookupPredicate(Warp &warp, const Op &op, LaneMask lanes) {
  constexpr int kChunk = 8;
  const Lookup lookup(op);
  const uint32_t *a = warp.read<uint32_t>(op.slots[1]);
  const uint32_t *b = warp.read<uint32_t>(op.slots[2]);
  const uint32_t *c = warp.read<uint32_t>(op.slots[3]);
  const LaneMask q = warp.predicate(op.more[1]);
  LaneMask any = 0;
  for (int lane = 0; lane < static_cast<int>(kWarpSize); lane += kChunk) {
    const auto value = lookup(loadLanes<kChunk>(a + lane), loadLanes<kChunk>(b + lane), loadLanes<kChunk>(c + lane));
    any |= bitsOfMask(value != 0) << lane;
    if (op.slots[0] == kNoSlot)
      continue;
    uint32_t *to = warp.write<uint32_t>(op.slots[0]) + lane;
    storeLanes<kChunk>(to, laneMask<uint32_t, kChunk>(lanes >> lane) ? value : loadLanes<kChunk>(to));
  }
  if (op.more[0] != kNoSlot)
    warp.setPredicate(op.more[0], lanes, IsAnd ? any & q : any | q);
  return Outcome::Next;
}

enum class Logic : uint8_t { And, Or, Xor };
template <Logic L>
Outcome predicateLogic(Warp &warp, const Op &op, LaneMask lanes) {
  const LaneMask a = warp.predicate(op.slots[1]);
  const LaneMask b = warp.predicate(op.slots[2]);
  warp.setPredicate(op.slots[0], lanes, L == Logic::And ? a & b : L == Logic::Or ? a | b : a ^ b);
  return Outcome::Next;
}
Outcome predicateNot(Warp &warp, const Op &op, LaneMask lanes) {
  warp.setPredicate(op.slots[0], lanes, ~warp.predicate(op.slots[1]));
  return Outcome::Next;
}

template <Logic L>
Result<void> buildPredicateLogic(Builder &builder, const Match &, Op &op) {
  op.run = predicateLogic<L>;
  return takeOperands(builder, op, Type::Pred, {Type::Pred, Type::Pred});
}
Result<void> buildPredicateNot(Builder &builder, const Match &, Op &op) {
  op.run = predicateNot;
  return takeOperands(builder, op, Type::Pred, {Type::Pred});
}

template <class F>
Result<void> unary(Builder &builder, const Match &match, Op &op) {
  withUnsigned(match.type(0), [&]<typename T>(Tag<T>) { op.run = kLanewise<F, T, T>; });
  return takeOperands(builder, op, match.type(0), {match.type(0)});
}
template <class F>
Result<void> binary(Builder &builder, const Match &match, Op &op) {
  withUnsigned(match.type(0), [&]<typename T>(Tag<T>) { op.run = kLanewise<F, T, T, T>; });
  return takeOperands(builder, op, match.type(0), {match.type(0), match.type(0)});
}
/// To a 32-bit count or place.
template <class F>
Result<void> measure(Builder &builder, const Match &match, Op &op) {
  withInteger(match.type(0), [&]<typename T>(Tag<T>) { op.run = kLanewise<F, uint32_t, T>; });
  return takeOperands(builder, op, Type::U32, {match.type(0)});
}
template <class F>
Result<void> shift(Builder &builder, const Match &match, Op &op) {
  withInteger(match.type(0), [&]<typename T>(Tag<T>) { op.run = kLanewise<F, T, T, uint32_t>; });
  return takeOperands(builder, op, match.type(0), {match.type(0), Type::U32});
}
Result<void> funnelShift(Builder &builder, const Match &match, Op &op) {
  const bool clamp = match.words[1] == "clamp";
  using U = uint32_t;
  if (match.words[0] == "l")
    op.run = clamp ? kLanewise<FunnelShift<true, true>, U, U, U, U> : kLanewise<FunnelShift<true, false>, U, U, U, U>;
  else
    op.run = clamp ? kLanewise<FunnelShift<false, true>, U, U, U, U> : kLanewise<FunnelShift<false, false>, U, U, U, U>;
  return takeOperands(builder, op, Type::B32, {Type::B32, Type::B32, Type::U32});
}
Result<void> extractField(Builder &builder, const Match &match, Op &op) {
  withInteger(match.type(0), [&]<typename T>(Tag<T>) { op.run = kLanewise<ExtractField, T, T, uint32_t, uint32_t>; });
  return takeOperands(builder, op, match.type(0), {match.type(0), Type::U32, Type::U32});
}
Result<void> insertField(Builder &builder, const Match &match, Op &op) {
  withUnsigned(match.type(0),
               [&]<typename T>(Tag<T>) { op.run = kLanewise<InsertField, T, T, T, uint32_t, uint32_t>; });
  return takeOperands(builder, op, match.type(0), {match.type(0), match.type(0), Type::U32, Type::U32});
}
Result<void> extend(Builder &builder, const Match &match, Op &op) {
  const bool clamp = match.words[0] == "clamp";
  withInteger(match.type(1), [&]<typename T>(Tag<T>) {
    if constexpr (sizeof(T) == 4)
      op.run = clamp ? kLanewise<Extend<true>, T, T, uint32_t> : kLanewise<Extend<false>, T, T, uint32_t>;
  });
  return takeOperands(builder, op, match.type(1), {match.type(1), Type::U32});
}
Result<void> mask(Builder &builder, const Match &match, Op &op) {
  using U = uint32_t;
  op.run = match.words[0] == "clamp" ? kLanewise<Mask<true>, U, U, U> : kLanewise<Mask<false>, U, U, U>;
  return takeOperands(builder, op, Type::B32, {Type::U32, Type::U32});
}
Result<void> findNth(Builder &builder, const Match &, Op &op) {
  op.run = kLanewise<Scalar<FindNth>, uint32_t, uint32_t, uint32_t, int32_t>;
  return takeOperands(builder, op, Type::B32, {Type::B32, Type::B32, Type::S32});
}
Result<void> permute(Builder &builder, const Match &match, Op &op) {
  using U = uint32_t;
  using enum PermuteMode;
  constexpr Handler kHandlers[] = {
      kLanewise<PermuteNamed<ForwardFour>, U, U, U, U>, kLanewise<PermuteNamed<BackwardFour>, U, U, U, U>,
      kLanewise<PermuteNamed<Replicate8>, U, U, U, U>,  kLanewise<PermuteNamed<EdgeLeft>, U, U, U, U>,
      kLanewise<PermuteNamed<EdgeRight>, U, U, U, U>,   kLanewise<PermuteNamed<Replicate16>, U, U, U, U>};
  op.run = match.has(0) ? kHandlers[indexOf(match.words[0], {"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"})]
                        : kLanewise<Permute, U, U, U, U>;
  return takeOperands(builder, op, Type::B32, {Type::B32, Type::B32, Type::B32});
}

/// The table of lop3, operand `index`.
Result<void> takeTable(Builder &builder, size_t index, Op &op) {
  const Result<int64_t> table = builder.constant(index);
  if (!table)
    return table.error();
  if (*table < 0 || *table > 255)
    return builder.error("needs a look-up table from 0 to 255", std::to_string(*table));
  op.detail = static_cast<uint32_t>(*table);
  return {};
}
Result<void> takeSources(Builder &builder, Op &op) {
  for (size_t index = 1; index < 4; ++index) {
    const Result<Slot> from = builder.source(index, Type::B32);
    if (!from)
      return from.error();
    op.slots[index] = *from;
  }
  return {};
}
Result<void> lookup(Builder &builder, const Match &, Op &op) {
  op.run = kLanewise<Lookup, uint32_t, uint32_t, uint32_t, uint32_t>;
  if (Result<void> fits = builder.expectOperands(5, 5); !fits)
    return fits;
  const Result<Slot> to = destinationRegister(builder, builder.operand(0), Type::B32);
  if (!to)
    return to.error();
  op.slots[0] = *to;
  if (Result<void> sources = takeSources(builder, op); !sources)
    return sources;
  return takeTable(builder, 4, op);
}
Result<void> lookupWithPredicate(Builder &builder, const Match &match, Op &op) {
  op.run = match.words[0] == "and" ? lookupPredicate<true> : lookupPredicate<false>;
  if (Result<void> fits = builder.expectOperands(6, 6); !fits)
    return fits;
  if (builder.operand(0).kind != Operand::Kind::Pair)
    return builder.error("needs a register and a predicate joined by | as destination", "one operand");
  const Result<Slot> to = builder.destination(builder.operand(0).parts[0], Type::B32);
  const Result<Slot> predicate = builder.destination(builder.operand(0).parts[1], Type::Pred);
  const Result<Slot> other = builder.source(5, Type::Pred);
  for (const Result<Slot> *slot : {&to, &predicate, &other})
    if (!*slot)
      return slot->error();
  op.slots[0] = *to;
  if (Result<void> sources = takeSources(builder, op); !sources)
    return sources;
  builder.setMore(op, {*predicate, *other});
  return takeTable(builder, 4, op);
}

constexpr Form kForms[] = {
    {"and.(b16|b32|b64)", kBase, 10, Integer, binary<And>},
    {"or.(b16|b32|b64)", kBase, 10, Integer, binary<Or>},
    {"xor.(b16|b32|b64)", kBase, 10, Integer, binary<Xor>},
    {"not.(b16|b32|b64)", kBase, 10, Integer, unary<Not>},
    {"and.pred", kBase, 10, Integer, buildPredicateLogic<Logic::And>},
    {"or.pred", kBase, 10, Integer, buildPredicateLogic<Logic::Or>},
    {"xor.pred", kBase, 10, Integer, buildPredicateLogic<Logic::Xor>},
    {"not.pred", kBase, 10, Integer, buildPredicateNot},
    {"cnot.(b16|b32|b64)", kBase, 10, Integer, unary<LogicalNot>},
    {"shl.(b16|b32|b64)", kBase, 10, Integer, shift<ShiftLeft>},
    {"shr.(b16|b32|b64|u16|u32|u64|s16|s32|s64)", kBase, 10, Integer, shift<ShiftRight>},
    {"shf.(l|r).(clamp|wrap).b32", kBase, 31, Integer, funnelShift},
    {"lop3.b32", kBase, 43, Integer, lookup},
    {"lop3.(or|and).b32", kBase, 82, Integer, lookupWithPredicate},
    {"popc.(b32|b64)", kBase, 20, Integer, measure<CountOnes>},
    {"clz.(b32|b64)", kBase, 20, Integer, measure<CountLeadingZeros>},
    {"brev.(b32|b64)", kBase, 20, Integer, unary<Reverse>},
    {"bfind.(u32|u64|s32|s64)", kBase, 20, Integer, measure<FindHighest<false>>},
    {"bfind.shiftamt.(u32|u64|s32|s64)", kBase, 20, Integer, measure<FindHighest<true>>},
    {"bfe.(u32|u64|s32|s64)", kBase, 20, Integer, extractField},
    {"bfi.(b32|b64)", kBase, 20, Integer, insertField},
    {"szext.(clamp|wrap).(u32|s32)", kBase, 76, Integer, extend},
    {"bmsk.(clamp|wrap).b32", kBase, 76, Integer, mask},
    {"fns.b32", kBase, 60, Integer, findNth},
    {"prmt.b32[.(f4e|b4e|rc8|ecl|ecr|rc16)]", kBase, 20, Integer, permute},
};

} // namespace

std::span<const Form> bitForms() { return kForms; }

GLM_PTX_END_LANES
