// add, sub, mul and fma of halves, one or two in a register (PTX ISA, "Half Precision Floating Point Instructions").
//
// A sum or product of two f16 is exact or rounded harmlessly in single precision (24 >= 2 * 11 + 2 bits; products are
// exact). A bf16 product can fall below single precision, so it and every fused operation go through a sum that is rounded
// to odd: in single precision for f16, in double for bf16 (number/Exact.h).
#include "runtime/ptx/arithmetic/Floats.h"
#include "runtime/ptx/arithmetic/Operands.h"
#include "runtime/ptx/arithmetic/Tables.h"

GLM_PTX_BEGIN_LANES
namespace {

constexpr Feature kBase = Feature::Base;

enum class Kind : uint8_t { Add, Subtract, Multiply, FusedMultiplyAdd };

struct Modifiers {
  bool ftz = false, sat = false, relu = false, oob = false;
};

template <FloatFormat F, typename V>
V flushCode(V code) {
  constexpr auto kInfinity = static_cast<uint16_t>(F.largestFinite + 1);
  return (code & kInfinity) == 0 ? code & static_cast<uint16_t>(0x8000) : code;
}

/// A float from which rounding to F gives the right result.
template <FloatFormat F, Kind K, typename V>
V compute(V a, V b, V c) {
  constexpr bool kNarrowRange = F.exponentBits < 8;
  if constexpr (K == Kind::Add)
    return a + b;
  if constexpr (K == Kind::Subtract)
    return a - b;
  if constexpr (K == Kind::Multiply && kNarrowRange)
    return a * b;
  if constexpr (K == Kind::Multiply)
    return roundToOddFloat(convert<double>(a) * convert<double>(b));
  if constexpr (kNarrowRange)
    return addToOdd(a * b, c);
  return roundToOddFloat(addToOdd(convert<double>(a) * convert<double>(b), convert<double>(c)));
}

template <FloatFormat F, Kind K, Modifiers M>
struct Half {
  template <typename V>
  V operator()(V a, V b) const {
    return of(a, b, V(0));
  }
  template <typename V>
  V operator()(V a, V b, V c) const {
    return of(a, b, c);
  }

private:
  template <typename V>
  static V of(V a, V b, V c) {
    const auto value = compute<F, K>(read(a), read(b), read(c));
    const auto bounded = M.sat ? saturate(value) : value;
    V result = convert<uint16_t>(narrow<F, Narrowing{.relu = M.relu}>(bounded));
    if constexpr (M.ftz)
      result = flushCode<F>(result);
    // What a bulk copy fills in outside a tensor (async/TensorBox.cpp) makes the result zero.
    if constexpr (M.oob) {
      constexpr auto kOutside = static_cast<uint16_t>(F.canonicalNan);
      result = a == kOutside || b == kOutside || c == kOutside ? V(0) : result;
    }
    return result;
  }
  template <typename V>
  static auto read(V code) {
    return widen<F>(M.ftz ? flushCode<F>(code) : code);
  }
};

template <FloatFormat F, Kind K, Modifiers M>
Result<void> take(Builder &builder, Op &op, Type type) {
  const bool two = bitsOf(type) == 32;
  using H = Half<F, K, M>;
  using U = uint16_t;
  using W = uint32_t;
  if constexpr (K == Kind::FusedMultiplyAdd) {
    op.run = two ? kLanewise<Packed<H, U>, W, W, W, W> : kLanewise<H, U, U, U, U>;
    return takeOperands(builder, op, type, {type, type, type});
  } else {
    op.run = two ? kLanewise<Packed<H, U>, W, W, W> : kLanewise<H, U, U, U>;
    return takeOperands(builder, op, type, {type, type});
  }
}

/// Words: [rn,] ftz, sat, type.
template <Kind K>
Result<void> f16(Builder &builder, const Match &match, Op &op) {
  const size_t count = match.words.size();
  const Type type = match.type(count - 1);
  const bool ftz = match.has(count - 3);
  const bool sat = match.has(count - 2);
  if (ftz)
    return sat ? take<kF16, K, Modifiers{.ftz = true, .sat = true}>(builder, op, type)
               : take<kF16, K, Modifiers{.ftz = true}>(builder, op, type);
  return sat ? take<kF16, K, Modifiers{.sat = true}>(builder, op, type) : take<kF16, K, Modifiers{}>(builder, op, type);
}
/// Words: ..., type.
template <FloatFormat F, Kind K, Modifiers M = Modifiers{}>
Result<void> plain(Builder &builder, const Match &match, Op &op) {
  return take<F, K, M>(builder, op, match.type(match.words.size() - 1));
}
/// Words: ftz, type.
Result<void> f16Relu(Builder &builder, const Match &match, Op &op) {
  constexpr auto kFused = Kind::FusedMultiplyAdd;
  return match.has(0) ? take<kF16, kFused, Modifiers{.ftz = true, .relu = true}>(builder, op, match.type(1))
                      : take<kF16, kFused, Modifiers{.relu = true}>(builder, op, match.type(1));
}
/// Words: relu, type.
template <FloatFormat F>
Result<void> outOfBounds(Builder &builder, const Match &match, Op &op) {
  constexpr auto kFused = Kind::FusedMultiplyAdd;
  return match.has(0) ? take<F, kFused, Modifiers{.relu = true, .oob = true}>(builder, op, match.type(1))
                      : take<F, kFused, Modifiers{.oob = true}>(builder, op, match.type(1));
}

constexpr auto kFloat = OpClass::Float;
constexpr Form kForms[] = {
    {"add[.rn][.ftz][.sat].(f16|f16x2)", kBase, 42, kFloat, f16<Kind::Add>},
    {"sub[.rn][.ftz][.sat].(f16|f16x2)", kBase, 42, kFloat, f16<Kind::Subtract>},
    {"mul[.rn][.ftz][.sat].(f16|f16x2)", kBase, 42, kFloat, f16<Kind::Multiply>},
    {"fma.rn[.ftz][.sat].(f16|f16x2)", kBase, 42, kFloat, f16<Kind::FusedMultiplyAdd>},
    {"fma.rn[.ftz].relu.(f16|f16x2)", kBase, 70, kFloat, f16Relu},
    {"fma.rn.oob[.relu].(f16|f16x2)", kBase, 81, kFloat, outOfBounds<kF16>},
    {"add[.rn].(bf16|bf16x2)", kBase, 78, kFloat, plain<kBF16, Kind::Add>},
    {"sub[.rn].(bf16|bf16x2)", kBase, 78, kFloat, plain<kBF16, Kind::Subtract>},
    {"mul[.rn].(bf16|bf16x2)", kBase, 78, kFloat, plain<kBF16, Kind::Multiply>},
    {"fma.rn.(bf16|bf16x2)", kBase, 70, kFloat, plain<kBF16, Kind::FusedMultiplyAdd>},
    {"fma.rn.relu.(bf16|bf16x2)", kBase, 70, kFloat, plain<kBF16, Kind::FusedMultiplyAdd, Modifiers{.relu = true}>},
    {"fma.rn.oob[.relu].(bf16|bf16x2)", kBase, 81, kFloat, outOfBounds<kBF16>},
};

} // namespace

std::span<const Form> halfForms() { return kForms; }

GLM_PTX_END_LANES
