// Comparison and selection, form by form.
#include "test/runtime/ptx/arithmetic/Snippet.h"
#include "test/runtime/ptx/number/Reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace glm::ptx {
namespace {

std::string named(std::string_view stem, Type type) { return std::string(stem) + "." + std::string(nameOf(type)); }

/// Exact for every type but 64-bit integers, which long double holds too.
long double valueOf(Type type, uint64_t bits, bool ftz = false) {
  const uint32_t width = bitsOf(type);
  switch (type) {
  case Type::F32: {
    const float value = reference::floatOf(bits);
    return ftz && std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value;
  }
  case Type::F64:
    return reference::doubleOf(bits);
  case Type::F16: {
    const double value = reference::valueOf(reference::kHalf, static_cast<uint32_t>(bits & 0xffff));
    return ftz && std::fabs(value) < 0x1p-14 ? std::copysign(0.0, value) : value;
  }
  case Type::BF16:
    return reference::valueOf(reference::kBrain, static_cast<uint32_t>(bits & 0xffff));
  default:
    break;
  }
  if (!isSigned(type))
    return bits;
  return static_cast<int64_t>(bits << (64 - width)) >> (64 - width);
}

bool related(const std::string &relation, long double a, long double b) {
  const bool unordered = std::isnan(a) || std::isnan(b);
  if (relation == "num" || relation == "nan")
    return unordered == (relation == "nan");
  if (unordered)
    return relation.size() == 3; // equ, neu, ...
  const std::string ordered = relation.substr(0, 2);
  if (ordered == "eq")
    return a == b;
  if (ordered == "ne")
    return a != b;
  if (ordered == "lt" || ordered == "lo")
    return a < b;
  if (ordered == "le" || ordered == "ls")
    return a <= b;
  if (ordered == "gt" || ordered == "hi")
    return a > b;
  return a >= b;
}

bool combined(const std::string &boolean, bool value, bool other) {
  if (boolean == "and")
    return value && other;
  if (boolean == "or")
    return value || other;
  if (boolean == "xor")
    return value != other;
  return value;
}

const std::vector<std::string> kBooleans = {"", "and", "or", "xor"};

std::vector<std::string> relationsOf(Type type) {
  if (isFloat(type))
    return {"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};
  if (nameOf(type)[0] == 'b')
    return {"eq", "ne"};
  std::vector<std::string> relations = {"eq", "ne", "lt", "le", "gt", "ge"};
  if (!isSigned(type))
    relations.insert(relations.end(), {"lo", "ls", "hi", "hs"});
  return relations;
}

/// Two inputs that are equal as often as not.
std::function<uint64_t(std::mt19937_64 &, size_t)> pairsOf(Type type) {
  return [type, last = uint64_t(0)](std::mt19937_64 &random, size_t index) mutable {
    if (index == 2)
      return random() & 1;
    if (index == 0 || random() % 3 != 0)
      last = interesting(type, random);
    return last;
  };
}

constexpr Type kCompared[] = {Type::B16, Type::B32, Type::B64, Type::U16, Type::U32, Type::U64, Type::S16,
                              Type::S32, Type::S64, Type::F32, Type::F64, Type::F16, Type::BF16};

bool hasFtz(Type type) { return type == Type::F32 || type == Type::F16; }

TEST(CompareTest, PredicatesOfEveryRelation) {
  for (Type type : kCompared)
    for (const std::string &relation : relationsOf(type))
      for (bool ftz : {false, true}) {
        if (ftz && !hasFtz(type))
          continue;
        for (const std::string &boolean : kBooleans) {
          std::vector<Type> from = {type, type};
          if (!boolean.empty())
            from.push_back(Type::Pred);
          check({.spelling =
                     named("setp." + relation + (boolean.empty() ? "" : "." + boolean) + (ftz ? ".ftz" : ""), type),
                 .to = Type::Pred,
                 .from = from,
                 .expected = [&](const uint64_t *in) -> uint64_t {
                   const bool value = related(relation, valueOf(type, in[0], ftz), valueOf(type, in[1], ftz));
                   return combined(boolean, value, !boolean.empty() && in[2] != 0) ? 1 : 0;
                 },
                 .input = pairsOf(type),
                 .rounds = 6});
        }
      }
}

/// Text with inputs a, b (registers 1 and 2 of the type's letter) and predicate %p3; outputs %p0 and %p1.
void checkTwoPredicates(const std::string &spelling, const std::string &to, Type type, bool negated,
                        const std::function<std::pair<bool, bool>(uint64_t a, uint64_t b, bool c)> &expected) {
  const char letter = bitsOf(type) == 16 ? 'h' : bitsOf(type) == 32 ? 'r' : 'l';
  const auto name = [&](int index) { return std::string("%") + letter + std::to_string(index); };
  const bool takesThird = spelling.find(".and.") != std::string::npos || spelling.find(".or.") != std::string::npos ||
                          spelling.find(".xor.") != std::string::npos;
  const std::string text =
      spelling + " " + to + ", " + name(1) + ", " + name(2) + (takesThird ? negated ? ", !%p3" : ", %p3" : "") + ";";
  for (LaneSet set : laneSets()) {
    Snippet snippet(set, text);
    ASSERT_EQ(snippet.refusal(), "") << text;
    std::mt19937_64 random(8);
    for (int round = 0; round < 10; ++round) {
      LaneValues a, b, c, p, q;
      for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
        a[lane] = interesting(type, random);
        b[lane] = random() % 2 == 0 ? a[lane] : interesting(type, random);
        c[lane] = random() & 1, p[lane] = random() & 1, q[lane] = random() & 1;
      }
      snippet.set(name(1), a);
      snippet.set(name(2), b);
      snippet.set("%p3", c);
      snippet.set("%p0", p);
      snippet.set("%p1", q);
      const auto lanes = static_cast<LaneMask>(random());
      snippet.run(lanes);
      const LaneValues first = snippet.get("%p0"), second = snippet.get("%p1");
      for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
        const auto [wantedP, wantedQ] = expected(a[lane], b[lane], (c[lane] != 0) != negated);
        const bool runs = (lanes >> lane & 1) != 0;
        ASSERT_EQ(first[lane] != 0, runs && to.find("%p0") != std::string::npos ? wantedP : p[lane] != 0) << text;
        ASSERT_EQ(second[lane] != 0, runs && to.find("%p1") != std::string::npos ? wantedQ : q[lane] != 0) << text;
      }
    }
  }
}

