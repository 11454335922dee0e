// ld and st: what each type, vector and space reads and writes, against bytes copied by hand.
#include "test/runtime/ptx/harness/Harness.h"

#include <fmt/format.h>
#include <random>

namespace glm::ptx::test {
namespace {

constexpr size_t kBytes = 4096;

std::vector<uint8_t> randomBytes(uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(kBytes);
  for (uint8_t &byte : bytes)
    byte = static_cast<uint8_t>(random());
  return bytes;
}

std::string variable(const std::string &space, const std::vector<uint8_t> &bytes) {
  std::string text = fmt::format(".{} .align 32 .b8 data[{}] = {{", space, bytes.size());
  for (size_t index = 0; index < bytes.size(); ++index)
    text += fmt::format("{}{}", index ? "," : "", bytes[index]);
  return text + "};\n";
}

/// Offsets of 32 lanes, multiples of `align`, in no order.
std::vector<uint64_t> randomOffsets(uint32_t seed, uint32_t align) {
  std::mt19937 random(seed);
  std::vector<uint64_t> offsets(kWarpSize);
  for (uint64_t &offset : offsets)
    offset = random() % (kBytes / align) * align;
  return offsets;
}

/// What a load of `bytes` bytes at `at` leaves in a register of `width` bytes.
Value expected(const std::vector<uint8_t> &data, size_t at, size_t bytes, bool isSigned, size_t width) {
  Value value;
  std::memcpy(&value, data.data() + at, bytes);
  if (isSigned && bytes < 8 && (value.low >> (bytes * 8 - 1) & 1))
    value.low |= ~uint64_t{0} << bytes * 8;
  if (width < 8)
    value.low &= (uint64_t{1} << width * 8) - 1;
  return value;
}

struct Element {
  std::string_view name;
  size_t bytes;
  bool isSigned = false;
};
constexpr Element kElements[] = {{"b8", 1},        {"b16", 2},       {"b32", 4}, {"b64", 8},      {"u8", 1},
                                 {"u16", 2},       {"u32", 4},       {"u64", 8}, {"s8", 1, true}, {"s16", 2, true},
                                 {"s32", 4, true}, {"s64", 8, true}, {"f32", 4}, {"f64", 8}};

/// Every lane loads from data + its offset + 32 by `words` (everything of the instruction but the type).
void checkLoad(const std::string &words, const std::string &space, const Element &element, size_t count,
               std::string_view chip = "sm_120a") {
  std::vector<uint8_t> bytes = randomBytes(7 + static_cast<uint32_t>(element.bytes));
  bytes.resize(kBytes + 64, 0x5a);
  std::vector<uint64_t> offsets = randomOffsets(11, static_cast<uint32_t>(element.bytes * count));
  LaneProgram program(chip);
  program.moduleScope = variable(space, bytes);
  program.input(Type::B64, offsets);
  size_t width = std::max<size_t>(element.bytes, 2);
  std::string list;
  for (size_t index = 0; index < count; ++index) {
    program.output(width == 2 ? Type::B16 : width == 4 ? Type::B32 : width == 8 ? Type::B64 : Type::B128);
    list += fmt::format("{}%out{}", index ? ", " : "", index);
  }
  if (count > 1)
    list = "{" + list + "}";
  Outputs out = program.run(fmt::format(".reg .b64 %a; mov.u64 %a, data; add.s64 %a, %a, %in0;\n{}{}.{} {}, [%a+32];",
                                        words, count > 1 ? fmt::format(".v{}", count) : "", element.name, list));
  for (size_t index = 0; index < count; ++index)
    for (size_t lane = 0; lane < kWarpSize; ++lane)
      EXPECT_EQ(out[index][lane],
                expected(bytes, offsets[lane] + 32 + index * element.bytes, element.bytes, element.isSigned, width))
          << words << " " << element.name << " v" << count << " lane " << lane;
}

TEST(LoadStore, EveryTypeAndVectorOfGlobalMemory) {
  for (const Element &element : kElements)
    for (size_t count : {1, 2, 4})
      if (element.bytes * count <= 16)
        for (const char *words : {"ld.global", "ld.global.nc", "ld.volatile.global", "ld.relaxed.gpu.global"})
          checkLoad(words, "global", element, count);
  for (const char *words : {"ld.global", "ld.global.nc", "ld.volatile.global", "ld.relaxed.gpu.global"})
    checkLoad(words, "global", {"b128", 16}, 1);
}

TEST(LoadStore, WordsThatOnlySayHow) {
  for (const char *words : {"ld.weak.global.ca", "ld.global.cg", "ld.global.cs", "ld.global.lu", "ld.global.cv", "ld",
                            "ld.global.L1::evict_last.L2::128B", "ld.global.L1::no_allocate.L2::evict_first.L2::64B",
                            "ld.global.cs.nc.L1::evict_first.L2::256B", "ld.acquire.sys.global", "ld.acquire.cluster",
                            "ld.relaxed.cta.global", "ld.mmio.relaxed.sys.global", "ldu.global"})
    checkLoad(words, "global", {"u32", 4}, 1);
  checkLoad("ldu.global", "global", {"f32", 4}, 4);
}

TEST(LoadStore, CachePolicyIsAnOperand) {
  LaneProgram program;
  program.moduleScope = ".global .b32 data = 77;";
  program.output(Type::B32);
  Outputs out = program.run(".reg .b64 %p; mov.b64 %p, 0;\n"
                            "ld.global.L2::cache_hint.u32 %out0, [data], %p;\n"
                            "st.global.L2::cache_hint.u32 [data], %out0, %p;");
  EXPECT_EQ(out[0][9], 77u);
}

TEST(LoadStore, TwoHundredFiftySixBits) {
  for (std::string_view type : {"b32", "u32", "s32", "f32"})
    for (const char *words : {"ld.global", "ld.global.nc", "ld.relaxed.gpu.global"})
      checkLoad(words, "global", {type, 4}, 8);
  for (std::string_view type : {"b64", "u64", "s64", "f64"})
    for (const char *words : {"ld.global", "ld.acquire.gpu.global"})
      checkLoad(words, "global", {type, 8}, 4);
  EXPECT_NE(refusal(moduleText(".entry k() { .reg .b32 %r<8>; .reg .b64 %a; mov.b64 %a, 0;\n"
                               "ld.global.v8.b32 {%r0,%r1,%r2,%r3,%r4,%r5,%r6,%r7}, [%a]; ret; }",
                               "sm_90a"),
                    "sm_90a"),
            "");
}

TEST(LoadStore, ConstantMemory) {
  for (size_t count : {1, 2, 4})
    checkLoad("ld.const", "const", {"u32", 4}, count);
  checkLoad("ld.const", "const", {"b128", 16}, 1);
}

TEST(LoadStore, NarrowLoadsExtendIntoWiderRegisters) {
  for (const Element &element : kElements)
    for (size_t width : {2, 4, 8}) {
      if (width < element.bytes || element.name[0] == 'f')
        continue;
      std::vector<uint8_t> bytes = randomBytes(3);
      std::vector<uint64_t> offsets = randomOffsets(5, static_cast<uint32_t>(element.bytes));
      LaneProgram program;
      program.moduleScope = variable("global", bytes);
      program.input(Type::B64, offsets);
      program.output(width == 2 ? Type::B16 : width == 4 ? Type::B32 : Type::B64);
      Outputs out = program.run(fmt::format(
          ".reg .b64 %a; mov.u64 %a, data; add.s64 %a, %a, %in0;\nld.global.{} %out0, [%a];", element.name));
      for (size_t lane = 0; lane < kWarpSize; ++lane)
        EXPECT_EQ(out[0][lane], expected(bytes, offsets[lane], element.bytes, element.isSigned, width))
            << element.name << " into " << width << " lane " << lane;
    }
}

/// Every lane stores `count` registers at its place (64 bytes each) and the bytes are read back.
void checkStore(const std::string &words, const Element &element, size_t count) {
  size_t width = std::max<size_t>(element.bytes, 2);
  std::mt19937_64 random(17);
  TestModule module(fmt::format(R"(
.visible .entry k(.param .u64 from, .param .u64 to) {{
  .reg .b64 %a<4>; .reg .b32 %r<2>; .reg .b16 %h<8>; .reg .b32 %w<8>; .reg .b64 %d<8>; .reg .b128 %q;
  ld.param.u64 %a0, [from]; ld.param.u64 %a1, [to];
  mov.u32 %r0, %tid.x; mul.wide.u32 %a2, %r0, 64; add.s64 %a0, %a0, %a2; add.s64 %a1, %a1, %a2;
)") + [&] {
    std::string body, list;
    const char *bank = width == 2 ? "h" : width == 4 ? "w" : "d";
    for (size_t index = 0; index < count; ++index) {
      if (width == 16)
        body += "ld.global.b128 %q, [%a0];\n";
      else
        body += fmt::format("ld.global.b{} %{}{}, [%a0+{}];\n", width * 8, bank, index, index * width);
      list += (index ? ", " : "") + (width == 16 ? "%q" : fmt::format("%{}{}", bank, index));
    }
    if (count > 1)
      list = "{" + list + "}";
    return body + fmt::format("{}{}.{} [%a1], {};\nret;\n}}\n", words, count > 1 ? fmt::format(".v{}", count) : "",
                              element.name, list);
  }());
  ASSERT_TRUE(module);
  std::vector<uint64_t> values(kWarpSize * 8);
  for (uint64_t &value : values)
    value = random();
  std::vector<uint8_t> before(kWarpSize * 64, 0x11), after(before);
  for (size_t lane = 0; lane < kWarpSize; ++lane)
    for (size_t index = 0; index < count; ++index)
      std::memcpy(&after[lane * 64 + index * element.bytes],
                  reinterpret_cast<uint8_t *>(values.data()) + lane * 64 + index * width, element.bytes);
  uint64_t from = module.upload(values), to = module.upload(before);
  EXPECT_EQ(module.faultOf("k", {.block = {32, 1, 1}}, from, to), "") << words;
  EXPECT_EQ(module.download<uint8_t>(to, before.size()), after) << words << " " << element.name << " v" << count;
}

TEST(LoadStore, StoresOfEveryTypeAndVector) {
  for (const Element &element : kElements)
    for (size_t count : {1, 2, 4, 8})
      if (element.bytes * count <= (element.bytes >= 4 ? 32u : 8u) && (count < 8 || element.bytes == 4) &&
          (count < 4 || element.bytes <= 8))
        for (const char *words : {"st.global", "st.volatile.global", "st.relaxed.gpu.global"})
          if (element.bytes * count <= 16 || std::string(words) != "st.volatile.global")
            checkStore(words, element, count);
  for (const char *words : {"st.global", "st.volatile.global", "st.release.sys.global"})
    checkStore(words, {"b128", 16}, 1);
  for (const char *words :
       {"st", "st.weak.global.wb", "st.global.cg", "st.global.cs", "st.global.wt", "st.release.cta.global",
        "st.global.L1::evict_first.L2::evict_last", "st.mmio.relaxed.sys.global"})
    checkStore(words, {"u32", 4}, 1);
}

TEST(LoadStore, SharedLocalAndParameters) {
  LaneProgram program;
  program.moduleScope = ".shared .align 16 .b8 tile[512];";
  program.declarations = ".local .align 16 .b8 own[16];";
  program.input(Type::B32, std::vector<uint64_t>{3, 1, 4, 1, 5, 9, 2, 6});
  for (int index = 0; index < 4; ++index)
    program.output(Type::B32);
  Outputs out = program.run(R"(
.reg .b32 %s<4>; .reg .b64 %l<2>;
mov.u32 %s0, %tid.x; shl.b32 %s0, %s0, 4; mov.u32 %s1, tile; add.s32 %s0, %s0, %s1;
st.shared.v2.u32 [%s0], {%in0, 7};
st.shared::cta.u16 [%s0+8], 65537;
st.shared.u16 [%s0+10], 2;
ld.shared.u32 %out0, [%s0];
ld.shared::cta.u32 %out1, [%s0+8];
mov.u64 %l0, own;
st.local.u32 [own+4], %in0;
st.local.u8 [%l0+4], 255;
ld.local.u32 %out2, [%l0+4];
st.volatile.shared.u32 [%s0+12], %in0;
ld.volatile.shared.u32 %out3, [%s0+12];
)");
  for (size_t lane = 0; lane < kWarpSize; ++lane) {
    const uint64_t values[] = {3, 1, 4, 1, 5, 9, 2, 6};
    EXPECT_EQ(out[0][lane], values[lane % 8]);
    EXPECT_EQ(out[1][lane], 0x20001u);
    EXPECT_EQ(out[2][lane], 255u);
    EXPECT_EQ(out[3][lane], values[lane % 8]);
  }
}

TEST(LoadStore, StrongAccessesOfSharedMemoryInVectors) {
  LaneProgram program;
  program.moduleScope = ".shared .align 16 .b8 tile[512];";
  program.input(Type::B32, std::vector<uint64_t>{3, 1, 4, 1, 5, 9, 2, 6});
  program.output(Type::B32);
  program.output(Type::B32);
  Outputs out = program.run(R"(
.reg .b32 %s<4>; .reg .b128 %q;
mov.u32 %s0, %tid.x; shl.b32 %s0, %s0, 4; mov.u32 %s1, tile; add.s32 %s0, %s0, %s1;
st.volatile.shared.v4.u32 [%s0], {%in0, 7, 8, 9};
ld.volatile.shared.v4.u32 {_, _, %out0, _}, [%s0];
ld.volatile.shared.b128 %q, [%s0];
st.volatile.shared.b128 [%s0], %q;
st.relaxed.cta.shared.v4.u32 [%s0], {5, 6, %out0, 8};
st.relaxed.cta.shared.b128 [%s0], %q;
ld.relaxed.cta.shared.v4.u32 {%out1, _, _, _}, [%s0];
ld.relaxed.cta.shared.b128 %q, [%s0];
)");
  for (size_t lane = 0; lane < kWarpSize; ++lane) {
    EXPECT_EQ(out[0][lane], 8u);
    EXPECT_EQ(out[1][lane], (std::array<uint64_t, 8>{3, 1, 4, 1, 5, 9, 2, 6}[lane % 8]));
  }
}

TEST(LoadStore, KernelParametersOfEveryWidth) {
  TestModule module(R"(
.visible .entry k(.param .b8 a, .param .b16 b, .param .b32 c, .param .b64 d, .param .align 16 .b8 e[32], .param .u64 to) {
  .reg .b16 %h<2>; .reg .b32 %r<6>; .reg .b64 %d<3>;
  ld.param.u8 %h0, [a]; ld.param.u16 %h1, [b]; ld.param.u32 %r0, [c]; ld.param.u64 %d0, [d];
  ld.param.v4.u32 {%r1, %r2, %r3, %r4}, [e+16];
  ld.param::entry.u64 %d1, [to];
  st.global.u8 [%d1], %h0; st.global.u16 [%d1+2], %h1; st.global.u32 [%d1+4], %r0; st.global.u64 [%d1+8], %d0;
  st.global.v4.u32 [%d1+16], {%r1, %r2, %r3, %r4};
  ret;
})");
  ASSERT_TRUE(module);
  std::array<uint32_t, 8> e{1, 2, 3, 4, 5, 6, 7, 8};
  uint64_t to = module.allocate(32);
  EXPECT_EQ(module.faultOf("k", {}, uint8_t{0xab}, uint16_t{0xcdef}, 0x12345678u, uint64_t{0x1122334455667788}, e, to),
            "");
  EXPECT_EQ(module.download<uint32_t>(to, 8),
            (std::vector<uint32_t>{0xcdef00abu, 0x12345678u, 0x55667788u, 0x11223344u, 5, 6, 7, 8}));
}

TEST(LoadStore, GuardedLanesKeepTheirRegistersAndMemory) {
  LaneProgram program;
  program.moduleScope = ".global .align 4 .b8 data[128];";
  std::vector<uint64_t> predicate(kWarpSize);
  for (size_t lane = 0; lane < kWarpSize; ++lane)
    predicate[lane] = lane % 3 == 0;
  program.input(Type::Pred, predicate);
  program.output(Type::B32, 99);
  Outputs out = program.run(R"(
.reg .b64 %a; .reg .b32 %t; .reg .b64 %o; mov.u32 %t, %tid.x; mul.wide.u32 %o, %t, 4; mov.u64 %a, data; add.s64 %a, %a, %o;
@%in0 st.global.u32 [%a], %t;
@!%in0 ld.global.u32 %out0, [%a];
@%in0 ld.global.u32 %out0, [%a];
)");
  for (size_t lane = 0; lane < kWarpSize; ++lane)
    EXPECT_EQ(out[0][lane], lane % 3 == 0 ? lane : 0);
}

} // namespace
} // namespace glm::ptx::test
