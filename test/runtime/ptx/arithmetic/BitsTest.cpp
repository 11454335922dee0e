// Bit instructions, form by form; expected values bit by bit.
#include "test/runtime/ptx/arithmetic/Snippet.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>

namespace glm::ptx {
namespace {

std::string named(std::string_view stem, Type type) { return std::string(stem) + "." + std::string(nameOf(type)); }
bool bitOf(uint64_t value, uint64_t place) { return place < 64 && (value >> place & 1) != 0; }
uint64_t maskOf(uint32_t width) { return width == 64 ? ~0ull : (1ull << width) - 1; }

/// Shift amounts and field places: small ones, those around the width, and wild ones.
uint64_t amount(std::mt19937_64 &random) {
  const uint64_t bits = random();
  return bits % 4 == 0 ? bits >> 32 : bits % 4 == 1 ? bits >> 8 & 0x1ff : bits >> 8 & 0x3f;
}
std::function<uint64_t(std::mt19937_64 &, size_t)> amountsFrom(size_t first, Type type) {
  return [=](std::mt19937_64 &random, size_t index) {
    return index >= first ? amount(random) : interesting(type, random);
  };
}

TEST(BitsTest, Logic) {
  for (Type type : {Type::B16, Type::B32, Type::B64}) {
    check({.spelling = named("and", type), .to = type, .from = {type, type}, .expected = [](const uint64_t *in) {
             return in[0] & in[1];
           }});
    check({.spelling = named("or", type), .to = type, .from = {type, type}, .expected = [](const uint64_t *in) {
             return in[0] | in[1];
           }});
    check({.spelling = named("xor", type), .to = type, .from = {type, type}, .expected = [](const uint64_t *in) {
             return in[0] ^ in[1];
           }});
    check({.spelling = named("not", type), .to = type, .from = {type}, .expected = [](const uint64_t *in) {
             return ~in[0];
           }});
    check({.spelling = named("cnot", type), .to = type, .from = {type}, .expected = [](const uint64_t *in) -> uint64_t {
             return in[0] == 0 ? 1 : 0;
           }});
  }
  const Type p = Type::Pred;
  check(
      {.spelling = "and.pred", .to = p, .from = {p, p}, .expected = [](const uint64_t *in) { return in[0] & in[1]; }});
  check({.spelling = "or.pred", .to = p, .from = {p, p}, .expected = [](const uint64_t *in) { return in[0] | in[1]; }});
  check(
      {.spelling = "xor.pred", .to = p, .from = {p, p}, .expected = [](const uint64_t *in) { return in[0] ^ in[1]; }});
  check({.spelling = "not.pred", .to = p, .from = {p}, .expected = [](const uint64_t *in) { return in[0] ^ 1; }});
}

TEST(BitsTest, LookupTables) {
  for (uint32_t table = 0; table < 256; ++table) {
    // The table is an operand, so the check is written out.
    const std::string text = "lop3.b32 %r0, %r1, %r2, %r3, " + std::to_string(table) + ";\n";
    for (LaneSet set : laneSets()) {
      Snippet snippet(set, text);
      ASSERT_EQ(snippet.refusal(), "");
      std::mt19937_64 random(table);
      std::array<LaneValues, 4> values{};
      for (int i = 0; i < 4; ++i) {
        for (uint64_t &value : values[i])
          value = random() & 0xffffffff;
        snippet.set("%r" + std::to_string(i), values[i]);
      }
      const auto lanes = static_cast<LaneMask>(random() | 1);
      snippet.run(lanes);
      const LaneValues found = snippet.get("%r0");
      for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
        uint64_t expected = values[0][lane];
        if ((lanes >> lane & 1) != 0) {
          expected = 0;
          for (uint32_t bit = 0; bit < 32; ++bit) {
            const uint32_t index = (bitOf(values[1][lane], bit) ? 4 : 0) + (bitOf(values[2][lane], bit) ? 2 : 0) +
                                   (bitOf(values[3][lane], bit) ? 1 : 0);
            expected |= static_cast<uint64_t>(table >> index & 1) << bit;
          }
        }
        ASSERT_EQ(found[lane], expected) << text << " lane " << lane;
      }
    }
  }
}

TEST(BitsTest, LookupTablesWithPredicate) {
  for (const char *boolean : {"and", "or"})
    for (const char *to : {"%r0|%p0", "_|%p0", "%r0|_"}) {
      const std::string text = std::string("lop3.") + boolean + ".b32 " + to + ", %r1, %r2, %r3, 0x80, %p1;";
      for (LaneSet set : laneSets()) {
        Snippet snippet(set, text);
        ASSERT_EQ(snippet.refusal(), "");
        std::mt19937_64 random(1);
        std::array<LaneValues, 4> values{};
        for (int i = 0; i < 4; ++i) {
          for (uint64_t &value : values[i])
            value = random() & 0x00010001;
          snippet.set("%r" + std::to_string(i), values[i]);
        }
        LaneValues q, p;
        for (uint32_t lane = 0; lane < kWarpSize; ++lane)
          q[lane] = random() & 1, p[lane] = random() & 1;
        snippet.set("%p1", q);
        snippet.set("%p0", p);
        const auto lanes = static_cast<LaneMask>(random());
        snippet.run(lanes);
        const LaneValues result = snippet.get("%r0"), predicate = snippet.get("%p0");
        for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
          const bool runs = (lanes >> lane & 1) != 0;
          const uint64_t value = values[1][lane] & values[2][lane] & values[3][lane];
          const uint64_t combined = *boolean == 'a' ? (value != 0 ? 1 : 0) & q[lane] : (value != 0 ? 1 : 0) | q[lane];
          ASSERT_EQ(result[lane], runs && to[0] == '%' ? value : values[0][lane]) << text;
          ASSERT_EQ(predicate[lane], runs && to[std::string(to).size() - 1] == '0' ? combined : p[lane]) << text;
        }
      }
    }
}

