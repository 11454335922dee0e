// mov: copies, immediates, special registers, packing and unpacking.
#include "test/runtime/ptx/arithmetic/Snippet.h"

#include <gtest/gtest.h>

#include <string>

namespace glm::ptx {
namespace {

TEST(MoveTest, Copies) {
  for (Type type : {Type::B16, Type::B32, Type::B64, Type::U16, Type::U32, Type::U64, Type::S16, Type::S32, Type::S64,
                    Type::F32, Type::F64, Type::Pred})
    check({.spelling = "mov." + std::string(nameOf(type)),
           .to = type,
           .from = {type},
           .expected = [](const uint64_t *in) { return in[0]; }});
}

TEST(MoveTest, Immediates) {
  for (LaneSet set : laneSets()) {
    Snippet snippet(set, "mov.u32 %r0, 7; mov.s64 %l0, -3; mov.f32 %r1, 0f3fc00000; mov.f64 %l1, 0d3ff8000000000000; "
                         "mov.b16 %h0, 0xabcd; mov.pred %p0, 1;");
    ASSERT_EQ(snippet.refusal(), "");
    const LaneValues zeros{};
    for (const char *name : {"%r0", "%l0", "%r1", "%l1", "%h0", "%p0"})
      snippet.set(name, zeros);
    snippet.run(0xf0f0f0f0);
    for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
      const bool runs = (0xf0f0f0f0u >> lane & 1) != 0;
      EXPECT_EQ(snippet.get("%r0")[lane], runs ? 7 : 0);
      EXPECT_EQ(snippet.get("%l0")[lane], runs ? ~uint64_t(2) : 0);
      EXPECT_EQ(snippet.get("%r1")[lane], runs ? 0x3fc00000 : 0);
      EXPECT_EQ(snippet.get("%l1")[lane], runs ? 0x3ff8000000000000 : 0);
      EXPECT_EQ(snippet.get("%h0")[lane], runs ? 0xabcd : 0);
      EXPECT_EQ(snippet.get("%p0")[lane], runs ? 1 : 0);
    }
  }
}

TEST(MoveTest, SpecialRegisters) {
  for (LaneSet set : laneSets()) {
    Snippet snippet(set, "mov.u32 %r0, %tid.x;");
    ASSERT_EQ(snippet.refusal(), "");
    LaneValues values;
    for (uint32_t lane = 0; lane < kWarpSize; ++lane)
      values[lane] = 1000 + lane;
    snippet.setSpecial(values);
    snippet.run();
    EXPECT_EQ(snippet.get("%r0"), values);
  }
}

/// `count` parts of `partBits` bits in a register of `wholeBits`; names of the parts begin with `letter`.
void checkVector(const std::string &type, int wholeBits, int count, char letter, char wholeLetter) {
  const int partBits = wholeBits / count;
  std::string parts = "{";
  for (int i = 0; i < count; ++i)
    parts += (i == 0 ? "%" : ", %") + std::string(1, letter) + std::to_string(i + 1);
  parts += "}";
  const std::string whole = std::string("%") + wholeLetter + "0";
  const auto partName = [&](int i) { return std::string("%") + letter + std::to_string(i + 1); };
  for (LaneSet set : laneSets()) {
    std::mt19937_64 random(12);
    Snippet packing(set, "mov." + type + " " + whole + ", " + parts + ";");
    ASSERT_EQ(packing.refusal(), "");
    Snippet unpacking(set, "mov." + type + " " + parts + ", " + whole + ";");
    ASSERT_EQ(unpacking.refusal(), "");
    for (int round = 0; round < 8; ++round) {
      const LaneMask lanes = round % 2 == 0 ? ~LaneMask(0) : static_cast<LaneMask>(random());
      std::array<LaneValues, 4> values{};
      LaneValues expected{}, before{};
      for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
        before[lane] = wholeBits == 64 ? random() : random() & ((1ull << wholeBits) - 1);
        for (int i = 0; i < count; ++i) {
          values[i][lane] = random() & ((1ull << partBits) - 1);
          expected[lane] |= values[i][lane] << (i * partBits);
        }
        if ((lanes >> lane & 1) == 0)
          expected[lane] = before[lane];
      }
      for (int i = 0; i < count; ++i)
        packing.set(partName(i), values[i]);
      packing.set(whole, before);
      packing.run(lanes);
      ASSERT_EQ(packing.get(whole), expected) << type << parts;

      unpacking.set(whole, before);
      for (int i = 0; i < count; ++i)
        unpacking.set(partName(i), values[i]);
      unpacking.run(lanes);
      for (int i = 0; i < count; ++i) {
        const LaneValues found = unpacking.get(partName(i));
        for (uint32_t lane = 0; lane < kWarpSize; ++lane)
          ASSERT_EQ(found[lane], (lanes >> lane & 1) != 0 ? before[lane] >> (i * partBits) & ((1ull << partBits) - 1)
                                                          : values[i][lane])
              << type << parts;
      }
    }
  }
}

