// cvt to and from packed and narrow formats: f16x2, bf16x2, tf32, e4m3, e5m2, e3m2, e2m3, e2m1, ue8m0; and cvt.pack (PTX ISA,
// "Data Movement and Conversion Instructions: cvt", "cvt.pack").
#include "runtime/ptx/arithmetic/Floats.h"
#include "runtime/ptx/arithmetic/Operands.h"
#include "runtime/ptx/arithmetic/Tables.h"

#include <string>

GLM_PTX_BEGIN_LANES
namespace {

constexpr Feature kBase = Feature::Base;
constexpr Feature kNarrow = Feature::NarrowConvert;
constexpr Feature kRandom = Feature::StochasticRounding;

constexpr Narrowing kSaturating{.satfinite = true};
constexpr Narrowing kSaturatingRelu{.satfinite = true, .relu = true};

// From single precision.

/// One value into 16 bits.
template <FloatFormat F, Narrowing N>
struct ToHalf {
  auto operator()(auto a) const { return convert<uint16_t>(narrow<F, N>(a)); }
};
/// Two values, the first in the upper half; `Width` bits each, D the register.
template <FloatFormat F, Narrowing N, int Width, typename D>
struct ToPair {
  auto operator()(auto a, auto b) const { return convert<D>(narrow<F, N>(a) << Width | narrow<F, N>(b)); }
};
/// Stochastic: the upper 16 random bits for the first value, the lower for the second; f16 uses 13 of each.
template <FloatFormat F, Narrowing N>
struct ToPairRandom {
  template <typename V>
  Rebind<V, uint32_t> operator()(V a, V b, Rebind<V, uint32_t> random) const {
    return narrow<F, N>(a, random >> 16) << 16 | narrow<F, N>(b, random & 0xffffu);
  }
};
template <Narrowing N>
struct ToTf32 {
  auto operator()(auto a) const { return narrowToTf32<N>(a); }
};
/// Four values, the first in the uppermost place. Of 8-bit places the upper random half serves the first two, the lower
/// the others; of 4-bit ones the two bytes of each half serve them in turn (the text of the ISA allows this reading).
template <FloatFormat F, Narrowing N, typename D>
struct ToFourRandom {
  template <typename V>
  Rebind<V, D> operator()(V a, V b, V e, V f, Rebind<V, uint32_t> random) const {
    constexpr int kWidth = sizeof(D) == 2 ? 4 : 8;
    const auto high = random >> 16;
    const auto low = random & 0xffffu;
    const auto bitsA = kWidth == 4 ? high >> 8 : high;
    const auto bitsB = kWidth == 4 ? low >> 8 : high;
    const auto bitsE = kWidth == 4 ? high & 0xffu : low;
    const auto bitsF = kWidth == 4 ? low & 0xffu : low;
    return convert<D>(narrow<F, N>(a, bitsA) << (3 * kWidth) | narrow<F, N>(b, bitsB) << (2 * kWidth) |
                      narrow<F, N>(e, bitsE) << kWidth | narrow<F, N>(f, bitsF));
  }
};

// Between pairs.

/// Two narrow values of `Width` bits to halves of format H. The value is exact, or rounded to nearest.
template <FloatFormat F, FloatFormat H, bool Relu, int Width>
struct PairToHalves {
  template <typename V>
  Rebind<V, uint32_t> operator()(V pair) const {
    const auto bits = convert<uint32_t>(pair);
    const auto one = [](auto code) { return narrow<H, Narrowing{.relu = Relu}>(widen<F>(code)); };
    return one(bits >> Width & ((1u << Width) - 1)) << 16 | one(bits & ((1u << Width) - 1));
  }
};
/// Halves of format H to a pair of F in places of `Width` bits.
template <FloatFormat H, FloatFormat F, Narrowing N, int Width>
struct HalvesToPair {
  template <typename V>
  Rebind<V, uint16_t> operator()(V halves) const {
    const auto one = [](auto code) { return narrow<F, N>(widen<H>(code)); };
    return convert<uint16_t>(one(halves >> 16) << Width | one(halves & 0xffffu));
  }
};
template <Rounding R, bool Satfinite>
struct ToScales {
  template <typename V>
  Rebind<V, uint16_t> operator()(V a, V b) const {
    return convert<uint16_t>(narrowToUe8m0<R, Satfinite>(a) << 8 | narrowToUe8m0<R, Satfinite>(b));
  }
};
template <Rounding R, bool Satfinite>
struct HalvesToScales {
  template <typename V>
  Rebind<V, uint16_t> operator()(V halves) const {
    return ToScales<R, Satfinite>()(widen<kBF16>(halves >> 16), widen<kBF16>(halves & 0xffffu));
  }
};
struct ScalesToHalves {
  template <typename V>
  Rebind<V, uint32_t> operator()(V pair) const {
    const auto bits = convert<uint32_t>(pair);
    const auto one = [](auto code) { return narrow<kBF16, Narrowing{}>(widenUe8m0(code)); };
    return one(bits >> 8) << 16 | one(bits & 0xffu);
  }
};

// cvt.pack: two integers saturated to a few bits, the older ones moved up.

struct PackIntegers {
  explicit PackIntegers(const Op &op) : width(op.variant), isSignedType(op.detail != 0) {}
  template <typename V>
  Rebind<V, uint32_t> operator()(V a, V b) const {
    return one(a) << width | one(b);
  }
  template <typename V>
  Rebind<V, uint32_t> operator()(V a, V b, Rebind<V, uint32_t> c) const {
    const auto both = operator()(a, b);
    return c << (2 * width) | both;
  }

private:
  template <typename V>
  Rebind<V, uint32_t> one(V value) const {
    const int32_t least = isSignedType ? -(1 << (width - 1)) : 0;
    const int32_t most = isSignedType ? (1 << (width - 1)) - 1 : (1 << width) - 1;
    const V bounded = __builtin_elementwise_min(__builtin_elementwise_max(value, V(least)), V(most));
    return bitsAs<uint32_t>(bounded) & ((1u << width) - 1);
  }
  uint32_t width;
  bool isSignedType;
};

// Building.

bool says(const Match &match, std::string_view word) {
  for (std::string_view said : match.words)
    if (said == word)
      return true;
  return false;
}

/// `fn` with rounding rn or rz, relu and satfinite as constants.
template <class Fn>
void withNarrowing(const Match &match, Fn fn) {
  const bool zero = says(match, "rz");
  const bool relu = says(match, "relu");
  const bool sat = says(match, "satfinite");
  const auto flags = [&]<Rounding R>() {
    if (relu)
      return sat ? fn.template operator()<Narrowing{R, true, true}>()
                 : fn.template operator()<Narrowing{R, false, true}>();
    return sat ? fn.template operator()<Narrowing{R, true, false}>()
               : fn.template operator()<Narrowing{R, false, false}>();
  };
  if (zero)
    flags.template operator()<Rounding::Zero>();
  else
    flags.template operator()<Rounding::Nearest>();
}
template <class Fn>
void withRelu(const Match &match, Fn fn) {
  if (says(match, "relu"))
    fn.template operator()<true>();
  else
    fn.template operator()<false>();
}

Result<void> toHalf(Builder &builder, const Match &match, Op &op) {
  const bool bf16 = says(match, "bf16");
  withNarrowing(match, [&]<Narrowing N>() {
    op.run = bf16 ? kLanewise<ToHalf<kBF16, N>, uint16_t, float> : kLanewise<ToHalf<kF16, N>, uint16_t, float>;
  });
  return takeOperands(builder, op, Type::B16, {Type::F32});
}
Result<void> toHalves(Builder &builder, const Match &match, Op &op) {
  const bool bf16 = says(match, "bf16x2");
  withNarrowing(match, [&]<Narrowing N>() {
    op.run = bf16 ? kLanewise<ToPair<kBF16, N, 16, uint32_t>, uint32_t, float, float>
                  : kLanewise<ToPair<kF16, N, 16, uint32_t>, uint32_t, float, float>;
  });
  return takeOperands(builder, op, Type::B32, {Type::F32, Type::F32});
}
Result<void> toHalvesRandom(Builder &builder, const Match &match, Op &op) {
  const bool bf16 = says(match, "bf16x2");
  const bool sat = says(match, "satfinite");
  withRelu(match, [&]<bool Relu>() {
    const auto handler = [&]<bool Sat>() {
      constexpr Narrowing kSixteen{Rounding::Stochastic, Sat, Relu, 16};
      constexpr Narrowing kThirteen{Rounding::Stochastic, Sat, Relu, 13};
      return bf16 ? kLanewise<ToPairRandom<kBF16, kSixteen>, uint32_t, float, float, uint32_t>
                  : kLanewise<ToPairRandom<kF16, kThirteen>, uint32_t, float, float, uint32_t>;
    };
    op.run = sat ? handler.template operator()<true>() : handler.template operator()<false>();
  });
  return takeOperands(builder, op, Type::B32, {Type::F32, Type::F32, Type::B32});
}
Result<void> toTf32(Builder &builder, const Match &match, Op &op) {
  if (says(match, "rna"))
    op.run = says(match, "satfinite")
                 ? kLanewise<ToTf32<Narrowing{Rounding::NearestAway, true, false}>, uint32_t, float>
                 : kLanewise<ToTf32<Narrowing{Rounding::NearestAway, false, false}>, uint32_t, float>;
  else
    withNarrowing(match, [&]<Narrowing N>() { op.run = kLanewise<ToTf32<N>, uint32_t, float>; });
  return takeOperands(builder, op, Type::B32, {Type::F32});
}

/// The handler of a narrow pair's type, last but one among the words.
template <template <FloatFormat, Narrowing> class Handlers>
Handler ofFormat(Type type, bool relu) {
  switch (type) {
  case Type::E4M3x2:
  case Type::E4M3x4:
    return relu ? Handlers<kE4M3, kSaturatingRelu>::kHandler : Handlers<kE4M3, kSaturating>::kHandler;
  case Type::E5M2x2:
  case Type::E5M2x4:
    return relu ? Handlers<kE5M2, kSaturatingRelu>::kHandler : Handlers<kE5M2, kSaturating>::kHandler;
  case Type::E3M2x2:
  case Type::E3M2x4:
    return relu ? Handlers<kE3M2, kSaturatingRelu>::kHandler : Handlers<kE3M2, kSaturating>::kHandler;
  case Type::E2M3x2:
  case Type::E2M3x4:
    return relu ? Handlers<kE2M3, kSaturatingRelu>::kHandler : Handlers<kE2M3, kSaturating>::kHandler;
  default:
    return relu ? Handlers<kE2M1, kSaturatingRelu>::kHandler : Handlers<kE2M1, kSaturating>::kHandler;
  }
}

/// e2m1 pairs fill a byte, in a register of 8 bits that is held as 16; the others two bytes.
template <FloatFormat F>
inline constexpr int kPlace = F.bits() == 4 ? 4 : 8;

template <FloatFormat F, Narrowing N>
struct SinglesToPair {
  static constexpr Handler kHandler = kLanewise<ToPair<F, N, kPlace<F>, uint16_t>, uint16_t, float, float>;
};
template <FloatFormat F, Narrowing N>
struct F16ToPair {
  static constexpr Handler kHandler = kLanewise<HalvesToPair<kF16, F, N, kPlace<F>>, uint16_t, uint32_t>;
};
template <FloatFormat F, Narrowing N>
struct PairToF16 {
  static constexpr Handler kHandler = kLanewise<PairToHalves<F, kF16, N.relu, kPlace<F>>, uint32_t, uint16_t>;
};
template <FloatFormat F, Narrowing N>
struct SinglesToFour {
  using D = std::conditional_t<F.bits() == 4, uint16_t, uint32_t>;
  static constexpr Narrowing kRandom{Rounding::Stochastic, true, N.relu, F.bits() == 4 ? 8 : 16};
  static constexpr Handler kHandler = kLanewise<ToFourRandom<F, kRandom, D>, D, float, float, float, float, uint32_t>;
};

Type pairRegister(Type type) { return type == Type::E2M1x2 ? Type::B8 : Type::B16; }

/// Words: [relu], type.
Result<void> singlesToPair(Builder &builder, const Match &match, Op &op) {
  const Type type = match.type(1);
  op.run = ofFormat<SinglesToPair>(type, match.has(0));
  return takeOperands(builder, op, pairRegister(type), {Type::F32, Type::F32});
}
Result<void> halvesToPair(Builder &builder, const Match &match, Op &op) {
  const Type type = match.type(1);
  op.run = ofFormat<F16ToPair>(type, match.has(0));
  return takeOperands(builder, op, pairRegister(type), {Type::B32});
}
Result<void> pairToHalves(Builder &builder, const Match &match, Op &op) {
  const Type type = match.type(1);
  op.run = ofFormat<PairToF16>(type, match.has(0));
  return takeOperands(builder, op, Type::B32, {pairRegister(type)});
}
/// d, {a, b, e, f}, rbits.
Result<void> singlesToFour(Builder &builder, const Match &match, Op &op) {
  const Type type = match.type(1);
  op.run = ofFormat<SinglesToFour>(type, match.has(0));
  if (Result<void> fits = builder.expectOperands(3, 3); !fits)
    return fits;
  if (builder.operand(1).kind != Operand::Kind::Vector)
    return builder.error("needs four values in braces", "one operand");
  const Result<Slot> to =
      destinationRegister(builder, builder.operand(0), type == Type::E2M1x4 ? Type::B16 : Type::B32);
  if (!to)
    return to.error();
  std::vector<Slot> slots;
  if (Result<void> values = builder.sources(builder.operand(1), Type::F32, 4, slots); !values)
    return values;
  const Result<Slot> random = builder.source(2, Type::B32);
  if (!random)
    return random.error();
  op.slots[0] = *to;
  for (size_t i = 0; i < 3; ++i)
    op.slots[1 + i] = slots[i];
  builder.setMore(op, {slots[3], *random});
  return {};
}

/// Words: rz or rp, [satfinite].
template <template <Rounding, bool> class F, typename... S>
Handler scaleHandler(const Match &match) {
  const bool up = match.words[0] == "rp";
  if (match.has(1))
    return up ? kLanewise<F<Rounding::Up, true>, uint16_t, S...> : kLanewise<F<Rounding::Zero, true>, uint16_t, S...>;
  return up ? kLanewise<F<Rounding::Up, false>, uint16_t, S...> : kLanewise<F<Rounding::Zero, false>, uint16_t, S...>;
}
Result<void> singlesToScales(Builder &builder, const Match &match, Op &op) {
  op.run = scaleHandler<ToScales, float, float>(match);
  return takeOperands(builder, op, Type::B16, {Type::F32, Type::F32});
}
Result<void> halvesToScales(Builder &builder, const Match &match, Op &op) {
  op.run = scaleHandler<HalvesToScales, uint32_t>(match);
  return takeOperands(builder, op, Type::B16, {Type::B32});
}
Result<void> scalesToHalves(Builder &builder, const Match &, Op &op) {
  op.run = kLanewise<ScalesToHalves, uint32_t, uint16_t>;
  return takeOperands(builder, op, Type::B32, {Type::B16});
}

/// Words: type of the parts.
template <bool HasOlder>
Result<void> packIntegers(Builder &builder, const Match &match, Op &op) {
  const Type type = match.type(0);
  op.variant = static_cast<uint16_t>(bitsOf(type));
  op.detail = isSigned(type) ? 1 : 0;
  if constexpr (HasOlder) {
    op.run = kLanewise<PackIntegers, uint32_t, int32_t, int32_t, uint32_t>;
    return takeOperands(builder, op, Type::B32, {Type::S32, Type::S32, Type::B32});
  } else {
    op.run = kLanewise<PackIntegers, uint32_t, int32_t, int32_t>;
    return takeOperands(builder, op, Type::B32, {Type::S32, Type::S32});
  }
}

constexpr auto kConvert = OpClass::Convert;
constexpr Form kForms[] = {
    // Without modifiers: Convert.cpp.
    {"cvt.(rn|rz).(relu)[.satfinite].(f16|bf16).f32", kBase, 70, kConvert, toHalf},
    {"cvt.(rn|rz).(satfinite)[.relu].(f16|bf16).f32", kBase, 81, kConvert, toHalf},
    {"cvt.(rn|rz)[.relu][.satfinite].(f16x2|bf16x2).f32", kBase, 70, kConvert, toHalves},
    {"cvt.(rn|rz).(satfinite).(relu).(f16x2|bf16x2).f32", kBase, 81, kConvert, toHalves},
    {"cvt.rs[.relu][.satfinite].(f16x2|bf16x2).f32", kRandom, 87, kConvert, toHalvesRandom},
    {"cvt.(rna)[.satfinite].tf32.f32", kBase, 70, kConvert, toTf32},
    {"cvt.(rn|rz)[.relu].tf32.f32", kBase, 78, kConvert, toTf32},
    {"cvt.(rn|rz).(satfinite)[.relu].tf32.f32", Feature::Sm100, 86, kConvert, toTf32},
    {"cvt.(rn|rz).(relu).(satfinite).tf32.f32", Feature::Sm100, 86, kConvert, toTf32},
    {"cvt.rn.satfinite[.relu].(e4m3x2|e5m2x2).f32", kBase, 78, kConvert, singlesToPair},
    {"cvt.rn.satfinite[.relu].(e4m3x2|e5m2x2).f16x2", kBase, 78, kConvert, halvesToPair},
    {"cvt.rn[.relu].f16x2.(e4m3x2|e5m2x2)", kBase, 78, kConvert, pairToHalves},
    {"cvt.rn.satfinite[.relu].(e2m1x2|e2m3x2|e3m2x2).f32", kNarrow, 86, kConvert, singlesToPair},
    {"cvt.rn.satfinite[.relu].(e2m1x2).f16x2", kNarrow, 90, kConvert, halvesToPair},
    {"cvt.rn[.relu].f16x2.(e2m1x2|e2m3x2|e3m2x2)", kNarrow, 86, kConvert, pairToHalves},
    {"cvt.rs[.relu].satfinite.(e4m3x4|e5m2x4|e2m1x4|e2m3x4|e3m2x4).f32", kRandom, 87, kConvert, singlesToFour},
    {"cvt.(rz|rp)[.satfinite].ue8m0x2.f32", kNarrow, 86, kConvert, singlesToScales},
    {"cvt.(rz|rp)[.satfinite].ue8m0x2.bf16x2", kNarrow, 86, kConvert, halvesToScales},
    {"cvt.rn.bf16x2.ue8m0x2", kNarrow, 86, kConvert, scalesToHalves},
    {"cvt.pack.sat.(u16|s16).s32", kBase, 65, kConvert, packIntegers<false>},
    {"cvt.pack.sat.(u8|s8|u4|s4|u2|s2).s32.b32", kBase, 65, kConvert, packIntegers<true>},
};

} // namespace

std::span<const Form> narrowForms() { return kForms; }

GLM_PTX_END_LANES