TEST(BitsTest, Shifts) {
  for (Type type :
       {Type::B16, Type::B32, Type::B64, Type::U16, Type::U32, Type::U64, Type::S16, Type::S32, Type::S64}) {
    const uint32_t width = bitsOf(type);
    if (nameOf(type)[0] == 'b')
      check({.spelling = named("shl", type),
             .to = type,
             .from = {type, Type::U32},
             .expected = [=](const uint64_t *in) { return in[1] >= width ? 0 : in[0] << in[1]; },
             .input = amountsFrom(1, type)});
    check({.spelling = named("shr", type),
           .to = type,
           .from = {type, Type::U32},
           .expected =
               [=](const uint64_t *in) {
                 uint64_t result = 0;
                 for (uint32_t bit = 0; bit < width; ++bit) {
                   const uint64_t from = bit + in[1];
                   const bool set = from < width ? bitOf(in[0], from) : isSigned(type) && bitOf(in[0], width - 1);
                   result |= static_cast<uint64_t>(set) << bit;
                 }
                 return result;
               },
           .input = amountsFrom(1, type)});
  }
}

TEST(BitsTest, FunnelShifts) {
  for (const char *direction : {"l", "r"})
    for (const char *mode : {"clamp", "wrap"})
      check({.spelling = std::string("shf.") + direction + "." + mode + ".b32",
             .to = Type::B32,
             .from = {Type::B32, Type::B32, Type::U32},
             .expected =
                 [=](const uint64_t *in) {
                   const uint64_t by = *mode == 'c' ? std::min<uint64_t>(in[2], 32) : in[2] % 32;
                   uint64_t result = 0;
                   for (uint64_t bit = 0; bit < 32; ++bit) {
                     const uint64_t from = *direction == 'l' ? bit + 32 - by : bit + by;
                     const bool set = from < 32 ? bitOf(in[0], from) : bitOf(in[1], from - 32);
                     result |= static_cast<uint64_t>(set) << bit;
                   }
                   return result;
                 },
             .input = amountsFrom(2, Type::B32)});
}

