// Integer arithmetic, form by form; expected values in 128-bit integers.
#include "test/runtime/ptx/arithmetic/Snippet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace glm::ptx {
namespace {

using Wide = __int128;

constexpr Type kTypes[] = {Type::U16, Type::U32, Type::U64, Type::S16, Type::S32, Type::S64};

/// The mathematical value of a register's bits.
Wide valueOf(Type type, uint64_t bits) {
  const uint32_t width = bitsOf(type);
  Wide value = width == 64 ? bits : bits & ((1ull << width) - 1);
  if (isSigned(type) && (value >> (width - 1) & 1) != 0)
    value -= Wide(1) << width;
  return value;
}
Wide most(Type type) { return (Wide(1) << (bitsOf(type) - (isSigned(type) ? 1 : 0))) - 1; }
Wide least(Type type) { return isSigned(type) ? -(Wide(1) << (bitsOf(type) - 1)) : 0; }
uint64_t clamped(Type type, Wide value) { return static_cast<uint64_t>(std::clamp(value, least(type), most(type))); }
std::string named(std::string_view stem, Type type) { return std::string(stem) + "." + std::string(nameOf(type)); }

using OfTwo = std::function<Wide(Wide, Wide)>;
using OfThree = std::function<Wide(Wide, Wide, Wide)>;

void checkTwo(std::string_view stem, Type type, const OfTwo &expected) {
  check({.spelling = named(stem, type), .to = type, .from = {type, type}, .expected = [&](const uint64_t *in) {
           return static_cast<uint64_t>(expected(valueOf(type, in[0]), valueOf(type, in[1])));
         }});
}
void checkThree(std::string_view stem, Type type, const OfThree &expected) {
  check({.spelling = named(stem, type), .to = type, .from = {type, type, type}, .expected = [&](const uint64_t *in) {
           return static_cast<uint64_t>(expected(valueOf(type, in[0]), valueOf(type, in[1]), valueOf(type, in[2])));
         }});
}
/// On both halves of 32 bits.
void checkHalves(const std::string &spelling, Type half, const OfTwo &expected) {
  check({.spelling = spelling, .to = Type::B32, .from = {Type::B32, Type::B32}, .expected = [&](const uint64_t *in) {
           const auto one = [&](int shift) {
             return static_cast<uint64_t>(expected(valueOf(half, in[0] >> shift), valueOf(half, in[1] >> shift))) &
                    0xffff;
           };
           return one(16) << 16 | one(0);
         }});
}
/// The upper half of a product that fits into 128 bits only with care: by schoolbook on 64-bit parts.
Wide highHalf(Type type, Wide a, Wide b) {
  if (type == Type::U64)
    return static_cast<Wide>((static_cast<unsigned __int128>(a) * static_cast<unsigned __int128>(b)) >> 64);
  return (a * b) >> bitsOf(type);
}

TEST(IntegerTest, SumsAndDifferences) {
  for (Type type : kTypes) {
    checkTwo("add", type, [](Wide a, Wide b) { return a + b; });
    checkTwo("sub", type, [](Wide a, Wide b) { return a - b; });
  }
  checkTwo("add.sat", Type::S32, [](Wide a, Wide b) { return clamped(Type::S32, a + b); });
  checkTwo("sub.sat", Type::S32, [](Wide a, Wide b) { return clamped(Type::S32, a - b); });
  checkHalves("add.u16x2", Type::U16, [](Wide a, Wide b) { return a + b; });
  checkHalves("add.s16x2", Type::S16, [](Wide a, Wide b) { return a + b; });
}

TEST(IntegerTest, Products) {
  for (Type type : kTypes) {
    checkTwo("mul.lo", type, [](Wide a, Wide b) { return static_cast<uint64_t>(a) * static_cast<uint64_t>(b); });
    checkTwo("mul.hi", type, [&](Wide a, Wide b) { return highHalf(type, a, b); });
    checkThree("mad.lo", type, [](Wide a, Wide b, Wide c) {
      return static_cast<uint64_t>(a) * static_cast<uint64_t>(b) + static_cast<uint64_t>(c);
    });
    checkThree("mad.hi", type, [&](Wide a, Wide b, Wide c) { return highHalf(type, a, b) + c; });
  }
  checkThree("mad.hi.sat", Type::S32, [](Wide a, Wide b, Wide c) { return clamped(Type::S32, ((a * b) >> 32) + c); });
}

TEST(IntegerTest, WideProducts) {
  const std::pair<Type, Type> pairs[] = {
      {Type::U16, Type::U32}, {Type::S16, Type::S32}, {Type::U32, Type::U64}, {Type::S32, Type::S64}};
  for (const auto &[type, wide] : pairs) {
    check({.spelling = named("mul.wide", type),
           .to = wide,
           .from = {type, type},
           .expected = [type = type](const uint64_t *in) {
             return static_cast<uint64_t>(valueOf(type, in[0]) * valueOf(type, in[1]));
           }});
    check({.spelling = named("mad.wide", type),
           .to = wide,
           .from = {type, type, wide},
           .expected = [type = type, wide = wide](const uint64_t *in) {
             return static_cast<uint64_t>(valueOf(type, in[0]) * valueOf(type, in[1]) + valueOf(wide, in[2]));
           }});
  }
}

/// The low 24 bits as a number.
Wide low24(Type type, Wide value) {
  Wide low = value & 0xffffff;
  return isSigned(type) && (low >> 23 & 1) != 0 ? low - (1 << 24) : low;
}

TEST(IntegerTest, Products24) {
  for (Type type : {Type::U32, Type::S32}) {
    const auto product = [=](Wide a, Wide b) { return low24(type, a) * low24(type, b); };
    checkTwo("mul24.lo", type, product);
    checkTwo("mul24.hi", type, [=](Wide a, Wide b) { return product(a, b) >> 16; });
    checkThree("mad24.lo", type, [=](Wide a, Wide b, Wide c) { return product(a, b) + c; });
    checkThree("mad24.hi", type, [=](Wide a, Wide b, Wide c) { return (product(a, b) >> 16) + c; });
  }
  checkThree("mad24.hi.sat", Type::S32, [](Wide a, Wide b, Wide c) {
    return clamped(Type::S32, ((low24(Type::S32, a) * low24(Type::S32, b)) >> 16) + c);
  });
}

TEST(IntegerTest, Divisions) {
  for (Type type : kTypes) {
    checkTwo("div", type, [](Wide a, Wide b) { return b == 0 ? -1 : a / b; });
    checkTwo("rem", type, [](Wide a, Wide b) { return b == 0 ? -1 : a % b; });
  }
}

TEST(IntegerTest, DivisionsNearExactQuotients) {
  // a = b * q - 1, b * q, b * q + 1: where a quotient that is too large by a little would show.
  for (Type type : {Type::U32, Type::S32})
    check({.spelling = named("div", type),
           .to = type,
           .from = {type, type},
           .expected =
               [=](const uint64_t *in) {
                 const Wide b = valueOf(type, in[1]);
                 return static_cast<uint64_t>(b == 0 ? -1 : valueOf(type, in[0]) / b);
               },
           .input = [](std::mt19937_64 &random, size_t index) -> uint64_t {
             static uint32_t divisor = 1;
             if (index == 1)
               return divisor;
             divisor = static_cast<uint32_t>(random() >> (32 + random() % 31));
             const uint32_t multiple = divisor * static_cast<uint32_t>(random() >> (32 + random() % 31));
             return multiple + static_cast<uint32_t>(random() % 3) - 1;
           },
           .rounds = 200});
}

TEST(IntegerTest, DistancesSignsAndOrder) {
  for (Type type : kTypes) {
    checkThree("sad", type, [](Wide a, Wide b, Wide c) { return c + (a < b ? b - a : a - b); });
    checkTwo("min", type, [](Wide a, Wide b) { return std::min(a, b); });
    checkTwo("max", type, [](Wide a, Wide b) { return std::max(a, b); });
    if (!isSigned(type))
      continue;
    check({.spelling = named("abs", type), .to = type, .from = {type}, .expected = [=](const uint64_t *in) {
             const Wide a = valueOf(type, in[0]);
             return static_cast<uint64_t>(a < 0 ? -a : a);
           }});
    check({.spelling = named("neg", type), .to = type, .from = {type}, .expected = [=](const uint64_t *in) {
             return static_cast<uint64_t>(-valueOf(type, in[0]));
           }});
  }
  for (Type half : {Type::U16, Type::S16}) {
    const std::string name = std::string(nameOf(half)) + "x2";
    checkHalves("min." + name, half, [](Wide a, Wide b) { return std::min(a, b); });
    checkHalves("max." + name, half, [](Wide a, Wide b) { return std::max(a, b); });
  }
}

TEST(IntegerTest, OrderAboveZero) {
  const OfTwo smaller = [](Wide a, Wide b) { return std::max<Wide>(std::min(a, b), 0); };
  const OfTwo larger = [](Wide a, Wide b) { return std::max<Wide>(std::max(a, b), 0); };
  checkTwo("min.relu", Type::S32, smaller);
  checkTwo("max.relu", Type::S32, larger);
  checkHalves("min.relu.s16x2", Type::S16, smaller);
  checkHalves("max.relu.s16x2", Type::S16, larger);
  checkHalves("min.s16x2.relu", Type::S16, smaller);
  checkHalves("max.s16x2.relu", Type::S16, larger);
  for (const auto &[spelling, expected] : {std::pair{"min.s32.relu", smaller}, std::pair{"max.s32.relu", larger}})
    check({.spelling = spelling, .to = Type::S32, .from = {Type::S32, Type::S32}, .expected = [&](const uint64_t *in) {
             return static_cast<uint64_t>(expected(valueOf(Type::S32, in[0]), valueOf(Type::S32, in[1])));
           }});
}

TEST(IntegerTest, DotProducts) {
  const auto part = [](Type type, uint64_t word, int index, int width) {
    const uint64_t bits = word >> (index * width) & ((1ull << width) - 1);
    return isSigned(type) && (bits >> (width - 1)) != 0 ? static_cast<int64_t>(bits) - (int64_t(1) << width)
                                                        : static_cast<int64_t>(bits);
  };
  for (Type a : {Type::U32, Type::S32})
    for (Type b : {Type::U32, Type::S32}) {
      const std::string types = "." + std::string(nameOf(a)) + "." + std::string(nameOf(b));
      check({.spelling = "dp4a" + types,
             .to = Type::B32,
             .from = {Type::B32, Type::B32, Type::B32},
             .expected = [=](const uint64_t *in) {
               int64_t sum = static_cast<int64_t>(in[2]);
               for (int i = 0; i < 4; ++i)
                 sum += part(a, in[0], i, 8) * part(b, in[1], i, 8);
               return static_cast<uint64_t>(sum);
             }});
      for (int high : {0, 1})
        check({.spelling = (high != 0 ? "dp2a.hi" : "dp2a.lo") + types,
               .to = Type::B32,
               .from = {Type::B32, Type::B32, Type::B32},
               .expected = [=](const uint64_t *in) {
                 int64_t sum = static_cast<int64_t>(in[2]);
                 for (int i = 0; i < 2; ++i)
                   sum += part(a, in[0], i, 16) * part(b, in[1], i + 2 * high, 8);
                 return static_cast<uint64_t>(sum);
               }});
    }
}

// Carries.

/// A 128-bit number in two 64-bit registers, or a 64-bit one in two 32-bit ones, through one chain.
void checkChain(Type type, const std::string &first, const std::string &second, bool subtract) {
  const uint32_t width = bitsOf(type);
  const char letter = width == 32 ? 'r' : 'l';
  const auto name = [&](int index) { return std::string("%") + letter + std::to_string(index); };
  const std::string text = first + " " + name(0) + ", " + name(2) + ", " + name(4) + ";\n" + second + " " + name(1) +
                           ", " + name(3) + ", " + name(5) + ";\n";
  for (LaneSet set : laneSets()) {
    Snippet snippet(set, text);
    ASSERT_EQ(snippet.refusal(), "");
    std::mt19937_64 random(5);
    for (int round = 0; round < 30; ++round) {
      std::array<LaneValues, 6> values{};
      for (int i = 2; i < 6; ++i) {
        for (uint64_t &value : values[i])
          value = interesting(type, random);
        snippet.set(name(i), values[i]);
      }
      const LaneMask lanes = round % 2 == 0 ? ~LaneMask(0) : static_cast<LaneMask>(random());
      const auto carry = static_cast<LaneMask>(random());
      snippet.setCarry(carry);
      snippet.run(lanes);
      const LaneValues low = snippet.get(name(0)), high = snippet.get(name(1));
      for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
        if ((lanes >> lane & 1) == 0) {
          ASSERT_EQ(snippet.carry() >> lane & 1, carry >> lane & 1) << text;
          continue;
        }
        using UWide = unsigned __int128;
        const UWide a = static_cast<UWide>(values[3][lane]) << width | values[2][lane];
        const UWide b = static_cast<UWide>(values[5][lane]) << width | values[4][lane];
        UWide sum = subtract ? a - b : a + b;
        if (width == 32)
          sum &= ~0ull;
        ASSERT_EQ(static_cast<UWide>(high[lane]) << width | low[lane], sum) << text << " lane " << lane;
        const bool out = subtract ? a < b : width == 32 ? (a + b) >> 64 != 0 : sum < a;
        if (second.find(".cc") != std::string::npos)
          ASSERT_EQ((snippet.carry() >> lane & 1) != 0, out) << text << " lane " << lane;
      }
    }
  }
}
TEST(IntegerTest, CarryChains) {
  for (Type type : {Type::U32, Type::S32, Type::U64, Type::S64}) {
    const std::string name(nameOf(type));
    checkChain(type, "add.cc." + name, "addc." + name, false);
    checkChain(type, "add.cc." + name, "addc.cc." + name, false);
    checkChain(type, "sub.cc." + name, "subc." + name, true);
    checkChain(type, "sub.cc." + name, "subc.cc." + name, true);
  }
}