TEST(CompareTest, TheSecondPredicateTakesTheComplement) {
  for (const char *to : {"%p0|%p1", "_|%p1", "%p0|_"})
    for (const std::string &boolean : kBooleans)
      for (bool negated : {false, true})
        checkTwoPredicates("setp.lt" + (boolean.empty() ? "" : "." + boolean) + ".s32", to, Type::S32, negated,
                           [&](uint64_t a, uint64_t b, bool c) {
                             const bool value = valueOf(Type::S32, a) < valueOf(Type::S32, b);
                             return std::pair(combined(boolean, value, c), combined(boolean, !value, c));
                           });
}

TEST(CompareTest, PairsGiveAPredicateEach) {
  for (Type half : {Type::F16, Type::BF16})
    for (const std::string &relation : relationsOf(half))
      for (const std::string &boolean : kBooleans)
        for (bool ftz : {false, true}) {
          if (ftz && half == Type::BF16)
            continue;
          const std::string type = std::string(nameOf(half)) + "x2";
          checkTwoPredicates(
              "setp." + relation + (boolean.empty() ? "" : "." + boolean) + (ftz ? ".ftz." : ".") + type, "%p0|%p1",
              half == Type::F16 ? Type::F16x2 : Type::BF16x2, false, [&](uint64_t a, uint64_t b, bool c) {
                const bool low = related(relation, valueOf(half, a, ftz), valueOf(half, b, ftz));
                const bool high = related(relation, valueOf(half, a >> 16, ftz), valueOf(half, b >> 16, ftz));
                return std::pair(combined(boolean, low, c), combined(boolean, high, c));
              });
        }
}

uint64_t trueOf(Type type) {
  switch (type) {
  case Type::F32:
    return 0x3f800000;
  case Type::F16:
    return 0x3c00;
  case Type::BF16:
    return 0x3f80;
  default:
    return 0xffffffff;
  }
}

