// Signs and order of floats: abs, neg, copysign, min, max for f32, f64 and the halves (PTX ISA, "Floating Point
// Instructions", "Half Precision Floating Point Instructions").
#include "runtime/ptx/arithmetic/Floats.h"
#include "runtime/ptx/arithmetic/Operands.h"
#include "runtime/ptx/arithmetic/Tables.h"

GLM_PTX_BEGIN_LANES
namespace {

constexpr Feature kBase = Feature::Base;
constexpr auto kFloat = OpClass::Float;

/// The bits of a format: everything here works on them alone, so that halves are never widened.
template <typename T, FloatFormat F>
struct BitFormat {
  using Bits = T;
  static constexpr T kSign = static_cast<T>(T(1) << (8 * sizeof(T) - 1));
  static constexpr T kInfinity = static_cast<T>(((T(1) << F.exponentBits) - 1) << F.mantissaBits);
  static constexpr T kLeastNormal = static_cast<T>(T(1) << F.mantissaBits);
  static constexpr T kNan = static_cast<T>(kSign - 1);
};
inline constexpr FloatFormat kSingleFormat{8, 23, true, true, kNanF32, 0x7f7fffff};
inline constexpr FloatFormat kDoubleFormat{11, 52, true, true, 0, 0};
using SingleBits = BitFormat<uint32_t, kSingleFormat>;
using DoubleBits = BitFormat<uint64_t, kDoubleFormat>;
using F16Bits = BitFormat<uint16_t, kF16>;
using BF16Bits = BitFormat<uint16_t, kBF16>;

template <class B, bool Ftz, typename V>
V flushBits(V bits) {
  if constexpr (Ftz)
    return (bits & B::kInfinity) == 0 ? bits & B::kSign : bits;
  return bits;
}

template <class B, typename V>
auto isNanOf(V bits) {
  return (bits & static_cast<typename B::Bits>(~B::kSign)) > B::kInfinity;
}
/// What an H100 makes of a NaN: the canonical one, but a double's stays as it is and becomes quiet.
template <class B, typename V>
V signedNan(V bits) {
  if constexpr (sizeof(typename B::Bits) == 8)
    return bits | B::kLeastNormal >> 1;
  return V(B::kNan);
}
template <class B, bool Ftz>
struct Absolute {
  template <typename V>
  V operator()(V a) const {
    return isNanOf<B>(a) ? signedNan<B>(a) : flushBits<B, Ftz>(a) & static_cast<typename B::Bits>(~B::kSign);
  }
};
template <class B, bool Ftz>
struct Negate {
  template <typename V>
  V operator()(V a) const {
    return isNanOf<B>(a) ? signedNan<B>(a) : flushBits<B, Ftz>(a) ^ B::kSign;
  }
};
template <class B>
struct CopySign {
  template <typename V>
  V operator()(V sign, V magnitude) const {
    return (sign & B::kSign) | (magnitude & static_cast<typename B::Bits>(~B::kSign));
  }
};

constexpr uint16_t kFtz = 1;
constexpr uint16_t kNanWins = 2;    ///< .NaN: a NaN among the inputs is the result
constexpr uint16_t kXorSignAbs = 4; ///< .xorsign.abs: of the absolute values, with the product's sign
constexpr uint16_t kAbsolute = 8;   ///< .abs (three inputs): of the absolute values

/// The smaller or larger, -0 below +0; a NaN loses unless .NaN, two of them give the canonical one.
template <class B, bool Larger>
struct Extreme {
  explicit Extreme(const Op &op) : variant(op.variant) {}

  template <typename V>
  V operator()(V a, V b) const {
    const V sign = (a ^ b) & B::kSign;
    const V result = choose(prepare(a), prepare(b));
    return (variant & kXorSignAbs) != 0 ? (isNanOf<B>(result) ? result : result | sign) : result;
  }
  template <typename V>
  V operator()(V a, V b, V c) const {
    return choose(choose(prepare(a), prepare(b)), prepare(c));
  }

private:
  using Bits = typename B::Bits;
  using Ordered = std::make_signed_t<Bits>;

  template <typename V>
  V prepare(V bits) const {
    V value = (variant & kFtz) != 0 ? flushBits<B, true>(bits) : bits;
    if ((variant & (kXorSignAbs | kAbsolute)) != 0)
      value &= static_cast<Bits>(~B::kSign);
    return value;
  }
  template <typename V>
  V choose(V a, V b) const {
    const auto order = [](V bits) {
      const auto value = bitsAs<Ordered>(bits);
      return value ^ (value >> (8 * sizeof(Bits) - 1) & static_cast<Ordered>(B::kNan));
    };
    const V number = (Larger ? order(a) > order(b) : order(a) < order(b)) ? a : b;
    const auto nanA = isNanOf<B>(a);
    const auto nanB = isNanOf<B>(b);
    const V nan = V(B::kNan);
    if ((variant & kNanWins) != 0)
      return nanA || nanB ? nan : number;
    return nanA ? (nanB ? nan : b) : nanB ? a : number;
  }