TEST(IntegerTest, MultiplyWithCarry) {
  for (Type type : {Type::U32, Type::S32, Type::U64, Type::S64})
    for (const char *half : {"lo", "hi"})
      for (int takes : {0, 1})
        for (int gives : {0, 1}) {
          if (takes == 0 && gives == 0)
            continue;
          const std::string spelling = std::string(takes != 0 ? "madc." : "mad.") + half + (gives != 0 ? ".cc." : ".") +
                                       std::string(nameOf(type));
          const std::string letter = bitsOf(type) == 32 ? "%r" : "%l";
          const std::string text = spelling + " " + letter + "0, " + letter + "1, " + letter + "2, " + letter + "3;";
          for (LaneSet set : laneSets()) {
            Snippet snippet(set, text);
            ASSERT_EQ(snippet.refusal(), "");
            std::mt19937_64 random(6);
            for (int round = 0; round < 20; ++round) {
              std::array<LaneValues, 4> values{};
              for (int i = 1; i < 4; ++i) {
                for (uint64_t &value : values[i])
                  value = interesting(type, random);
                snippet.set(letter + std::to_string(i), values[i]);
              }
              const auto carry = static_cast<LaneMask>(random());
              snippet.setCarry(carry);
              snippet.run();
              const LaneValues found = snippet.get(letter + "0");
              for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
                const Wide a = valueOf(type, values[1][lane]), b = valueOf(type, values[2][lane]);
                const uint64_t mask = bitsOf(type) == 64 ? ~0ull : 0xffffffffull;
                const uint64_t product =
                    *half == 'l' ? values[1][lane] * values[2][lane] : static_cast<uint64_t>(highHalf(type, a, b));
                const unsigned __int128 sum = static_cast<unsigned __int128>(product & mask) + values[3][lane] +
                                              (takes != 0 ? carry >> lane & 1 : 0);
                ASSERT_EQ(found[lane], static_cast<uint64_t>(sum) & mask) << text;
                const LaneMask out = gives != 0 ? (sum >> bitsOf(type) & 1) != 0 : carry >> lane & 1;
                ASSERT_EQ(snippet.carry() >> lane & 1, out) << text;
              }
            }
          }
        }
}

} // namespace
} // namespace glm::ptx
