// cvt between integers and the floats f16, bf16, f32, f64 (PTX ISA, "Data Movement and Conversion Instructions: cvt").
#include "runtime/ptx/arithmetic/Floats.h"
#include "runtime/ptx/arithmetic/Operands.h"
#include "runtime/ptx/arithmetic/Tables.h"
#include "runtime/ptx/number/Double.h"

#include <bit>
#include <limits>

GLM_PTX_BEGIN_LANES
namespace {

constexpr Feature kBase = Feature::Base;

/// Registers of 8 bits are held as 16.
template <typename T>
using HolderOf = std::conditional_t<sizeof(T) == 1, std::conditional_t<std::is_signed_v<T>, int16_t, uint16_t>, T>;

/// What Op::variant holds for every conversion of this file.
struct Modifiers {
  explicit Modifiers(uint16_t variant)
      : rounding(static_cast<Rounding>(variant & 7)), toInteger((variant & 8) != 0), ftz((variant & 16) != 0),
        sat((variant & 32) != 0) {}
  static uint16_t pack(Rounding rounding, bool toInteger, bool ftz, bool sat) {
    return static_cast<uint16_t>(static_cast<uint16_t>(rounding) | (toInteger ? 8 : 0) | (ftz ? 16 : 0) |
                                 (sat ? 32 : 0));
  }
  Rounding rounding;
  bool toInteger; ///< .rni and its kin: to an integral value
  bool ftz, sat;
};

/// `fn` with the rounding as a constant.
template <class Fn>
auto withRounding(Rounding rounding, Fn fn) {
  switch (rounding) {
  case Rounding::Zero:
    return fn.template operator()<Rounding::Zero>();
  case Rounding::Down:
    return fn.template operator()<Rounding::Down>();
  case Rounding::Up:
    return fn.template operator()<Rounding::Up>();
  default:
    return fn.template operator()<Rounding::Nearest>();
  }
}

template <Rounding R, typename V>
V toIntegral(V value) {
  if constexpr (R == Rounding::Nearest)
    return __builtin_elementwise_roundeven(value);
  if constexpr (R == Rounding::Zero)
    return __builtin_elementwise_trunc(value);
  if constexpr (R == Rounding::Down)
    return __builtin_elementwise_floor(value);
  return __builtin_elementwise_ceil(value);
}

// Integers to integers.

template <typename D, typename S, bool Sat>
struct IntegerToInteger {
  template <typename V>
  Rebind<V, HolderOf<D>> operator()(V held) const {
    using ToLimits = std::numeric_limits<D>;
    using FromLimits = std::numeric_limits<S>;
    auto value = convert<S>(held);
    if constexpr (Sat) {
      if constexpr (static_cast<__int128>(ToLimits::max()) < static_cast<__int128>(FromLimits::max()))
        value = __builtin_elementwise_min(value, decltype(value)(static_cast<S>(ToLimits::max())));
      if constexpr (std::is_signed_v<S> && (std::is_unsigned_v<D> || sizeof(D) < sizeof(S)))
        value = __builtin_elementwise_max(value, decltype(value)(static_cast<S>(ToLimits::min())));
    }
    return convert<HolderOf<D>>(convert<D>(value));
  }
};

// Integers to floats.

/// The first 24 significant bits of an integer, the last of them odd if anything was dropped.
inline float oddFloatOf(uint64_t magnitude, bool negative) {
  const int drop = magnitude >> 24 == 0 ? 0 : std::bit_width(magnitude) - 24;
  uint64_t kept = magnitude >> drop;
  if (kept << drop != magnitude)
    kept |= 1;
  const float scale = std::bit_cast<float>(static_cast<uint32_t>(127 + drop) << 23);
  const float value = static_cast<float>(kept) * scale;
  return negative ? -value : value;
}

/// A float of any width in the given rounding: as F, `float` or `double` says.
template <typename T, typename V, class Each>
Rebind<V, T> eachLane(V value, Each each) {
  Rebind<V, T> result;
  for (int lane = 0; lane < kLanesOf<V>; ++lane) {
    const auto x = static_cast<ElementOf<V>>(value[lane]);
    const bool negative = x < 0;
    const auto magnitude = static_cast<uint64_t>(x);
    result[lane] = each(negative ? uint64_t(0) - magnitude : magnitude, negative);
  }
  return result;
}

template <typename S, Rounding R, typename V>
Rebind<V, float> integerToFloat(V value) {
  if constexpr (R == Rounding::Nearest)
    return convert<float>(value);
  else if constexpr (sizeof(S) < 8)
    return roundToFloat<R>(convert<double>(value));
  else
    return eachLane<float>(value, [](uint64_t magnitude, bool negative) { return floatOf(magnitude, negative, R); });
}
template <typename S>
struct IntegerToSingle {
  explicit IntegerToSingle(const Op &op) : modifiers(op.variant) {}
  template <typename V>
  auto operator()(V held) const {
    const auto value = convert<S>(held);
    const auto result = withRounding(modifiers.rounding, [&]<Rounding R>() { return integerToFloat<S, R>(value); });
    return modifiers.sat ? saturate(result) : result;
  }
  Modifiers modifiers;
};
template <typename S>
struct IntegerToDouble {
  explicit IntegerToDouble(const Op &op) : modifiers(op.variant) {}
  template <typename V>
  Rebind<V, double> operator()(V held) const {
    const auto value = convert<S>(held);
    auto result = convert<double>(value);
    if (sizeof(S) == 8 && modifiers.rounding != Rounding::Nearest)
      result = eachLane<double>(value, [this](uint64_t magnitude, bool negative) {
        return doubleOf(magnitude, negative, modifiers.rounding);
      });
    if (!modifiers.sat)
      return result;
    return result > 0 ? (result < 1 ? result : 1.0) : 0.0;
  }
  Modifiers modifiers;
};
template <FloatFormat F, typename S>
struct IntegerToHalf {
  explicit IntegerToHalf(const Op &op) : modifiers(op.variant) {}
  template <typename V>
  auto operator()(V held) const {
    const auto value = convert<S>(held);
    const auto odd = eachLane<float>(value, oddFloatOf);
    const auto bounded = modifiers.sat ? saturate(odd) : odd;
    return withRounding(modifiers.rounding,
                        [&]<Rounding R>() { return convert<uint16_t>(narrow<F, Narrowing{.rounding = R}>(bounded)); });
  }
  Modifiers modifiers;
};

// Floats: what is stored, and the value.

struct Single {
  using Stored = float;
  using ValueType = float;
  template <typename V>
  static V read(V stored, bool ftz) {
    return ftz ? flush(stored) : stored;
  }
};
struct Double {
  using Stored = double;
  using ValueType = double;
  template <typename V>
  static V read(V stored, bool) {
    return stored;
  }
};
template <FloatFormat F>
struct HalfOf {
  static constexpr FloatFormat kFormat = F;
  using Stored = uint16_t;
  using ValueType = float;
  template <typename V>
  static auto read(V stored, bool) {
    return widen<F>(stored);
  }
};

/// Clamped to the range of the destination; NaN as PTX ISA, cvt, says: zero unless double precision or 64 bits are involved.
template <class From, typename D>
struct FloatToInteger {
  explicit FloatToInteger(const Op &op) : modifiers(op.variant) {}
  template <typename V>
  Rebind<V, HolderOf<D>> operator()(V stored) const {
    using Limits = std::numeric_limits<D>;
    constexpr bool kWide = std::is_same_v<From, Double> || sizeof(D) == 8;
    constexpr D kNan = kWide ? static_cast<D>(uint64_t(1) << (8 * sizeof(D) - 1)) : D(0);
    const auto value = convert<double>(From::read(stored, modifiers.ftz));
    const auto whole = withRounding(modifiers.rounding, [&]<Rounding R>() { return toIntegral<R>(value); });
    Rebind<V, D> result;
    if constexpr (sizeof(D) == 8) {
      constexpr double kBeyond = std::is_signed_v<D> ? 0x1p63 : 0x1p64;
      constexpr double kLeast = std::is_signed_v<D> ? -0x1p63 : 0.0;
      for (int lane = 0; lane < kLanesOf<V>; ++lane) {
        const double x = whole[lane];
        result[lane] = x >= kBeyond  ? Limits::max()
                       : x > kLeast  ? static_cast<D>(x)
                       : x <= kLeast ? Limits::min()
                                     : kNan;
      }
      return result;
    } else {
      using W = std::remove_const_t<decltype(whole)>;
      const W low = __builtin_elementwise_max(whole, W(static_cast<double>(Limits::min())));
      const W bounded = __builtin_elementwise_min(low, W(static_cast<double>(Limits::max())));
      // The integer lies in the low bits of a sum (number/Approximate.h, kIntegerShift).
      const auto number = bitsAs<uint64_t>((isNumber(value) ? bounded : 0.0) + 6755399441055744.0);
      result = convert<D>(number);
      const auto numbers = __builtin_convertvector(isNumber(value), MaskOf<Rebind<V, HolderOf<D>>>);
      return numbers ? convert<HolderOf<D>>(result) : Rebind<V, HolderOf<D>>(static_cast<HolderOf<D>>(kNan));
    }
  }
  Modifiers modifiers;
};

template <typename F>
inline constexpr bool kIsHalf = !std::is_same_v<F, Single> && !std::is_same_v<F, Double>;

/// Whether a NaN keeps its sign and the bits of its payload that fit, and becomes quiet, instead of becoming the canonical one. So it
/// is on an H100 for conversions from and to double precision, and a bf16 is the upper half of its float whatever it is.
template <class From, class To>
constexpr bool keepsNan() {
  if constexpr (kIsHalf<From> && std::is_same_v<To, Single>)
    return From::kFormat.exponentBits == 8;
  return std::is_same_v<From, Double> != std::is_same_v<To, Double>;
}

/// The code of format F for the upper fraction bits and the sign of NaNs in double precision.
template <FloatFormat F, typename V>
Rebind<V, uint16_t> halfNan(V nan) {
  constexpr uint64_t kFraction = (1u << F.mantissaBits) - 1;
  constexpr uint64_t kQuietNan = (0x7fffu & ~kFraction) | 1u << (F.mantissaBits - 1);
  const auto bits = bitsAs<uint64_t>(nan);
  return convert<uint16_t>((bits >> 48 & 0x8000u) | kQuietNan | (bits >> (52 - F.mantissaBits) & kFraction));
}

/// NaNs of format F in double precision.
template <FloatFormat F, typename V>
Rebind<V, double> doubleNan(V code) {
  const auto bits = convert<uint64_t>(code);
  return bitsAs<double>((bits & 0x8000u) << 48 | 0x7ff8000000000000u |
                        (bits & ((1u << F.mantissaBits) - 1)) << (52 - F.mantissaBits));
}

template <class From, class To>
struct FloatToFloat {
  explicit FloatToFloat(const Op &op) : modifiers(op.variant) {}
  template <typename V>
  Rebind<V, typename To::Stored> operator()(V stored) const {
    auto value = From::read(stored, modifiers.ftz);
    if constexpr (std::is_same_v<From, To>) {
      if (modifiers.toInteger)
        value = withRounding(modifiers.rounding, [&]<Rounding R>() { return toIntegral<R>(value); });
      else if (!modifiers.sat && !modifiers.ftz)
        return stored;
    }
    const auto numbers = isNumber(value);
    if (modifiers.sat)
      value = value > 0 ? (value < 1 ? value : decltype(value)(1)) : decltype(value)(0);
    const auto result = converted(value);
    if (keepsNan<From, To>() && !modifiers.sat)
      return __builtin_convertvector(numbers, MaskOf<Rebind<V, typename To::Stored>>) ? result : nanOf(stored, result);
    return result;
  }

private:
  /// Of a number; a NaN becomes one that is canonical for singles and halves.
  template <typename V>
  Rebind<V, typename To::Stored> converted(V value) const {
    if constexpr (std::is_same_v<To, Double>) {
      return convert<double>(value);
    } else if constexpr (std::is_same_v<To, Single>) {
      const auto result = withRounding(modifiers.rounding, [&]<Rounding R>() {
        if constexpr (std::is_same_v<From, Double>)
          return roundToFloat<R>(value);
        else
          return value;
      });
      return canonicalNan(modifiers.ftz ? flush(result) : result);
    } else {
      return withRounding(modifiers.rounding, [&]<Rounding R>() {
        if constexpr (std::is_same_v<From, Double>)
          return convert<uint16_t>(narrow<To::kFormat, Narrowing{.rounding = R}>(roundToOddFloat(value)));
        else
          return convert<uint16_t>(narrow<To::kFormat, Narrowing{.rounding = R}>(value));
      });
    }
  }
  template <typename V, typename Result>
  static Result nanOf(V stored, Result otherwise) {
    if constexpr (std::is_same_v<From, Double> && kIsHalf<To>)
      return halfNan<To::kFormat>(stored);
    else if constexpr (std::is_same_v<To, Double> && kIsHalf<From>)
      return doubleNan<From::kFormat>(stored);
    else if constexpr (std::is_same_v<To, Single> && kIsHalf<From>)
      return bitsAs<float>(convert<uint32_t>(stored) << 16);
    else if constexpr (std::is_same_v<To, Single> && std::is_same_v<From, Double>)
      return convert<float>(stored);
    else
      return otherwise;
  }

