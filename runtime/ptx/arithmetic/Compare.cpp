// Comparison and selection: setp, set, selp, slct, testp (PTX ISA, "Comparison and Selection Instructions", "Half
// Precision Comparison Instructions", and testp).
#include "runtime/ptx/arithmetic/Floats.h"
#include "runtime/ptx/arithmetic/Operands.h"
#include "runtime/ptx/arithmetic/Tables.h"

GLM_PTX_BEGIN_LANES
namespace {

using enum OpClass;
constexpr Feature kBase = Feature::Base;

enum class Relation : uint8_t { Eq, Ne, Lt, Le, Gt, Ge, Equ, Neu, Ltu, Leu, Gtu, Geu, Num, Nan };

/// The unordered relations are true for a NaN. On integers only the first six exist.
template <Relation R, typename V>
auto related(V a, V b) {
  switch (R) {
  case Relation::Eq:
    return a == b;
  case Relation::Ne:
    // C++'s != is the only relation that is true for a NaN: `ne` is not.
    if constexpr (std::is_floating_point_v<ElementOf<V>>)
      return a < b || a > b;
    else
      return a != b;
  case Relation::Lt:
    return a < b;
  case Relation::Le:
    return a <= b;
  case Relation::Gt:
    return a > b;
  case Relation::Ge:
    return a >= b;
  case Relation::Equ:
    return !(a < b || a > b);
  case Relation::Neu:
    return a != b;
  case Relation::Ltu:
    return !(a >= b);
  case Relation::Leu:
    return !(a > b);
  case Relation::Gtu:
    return !(a <= b);
  case Relation::Geu:
    return !(a < b);
  case Relation::Num:
    return a == a && b == b;
  default:
    return a != a || b != b;
  }
}

/// What lies in a register and how it is compared: `T` as stored, `read` to the values. Shift: bits above the value wanted,
/// for the upper half of a pair.
template <typename T, bool Ftz = false>
struct Value {
  using Stored = T;
  template <typename V>
  static auto read(V stored) {
    if constexpr (Ftz)
      return flush(stored);
    else
      return stored;
  }
};
template <FloatFormat F, bool Ftz, typename T, int Shift>
struct Half {
  using Stored = T;
  template <typename V>
  static auto read(V stored) {
    const auto code = convert<uint32_t>(stored) >> Shift & 0xffffu;
    constexpr uint32_t kLeast = 1u << F.mantissaBits;
    return widen<F>(Ftz ? ((code & 0x7fffu) < kLeast ? code & 0x8000u : code) : code);
  }
};

/// Lanes for which the relation holds.
using Comparison = LaneMask (*)(const Warp &warp, Slot a, Slot b);

template <Relation R, class V>
LaneMask compare(const Warp &warp, Slot slotA, Slot slotB) {
  using T = typename V::Stored;
  constexpr int kChunk = chunkLanes<T>() < 8 ? 8 : chunkLanes<T>();
  const T *a = warp.read<T>(slotA);
  const T *b = warp.read<T>(slotB);
  LaneMask mask = 0;
  for (int lane = 0; lane < static_cast<int>(kWarpSize); lane += kChunk)
    mask |= bitsOfMask(related<R>(V::read(loadLanes<kChunk>(a + lane)), V::read(loadLanes<kChunk>(b + lane)))) << lane;
  return mask;
}

/// Index: 0 for none, then as here.
constexpr std::initializer_list<std::string_view> kBooleans = {"", "and", "or", "xor"};

LaneMask combined(uint32_t boolean, LaneMask value, LaneMask other) {
  switch (boolean) {
  case 1:
    return value & other;
  case 2:
    return value | other;
  case 3:
    return value ^ other;
  default:
    return value;
  }
}

/// slots: p, a, b, c; detail: q or kNoSlot; variant: the Boolean operation.
template <Relation R, class V>
Outcome setPredicate(Warp &warp, const Op &op, LaneMask lanes) {
  const LaneMask value = compare<R, V>(warp, op.slots[1], op.slots[2]);
  const LaneMask other = op.variant != 0 ? warp.predicate(op.slots[3]) : 0;
  if (op.slots[0] != kNoSlot)
    warp.setPredicate(op.slots[0], lanes, combined(op.variant, value, other));
  if (op.detail != kNoSlot)
    warp.setPredicate(op.detail, lanes, combined(op.variant, ~value, other));
  return Outcome::Next;
}
/// Of pairs: p from the low halves, q from the high ones.
template <Relation R, class Low, class High>
Outcome setPredicates(Warp &warp, const Op &op, LaneMask lanes) {
  const LaneMask low = compare<R, Low>(warp, op.slots[1], op.slots[2]);
  const LaneMask high = compare<R, High>(warp, op.slots[1], op.slots[2]);
  const LaneMask other = op.variant != 0 ? warp.predicate(op.slots[3]) : 0;
  if (op.slots[0] != kNoSlot)
    warp.setPredicate(op.slots[0], lanes, combined(op.variant, low, other));
  if (op.detail != kNoSlot)
    warp.setPredicate(op.detail, lanes, combined(op.variant, high, other));
  return Outcome::Next;
}

/// How `set` writes its result.
struct SetPlan {
  Comparison low, high; ///< high only for pairs
  uint32_t yes;         ///< what a lane (or half) that holds gets
};
template <typename D>
Outcome setValue(Warp &warp, const Op &op, LaneMask lanes) {
  const auto &plan = *static_cast<const SetPlan *>(op.extra);
  const LaneMask other = op.variant != 0 ? warp.predicate(op.slots[3]) : 0;
  const LaneMask low = combined(op.variant, plan.low(warp, op.slots[1], op.slots[2]), other);
  const LaneMask high = plan.high ? combined(op.variant, plan.high(warp, op.slots[1], op.slots[2]), other) : 0;
  D *to = warp.write<D>(op.slots[0]);
  for (uint32_t lane = 0; lane < kWarpSize; ++lane)
    if ((lanes >> lane & 1) != 0)
      to[lane] =
          static_cast<D>(((low >> lane & 1) != 0 ? plan.yes : 0) | ((high >> lane & 1) != 0 ? plan.yes << 16 : 0));
  return Outcome::Next;
}

/// Handlers of one relation.
struct Handlers {
  Handler predicate;
  Comparison low, high;
};
template <Relation R, class V>
constexpr Handlers single() {
  return {setPredicate<R, V>, compare<R, V>, nullptr};
}
template <Relation R, FloatFormat F, bool Ftz>
constexpr Handlers pair() {
  using Low = Half<F, Ftz, uint32_t, 0>;
  using High = Half<F, Ftz, uint32_t, 16>;
  return {setPredicates<R, Low, High>, compare<R, Low>, compare<R, High>};
}

/// The type's values under one relation; `Integers`: it exists for integers.
template <Relation R, bool Integers>
Handlers handlersOf(Type type, bool ftz) {
  switch (type) {
  case Type::F32:
    return ftz ? single<R, Value<float, true>>() : single<R, Value<float>>();
  case Type::F64:
    return single<R, Value<double>>();
  case Type::F16:
    return ftz ? single<R, Half<kF16, true, uint16_t, 0>>() : single<R, Half<kF16, false, uint16_t, 0>>();
  case Type::BF16:
    return single<R, Half<kBF16, false, uint16_t, 0>>();
  case Type::F16x2:
    return ftz ? pair<R, kF16, true>() : pair<R, kF16, false>();
  case Type::BF16x2:
    return pair<R, kBF16, false>();
  default:
    break;
  }
  Handlers handlers{};
  if constexpr (Integers)
    withInteger(type, [&]<typename T>(Tag<T>) { handlers = single<R, Value<T>>(); });
  return handlers;
}

Handlers handlersOf(std::string_view relation, Type type, bool ftz) {
  using enum Relation;
  using Maker = Handlers (*)(Type, bool);
  // lo, ls, hi, hs are what lt, le, gt, ge are for unsigned integers.
  struct Row {
    std::string_view word;
    Maker make;
  };
  static constexpr Row kRows[] = {
      {"eq", handlersOf<Eq, true>},    {"ne", handlersOf<Ne, true>},    {"lt", handlersOf<Lt, true>},
      {"le", handlersOf<Le, true>},    {"gt", handlersOf<Gt, true>},    {"ge", handlersOf<Ge, true>},
      {"lo", handlersOf<Lt, true>},    {"ls", handlersOf<Le, true>},    {"hi", handlersOf<Gt, true>},
      {"hs", handlersOf<Ge, true>},    {"equ", handlersOf<Equ, false>}, {"neu", handlersOf<Neu, false>},
      {"ltu", handlersOf<Ltu, false>}, {"leu", handlersOf<Leu, false>}, {"gtu", handlersOf<Gtu, false>},
      {"geu", handlersOf<Geu, false>}, {"num", handlersOf<Num, false>}, {"nan", handlersOf<Nan, false>}};
  for (const Row &row : kRows)
    if (row.word == relation)
      return row.make(type, ftz);
  return {};
}

/// Sources a, b and, with a Boolean operation, c.
Result<void> takeCompared(Builder &builder, Op &op, Type type, std::string_view boolean) {
  op.variant = static_cast<uint16_t>(indexOf(boolean, kBooleans));
  const size_t count = op.variant != 0 ? 4 : 3;
  if (Result<void> fits = builder.expectOperands(count, count); !fits)
    return fits;
  for (size_t index = 1; index < count; ++index) {
    const Result<Slot> from = builder.source(index, index == 3 ? Type::Pred : type);
    if (!from)
      return from.error();
    op.slots[index] = *from;
  }
  return {};
}

/// Words: relation, Boolean operation, [ftz], type.
template <bool HasFtz>
Result<void> setp(Builder &builder, const Match &match, Op &op) {
  const Type type = match.type(HasFtz ? 3 : 2);
  op.run = handlersOf(match.words[0], type, HasFtz && match.has(2)).predicate;
  if (Result<void> sources = takeCompared(builder, op, type, match.words[1]); !sources)
    return sources;
  op.detail = kNoSlot;
  const Operand &to = builder.operand(0);
  const bool isPair = to.kind == Operand::Kind::Pair;
  const Result<Slot> p = builder.destination(isPair ? to.parts[0] : to, Type::Pred);
  if (!p)
    return p.error();
  op.slots[0] = *p;
  if (isPair) {
    const Result<Slot> q = builder.destination(to.parts[1], Type::Pred);
    if (!q)
      return q.error();
    op.detail = *q;
  }
  return {};
}

/// What true looks like in a destination type, or in a half of it.
uint32_t trueOf(Type type) {
  switch (type) {
  case Type::F32:
    return 0x3f800000;
  case Type::F16:
  case Type::F16x2:
    return 0x3c00;
  case Type::BF16:
  case Type::BF16x2:
    return 0x3f80;
  default:
    return 0xffffffff;
  }
}

/// Words: relation, Boolean operation, [ftz], destination type, source type.
template <bool HasFtz>
Result<void> set(Builder &builder, const Match &match, Op &op) {
  const Type to = match.type(HasFtz ? 3 : 2);
  const Type type = match.type(HasFtz ? 4 : 3);
  const Handlers handlers = handlersOf(match.words[0], type, HasFtz && match.has(2));
  const uint32_t yes = handlers.high && bitsOf(to) == 32 && !isFloat(to) ? 0xffffu : trueOf(to);
  builder.setExtra(op, SetPlan{handlers.low, handlers.high, yes});
  op.run = bitsOf(to) == 16 ? setValue<uint16_t> : setValue<uint32_t>;
  if (Result<void> sources = takeCompared(builder, op, type, match.words[1]); !sources)
    return sources;
  const Result<Slot> slot = destinationRegister(builder, builder.operand(0), to);
  if (!slot)
    return slot.error();
  op.slots[0] = *slot;
  return {};
}

/// slots: d, a, b, predicate.
template <typename T>
Outcome select(Warp &warp, const Op &op, LaneMask lanes) {
  constexpr int kChunk = chunkLanes<T>();
  const T *a = warp.read<T>(op.slots[1]);
  const T *b = warp.read<T>(op.slots[2]);
  const LaneMask chosen = warp.predicate(op.slots[3]);
  T *to = warp.write<T>(op.slots[0]);
  for (int lane = 0; lane < static_cast<int>(kWarpSize); lane += kChunk) {
    const Vector<T, kChunk> value =
        laneMask<T, kChunk>(chosen >> lane) ? loadLanes<kChunk>(a + lane) : loadLanes<kChunk>(b + lane);
    storeLanes<kChunk>(to + lane, laneMask<T, kChunk>(lanes >> lane) ? value : loadLanes<kChunk>(to + lane));
  }
  return Outcome::Next;
}
Result<void> selp(Builder &builder, const Match &match, Op &op) {
  const Type type = match.type(0);
  op.run = bitsOf(type) == 16 ? select<uint16_t> : bitsOf(type) == 32 ? select<uint32_t> : select<uint64_t>;
  return takeOperands(builder, op, type, {type, type, Type::Pred});
}

/// d = c >= 0 ? a : b. A float -0 is >= 0, a NaN is not.
template <typename C>
struct SelectBySign {
  template <typename V, typename W>
  V operator()(V a, V b, W c) const {
    using I = std::make_signed_t<ElementOf<V>>;
    return __builtin_convertvector(c >= 0, Rebind<V, I>) != 0 ? a : b;
  }
};
struct SelectBySignFlushed {
  template <typename V, typename W>
  V operator()(V a, V b, W c) const {
    return SelectBySign<float>()(a, b, flush(c));
  }
};
template <typename C, class F>
Handler selectHandler(Type type) {
  return bitsOf(type) == 16   ? kLanewise<F, uint16_t, uint16_t, uint16_t, C>
         : bitsOf(type) == 32 ? kLanewise<F, uint32_t, uint32_t, uint32_t, C>
                              : kLanewise<F, uint64_t, uint64_t, uint64_t, C>;
}
Result<void> slctInteger(Builder &builder, const Match &match, Op &op) {
  const Type type = match.type(0);
  op.run = selectHandler<int32_t, SelectBySign<int32_t>>(type);
  return takeOperands(builder, op, type, {type, type, Type::S32});
}
Result<void> slctFloat(Builder &builder, const Match &match, Op &op) {
  const Type type = match.type(1);
  op.run =
      match.has(0) ? selectHandler<float, SelectBySignFlushed>(type) : selectHandler<float, SelectBySign<float>>(type);
  return takeOperands(builder, op, type, {type, type, Type::F32});
}

enum class Property : uint8_t { Finite, Infinite, Number, NotANumber, Normal, Subnormal };
template <Property P, typename U>
Outcome testProperty(Warp &warp, const Op &op, LaneMask lanes) {
  constexpr U kInfinity = sizeof(U) == 8 ? static_cast<U>(0x7ff0000000000000) : static_cast<U>(kInfinityF32);
  constexpr U kLeast = sizeof(U) == 8 ? static_cast<U>(0x0010000000000000) : static_cast<U>(0x00800000);
  const U *a = warp.read<U>(op.slots[1]);
  LaneMask mask = 0;
  for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
    const U magnitude = a[lane] & (~U(0) >> 1);
    bool holds = false;
    switch (P) {
    case Property::Finite:
      holds = magnitude < kInfinity;
      break;
    case Property::Infinite:
      holds = magnitude == kInfinity;
      break;
    case Property::Number:
      holds = magnitude <= kInfinity;
      break;
    case Property::NotANumber:
      holds = magnitude > kInfinity;
      break;
    case Property::Normal:
      holds = magnitude >= kLeast && magnitude < kInfinity;
      break;
    case Property::Subnormal:
      // A zero is neither normal nor subnormal.
      holds = magnitude < kLeast && magnitude != 0;
      break;
    }
    mask |= static_cast<LaneMask>(holds) << lane;
  }
  warp.setPredicate(op.slots[0], lanes, mask);
  return Outcome::Next;
}
Result<void> testp(Builder &builder, const Match &match, Op &op) {
  using enum Property;
  const bool wide = match.type(1) == Type::F64;
  using U = uint32_t;
  using W = uint64_t;
  constexpr Handler kHandlers[2][6] = {
      {testProperty<Finite, U>, testProperty<Infinite, U>, testProperty<Number, U>, testProperty<NotANumber, U>,
       testProperty<Normal, U>, testProperty<Subnormal, U>},
      {testProperty<Finite, W>, testProperty<Infinite, W>, testProperty<Number, W>, testProperty<NotANumber, W>,
       testProperty<Normal, W>, testProperty<Subnormal, W>}};
  op.run = kHandlers[wide ? 1 : 0]
                    [indexOf(match.words[0], {"finite", "infinite", "number", "notanumber", "normal", "subnormal"})];
  return takeOperands(builder, op, Type::Pred, {match.type(1)});
}