TEST(BitsTest, Counts) {
  for (Type type : {Type::B32, Type::B64}) {
    const uint32_t width = bitsOf(type);
    check({.spelling = named("popc", type), .to = Type::U32, .from = {type}, .expected = [=](const uint64_t *in) {
             uint64_t count = 0;
             for (uint32_t bit = 0; bit < width; ++bit)
               count += bitOf(in[0], bit) ? 1 : 0;
             return count;
           }});
    check({.spelling = named("clz", type), .to = Type::U32, .from = {type}, .expected = [=](const uint64_t *in) {
             uint64_t count = 0;
             while (count < width && !bitOf(in[0], width - 1 - count))
               ++count;
             return count;
           }});
    check({.spelling = named("brev", type), .to = type, .from = {type}, .expected = [=](const uint64_t *in) {
             uint64_t result = 0;
             for (uint32_t bit = 0; bit < width; ++bit)
               result |= static_cast<uint64_t>(bitOf(in[0], bit)) << (width - 1 - bit);
             return result;
           }});
  }
  for (Type type : {Type::U32, Type::S32, Type::U64, Type::S64})
    for (int shift : {0, 1})
      check({.spelling = named(shift != 0 ? "bfind.shiftamt" : "bfind", type),
             .to = Type::U32,
             .from = {type},
             .expected = [=](const uint64_t *in) {
               const auto top = static_cast<int>(bitsOf(type)) - 1;
               const bool sign = isSigned(type) && bitOf(in[0], static_cast<uint64_t>(top));
               for (int bit = top; bit >= 0; --bit)
                 if (bitOf(in[0], static_cast<uint64_t>(bit)) != sign)
                   return static_cast<uint64_t>(shift != 0 ? top - bit : bit);
               return uint64_t(0xffffffff);
             }});
}

TEST(BitsTest, Fields) {
  for (Type type : {Type::U32, Type::S32, Type::U64, Type::S64}) {
    // The text of PTX ISA, bfe.
    check({.spelling = named("bfe", type),
           .to = type,
           .from = {type, Type::U32, Type::U32},
           .expected =
               [=](const uint64_t *in) {
                 const uint64_t top = bitsOf(type) - 1, position = in[1] & 0xff, length = in[2] & 0xff;
                 const bool sign = isSigned(type) && length != 0 && bitOf(in[0], std::min(position + length - 1, top));
                 uint64_t result = 0;
                 for (uint64_t bit = 0; bit <= top; ++bit) {
                   const bool set = bit < length && position + bit <= top ? bitOf(in[0], position + bit) : sign;
                   result |= static_cast<uint64_t>(set) << bit;
                 }
                 return result;
               },
           .input = amountsFrom(1, type),
           .rounds = 100});
  }
  for (Type type : {Type::B32, Type::B64})
    check({.spelling = named("bfi", type),
           .to = type,
           .from = {type, type, Type::U32, Type::U32},
           .expected =
               [=](const uint64_t *in) {
                 const uint64_t top = bitsOf(type) - 1, position = in[2] & 0xff, length = in[3] & 0xff;
                 uint64_t result = in[1];
                 for (uint64_t bit = 0; bit < length && position + bit <= top; ++bit) {
                   result &= ~(1ull << (position + bit));
                   result |= static_cast<uint64_t>(bitOf(in[0], bit)) << (position + bit);
                 }
                 return result;
               },
           .input = amountsFrom(2, type),
           .rounds = 100});
}