  Modifiers modifiers;
};

// Registers wider than the type.

using Kernel = void (*)(const Op &op, void *to, const void *const *from, LaneMask lanes);
struct WidePlan {
  Kernel kernel;
  uint32_t fromBytes, fromRegister; ///< of what the kernel reads, and of the register
  uint32_t toBytes, toRegister;
  bool toSigned;
};

template <typename T>
void extendInto(std::byte *to, const T *from, uint32_t bytes, LaneMask lanes) {
  for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
    if ((lanes >> lane & 1) == 0)
      continue;
    const auto value = static_cast<uint64_t>(static_cast<int64_t>(from[lane]));
    __builtin_memcpy(to + bytes * lane, &value, bytes);
  }
}

Outcome convertWide(Warp &warp, const Op &op, LaneMask lanes) {
  const auto &plan = *static_cast<const WidePlan *>(op.extra);
  alignas(64) std::byte narrowed[8 * kWarpSize];
  alignas(64) std::byte result[8 * kWarpSize];
  const auto *from = warp.read<std::byte>(op.slots[1]);
  for (uint32_t lane = 0; lane < kWarpSize; ++lane)
    __builtin_memcpy(narrowed + plan.fromBytes * lane, from + plan.fromRegister * lane, plan.fromBytes);
  const void *source = narrowed;
  plan.kernel(op, result, &source, ~LaneMask(0));
  auto *to = warp.write<std::byte>(op.slots[0]);
  switch (plan.toBytes) {
  case 2:
    plan.toSigned ? extendInto(to, reinterpret_cast<const int16_t *>(result), plan.toRegister, lanes)
                  : extendInto(to, reinterpret_cast<const uint16_t *>(result), plan.toRegister, lanes);
    break;
  case 4:
    plan.toSigned ? extendInto(to, reinterpret_cast<const int32_t *>(result), plan.toRegister, lanes)
                  : extendInto(to, reinterpret_cast<const uint32_t *>(result), plan.toRegister, lanes);
    break;
  default:
    extendInto(to, reinterpret_cast<const uint64_t *>(result), plan.toRegister, lanes);
  }
  return Outcome::Next;
}