TEST(CompareTest, SetWritesValues) {
  for (Type type : kCompared)
    for (const std::string &relation : relationsOf(type)) {
      std::vector<Type> results = {Type::U32, Type::S32, Type::F32, Type::F16, Type::BF16};
      if (type == Type::F16)
        results = {Type::U16, Type::S16, Type::U32, Type::S32, Type::F16};
      if (type == Type::BF16)
        results = {Type::U16, Type::S16, Type::U32, Type::S32, Type::BF16};
      for (Type to : results)
        for (const std::string &boolean : {std::string(), std::string("xor")})
          for (bool ftz : {false, true}) {
            if (ftz && !hasFtz(type))
              continue;
            std::vector<Type> from = {type, type};
            if (!boolean.empty())
              from.push_back(Type::Pred);
            check({.spelling = named("set." + relation + (boolean.empty() ? "" : "." + boolean) +
                                         (ftz ? ".ftz." : ".") + std::string(nameOf(to)),
                                     type),
                   .to = to,
                   .from = from,
                   .expected = [&](const uint64_t *in) -> uint64_t {
                     const bool value = related(relation, valueOf(type, in[0], ftz), valueOf(type, in[1], ftz));
                     return combined(boolean, value, !boolean.empty() && in[2] != 0) ? trueOf(to) : 0;
                   },
                   .input = pairsOf(type),
                   .rounds = 2});
          }
    }
}

TEST(CompareTest, SetWritesPairs) {
  for (Type half : {Type::F16, Type::BF16})
    for (const std::string &relation : relationsOf(half))
      for (const char *to : {"u32", "s32", "x2"}) {
        const Type pair = half == Type::F16 ? Type::F16x2 : Type::BF16x2;
        const std::string result = *to == 'x' ? std::string(nameOf(pair)) : to;
        const uint64_t yes = *to == 'x' ? trueOf(half) : 0xffff;
        check({.spelling = "set." + relation + "." + result + "." + std::string(nameOf(pair)),
               .to = Type::B32,
               .from = {pair, pair},
               .expected = [&](const uint64_t *in) -> uint64_t {
                 const auto one = [&](int shift) {
                   return related(relation, valueOf(half, in[0] >> shift), valueOf(half, in[1] >> shift)) ? yes : 0;
                 };
                 return one(16) << 16 | one(0);
               },
               .input = pairsOf(pair),
               .rounds = 4});
      }
}

constexpr Type kSelected[] = {Type::B16, Type::B32, Type::B64, Type::U16, Type::U32, Type::U64,
                              Type::S16, Type::S32, Type::S64, Type::F32, Type::F64};

TEST(CompareTest, Selections) {
  for (Type type : kSelected) {
    check({.spelling = named("selp", type),
           .to = type,
           .from = {type, type, Type::Pred},
           .expected = [](const uint64_t *in) { return in[2] != 0 ? in[0] : in[1]; }});
    check({.spelling = named("slct", type) + ".s32",
           .to = type,
           .from = {type, type, Type::S32},
           .expected = [](const uint64_t *in) { return static_cast<int32_t>(in[2]) >= 0 ? in[0] : in[1]; }});
    for (bool ftz : {false, true})
      check({.spelling = named(ftz ? "slct.ftz" : "slct", type) + ".f32",
             .to = type,
             .from = {type, type, Type::F32},
             .expected = [=](const uint64_t *in) { return valueOf(Type::F32, in[2], ftz) >= 0 ? in[0] : in[1]; }});
  }
}

TEST(CompareTest, Properties) {
  for (Type type : {Type::F32, Type::F64})
    for (const std::string property : {"finite", "infinite", "number", "notanumber", "normal", "subnormal"})
      check({.spelling = named("testp." + property, type),
             .to = Type::Pred,
             .from = {type},
             .expected = [=](const uint64_t *in) -> uint64_t {
               const int kind = type == Type::F32 ? std::fpclassify(reference::floatOf(in[0]))
                                                  : std::fpclassify(reference::doubleOf(in[0]));
               if (property == "finite")
                 return kind != FP_NAN && kind != FP_INFINITE;
               if (property == "infinite")
                 return kind == FP_INFINITE;
               if (property == "number")
                 return kind != FP_NAN;
               if (property == "notanumber")
                 return kind == FP_NAN;
               return kind == (property == "normal" ? FP_NORMAL : FP_SUBNORMAL);
             }});
}

TEST(CompareTest, RefusesWhatDoesNotExist) {
  for (const char *text :
       {"setp.lt.b32 %p0, %r0, %r1;", "setp.lo.s32 %p0, %r0, %r1;", "setp.equ.u32 %p0, %r0, %r1;",
        "selp.f16 %h0, %h1, %h2, %p0;", "set.eq.u16.u32 %h0, %r1, %r2;", "setp.lt.ftz.bf16 %p0, %h1, %h2;"})
    EXPECT_NE(Snippet(bestLaneSet(), text).refusal(), "") << text;
}

} // namespace
} // namespace glm::ptx