  uint16_t variant;
};

/// How a type's registers are seen: the format, and whether two values lie in one.
template <class Fn>
void withFormat(Type type, Fn fn) {
  switch (type) {
  case Type::F32:
    return fn.template operator()<SingleBits, uint32_t>();
  case Type::F64:
    return fn.template operator()<DoubleBits, uint64_t>();
  case Type::F16:
    return fn.template operator()<F16Bits, uint16_t>();
  case Type::F16x2:
    return fn.template operator()<F16Bits, uint32_t>();
  case Type::BF16:
    return fn.template operator()<BF16Bits, uint16_t>();
  default:
    return fn.template operator()<BF16Bits, uint32_t>();
  }
}
/// F on values of format B in registers of R.
template <class F, class B, typename R>
using Fitted = std::conditional_t<sizeof(R) == sizeof(typename B::Bits), F, Packed<F, typename B::Bits>>;

Type last(const Match &match) { return match.type(match.words.size() - 1); }

bool says(const Match &match, std::string_view word) {
  for (std::string_view said : match.words)
    if (said == word)
      return true;
  return false;
}

template <template <class, bool> class F>
Result<void> unary(Builder &builder, const Match &match, Op &op) {
  const Type type = last(match);
  const bool ftz = says(match, "ftz");
  withFormat(type, [&]<class B, typename R>() {
    op.run = ftz ? kLanewise<Fitted<F<B, true>, B, R>, R, R> : kLanewise<Fitted<F<B, false>, B, R>, R, R>;
  });
  return takeOperands(builder, op, type, {type});
}
Result<void> copySign(Builder &builder, const Match &match, Op &op) {
  const Type type = last(match);
  op.run = type == Type::F32 ? kLanewise<CopySign<SingleBits>, uint32_t, uint32_t, uint32_t>
                             : kLanewise<CopySign<DoubleBits>, uint64_t, uint64_t, uint64_t>;
  return takeOperands(builder, op, type, {type, type});
}
/// Two inputs; single precision without .xorsign takes three as well.
template <bool Larger>
Result<void> extreme(Builder &builder, const Match &match, Op &op) {
  const Type type = last(match);
  op.variant = static_cast<uint16_t>((says(match, "ftz") ? kFtz : 0) | (says(match, "NaN") ? kNanWins : 0) |
                                     (says(match, "xorsign") ? kXorSignAbs : 0));
  if (type == Type::F32 && !says(match, "xorsign") && builder.operandCount() == 4) {
    if (!builder.chip().has(Feature::Sm100))
      return builder.error("needs sm_100 or later for three inputs", builder.chip().name);
    op.run = kLanewise<Extreme<SingleBits, Larger>, uint32_t, uint32_t, uint32_t, uint32_t>;
    return takeOperands(builder, op, type, {type, type, type});
  }
  withFormat(type, [&]<class B, typename R>() { op.run = kLanewise<Fitted<Extreme<B, Larger>, B, R>, R, R, R>; });
  return takeOperands(builder, op, type, {type, type});
}
template <bool Larger>
Result<void> extremeOfThree(Builder &builder, const Match &match, Op &op) {
  op.variant = static_cast<uint16_t>((says(match, "ftz") ? kFtz : 0) | (says(match, "NaN") ? kNanWins : 0) | kAbsolute);
  op.run = kLanewise<Extreme<SingleBits, Larger>, uint32_t, uint32_t, uint32_t, uint32_t>;
  return takeOperands(builder, op, Type::F32, {Type::F32, Type::F32, Type::F32});
}

constexpr Form kForms[] = {
    {"abs[.ftz].(f32)", kBase, 10, kFloat, unary<Absolute>},
    {"abs.(f64)", kBase, 10, kFloat, unary<Absolute>},
    {"abs[.ftz].(f16|f16x2)", kBase, 65, kFloat, unary<Absolute>},
    {"abs.(bf16|bf16x2)", kBase, 70, kFloat, unary<Absolute>},
    {"neg[.ftz].(f32)", kBase, 10, kFloat, unary<Negate>},
    {"neg.(f64)", kBase, 10, kFloat, unary<Negate>},
    {"neg[.ftz].(f16|f16x2)", kBase, 60, kFloat, unary<Negate>},
    {"neg.(bf16|bf16x2)", kBase, 70, kFloat, unary<Negate>},
    {"copysign.(f32|f64)", kBase, 20, kFloat, copySign},
    {"min[.ftz][.NaN].(f32)", kBase, 10, kFloat, extreme<false>},
    {"max[.ftz][.NaN].(f32)", kBase, 10, kFloat, extreme<true>},
    {"min[.ftz][.NaN].(xorsign).abs.(f32)", kBase, 72, kFloat, extreme<false>},
    {"max[.ftz][.NaN].(xorsign).abs.(f32)", kBase, 72, kFloat, extreme<true>},
    {"min[.ftz][.NaN].abs.f32", Feature::Sm100, 88, kFloat, extremeOfThree<false>},
    {"max[.ftz][.NaN].abs.f32", Feature::Sm100, 88, kFloat, extremeOfThree<true>},
    {"min.(f64)", kBase, 10, kFloat, extreme<false>},
    {"max.(f64)", kBase, 10, kFloat, extreme<true>},
    {"min[.ftz][.NaN].(f16|f16x2)", kBase, 70, kFloat, extreme<false>},
    {"max[.ftz][.NaN].(f16|f16x2)", kBase, 70, kFloat, extreme<true>},
    {"min[.ftz][.NaN].(xorsign).abs.(f16|f16x2)", kBase, 72, kFloat, extreme<false>},
    {"max[.ftz][.NaN].(xorsign).abs.(f16|f16x2)", kBase, 72, kFloat, extreme<true>},
    {"min[.NaN].(bf16|bf16x2)", kBase, 70, kFloat, extreme<false>},
    {"max[.NaN].(bf16|bf16x2)", kBase, 70, kFloat, extreme<true>},
    {"min[.NaN].(xorsign).abs.(bf16|bf16x2)", kBase, 72, kFloat, extreme<false>},
    {"max[.NaN].(xorsign).abs.(bf16|bf16x2)", kBase, 72, kFloat, extreme<true>},
};

} // namespace

std::span<const Form> signForms() { return kForms; }

GLM_PTX_END_LANES
