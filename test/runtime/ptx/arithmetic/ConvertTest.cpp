// cvt between integers and f16, bf16, f32, f64.
#include "test/runtime/ptx/arithmetic/Snippet.h"
#include "test/runtime/ptx/number/Reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

namespace glm::ptx {
namespace {

using reference::bitsOf;
using reference::doubleOf;
using reference::floatOf;

using Wide = __int128;

constexpr Type kIntegers[] = {Type::U8, Type::U16, Type::U32, Type::U64, Type::S8, Type::S16, Type::S32, Type::S64};
constexpr Type kFloats[] = {Type::F16, Type::BF16, Type::F32, Type::F64};

uint32_t widthOf(Type type) { return glm::ptx::bitsOf(type); }

Wide integerOf(Type type, uint64_t bits) {
  const uint32_t width = widthOf(type);
  Wide value = width == 64 ? bits : bits & ((1ull << width) - 1);
  if (isSigned(type) && (value >> (width - 1) & 1) != 0)
    value -= Wide(1) << width;
  return value;
}
Wide most(Type type) { return (Wide(1) << (widthOf(type) - (isSigned(type) ? 1 : 0))) - 1; }
Wide least(Type type) { return isSigned(type) ? -(Wide(1) << (widthOf(type) - 1)) : 0; }

/// The value of a float's bits; NaN keeps nothing.
double floatValue(Type type, uint64_t bits, bool ftz = false) {
  switch (type) {
  case Type::F16:
    return reference::valueOf(reference::kHalf, static_cast<uint32_t>(bits));
  case Type::BF16:
    return reference::valueOf(reference::kBrain, static_cast<uint32_t>(bits));
  case Type::F32: {
    const float value = floatOf(bits);
    return ftz && std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value;
  }
  default:
    return doubleOf(bits);
  }
}

/// `value` (plus something of the sign of `rest`, invisible in a double) as bits of a type.
uint64_t floatBits(Type type, double value, double rest, Rounding rounding, bool ftz, bool sat) {
  if (sat) {
    if (std::isnan(value) || value <= 0)
      value = rest = 0.0;
    if (value >= 1)
      value = 1, rest = 0;
  }
  switch (type) {
  case Type::F16:
    return reference::codeOf(reference::kHalf, value, rest, {.rounding = rounding});
  case Type::BF16:
    return reference::codeOf(reference::kBrain, value, rest, {.rounding = rounding});
  case Type::F32: {
    if (std::isnan(value))
      return 0x7fffffff;
    volatile double wide = value;
    const float result = reference::singleIn(rounding, [&]() -> float { return static_cast<float>(wide); });
    return bitsOf(ftz && std::fpclassify(result) == FP_SUBNORMAL ? std::copysign(0.0f, result) : result);
  }
  default:
    return bitsOf(value);
  }
}

struct Mode {
  const char *word;
  Rounding rounding;
};
constexpr Mode kModes[] = {
    {"rn", Rounding::Nearest}, {"rz", Rounding::Zero}, {"rm", Rounding::Down}, {"rp", Rounding::Up}};

std::string named(const std::string &stem, Type to, Type from) {
  return "cvt" + stem + "." + std::string(nameOf(to)) + "." + std::string(nameOf(from));
}

/// Registers that hold a type: its own width, and wider ones.
std::vector<Type> holdersOf(Type type) {
  std::vector<Type> holders;
  for (Type holder : {Type::B8, Type::B16, Type::B32, Type::B64})
    if (widthOf(holder) >= widthOf(type))
      holders.push_back(holder);
  return holders;
}

/// Runs the conversion through registers of every width that may hold either side. `expected` of the source's low bits gives
/// the destination's low bits; what lies above them is the extension of the destination type.
void checkWidths(const std::string &spelling, Type to, Type from, const std::function<uint64_t(uint64_t)> &expected,
                 int rounds) {
  for (Type toHolder : holdersOf(to))
    for (Type fromHolder : holdersOf(from)) {
      const bool plain = toHolder == holdersOf(to)[0] && fromHolder == holdersOf(from)[0];
      check({.spelling = spelling,
             .to = toHolder,
             .from = {fromHolder},
             .expected =
                 [&](const uint64_t *in) {
                   const uint64_t low = widthOf(from) == 64 ? in[0] : in[0] & ((1ull << widthOf(from)) - 1);
                   return static_cast<uint64_t>(integerOf(to, expected(low)));
                 },
             .input =
                 [&](std::mt19937_64 &random, size_t) {
                   const uint64_t low = interesting(from, random);
                   // What lies above the type in a wider register does not count.
                   const uint64_t high = widthOf(fromHolder) > widthOf(from) ? random() << widthOf(from) : 0;
                   return (low | high) &
                          (widthOf(fromHolder) == 64 ? ~0ull : (1ull << std::max(widthOf(fromHolder), 16u)) - 1);
                 },
             .rounds = plain ? rounds : 2});
    }
}

TEST(ConvertTest, IntegersToIntegers) {
  for (Type to : kIntegers)
    for (Type from : kIntegers)
      for (bool sat : {false, true})
        checkWidths(
            named(sat ? ".sat" : "", to, from), to, from,
            [=](uint64_t bits) {
              const Wide value = integerOf(from, bits);
              return static_cast<uint64_t>(sat ? std::clamp(value, least(to), most(to)) : value);
            },
            6);
}

TEST(ConvertTest, IntegersToFloats) {
  for (Type to : kFloats)
    for (Type from : kIntegers) {
      if (to == Type::BF16 && widthOf(from) == 8)
        continue;
      for (const Mode &mode : kModes)
        for (bool sat : {false, true})
          for (bool ftz : {false, true}) {
            if ((sat && to == Type::BF16) || (ftz && to != Type::F32))
              continue;
            checkWidths(
                named(std::string(".") + mode.word + (ftz ? ".ftz" : "") + (sat ? ".sat" : ""), to, from), to, from,
                [&](uint64_t bits) -> uint64_t {
                  const Wide value = integerOf(from, bits);
                  // A double near it, truncated, and what is missing.
                  Wide kept = value < 0 ? -value : value;
                  int drop = 0;
                  while (kept >> 53 != 0)
                    kept >>= 1, ++drop;
                  double near = std::ldexp(static_cast<double>(static_cast<int64_t>(kept)), drop);
                  const Wide missing = (value < 0 ? -value : value) - (kept << drop);
                  if (to == Type::F64 || to == Type::F32) {
                    if (sat)
                      return floatBits(to, static_cast<double>(value > 0 ? 1 : 0), 0, Rounding::Nearest, false, false);
                    // Exactly, in the processor's mode, through the long double that holds every integer here.
                    volatile long double exact = static_cast<long double>(value);
                    return to == Type::F32
                               ? bitsOf(reference::singleIn(mode.rounding,
                                                            [&]() -> float { return static_cast<float>(exact); }))
                               : bitsOf(reference::doubleIn(mode.rounding,
                                                            [&]() -> double { return static_cast<double>(exact); }));
                  }
                  near = value < 0 ? -near : near;
                  const double rest = missing == 0 ? 0 : value < 0 ? -1 : 1;
                  return floatBits(to, near, rest, mode.rounding, false, sat);
                },
                6);
          }
    }
}

double integral(double value, Rounding rounding) {
  switch (rounding) {
  case Rounding::Zero:
    return std::trunc(value);
  case Rounding::Down:
    return std::floor(value);
  case Rounding::Up:
    return std::ceil(value);
  default:
    return std::nearbyint(value);
  }
}

TEST(ConvertTest, FloatsToIntegers) {
  for (Type to : kIntegers)
    for (Type from : kFloats) {
      if (from == Type::BF16 && widthOf(to) == 8)
        continue;
      for (const Mode &mode : kModes)
        for (bool sat : {false, true})
          for (bool ftz : {false, true}) {
            if ((sat && from == Type::BF16) || (ftz && from != Type::F32))
              continue;
            checkWidths(
                named(std::string(".") + mode.word + "i" + (ftz ? ".ftz" : "") + (sat ? ".sat" : ""), to, from), to,
                from,
                [&](uint64_t bits) -> uint64_t {
                  const double value = floatValue(from, bits, ftz);
                  if (std::isnan(value))
                    return from == Type::F64 || widthOf(to) == 64 ? 1ull << (widthOf(to) - 1) : 0;
                  const double whole = integral(value, mode.rounding);
                  if (whole >= std::ldexp(1.0, static_cast<int>(widthOf(to)) - (isSigned(to) ? 1 : 0)))
                    return static_cast<uint64_t>(most(to));
                  if (whole <= static_cast<double>(least(to)))
                    return static_cast<uint64_t>(least(to));
                  return whole < 0 ? static_cast<uint64_t>(static_cast<int64_t>(whole)) : static_cast<uint64_t>(whole);
                },
                12);
          }
    }
}

TEST(ConvertTest, FloatsNearIntegers) {
  // Halves and their neighbours, where the four roundings differ.
  for (const Mode &mode : kModes)
    check({.spelling = std::string("cvt.") + mode.word + "i.s32.f32",
           .to = Type::S32,
           .from = {Type::F32},
           .expected =
               [&](const uint64_t *in) {
                 return static_cast<uint64_t>(static_cast<int64_t>(integral(floatOf(in[0]), mode.rounding)));
               },
           .input =
               [](std::mt19937_64 &random, size_t) {
                 const float half = static_cast<float>(static_cast<int>(random() % 41) - 20) / 2;
                 return bitsOf(random() % 3 == 0 ? half : std::nextafter(half, random() % 2 == 0 ? 100.0f : -100.0f));
               }});
}

/// What an H100 makes of a NaN: from and to doubles sign and the upper payload stay, and it becomes quiet; a bf16 is the upper half
/// of its float; otherwise nothing, and the canonical one is the result.
std::optional<uint64_t> keptNan(Type to, Type from, uint64_t bits) {
  struct Layout {
    int bits, fraction;
  };
  auto layoutOf = [](Type type) {
    return type == Type::F64   ? Layout{64, 52}
           : type == Type::F32 ? Layout{32, 23}
           : type == Type::F16 ? Layout{16, 10}
                               : Layout{16, 7};
  };
  if (from == Type::BF16 && to == Type::F32)
    return bits << 16;
  if ((from == Type::F64) == (to == Type::F64))
    return std::nullopt;
  Layout source = layoutOf(from), target = layoutOf(to);
  uint64_t fraction = bits & ((uint64_t{1} << source.fraction) - 1);
  int shift = target.fraction - source.fraction;
  uint64_t sign = bits >> (source.bits - 1) & 1, quiet = uint64_t{1} << (target.fraction - 1);
  uint64_t exponent = ((uint64_t{1} << (target.bits - 1 - target.fraction)) - 1) << target.fraction;
  return sign << (target.bits - 1) | exponent | quiet | (shift > 0 ? fraction << shift : fraction >> -shift);
}

/// A conversion of floats. `integral`: the form rounds to an integral value of the same type.
void checkFloats(const std::string &modifiers, Type to, Type from, Rounding rounding, bool toIntegral, bool ftz,
                 bool sat) {
  check({.spelling = named(modifiers, to, from),
         .to = to,
         .from = {from},
         .expected =
             [&](const uint64_t *in) {
               double value = floatValue(from, in[0], ftz);
               if (to == from && !toIntegral && !ftz && !sat)
                 return in[0];
               if (toIntegral)
                 value = integral(value, rounding);
               if (auto kept = keptNan(to, from, in[0]); kept && std::isnan(value) && !sat)
                 return *kept;
               return floatBits(to, value, 0, rounding, ftz, sat);
             },
         .accepts =
             [&](const uint64_t *, uint64_t found, uint64_t expected) {
               // Payloads of double NaN.
               return to == Type::F64 && std::isnan(doubleOf(found)) && std::isnan(doubleOf(expected));
             },
         .rounds = 40});
}

TEST(ConvertTest, FloatsExactly) {
  const std::pair<Type, Type> pairs[] = {{Type::F16, Type::F16},  {Type::F64, Type::F16},   {Type::F64, Type::F64},
                                         {Type::F32, Type::F16},  {Type::F32, Type::F32},   {Type::F64, Type::F32},
                                         {Type::F32, Type::BF16}, {Type::BF16, Type::BF16}, {Type::F64, Type::BF16}};
  for (const auto &[to, from] : pairs)
    for (bool sat : {false, true})
      for (bool ftz : {false, true}) {
        if ((sat && from == Type::BF16) || (ftz && to != Type::F32 && from != Type::F32))
          continue;
        checkFloats(std::string(ftz ? ".ftz" : "") + (sat ? ".sat" : ""), to, from, Rounding::Nearest, false, ftz, sat);
      }
}

TEST(ConvertTest, FloatsRounded) {
  struct Row {
    Type to, from;
    bool ftz, sat;
  };
  constexpr Row kRows[] = {{Type::F16, Type::F32, true, true},    {Type::F16, Type::F64, false, true},
                           {Type::F32, Type::F64, true, true},    {Type::BF16, Type::F32, true, false},
                           {Type::BF16, Type::F16, false, false}, {Type::BF16, Type::F64, false, false},
                           {Type::F16, Type::BF16, false, false}, {Type::F64, Type::BF16, false, false},
                           {Type::F32, Type::BF16, true, false}};
  for (const Row &row : kRows)
    for (const Mode &mode : kModes)
      for (bool ftz : {false, true})
        for (bool sat : {false, true})
          if ((!ftz || row.ftz) && (!sat || row.sat))
            checkFloats(std::string(".") + mode.word + (ftz ? ".ftz" : "") + (sat ? ".sat" : ""), row.to, row.from,
                        mode.rounding, false, ftz, sat);
}

TEST(ConvertTest, FloatsToIntegralValues) {
  for (Type type : kFloats)
    for (const Mode &mode : kModes)
      for (bool ftz : {false, true})
        for (bool sat : {false, true})
          if ((!ftz || type == Type::F32) && (!sat || type != Type::BF16))
            checkFloats(std::string(".") + mode.word + "i" + (ftz ? ".ftz" : "") + (sat ? ".sat" : ""), type, type,
                        mode.rounding, true, ftz, sat);
}

TEST(ConvertTest, EveryHalfWidens) {
  for (Type from : {Type::F16, Type::BF16})
    check({.spelling = named("", Type::F32, from),
           .to = Type::F32,
           .from = {from},
           .expected =
               [=](const uint64_t *in) {
                 const double value = floatValue(from, in[0]);
                 const std::optional<uint64_t> kept = keptNan(Type::F32, from, in[0]);
                 return kept && std::isnan(value) ? *kept
                                                  : floatBits(Type::F32, value, 0, Rounding::Nearest, false, false);
               },
           .input = [next = uint64_t(0)](std::mt19937_64 &, size_t) mutable { return next++ & 0xffff; },
           .rounds = 4096});
}

TEST(ConvertTest, RefusesWhatDoesNotExist) {
  for (const char *text :
       {"cvt.f32.s32 %r0, %r1;", "cvt.s32.f32 %r0, %r1;", "cvt.rn.s32.s32 %r0, %r1;", "cvt.rn.f32.f32 %r0, %r1;",
        "cvt.f16.f32 %h0, %r1;", "cvt.rn.bf16.u8 %h0, %h1;", "cvt.rna.f32.f64 %r0, %l1;", "cvt.u32.u32 %h0, %r1;"})
    EXPECT_NE(Snippet(bestLaneSet(), text).refusal(), "") << text;
}

} // namespace
} // namespace glm::ptx