TEST(MoveTest, Vectors) {
  checkVector("b16", 16, 2, 'b', 'h');
  checkVector("b32", 32, 2, 'h', 'r');
  checkVector("b32", 32, 4, 'b', 'r');
  checkVector("b64", 64, 2, 'r', 'l');
  checkVector("b64", 64, 4, 'h', 'l');
}

TEST(MoveTest, VectorsWithSinks) {
  for (LaneSet set : laneSets()) {
    Snippet snippet(set, "mov.b64 {%r1, _}, %l0; mov.b32 {_, %h1}, %r2; mov.b64 {_, %h2, _, %h3}, %l0;");
    ASSERT_EQ(snippet.refusal(), "");
    LaneValues whole, half;
    for (uint32_t lane = 0; lane < kWarpSize; ++lane)
      whole[lane] = 0x1111222233334444u + lane, half[lane] = 0xaaaabbbbu;
    snippet.set("%l0", whole);
    snippet.set("%r2", half);
    snippet.run();
    EXPECT_EQ(snippet.get("%r1")[5], 0x33334449u);
    EXPECT_EQ(snippet.get("%h1")[5], 0xaaaau);
    EXPECT_EQ(snippet.get("%h2")[5], 0x3333u);
    EXPECT_EQ(snippet.get("%h3")[5], 0x1111u);
  }
}

TEST(MoveTest, Registers128) {
  for (LaneSet set : laneSets()) {
    Snippet snippet(
        set,
        "mov.b128 %q0, {%l0, %l1}; mov.b128 %q1, %q0; mov.b128 {%l2, %l3}, %q1; mov.b128 {%r0, %r1, %r2, %r3}, %q1;");
    ASSERT_EQ(snippet.refusal(), "");
    LaneValues low, high, before{};
    for (uint32_t lane = 0; lane < kWarpSize; ++lane)
      low[lane] = 0x0123456789abcdefu * (lane + 1), high[lane] = 0xfedcba9876543210u - lane;
    snippet.set("%l0", low);
    snippet.set("%l1", high);
    snippet.set("%l2", before);
    snippet.set("%l3", before);
    snippet.run(0x0000ffff);
    for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
      EXPECT_EQ(snippet.get("%l2")[lane], lane < 16 ? low[lane] : 0);
      EXPECT_EQ(snippet.get("%l3")[lane], lane < 16 ? high[lane] : 0);
    }
    EXPECT_EQ(snippet.get("%r0")[3], low[3] & 0xffffffff);
    EXPECT_EQ(snippet.get("%r3")[3], high[3] >> 32);
  }
}

TEST(MoveTest, RefusesWhatDoesNotExist) {
  for (const char *text : {"mov.f16 %h0, %h1;", "mov.b32 %r0, %h1;", "mov.b32 %r0, {%r1, %r2};", "mov.b32 _, %r1;",
                           "mov.b64 %l0, {%r1, %r2, %r3};"})
    EXPECT_NE(Snippet(bestLaneSet(), text).refusal(), "") << text;
}

} // namespace
} // namespace glm::ptx