/// Both ways to run a conversion.
struct Conversion {
  Handler run = nullptr;
  Kernel kernel = nullptr;
};
template <class F, typename D, typename S>
constexpr Conversion conversion() {
  return {&Lanewise<F, D, S>::run, &Lanewise<F, D, S>::apply};
}

template <class Fn>
void withIntegerOrByte(Type type, Fn fn) {
  if (type == Type::U8)
    fn(Tag<uint8_t>());
  else if (type == Type::S8)
    fn(Tag<int8_t>());
  else
    withInteger(type, fn);
}
template <class Fn>
void withFloat(Type type, Fn fn) {
  switch (type) {
  case Type::F16:
    return fn(Tag<HalfOf<kF16>>());
  case Type::BF16:
    return fn(Tag<HalfOf<kBF16>>());
  case Type::F32:
    return fn(Tag<Single>());
  default:
    return fn(Tag<Double>());
  }
}

Conversion integerToInteger(Type to, Type from, bool sat) {
  Conversion found;
  withIntegerOrByte(from, [&]<typename S>(Tag<S>) {
    withIntegerOrByte(to, [&]<typename D>(Tag<D>) {
      found = sat ? conversion<IntegerToInteger<D, S, true>, HolderOf<D>, HolderOf<S>>()
                  : conversion<IntegerToInteger<D, S, false>, HolderOf<D>, HolderOf<S>>();
    });
  });
  return found;
}
Conversion integerToFloat(Type to, Type from) {
  Conversion found;
  withIntegerOrByte(from, [&]<typename S>(Tag<S>) {
    switch (to) {
    case Type::F16:
      found = conversion<IntegerToHalf<kF16, S>, uint16_t, HolderOf<S>>();
      break;
    case Type::BF16:
      found = conversion<IntegerToHalf<kBF16, S>, uint16_t, HolderOf<S>>();
      break;
    case Type::F32:
      found = conversion<IntegerToSingle<S>, float, HolderOf<S>>();
      break;
    default:
      found = conversion<IntegerToDouble<S>, double, HolderOf<S>>();
    }
  });
  return found;
}
Conversion floatToInteger(Type to, Type from) {
  Conversion found;
  withFloat(from, [&]<typename S>(Tag<S>) {
    withIntegerOrByte(
        to, [&]<typename D>(Tag<D>) { found = conversion<FloatToInteger<S, D>, HolderOf<D>, typename S::Stored>(); });
  });
  return found;
}
Conversion floatToFloat(Type to, Type from) {
  Conversion found;
  withFloat(from, [&]<typename S>(Tag<S>) {
    withFloat(to, [&]<typename D>(Tag<D>) {
      found = conversion<FloatToFloat<S, D>, typename D::Stored, typename S::Stored>();
    });
  });
  return found;
}

