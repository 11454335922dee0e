// abs, neg, copysign, min and max of every float type.
#include "test/runtime/ptx/arithmetic/Snippet.h"
#include "test/runtime/ptx/number/Reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace glm::ptx {
namespace {

/// Fields of one value of a type.
struct Fields {
  int bits, mantissaBits;
  uint64_t sign() const { return 1ull << (bits - 1); }
  uint64_t magnitude() const { return sign() - 1; }
  uint64_t infinity() const { return magnitude() >> mantissaBits << mantissaBits; }
  bool isNan(uint64_t code) const { return (code & magnitude()) > infinity(); }
  bool isSubnormal(uint64_t code) const { return (code & infinity()) == 0; }
};
Fields fieldsOf(Type type) {
  switch (type) {
  case Type::F32:
    return {32, 23};
  case Type::F64:
    return {64, 52};
  case Type::F16:
  case Type::F16x2:
    return {16, 10};
  default:
    return {16, 7};
  }
}
bool isPair(Type type) { return type == Type::F16x2 || type == Type::BF16x2; }

/// `one` on the value, or on each of two.
uint64_t each(Type type, const uint64_t *in, size_t count, const std::function<uint64_t(const uint64_t *)> &one) {
  const Fields fields = fieldsOf(type);
  uint64_t result = 0;
  for (int shift = isPair(type) ? 16 : 0; shift >= 0; shift -= 16) {
    uint64_t parts[3] = {};
    for (size_t i = 0; i < count; ++i)
      parts[i] = in[i] >> shift & (fields.magnitude() << 1 | 1);
    result |= one(parts) << shift;
  }
  return result;
}

constexpr Type kTypes[] = {Type::F32, Type::F64, Type::F16, Type::F16x2, Type::BF16, Type::BF16x2};
bool hasFtz(Type type) { return type == Type::F32 || type == Type::F16 || type == Type::F16x2; }

uint64_t flushed(const Fields &fields, uint64_t code, bool ftz) {
  return ftz && fields.isSubnormal(code) ? code & fields.sign() : code;
}

/// As an H100: a double's NaN stays and becomes quiet, all others become the canonical one.
uint64_t signedNan(const Fields &fields, Type type, uint64_t code) {
  return type == Type::F64 ? code | uint64_t{1} << 51 : fields.magnitude();
}

TEST(SignTest, AbsoluteValuesAndNegations) {
  for (Type type : kTypes)
    for (bool ftz : {false, true}) {
      if (ftz && !hasFtz(type))
        continue;
      const Fields fields = fieldsOf(type);
      const std::string rest = std::string(ftz ? ".ftz." : ".") + std::string(nameOf(type));
      check({.spelling = "abs" + rest, .to = type, .from = {type}, .expected = [=](const uint64_t *in) {
               return each(type, in, 1, [=](const uint64_t *x) {
                 return fields.isNan(x[0]) ? signedNan(fields, type, x[0])
                                           : flushed(fields, x[0], ftz) & fields.magnitude();
               });
             }});
      check({.spelling = "neg" + rest, .to = type, .from = {type}, .expected = [=](const uint64_t *in) {
               return each(type, in, 1, [=](const uint64_t *x) {
                 return fields.isNan(x[0]) ? signedNan(fields, type, x[0]) : flushed(fields, x[0], ftz) ^ fields.sign();
               });
             }});
    }
}

TEST(SignTest, CopiedSigns) {
  check(
      {.spelling = "copysign.f32", .to = Type::F32, .from = {Type::F32, Type::F32}, .expected = [](const uint64_t *in) {
         return reference::bitsOf(std::copysign(reference::floatOf(in[1]), reference::floatOf(in[0])));
       }});
  check(
      {.spelling = "copysign.f64", .to = Type::F64, .from = {Type::F64, Type::F64}, .expected = [](const uint64_t *in) {
         return reference::bitsOf(std::copysign(reference::doubleOf(in[1]), reference::doubleOf(in[0])));
       }});
}

/// The smaller or larger of two codes; -0 is below +0.
uint64_t extreme(const Fields &fields, bool larger, bool nanWins, uint64_t a, uint64_t b) {
  const uint64_t nan = fields.magnitude();
  if (fields.isNan(a) || fields.isNan(b)) {
    if (nanWins || (fields.isNan(a) && fields.isNan(b)))
      return nan;
    return fields.isNan(a) ? b : a;
  }
  const auto rank = [&](uint64_t code) {
    const auto magnitude = static_cast<__int128>(code & fields.magnitude());
    return (code & fields.sign()) != 0 ? -1 - magnitude : magnitude;
  };
  return (rank(a) < rank(b)) != larger ? a : b;
}

std::function<uint64_t(std::mt19937_64 &, size_t)> nearInputs(Type type) {
  return [type, last = uint64_t(0)](std::mt19937_64 &random, size_t index) mutable {
    // Equal ones, and equal ones but for the sign.
    if (index != 0 && random() % 3 == 0)
      return last ^ ((random() & 1) << (fieldsOf(type).bits - 1));
    return last = interesting(type, random);
  };
}

TEST(SignTest, Extremes) {
  for (Type type : kTypes)
    for (bool larger : {false, true})
      for (bool ftz : {false, true})
        for (bool nanWins : {false, true})
          for (bool xorSign : {false, true}) {
            if ((ftz && !hasFtz(type)) || (type == Type::F64 && (nanWins || xorSign)))
              continue;
            const Fields fields = fieldsOf(type);
            check({.spelling = std::string(larger ? "max" : "min") + (ftz ? ".ftz" : "") + (nanWins ? ".NaN" : "") +
                               (xorSign ? ".xorsign.abs." : ".") + std::string(nameOf(type)),
                   .to = type,
                   .from = {type, type},
                   .expected =
                       [=](const uint64_t *in) {
                         return each(type, in, 2, [=](const uint64_t *x) {
                           const uint64_t keep = xorSign ? fields.magnitude() : ~0ull;
                           const uint64_t result = extreme(fields, larger, nanWins, flushed(fields, x[0], ftz) & keep,
                                                           flushed(fields, x[1], ftz) & keep);
                           return xorSign && !fields.isNan(result) ? result | ((x[0] ^ x[1]) & fields.sign()) : result;
                         });
                       },
                   .input = nearInputs(type)});
          }
}

TEST(SignTest, ExtremesOfThree) {
  const Fields fields = fieldsOf(Type::F32);
  for (bool larger : {false, true})
    for (bool ftz : {false, true})
      for (bool nanWins : {false, true})
        for (bool absolute : {false, true})
          check({.spelling = std::string(larger ? "max" : "min") + (ftz ? ".ftz" : "") + (nanWins ? ".NaN" : "") +
                             (absolute ? ".abs" : "") + ".f32",
                 .to = Type::F32,
                 .from = {Type::F32, Type::F32, Type::F32},
                 .expected =
                     [=](const uint64_t *in) {
                       const auto input = [&](int index) {
                         return flushed(fields, in[index], ftz) & (absolute ? fields.magnitude() : ~0ull);
                       };
                       return extreme(fields, larger, nanWins, extreme(fields, larger, nanWins, input(0), input(1)),
                                      input(2));
                     },
                 .input = nearInputs(Type::F32)});
  EXPECT_NE(Snippet(bestLaneSet(), "min.f32 %r0, %r1, %r2, %r3;", "sm_90a").refusal(), "");
  EXPECT_NE(Snippet(bestLaneSet(), "min.xorsign.abs.f32 %r0, %r1, %r2, %r3;").refusal(), "");
  EXPECT_NE(Snippet(bestLaneSet(), "min.abs.f32 %r0, %r1, %r2;").refusal(), "");
}

} // namespace
} // namespace glm::ptx