#define GLM_PTX_BOOLEAN "[.(and|or|xor)]"
#define GLM_PTX_FLOAT_RELATION "(eq|ne|lt|le|gt|ge|equ|neu|ltu|leu|gtu|geu|num|nan)"
constexpr Form kForms[] = {
    {"setp.(eq|ne)" GLM_PTX_BOOLEAN ".(b16|b32|b64)", kBase, 10, Integer, setp<false>},
    {"setp.(eq|ne|lt|le|gt|ge)" GLM_PTX_BOOLEAN ".(s16|s32|s64)", kBase, 10, Integer, setp<false>},
    {"setp.(eq|ne|lt|le|gt|ge|lo|ls|hi|hs)" GLM_PTX_BOOLEAN ".(u16|u32|u64)", kBase, 10, Integer, setp<false>},
    {"setp." GLM_PTX_FLOAT_RELATION GLM_PTX_BOOLEAN "[.ftz].(f32)", kBase, 10, Float, setp<true>},
    {"setp." GLM_PTX_FLOAT_RELATION GLM_PTX_BOOLEAN ".(f64)", kBase, 10, Float, setp<false>},
    {"setp." GLM_PTX_FLOAT_RELATION GLM_PTX_BOOLEAN "[.ftz].(f16|f16x2)", kBase, 42, Float, setp<true>},
    {"setp." GLM_PTX_FLOAT_RELATION GLM_PTX_BOOLEAN ".(bf16|bf16x2)", kBase, 78, Float, setp<false>},
    {"set.(eq|ne)" GLM_PTX_BOOLEAN ".(u32|s32|f32|f16|bf16).(b16|b32|b64)", kBase, 10, Integer, set<false>},
    {"set.(eq|ne|lt|le|gt|ge)" GLM_PTX_BOOLEAN ".(u32|s32|f32|f16|bf16).(s16|s32|s64)", kBase, 10, Integer, set<false>},
    {"set.(eq|ne|lt|le|gt|ge|lo|ls|hi|hs)" GLM_PTX_BOOLEAN ".(u32|s32|f32|f16|bf16).(u16|u32|u64)", kBase, 10, Integer,
     set<false>},
    {"set." GLM_PTX_FLOAT_RELATION GLM_PTX_BOOLEAN "[.ftz].(u32|s32|f32|f16|bf16).(f32)", kBase, 10, Float, set<true>},
    {"set." GLM_PTX_FLOAT_RELATION GLM_PTX_BOOLEAN ".(u32|s32|f32|f16|bf16).(f64)", kBase, 10, Float, set<false>},
    {"set." GLM_PTX_FLOAT_RELATION GLM_PTX_BOOLEAN "[.ftz].(u16|s16|u32|s32|f16).(f16)", kBase, 42, Float, set<true>},
    {"set." GLM_PTX_FLOAT_RELATION GLM_PTX_BOOLEAN ".(u16|s16|u32|s32|bf16).(bf16)", kBase, 78, Float, set<false>},
    {"set." GLM_PTX_FLOAT_RELATION GLM_PTX_BOOLEAN "[.ftz].(u32|s32|f16x2).(f16x2)", kBase, 42, Float, set<true>},
    {"set." GLM_PTX_FLOAT_RELATION GLM_PTX_BOOLEAN ".(u32|s32|bf16x2).(bf16x2)", kBase, 78, Float, set<false>},
    {"selp.(b16|b32|b64|u16|u32|u64|s16|s32|s64|f32|f64)", kBase, 10, Move, selp},
    {"slct.(b16|b32|b64|u16|u32|u64|s16|s32|s64|f32|f64).s32", kBase, 10, Integer, slctInteger},
    {"slct[.ftz].(b16|b32|b64|u16|u32|u64|s16|s32|s64|f32|f64).f32", kBase, 10, Integer, slctFloat},
    {"testp.(finite|infinite|number|notanumber|normal|subnormal).(f32|f64)", kBase, 20, Float, testp},
};
#undef GLM_PTX_BOOLEAN
#undef GLM_PTX_FLOAT_RELATION

} // namespace

std::span<const Form> compareForms() { return kForms; }

GLM_PTX_END_LANES