uint32_t holderBytes(Type type) { return bitsOf(type) == 8 ? 2 : bitsOf(type) / 8; }

/// Bytes of the register that an operand names; an immediate, an address or a special register has the type's own.
uint32_t registerBytes(Builder &builder, size_t index, Type type) {
  const Type declared = builder.registerType(builder.operand(index));
  return declared == Type::None ? holderBytes(type) : holderBytes(declared);
}

Result<void> takeConversion(Builder &builder, Op &op, Type to, Type from, const Conversion &conversion) {
  if (Result<void> fits = builder.expectOperands(2, 2); !fits)
    return fits;
  const Result<Slot> source = builder.source(1, from, false);
  if (!source)
    return source.error();
  const Result<Slot> destination = builder.destination(0, to, false);
  if (!destination)
    return destination.error();
  if (*destination == kNoSlot)
    return builder.error("needs a register to write to", "_");
  op.slots[0] = *destination;
  op.slots[1] = *source;
  op.run = conversion.run;
  const WidePlan plan{conversion.kernel,
                      holderBytes(from),
                      registerBytes(builder, 1, from),
                      holderBytes(to),
                      registerBytes(builder, 0, to),
                      isSigned(to)};
  if (plan.fromBytes != plan.fromRegister || plan.toBytes != plan.toRegister) {
    builder.setExtra(op, plan);
    op.run = convertWide;
  }
  return {};
}

