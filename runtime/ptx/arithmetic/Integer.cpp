// Integer arithmetic (PTX ISA, "Integer Arithmetic Instructions").
#include "runtime/ptx/arithmetic/Lanes.h"
#include "runtime/ptx/arithmetic/Operands.h"
#include "runtime/ptx/arithmetic/Tables.h"

#include <limits>

GLM_PTX_BEGIN_LANES
namespace {

using enum OpClass;
constexpr Feature kBase = Feature::Base;

template <typename T>
using WideOf = std::conditional_t<std::is_signed_v<T>, std::conditional_t<sizeof(T) == 2, int32_t, int64_t>,
                                  std::conditional_t<sizeof(T) == 2, uint32_t, uint64_t>>;

struct Add {
  auto operator()(auto a, auto b) const { return a + b; }
};
struct AddSaturated {
  auto operator()(auto a, auto b) const { return __builtin_elementwise_add_sat(a, b); }
};
struct Subtract {
  auto operator()(auto a, auto b) const { return a - b; }
};
struct SubtractSaturated {
  auto operator()(auto a, auto b) const { return __builtin_elementwise_sub_sat(a, b); }
};
struct MultiplyLow {
  auto operator()(auto a, auto b) const { return a * b; }
};

/// The upper half of the product, for any width.
template <typename V>
V multiplyHigh(V a, V b) {
  using T = ElementOf<V>;
  if constexpr (sizeof(T) < 8) {
    return convert<T>((convert<WideOf<T>>(a) * convert<WideOf<T>>(b)) >> (8 * sizeof(T)));
  } else {
    using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
    V high;
    for (int lane = 0; lane < kLanesOf<V>; ++lane)
      high[lane] = static_cast<T>((static_cast<Wide>(a[lane]) * b[lane]) >> 64);
    return high;
  }
}

/// a + b without the undefined overflow of signed types.
template <typename V>
V wrappingAdd(V a, V b) {
  using U = std::make_unsigned_t<ElementOf<V>>;
  return bitsAs<ElementOf<V>>(bitsAs<U>(a) + bitsAs<U>(b));
}

struct MultiplyHigh {
  auto operator()(auto a, auto b) const { return multiplyHigh(a, b); }
};
struct MultiplyWide {
  template <typename V>
  auto operator()(V a, V b) const {
    using W = WideOf<ElementOf<V>>;
    return convert<W>(a) * convert<W>(b);
  }
};
struct MultiplyAddLow {
  auto operator()(auto a, auto b, auto c) const { return a * b + c; }
};
struct MultiplyAddHigh {
  auto operator()(auto a, auto b, auto c) const { return wrappingAdd(multiplyHigh(a, b), c); }
};
struct MultiplyAddHighSaturated {
  auto operator()(auto a, auto b, auto c) const { return __builtin_elementwise_add_sat(multiplyHigh(a, b), c); }
};
struct MultiplyAddWide {
  template <typename V, typename W>
  W operator()(V a, V b, W c) const {
    return wrappingAdd(MultiplyWide()(a, b), c);
  }
};

/// The 48-bit product of the low 24 bits.
template <typename V>
auto product24(V a, V b) {
  using T = ElementOf<V>;
  using U = uint32_t;
  const auto extend = [](V x) { return bitsAs<T>(bitsAs<U>(x) << 8) >> 8; };
  return convert<WideOf<T>>(extend(a)) * convert<WideOf<T>>(extend(b));
}
template <bool High>
struct Multiply24 {
  template <typename V>
  V operator()(V a, V b) const {
    return convert<ElementOf<V>>(product24(a, b) >> (High ? 16 : 0));
  }
};
template <bool High>
struct MultiplyAdd24 {
  auto operator()(auto a, auto b, auto c) const { return wrappingAdd(Multiply24<High>()(a, b), c); }
};
struct MultiplyAdd24HighSaturated {
  auto operator()(auto a, auto b, auto c) const { return __builtin_elementwise_add_sat(Multiply24<true>()(a, b), c); }
};

struct SumOfDifference {
  template <typename V, typename U>
  U operator()(V a, V b, U c) const {
    return c + (a > b ? bitsAs<ElementOf<U>>(a) - bitsAs<ElementOf<U>>(b)
                      : bitsAs<ElementOf<U>>(b) - bitsAs<ElementOf<U>>(a));
  }
};

/// Quotient or remainder. By zero both have all bits set, as the code that ptxas makes for them gives; the least value by
/// -1 wraps.
template <bool Remainder>
struct Divide {
  template <typename T>
  T operator()(T a, T b) const {
    if (b == 0)
      return static_cast<T>(-1);
    if constexpr (std::is_signed_v<T>)
      if (b == -1)
        return Remainder ? T(0) : static_cast<T>(std::make_unsigned_t<T>(0) - static_cast<std::make_unsigned_t<T>>(a));
    return static_cast<T>(Remainder ? a % b : a / b);
  }
};
/// Of at most 32 bits: the quotient of two doubles is near enough that its whole part is the integer quotient.
template <bool Remainder>
struct DivideThroughDouble {
  template <typename V>
  V operator()(V a, V b) const {
    using T = ElementOf<V>;
    // int64_t holds every quotient, also that of the least value by -1, but a division by zero must not get there.
    const auto guarded = b == 0 ? V(1) : b;
    const auto quotient = __builtin_elementwise_trunc(convert<double>(a) / convert<double>(guarded));
    // Through an exact integer in the low bits of a double (number/Approximate.h tells the constant).
    constexpr double kShift = 6755399441055744.0;
    const V whole = convert<T>(bitsAs<UnsignedOf<8>>(quotient + kShift));
    using U = std::make_unsigned_t<T>;
    const V rest = bitsAs<T>(bitsAs<U>(a) - bitsAs<U>(whole) * bitsAs<U>(guarded));
    return b == 0 ? V(static_cast<T>(-1)) : Remainder ? rest : whole;
  }
};

struct Absolute {
  template <typename V>
  V operator()(V a) const {
    using U = std::make_unsigned_t<ElementOf<V>>;
    return a < 0 ? bitsAs<ElementOf<V>>(U{} - bitsAs<U>(a)) : a;
  }
};
struct Negate {
  auto operator()(auto a) const { return decltype(a){} - a; }
};
struct Minimum {
  auto operator()(auto a, auto b) const { return __builtin_elementwise_min(a, b); }
};
struct Maximum {
  auto operator()(auto a, auto b) const { return __builtin_elementwise_max(a, b); }
};
/// relu: what is negative becomes zero.
template <class F>
struct ClampedBelow {
  auto operator()(auto a, auto b) const { return __builtin_elementwise_max(F()(a, b), decltype(a){}); }
};

/// Four products of bytes, or two of halves (low or high two bytes of b), summed onto c.
template <typename A, typename B, int Count, bool High = false>
struct DotProduct {
  template <typename V>
  V operator()(V a, V b, V c) const {
    V sum = c;
    for (int i = 0; i < Count; ++i) {
      constexpr int kBitsA = 32 / Count;
      const auto partA = takeBits<A>(a, i * kBitsA, kBitsA);
      const auto partB = takeBits<B>(b, 8 * (i + (High ? 2 : 0)), 8);
      sum += partA * partB;
    }
    return sum;
  }

private:
  template <typename Sign, typename V>
  static V takeBits(V value, int from, int width) {
    const V top = value << (32 - from - width);
    if constexpr (std::is_signed_v<Sign>)
      return bitsAs<uint32_t>(bitsAs<int32_t>(top) >> (32 - width));
    else
      return top >> (32 - width);
  }
};

Type last(const Match &match) { return match.type(match.words.size() - 1); }

Type widened(Type type) {
  switch (type) {
  case Type::U16:
    return Type::U32;
  case Type::S16:
    return Type::S32;
  case Type::U32:
    return Type::U64;
  default:
    return Type::S64;
  }
}

template <class F>
Result<void> unary(Builder &builder, const Match &match, Op &op) {
  const Type type = last(match);
  withInteger(type, [&]<typename T>(Tag<T>) { op.run = kLanewise<F, T, T>; });
  return takeOperands(builder, op, type, {type});
}
template <class F>
Result<void> unaryWrapping(Builder &builder, const Match &match, Op &op) {
  const Type type = last(match);
  withUnsigned(type, [&]<typename T>(Tag<T>) { op.run = kLanewise<F, T, T>; });
  return takeOperands(builder, op, type, {type});
}
template <class F>
Result<void> binary(Builder &builder, const Match &match, Op &op) {
  const Type type = last(match);
  withInteger(type, [&]<typename T>(Tag<T>) { op.run = kLanewise<F, T, T, T>; });
  return takeOperands(builder, op, type, {type, type});
}
/// What is the same for both signs, computed without.
template <class F>
Result<void> binaryWrapping(Builder &builder, const Match &match, Op &op) {
  const Type type = last(match);
  withUnsigned(type, [&]<typename T>(Tag<T>) { op.run = kLanewise<F, T, T, T>; });
  return takeOperands(builder, op, type, {type, type});
}
template <class F>
Result<void> ternary(Builder &builder, const Match &match, Op &op) {
  const Type type = last(match);
  withInteger(type, [&]<typename T>(Tag<T>) { op.run = kLanewise<F, T, T, T, T>; });
  return takeOperands(builder, op, type, {type, type, type});
}
template <class F, typename T>
Result<void> binaryOf(Builder &builder, const Match &match, Op &op) {
  op.run = kLanewise<F, T, T, T>;
  return takeOperands(builder, op, last(match), {last(match), last(match)});
}
template <class F, typename T>
Result<void> ternaryOf(Builder &builder, const Match &match, Op &op) {
  op.run = kLanewise<F, T, T, T, T>;
  return takeOperands(builder, op, last(match), {last(match), last(match), last(match)});
}
/// Pairs of 16 bits in 32.
template <class F, typename T>
Result<void> binaryPairs(Builder &builder, const Match &, Op &op) {
  op.run = kLanewise<Packed<F, T>, uint32_t, uint32_t, uint32_t>;
  return takeOperands(builder, op, Type::B32, {Type::B32, Type::B32});
}
template <class F>
Result<void> binaryPairsOfSign(Builder &builder, const Match &match, Op &op) {
  return isSigned(last(match)) ? binaryPairs<F, int16_t>(builder, match, op)
                               : binaryPairs<F, uint16_t>(builder, match, op);
}

Result<void> multiplyWide(Builder &builder, const Match &match, Op &op) {
  const Type type = last(match);
  withInteger(type, [&]<typename T>(Tag<T>) { op.run = kLanewise<MultiplyWide, WideOf<T>, T, T>; });
  return takeOperands(builder, op, widened(type), {type, type});
}
Result<void> multiplyAddWide(Builder &builder, const Match &match, Op &op) {
  const Type type = last(match);
  withInteger(type, [&]<typename T>(Tag<T>) { op.run = kLanewise<MultiplyAddWide, WideOf<T>, T, T, WideOf<T>>; });
  return takeOperands(builder, op, widened(type), {type, type, widened(type)});
}
Result<void> multiplyAddLow(Builder &builder, const Match &match, Op &op) {
  const Type type = last(match);
  withUnsigned(type, [&]<typename T>(Tag<T>) { op.run = kLanewise<MultiplyAddLow, T, T, T, T>; });
  return takeOperands(builder, op, type, {type, type, type});
}
template <template <bool> class F>
Result<void> with24(Builder &builder, const Match &match, Op &op) {
  const bool isSignedType = last(match) == Type::S32;
  if (match.words[0] == "hi")
    return isSignedType ? binaryOf<F<true>, int32_t>(builder, match, op)
                        : binaryOf<F<true>, uint32_t>(builder, match, op);
  return isSignedType ? binaryOf<F<false>, int32_t>(builder, match, op)
                      : binaryOf<F<false>, uint32_t>(builder, match, op);
}
Result<void> multiplyAdd24(Builder &builder, const Match &match, Op &op) {
  const bool isSignedType = last(match) == Type::S32;
  if (match.words[0] == "hi")
    return isSignedType ? ternaryOf<MultiplyAdd24<true>, int32_t>(builder, match, op)
                        : ternaryOf<MultiplyAdd24<true>, uint32_t>(builder, match, op);
  return isSignedType ? ternaryOf<MultiplyAdd24<false>, int32_t>(builder, match, op)
                      : ternaryOf<MultiplyAdd24<false>, uint32_t>(builder, match, op);
}
Result<void> sumOfDifference(Builder &builder, const Match &match, Op &op) {
  const Type type = last(match);
  withInteger(type, [&]<typename T>(Tag<T>) {
    using U = std::make_unsigned_t<T>;
    op.run = kLanewise<SumOfDifference, U, T, T, U>;
  });
  return takeOperands(builder, op, type, {type, type, type});
}
template <bool Remainder>
Result<void> divide(Builder &builder, const Match &match, Op &op) {
  const Type type = last(match);
  withInteger(type, [&]<typename T>(Tag<T>) {
    if constexpr (sizeof(T) == 4)
      op.run = kLanewise<DivideThroughDouble<Remainder>, T, T, T>;
    else
      op.run = kLanewise<Scalar<Divide<Remainder>>, T, T, T>;
  });
  return takeOperands(builder, op, type, {type, type});
}

template <typename A, typename B, bool High>
Handler dotHandler(int count) {
  return count == 4 ? kLanewise<DotProduct<A, B, 4>, uint32_t, uint32_t, uint32_t, uint32_t>
                    : kLanewise<DotProduct<A, B, 2, High>, uint32_t, uint32_t, uint32_t, uint32_t>;
}
template <bool High>
Result<void> dot(Builder &builder, Type a, Type b, int count, Op &op) {
  const bool signedA = isSigned(a);
  const bool signedB = isSigned(b);
  op.run = signedA ? (signedB ? dotHandler<int, int, High>(count) : dotHandler<int, unsigned, High>(count))
                   : (signedB ? dotHandler<unsigned, int, High>(count) : dotHandler<unsigned, unsigned, High>(count));
  const Type sum = signedA || signedB ? Type::S32 : Type::U32;
  return takeOperands(builder, op, sum, {Type::B32, Type::B32, sum});
}
Result<void> dot4(Builder &builder, const Match &match, Op &op) {
  return dot<false>(builder, match.type(0), match.type(1), 4, op);
}
Result<void> dot2(Builder &builder, const Match &match, Op &op) {
  return match.words[0] == "hi" ? dot<true>(builder, match.type(1), match.type(2), 2, op)
                                : dot<false>(builder, match.type(1), match.type(2), 2, op);
}

constexpr Form kForms[] = {
    {"add.(u16|u32|u64|s16|s32|s64)", kBase, 10, Integer, binaryWrapping<Add>},
    {"add.sat.(s32)", kBase, 10, Integer, binary<AddSaturated>},
    {"add.(u16x2|s16x2)", kBase, 80, Integer, binaryPairs<Add, uint16_t>},
    {"sub.(u16|u32|u64|s16|s32|s64)", kBase, 10, Integer, binaryWrapping<Subtract>},
    {"sub.sat.(s32)", kBase, 10, Integer, binary<SubtractSaturated>},
    {"mul.lo.(u16|u32|u64|s16|s32|s64)", kBase, 10, Integer, binaryWrapping<MultiplyLow>},
    {"mul.hi.(u16|u32|u64|s16|s32|s64)", kBase, 10, Integer, binary<MultiplyHigh>},
    {"mul.wide.(u16|u32|s16|s32)", kBase, 10, Integer, multiplyWide},
    {"mad.lo.(u16|u32|u64|s16|s32|s64)", kBase, 10, Integer, multiplyAddLow},
    {"mad.hi.(u16|u32|u64|s16|s32|s64)", kBase, 10, Integer, ternary<MultiplyAddHigh>},
    {"mad.hi.sat.(s32)", kBase, 10, Integer, ternary<MultiplyAddHighSaturated>},
    {"mad.wide.(u16|u32|s16|s32)", kBase, 10, Integer, multiplyAddWide},
    {"mul24.(hi|lo).(u32|s32)", kBase, 10, Integer, with24<Multiply24>},
    {"mad24.(hi|lo).(u32|s32)", kBase, 10, Integer, multiplyAdd24},
    {"mad24.hi.sat.(s32)", kBase, 10, Integer, ternaryOf<MultiplyAdd24HighSaturated, int32_t>},
    {"sad.(u16|u32|u64|s16|s32|s64)", kBase, 10, Integer, sumOfDifference},
    {"div.(u16|u32|u64|s16|s32|s64)", kBase, 10, Integer, divide<false>},
    {"rem.(u16|u32|u64|s16|s32|s64)", kBase, 10, Integer, divide<true>},
    {"abs.(s16|s32|s64)", kBase, 10, Integer, unary<Absolute>},
    {"neg.(s16|s32|s64)", kBase, 10, Integer, unaryWrapping<Negate>},
    {"min.(u16|u32|u64|s16|s32|s64)", kBase, 10, Integer, binary<Minimum>},
    {"max.(u16|u32|u64|s16|s32|s64)", kBase, 10, Integer, binary<Maximum>},
    {"min.(u16x2|s16x2)", kBase, 80, Integer, binaryPairsOfSign<Minimum>},
    {"max.(u16x2|s16x2)", kBase, 80, Integer, binaryPairsOfSign<Maximum>},
    {"min.relu.(s32)", kBase, 80, Integer, binary<ClampedBelow<Minimum>>},
    {"max.relu.(s32)", kBase, 80, Integer, binary<ClampedBelow<Maximum>>},
    {"min.relu.s16x2", kBase, 80, Integer, binaryPairs<ClampedBelow<Minimum>, int16_t>},
    {"max.relu.s16x2", kBase, 80, Integer, binaryPairs<ClampedBelow<Maximum>, int16_t>},
    // CUDA's headers write the modifier behind the type.
    {"min.(s32).relu", kBase, 80, Integer, binary<ClampedBelow<Minimum>>},
    {"max.(s32).relu", kBase, 80, Integer, binary<ClampedBelow<Maximum>>},
    {"min.s16x2.relu", kBase, 80, Integer, binaryPairs<ClampedBelow<Minimum>, int16_t>},
    {"max.s16x2.relu", kBase, 80, Integer, binaryPairs<ClampedBelow<Maximum>, int16_t>},
    {"dp4a.(u32|s32).(u32|s32)", kBase, 50, Integer, dot4},
    {"dp2a.(lo|hi).(u32|s32).(u32|s32)", kBase, 50, Integer, dot2},
};

} // namespace

std::span<const Form> integerForms() { return kForms; }

GLM_PTX_END_LANES
