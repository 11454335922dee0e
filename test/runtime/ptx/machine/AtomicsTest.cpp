// atom and red: lanes go one after the other, so the expected values follow from a loop.
#include "test/runtime/ptx/harness/Harness.h"

#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <random>

namespace glm::ptx::test {
namespace {

using Unsigned = uint64_t;

/// A scalar formula of every integer operation, in 64 bits.
uint64_t integerStep(std::string_view operation, std::string_view type, uint64_t old, uint64_t a, uint64_t b) {
  bool wide = type.ends_with("64");
  uint64_t mask = wide ? ~uint64_t{0} : type.ends_with("16") ? 0xffffu : 0xffffffffu;
  auto number = [&](uint64_t value) {
    return wide ? static_cast<int64_t>(value) : int64_t{static_cast<int32_t>(static_cast<uint32_t>(value))};
  };
  bool isSigned = type[0] == 's';
  bool less = isSigned ? number(a) < number(old) : a < old;
  if (operation == "and")
    return old & a;
  if (operation == "or")
    return old | a;
  if (operation == "xor")
    return old ^ a;
  if (operation == "exch")
    return a;
  if (operation == "cas")
    return old == a ? b : old;
  if (operation == "add")
    return (old + a) & mask;
  if (operation == "inc")
    return old >= a ? 0 : old + 1;
  if (operation == "dec")
    return old == 0 || old > a ? a : old - 1;
  if (operation == "min")
    return less ? a : old;
  return less ? old : a;
}

struct Case {
  std::string_view operation, type;
};
constexpr Case kIntegers[] = {{"and", "b32"}, {"and", "b64"},  {"or", "b32"},   {"or", "b64"},  {"xor", "b32"},
                              {"xor", "b64"}, {"exch", "b32"}, {"exch", "b64"}, {"cas", "b16"}, {"cas", "b32"},
                              {"cas", "b64"}, {"add", "u32"},  {"add", "s32"},  {"add", "u64"}, {"add", "s64"},
                              {"inc", "u32"}, {"dec", "u32"},  {"min", "u32"},  {"min", "s32"}, {"min", "u64"},
                              {"min", "s64"}, {"max", "u32"},  {"max", "s32"},  {"max", "u64"}, {"max", "s64"}};

Type registerOf(std::string_view type) {
  return type.ends_with("64") ? Type::B64 : type == "b16" || type == "f16" || type == "bf16" ? Type::B16 : Type::B32;
}

/// All lanes on one variable: the old values in lane order, and what is left.
void checkInteger(const Case &test, std::string_view space, std::string_view words) {
  std::mt19937_64 random(23);
  size_t bytes = registerOf(test.type) == Type::B64 ? 8 : registerOf(test.type) == Type::B16 ? 2 : 4;
  uint64_t mask = bytes == 8 ? ~uint64_t{0} : (uint64_t{1} << bytes * 8) - 1;
  std::vector<uint64_t> a(kWarpSize), b(kWarpSize);
  // Small values for those that count up to a limit or compare, so that both ways are taken.
  bool small = test.operation == "cas" || test.operation == "inc" || test.operation == "dec";
  for (size_t lane = 0; lane < kWarpSize; ++lane) {
    a[lane] = random() & (small ? 3 : mask);
    b[lane] = random() & (small ? 3 : mask);
  }
  uint64_t start = small ? 2 : random() & mask;
  bool compares = test.operation == "cas", returns = words.starts_with("atom");
  std::string type(test.type), bits = fmt::format("b{}", bytes * 8);
  LaneProgram program;
  program.moduleScope = fmt::format(".{} .align 8 .{} cell{};", space, bits,
                                    space == "global" ? fmt::format(" = {}", static_cast<int64_t>(start)) : "");
  program.input(registerOf(test.type), a);
  program.input(registerOf(test.type), b);
  program.output(registerOf(test.type), 0);
  program.output(registerOf(test.type));
  std::string body;
  if (space == "shared")
    body = fmt::format(".reg .pred %first; .reg .{0} %s; mov.{0} %s, {1}; setp.eq.u32 %first, %tid.x, 0;\n"
                       "@%first st.shared.{0} [cell], %s;\nbar.warp.sync -1;\n",
                       bits, static_cast<int64_t>(start));
  if (bytes == 2 && space == "shared")
    body = fmt::format(
        ".reg .pred %first; .reg .b16 %s; mov.b16 %s, {0}; .reg .b32 %t; mov.u32 %t, %tid.x; setp.eq.u32 %first, "
        "%t, 0;\n@%first st.shared.b16 [cell], %s;\nbar.warp.sync -1;\n",
        start);
  body +=
      fmt::format("{}.{} {}[cell], %in0{};\nld.{}.{} %out1, [cell];", fmt::format(fmt::runtime(words), test.operation),
                  type, returns ? "%out0, " : "", compares ? ", %in1" : "", space, bits);
  Outputs out = program.run(body);
  uint64_t value = start;
  for (size_t lane = 0; lane < kWarpSize; ++lane) {
    if (returns)
      EXPECT_EQ(out[0][lane], value) << body << " lane " << lane;
    value = integerStep(test.operation, test.type, value, a[lane], b[lane]);
  }
  EXPECT_EQ(out[1][0], value) << body;
}

TEST(Atomics, IntegersInEverySpace) {
  for (const Case &test : kIntegers) {
    checkInteger(test, "global", "atom.global.{}");
    checkInteger(test, "shared", "atom.shared.{}");
    checkInteger(test, "global", "atom.acq_rel.gpu.global.{}");
    if (test.operation != "cas" && test.operation != "exch")
      for (const char *words : {"red.global.{}", "red.release.cta.global.{}", "red.relaxed.sys.global.{}"})
        checkInteger(test, "global", words);
  }
}

TEST(Atomics, OneHundredTwentyEightBits) {
  LaneProgram program;
  program.moduleScope = ".global .align 16 .b64 cell[2] = {1, 2};";
  program.input(Type::B128, std::vector<Value>{{5, 6}});
  program.input(Type::B128, std::vector<Value>{{1, 2}});
  program.output(Type::B128);
  program.output(Type::B128);
  Outputs out = program.run(".reg .b64 %a; mov.u64 %a, cell;\natom.global.cas.b128 %out0, [%a], %in1, %in0;\n"
                            "atom.exch.b128 %out1, [%a], %in1;");
  EXPECT_EQ(out[0][0], (Value{1, 2}));
  EXPECT_EQ(out[0][1], (Value{5, 6}));
  EXPECT_EQ(out[1][0], (Value{5, 6}));
  EXPECT_EQ(out[1][9], (Value{1, 2}));
}

TEST(Atomics, FloatSumsRoundInLaneOrder) {
  std::mt19937 random(5);
  std::vector<uint64_t> values(kWarpSize), wide(kWarpSize);
  float sum = 1.5f;
  double wideSum = 2.5;
  std::vector<float> olds;
  for (size_t lane = 0; lane < kWarpSize; ++lane) {
    float value = std::ldexp(static_cast<float>(random() % 1000), static_cast<int>(random() % 30) - 15);
    values[lane] = std::bit_cast<uint32_t>(value);
    wide[lane] = std::bit_cast<uint64_t>(static_cast<double>(value) / 3);
    olds.push_back(sum);
    sum += value;
    wideSum += static_cast<double>(value) / 3;
  }
  LaneProgram program;
  program.moduleScope =
      ".global .f32 cell = 0f3FC00000; .global .f64 wide = 0d4004000000000000; .global .f32 other = 0f3FC00000;";
  program.input(Type::B32, values);
  program.input(Type::B64, wide);
  program.output(Type::B32);
  program.output(Type::B32);
  program.output(Type::B64);
  program.output(Type::B32);
  Outputs out = program.run("atom.global.add.f32 %out0, [cell], %in0;\nld.global.b32 %out1, [cell];\n"
                            "red.global.add.f64 [wide], %in1;\nld.global.b64 %out2, [wide];\n"
                            "red.global.add.f32 [other], %in0;\nld.global.b32 %out3, [other];");
  for (size_t lane = 0; lane < kWarpSize; ++lane)
    EXPECT_EQ(out[0][lane], std::bit_cast<uint32_t>(olds[lane]));
  EXPECT_EQ(out[1][0], std::bit_cast<uint32_t>(sum));
  EXPECT_EQ(out[2][0], std::bit_cast<uint64_t>(wideSum));
  EXPECT_EQ(out[3][0], std::bit_cast<uint32_t>(sum));
}

/// PTX ISA, "atom": additions of f32 flush subnormals in global memory, and keep them in shared memory.
TEST(Atomics, SubnormalsInGlobalAndSharedMemory) {
  LaneProgram program;
  program.moduleScope = ".global .b32 cell = 5; .shared .b32 own;";
  program.input(Type::Pred, std::vector<uint64_t>{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                                  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  program.input(Type::B32, std::vector<uint64_t>{7});
  program.output(Type::B32, 0);
  program.output(Type::B32, 0);
  Outputs out = program.run("@%in0 st.shared.b32 [own], 5;\n@%in0 red.global.add.f32 [cell], %in1;\n"
                            "@%in0 red.shared.add.f32 [own], %in1;\n@%in0 ld.global.b32 %out0, [cell];\n"
                            "@%in0 ld.shared.b32 %out1, [own];");
  EXPECT_EQ(out[0][0], 0u);
  EXPECT_EQ(out[1][0], 12u);
}

/// Values of f16 and bf16 with few digits, whose sums are exact: the expected bits follow from a double.
uint64_t halfBits(double value, bool brain) {
  if (brain)
    return std::bit_cast<uint32_t>(static_cast<float>(value)) >> 16;
  if (value == 0)
    return std::signbit(value) ? 0x8000 : 0;
  int exponent;
  double fraction = std::frexp(std::fabs(value), &exponent);
  return (value < 0 ? 0x8000u : 0u) | static_cast<uint32_t>((exponent + 14) << 10) |
         (static_cast<uint32_t>(fraction * 2048) & 1023);
}

TEST(Atomics, HalvesAndVectors) {
  for (bool brain : {false, true})
    for (std::string_view operation : {"add", "min", "max"})
      for (bool packed : {false, true})
        for (size_t count : {1, 2, 4, 8}) {
          if ((operation != "add" && count == 1) || (packed && count == 8))
            continue;
          std::string type = std::string(brain ? "bf16" : "f16") + (packed ? "x2" : "");
          size_t halves = count * (packed ? 2 : 1);
          std::vector<double> cells(halves);
          std::string initial;
          for (size_t index = 0; index < halves; ++index) {
            cells[index] = static_cast<double>(index) - 2;
            initial += fmt::format("{}{}", index ? "," : "", halfBits(cells[index], brain));
          }
          for (const char *instruction : {"atom", "red"}) {
            LaneProgram program;
            program.moduleScope = fmt::format(".global .align 32 .b16 cell[{}] = {{{}}};", halves, initial);
            std::string list, olds;
            std::vector<double> expected = cells;
            for (size_t index = 0; index < count; ++index) {
              std::vector<uint64_t> values(kWarpSize);
              for (size_t lane = 0; lane < kWarpSize; ++lane)
                for (size_t half = 0; half < (packed ? 2 : 1); ++half) {
                  double value = static_cast<double>((lane * 7 + index * 3 + half) % 5) - 2;
                  values[lane] |= halfBits(value, brain) << 16 * half;
                  double &cell = expected[index * (packed ? 2 : 1) + half];
                  cell = operation == "add"   ? cell + value
                         : operation == "min" ? std::min(cell, value)
                                              : std::max(cell, value);
                }
              program.input(packed ? Type::B32 : Type::B16, values);
              list += fmt::format("{}%in{}", index ? ", " : "", index);
              olds += index ? ", _" : "%out0";
            }
            program.output(packed ? Type::B32 : Type::B16, 0);
            for (size_t half = 0; half < halves; ++half)
              program.output(Type::B16);
            bool isVector = count > 1, returns = std::string_view(instruction) == "atom";
            if (isVector) {
              list = "{" + list + "}";
              olds = "{" + olds + "}";
            }
            std::string body =
                fmt::format("{}.global.{}.noftz{}.{} {}[cell], {};\n", instruction, operation,
                            isVector ? fmt::format(".v{}", count) : "", type, returns ? olds + ", " : "", list);
            for (size_t half = 0; half < halves; ++half)
              body += fmt::format("ld.global.b16 %out{}, [cell+{}];\n", half + 1, half * 2);
            Outputs out = program.run(body);
            for (size_t half = 0; half < halves; ++half)
              EXPECT_EQ(out[half + 1][0], halfBits(expected[half], brain)) << body << half;
            if (returns)
              EXPECT_EQ(out[0][0].low & 0xffff, halfBits(cells[0], brain)) << body;
          }
        }
}

TEST(Atomics, VectorsOfFloat) {
  LaneProgram program;
  program.moduleScope = ".global .align 16 .f32 cell[4] = {0f3F800000, 0f40000000, 0f40400000, 0f40800000};";
  program.input(Type::B32, std::vector<uint64_t>{std::bit_cast<uint32_t>(0.5f)});
  for (int index = 0; index < 4; ++index)
    program.output(Type::B32);
  Outputs out = program.run("atom.global.add.v4.f32 {%out0, %out1, %out2, _}, [cell], {%in0, %in0, %in0, %in0};\n"
                            "red.global.add.v2.f32 [cell+8], {%in0, %in0};\nld.global.b32 %out3, [cell+12];");
  for (size_t lane = 0; lane < kWarpSize; ++lane)
    EXPECT_EQ(out[1][lane], std::bit_cast<uint32_t>(2 + 0.5f * static_cast<float>(lane)));
  EXPECT_EQ(out[3][0], std::bit_cast<uint32_t>(4 + 0.5f * 64));
}

TEST(Atomics, SubNamesThatDoNotExistAreRefused) {
  for (std::string_view line : {"atom.global.add.b32 %r, [%d], %r;", "atom.global.min.f32 %r, [%d], %r;",
                                "red.global.exch.b32 [%d], %r;", "atom.global.add.f16 %h, [%d], %h;"})
    EXPECT_NE(
        refusal(moduleText(fmt::format(".entry k() {{ .reg .b32 %r; .reg .b64 %d; .reg .b16 %h; {} ret; }}", line))),
        "")
        << line;
}

} // namespace
} // namespace glm::ptx::test