Rounding roundingOf(std::string_view word) {
  constexpr Rounding kModes[] = {Rounding::Nearest, Rounding::Zero, Rounding::Down, Rounding::Up};
  return word.empty() ? Rounding::Nearest : kModes[indexOf(word.substr(0, 2), {"rn", "rz", "rm", "rp"})];
}

/// Words: sat, types.
Result<void> integers(Builder &builder, const Match &match, Op &op) {
  const Type to = match.type(1);
  const Type from = match.type(2);
  return takeConversion(builder, op, to, from, integerToInteger(to, from, match.has(0)));
}
/// What a row's words say: a rounding first (if HasRounding), then [ftz] and [sat] as the row has them, the types last.
struct Words {
  Words(const Match &match, bool hasRounding)
      : to(match.type(match.words.size() - 2)), from(match.type(match.words.size() - 1)) {
    const std::string_view rounding = hasRounding ? match.words[0] : std::string_view();
    bool ftz = false;
    bool sat = false;
    for (size_t place = hasRounding ? 1 : 0; place + 2 < match.words.size(); ++place) {
      ftz = ftz || match.words[place] == "ftz";
      sat = sat || match.words[place] == "sat";
    }
    variant = Modifiers::pack(roundingOf(rounding), rounding.size() == 3, ftz, sat);
  }
  Type to, from;
  uint16_t variant;
};
template <bool HasRounding, Conversion (*Find)(Type to, Type from)>
Result<void> build(Builder &builder, const Match &match, Op &op) {
  const Words words(match, HasRounding);
  op.variant = words.variant;
  return takeConversion(builder, op, words.to, words.from, Find(words.to, words.from));
}
constexpr Build fromIntegers = build<true, integerToFloat>;
constexpr Build toIntegers = build<true, floatToInteger>;
constexpr Build exactFloats = build<false, floatToFloat>;
constexpr Build roundedFloats = build<true, floatToFloat>;