TEST(BitsTest, ExtensionsAndMasks) {
  for (const char *mode : {"clamp", "wrap"}) {
    const bool clamp = *mode == 'c';
    for (Type type : {Type::U32, Type::S32})
      check({.spelling = named(std::string("szext.") + mode, type),
             .to = type,
             .from = {type, Type::U32},
             .expected =
                 [=](const uint64_t *in) {
                   const uint64_t bits = clamp ? std::min<uint64_t>(in[1], 32) : in[1] & 31;
                   uint64_t result = in[0] & maskOf(static_cast<uint32_t>(bits));
                   if (type == Type::S32 && bits > 0 && bitOf(result, bits - 1))
                     result |= ~maskOf(static_cast<uint32_t>(bits));
                   return result;
                 },
             .input = amountsFrom(1, type)});
    check({.spelling = std::string("bmsk.") + mode + ".b32",
           .to = Type::B32,
           .from = {Type::U32, Type::U32},
           .expected =
               [=](const uint64_t *in) {
                 const uint64_t from = clamp ? in[0] : in[0] & 31, width = clamp ? in[1] : in[1] & 31;
                 uint64_t result = 0;
                 for (uint64_t bit = 0; bit < 32; ++bit)
                   if (bit >= from && bit - from < width)
                     result |= 1ull << bit;
                 return result;
               },
           .input = [](std::mt19937_64 &random, size_t) { return amount(random); },
           .rounds = 100});
  }
}

TEST(BitsTest, NthOne) {
  check({.spelling = "fns.b32",
         .to = Type::B32,
         .from = {Type::B32, Type::B32, Type::S32},
         .expected = [](const uint64_t *in) -> uint64_t {
           const auto offset = static_cast<int32_t>(in[2]);
           std::vector<int> ones;
           for (int bit = 0; bit < 32; ++bit)
             if (bitOf(in[0], static_cast<uint64_t>(bit)) &&
                 (offset >= 0 ? bit >= static_cast<int>(in[1]) : bit <= static_cast<int>(in[1])))
               ones.push_back(bit);
           if (offset == 0)
             return bitOf(in[0], in[1]) ? in[1] : 0xffffffff;
           const size_t count = static_cast<size_t>(offset > 0 ? offset : -static_cast<int64_t>(offset));
           if (count > ones.size())
             return 0xffffffff;
           return static_cast<uint64_t>(offset > 0 ? ones[count - 1] : ones[ones.size() - count]);
         },
         .input = [](std::mt19937_64 &random, size_t index) -> uint64_t {
           if (index == 0)
             return random() & 0xffffffff;
           if (index == 1)
             return random() % 32;
           return static_cast<uint32_t>(static_cast<int32_t>(random() % 41) - 20);
         },
         .rounds = 60});
}

TEST(BitsTest, Permutations) {
  const auto byteOf = [](const uint64_t *in, uint64_t index) {
    return (index < 4 ? in[0] >> (8 * index) : in[1] >> (8 * (index - 4))) & 0xff;
  };
  check({.spelling = "prmt.b32",
         .to = Type::B32,
         .from = {Type::B32, Type::B32, Type::B32},
         .expected = [=](const uint64_t *in) {
           uint64_t result = 0;
           for (int i = 0; i < 4; ++i) {
             const uint64_t nibble = in[2] >> (4 * i) & 15;
             const uint64_t byte = byteOf(in, nibble & 7);
             result |= ((nibble & 8) != 0 ? (byte >= 128 ? 0xffull : 0) : byte) << (8 * i);
           }
           return result;
         }});
  // The table of PTX ISA, prmt: bytes 3, 2, 1, 0 of the result for selectors 0 to 3.
  const struct {
    const char *mode;
    const char *rows[4];
  } modes[] = {{"f4e", {"3210", "4321", "5432", "6543"}}, {"b4e", {"5670", "6701", "7012", "0123"}},
               {"rc8", {"0000", "1111", "2222", "3333"}}, {"ecl", {"3210", "3211", "3222", "3333"}},
               {"ecr", {"0000", "1110", "2210", "3210"}}, {"rc16", {"1010", "3232", "1010", "3232"}}};
  for (const auto &mode : modes)
    check({.spelling = std::string("prmt.b32.") + mode.mode,
           .to = Type::B32,
           .from = {Type::B32, Type::B32, Type::B32},
           .expected = [&](const uint64_t *in) {
             uint64_t result = 0;
             for (int i = 0; i < 4; ++i)
               result |= byteOf(in, static_cast<uint64_t>(mode.rows[in[2] & 3][3 - i] - '0')) << (8 * i);
             return result;
           }});
}

} // namespace
} // namespace glm::ptx
