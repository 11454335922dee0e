// shfl, vote, match, redux, activemask, elect.
#include "test/runtime/ptx/harness/Harness.h"

#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <random>

namespace glm::ptx::test {
namespace {

std::vector<uint64_t> randomWords(uint32_t seed, uint64_t below = uint64_t{1} << 32) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> values(kWarpSize);
  for (uint64_t &value : values)
    value = random() % below;
  return values;
}

/// Lane numbers as the CUDA programming guide puts them: width-sized segments, offset or index within.
int shuffleSource(std::string_view mode, int lane, int operand, int width) {
  int segment = lane / width * width, within = lane % width;
  int source = mode == "up"     ? within - operand
               : mode == "down" ? within + operand
               : mode == "bfly" ? within ^ operand
                                : operand % width;
  if (source < 0 || source >= width)
    return -1;
  return segment + source;
}

TEST(Collectives, Shuffles) {
  for (std::string_view mode : {"up", "down", "bfly", "idx"})
    for (int width : {32, 16, 8, 4, 2}) {
      std::vector<uint64_t> values = randomWords(1), operands = randomWords(2, static_cast<uint64_t>(width));
      LaneProgram program;
      program.input(Type::B32, values);
      program.input(Type::B32, operands);
      program.output(Type::B32);
      program.output(Type::Pred);
      int clamp = (32 - width) << 8 | (mode == "up" ? 0 : 31);
      Outputs out = program.run(fmt::format("shfl.sync.{}.b32 %out0|%out1, %in0, %in1, {}, -1;", mode, clamp));
      for (int lane = 0; lane < 32; ++lane) {
        int source = shuffleSource(mode, lane, static_cast<int>(operands[static_cast<size_t>(lane)]), width);
        EXPECT_EQ(out[1][static_cast<size_t>(lane)], uint64_t{source >= 0}) << mode << width << " lane " << lane;
        EXPECT_EQ(out[0][static_cast<size_t>(lane)], values[static_cast<size_t>(source < 0 ? lane : source)])
            << mode << width << " lane " << lane;
      }
    }
}

TEST(Collectives, GroupsShuffleByThemselves) {
  LaneProgram program;
  program.input(Type::B32, randomWords(3));
  std::vector<uint64_t> masks(kWarpSize), values = randomWords(3);
  for (size_t lane = 0; lane < kWarpSize; ++lane)
    masks[lane] = lane < 16 ? 0xffff : 0xffff0000;
  program.input(Type::B32, masks);
  program.output(Type::B32);
  Outputs out = program.run("shfl.sync.bfly.b32 %out0, %in0, 5, 31, %in1;");
  for (size_t lane = 0; lane < kWarpSize; ++lane)
    EXPECT_EQ(out[0][lane], values[lane ^ 5]);
}

TEST(Collectives, WaitForLanesOnOtherPaths) {
  LaneProgram program;
  program.input(Type::B32, randomWords(4));
  program.output(Type::B32);
  program.output(Type::B32);
  // The even lanes arrive later, by another way.
  Outputs out = program.run(R"(
.reg .pred %p; .reg .b32 %t, %x; mov.u32 %t, %laneid; and.b32 %t, %t, 1; setp.eq.u32 %p, %t, 0; mov.b32 %x, %in0;
@%p bra EVEN;
bra JOIN;
EVEN: add.s32 %x, %x, 1;
JOIN: shfl.sync.bfly.b32 %out0, %x, 1, 31, -1;
activemask.b32 %out1;
)");
  std::vector<uint64_t> values = randomWords(4);
  for (size_t lane = 0; lane < kWarpSize; ++lane)
    EXPECT_EQ(out[0][lane], (values[lane ^ 1] + ((lane ^ 1) % 2 == 0)) & 0xffffffff);
}

TEST(Collectives, Votes) {
  for (uint64_t pattern : {0x00000000u, 0xffffffffu, 0x80000001u, 0x7fffffffu}) {
    std::vector<uint64_t> bits(kWarpSize);
    for (size_t lane = 0; lane < kWarpSize; ++lane)
      bits[lane] = pattern >> lane & 1;
    LaneProgram program;
    program.input(Type::Pred, bits);
    for (int index = 0; index < 3; ++index)
      program.output(Type::Pred);
    program.output(Type::B32);
    program.output(Type::B32);
    Outputs out = program.run("vote.sync.all.pred %out0, %in0, -1;\nvote.sync.any.pred %out1, %in0, -1;\n"
                              "vote.sync.uni.pred %out2, %in0, -1;\nvote.sync.ballot.b32 %out3, %in0, -1;\n"
                              "vote.sync.ballot.b32 %out4, !%in0, -1;");
    for (size_t lane = 0; lane < kWarpSize; ++lane) {
      EXPECT_EQ(out[0][lane], uint64_t{pattern == 0xffffffff});
      EXPECT_EQ(out[1][lane], uint64_t{pattern != 0});
      EXPECT_EQ(out[2][lane], uint64_t{pattern == 0 || pattern == 0xffffffff});
      EXPECT_EQ(out[3][lane], pattern);
      EXPECT_EQ(out[4][lane], ~pattern & 0xffffffff);
    }
  }
}

TEST(Collectives, Matches) {
  for (bool wide : {false, true}) {
    std::vector<uint64_t> values = randomWords(6, 4);
    for (uint64_t &value : values)
      value = wide ? value << 40 : value;
    LaneProgram program;
    program.input(wide ? Type::B64 : Type::B32, values);
    program.input(wide ? Type::B64 : Type::B32, std::vector<uint64_t>{9});
    for (int index = 0; index < 3; ++index)
      program.output(Type::B32);
    program.output(Type::Pred);
    program.output(Type::Pred);
    std::string type = wide ? "b64" : "b32";
    Outputs out =
        program.run(fmt::format("match.any.sync.{0} %out0, %in0, -1;\nmatch.all.sync.{0} %out1|%out3, %in0, -1;\n"
                                "match.all.sync.{0} %out2|%out4, %in1, -1;",
                                type));
    for (size_t lane = 0; lane < kWarpSize; ++lane) {
      uint64_t same = 0;
      for (size_t other = 0; other < kWarpSize; ++other)
        same |= uint64_t{values[other] == values[lane]} << other;
      EXPECT_EQ(out[0][lane], same);
      EXPECT_EQ(out[1][lane], 0u);
      EXPECT_EQ(out[3][lane], 0u);
      EXPECT_EQ(out[2][lane], 0xffffffffu);
      EXPECT_EQ(out[4][lane], 1u);
    }
  }
}

TEST(Collectives, IntegerReductions) {
  std::vector<uint64_t> values = randomWords(8);
  uint32_t sum = 0, all = ~0u, any = 0, odd = 0, low = ~0u, high = 0;
  int32_t least = INT32_MAX, most = INT32_MIN;
  for (uint64_t wide : values) {
    auto value = static_cast<uint32_t>(wide);
    sum += value;
    all &= value;
    any |= value;
    odd ^= value;
    low = std::min(low, value);
    high = std::max(high, value);
    least = std::min(least, static_cast<int32_t>(value));
    most = std::max(most, static_cast<int32_t>(value));
  }
  const std::pair<std::string_view, uint32_t> cases[] = {{"add.u32", sum},
                                                         {"add.s32", sum},
                                                         {"and.b32", all},
                                                         {"or.b32", any},
                                                         {"xor.b32", odd},
                                                         {"min.u32", low},
                                                         {"max.u32", high},
                                                         {"min.s32", static_cast<uint32_t>(least)},
                                                         {"max.s32", static_cast<uint32_t>(most)}};
  for (const auto &[words, expected] : cases) {
    LaneProgram program;
    program.input(Type::B32, values);
    program.output(Type::B32);
    Outputs out = program.run(fmt::format("redux.sync.{} %out0, %in0, -1;", words));
    for (size_t lane = 0; lane < kWarpSize; ++lane)
      EXPECT_EQ(out[0][lane], expected) << words;
  }
}

TEST(Collectives, FloatReductions) {
  std::vector<uint64_t> values(kWarpSize);
  for (size_t lane = 0; lane < kWarpSize; ++lane)
    values[lane] = std::bit_cast<uint32_t>(static_cast<float>(lane) - 20.5f);
  std::vector<uint64_t> withNan = values;
  withNan[3] = 0x7fc00001;
  struct {
    std::string_view words;
    bool nan;
    uint32_t expected;
  } const cases[] = {{"min", false, std::bit_cast<uint32_t>(-20.5f)},
                     {"max", false, std::bit_cast<uint32_t>(10.5f)},
                     {"min.abs", false, std::bit_cast<uint32_t>(0.5f)},
                     {"max.abs", false, std::bit_cast<uint32_t>(20.5f)},
                     {"min", true, std::bit_cast<uint32_t>(-20.5f)},
                     {"max.NaN", true, 0x7fffffff},
                     {"min.abs.NaN", true, 0x7fffffff}};
  for (const auto &test : cases) {
    LaneProgram program("sm_100a");
    program.input(Type::B32, test.nan ? withNan : values);
    program.output(Type::B32);
    Outputs out = program.run(fmt::format("redux.sync.{}.f32 %out0, %in0, -1;", test.words));
    EXPECT_EQ(out[0][17], test.expected) << test.words;
  }
}

TEST(Collectives, OneLaneIsElected) {
  LaneProgram program;
  std::vector<uint64_t> masks(kWarpSize);
  for (size_t lane = 0; lane < kWarpSize; ++lane)
    masks[lane] = lane < 5 ? 0x1f : 0xffffffe0;
  program.input(Type::B32, masks);
  program.output(Type::B32);
  program.output(Type::Pred);
  Outputs out = program.run("elect.sync %out0|%out1, %in0;");
  for (size_t lane = 0; lane < kWarpSize; ++lane) {
    EXPECT_EQ(out[0][lane], lane < 5 ? 0u : 5u);
    EXPECT_EQ(out[1][lane], uint64_t{lane == 0 || lane == 5});
  }
}

} // namespace
} // namespace glm::ptx::test