#define GLM_PTX_INTEGER "(u8|u16|u32|u64|s8|s16|s32|s64)"
#define GLM_PTX_WIDE_INTEGER "(u16|u32|u64|s16|s32|s64)"
#define GLM_PTX_ROUNDING "(rn|rz|rm|rp)"
#define GLM_PTX_INTEGRAL "(rni|rzi|rmi|rpi)"
constexpr auto kConvert = OpClass::Convert;
constexpr Form kForms[] = {
    {"cvt[.sat]." GLM_PTX_INTEGER "." GLM_PTX_INTEGER, kBase, 10, kConvert, integers},
    {"cvt." GLM_PTX_ROUNDING "[.ftz][.sat].(f32)." GLM_PTX_INTEGER, kBase, 10, kConvert, fromIntegers},
    {"cvt." GLM_PTX_ROUNDING "[.sat].(f16|f64)." GLM_PTX_INTEGER, kBase, 10, kConvert, fromIntegers},
    {"cvt." GLM_PTX_ROUNDING ".(bf16)." GLM_PTX_WIDE_INTEGER, kBase, 78, kConvert, fromIntegers},
    {"cvt." GLM_PTX_INTEGRAL "[.ftz][.sat]." GLM_PTX_INTEGER ".(f32)", kBase, 10, kConvert, toIntegers},
    {"cvt." GLM_PTX_INTEGRAL "[.sat]." GLM_PTX_INTEGER ".(f16|f64)", kBase, 10, kConvert, toIntegers},
    {"cvt." GLM_PTX_INTEGRAL "." GLM_PTX_WIDE_INTEGER ".(bf16)", kBase, 78, kConvert, toIntegers},
    {"cvt[.sat].(f16).(f16)", kBase, 10, kConvert, exactFloats},
    {"cvt[.sat].(f64).(f16|f64)", kBase, 10, kConvert, exactFloats},
    {"cvt[.ftz][.sat].(f32).(f16|f32)", kBase, 10, kConvert, exactFloats},
    {"cvt[.ftz][.sat].(f64).(f32)", kBase, 10, kConvert, exactFloats},
    {"cvt[.ftz].(f32).(bf16)", kBase, 71, kConvert, exactFloats},
    {"cvt.(bf16|f64).(bf16)", kBase, 78, kConvert, exactFloats},
    {"cvt." GLM_PTX_ROUNDING "[.ftz][.sat].(f16).(f32)", kBase, 10, kConvert, roundedFloats},
    {"cvt." GLM_PTX_ROUNDING "[.sat].(f16).(f64)", kBase, 10, kConvert, roundedFloats},
    {"cvt." GLM_PTX_ROUNDING "[.ftz][.sat].(f32).(f64)", kBase, 10, kConvert, roundedFloats},
    {"cvt." GLM_PTX_ROUNDING "[.ftz].(bf16).(f32)", kBase, 70, kConvert, roundedFloats},
    {"cvt." GLM_PTX_ROUNDING ".(bf16).(f16|f64)", kBase, 78, kConvert, roundedFloats},
    {"cvt." GLM_PTX_ROUNDING ".(f16|f64).(bf16)", kBase, 78, kConvert, roundedFloats},
    {"cvt." GLM_PTX_ROUNDING "[.ftz].(f32).(bf16)", kBase, 78, kConvert, roundedFloats},
    {"cvt." GLM_PTX_INTEGRAL "[.ftz][.sat].(f32).(f32)", kBase, 10, kConvert, roundedFloats},
    {"cvt." GLM_PTX_INTEGRAL "[.sat].(f16).(f16)", kBase, 10, kConvert, roundedFloats},
    {"cvt." GLM_PTX_INTEGRAL "[.sat].(f64).(f64)", kBase, 10, kConvert, roundedFloats},
    {"cvt." GLM_PTX_INTEGRAL ".(bf16).(bf16)", kBase, 78, kConvert, roundedFloats},
};
#undef GLM_PTX_INTEGER
#undef GLM_PTX_WIDE_INTEGER
#undef GLM_PTX_ROUNDING
#undef GLM_PTX_INTEGRAL

} // namespace

std::span<const Form> convertForms() { return kForms; }

GLM_PTX_END_LANES
