// Text through the parser and the decoder, with the toy instruction set.
#include "test/runtime/ptx/isa/Toy.h"

#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/text/Parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace glm::ptx {
namespace {

std::unique_ptr<Program> decoded(const std::string &text, std::string_view chip = "sm_90a") {
  Result<std::unique_ptr<Program>> program = decodeToy(text, chip);
  EXPECT_TRUE(program) << program.error().message;
  return program ? std::move(*program) : nullptr;
}

std::string refused(const std::string &text, std::string_view chip = "sm_90a", std::string_view version = "8.8") {
  Result<std::unique_ptr<Program>> program = decodeToy(text, chip, version);
  return program ? "accepted" : program.error().message;
}

std::string kernel(const std::string &body) { return ".entry k(.param .u64 k0, .param .b32 k1)\n{\n" + body + "\n}\n"; }

uint64_t constantAt(const Program &program, Slot slot, size_t bytes, uint32_t lane) {
  EXPECT_TRUE(slot & kConstantSlot);
  uint64_t value = 0;
  std::memcpy(&value, program.constants.data() + (slot & ~kConstantSlot) + lane * bytes, bytes);
  return value;
}

TEST(Decode, RegistersHaveAlignedPlacesOfTheirWidth) {
  auto program = decoded(kernel(".reg .b16 h; .reg .b32 r; .reg .b64 d; .reg .b128 q; .reg .pred p; .reg .b8 c;"));
  ASSERT_TRUE(program);
  const Code &code = program->code[0];
  std::vector<std::pair<Slot, uint32_t>> places;
  uint32_t expected[] = {64, 128, 256, 512, 64, 64};
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(code.registers[i] % 64, 0u);
    places.emplace_back(code.registers[i], expected[i]);
  }
  std::ranges::sort(places);
  for (size_t i = 0; i + 1 < places.size(); ++i)
    EXPECT_LE(places[i].first + places[i].second, places[i + 1].first);
  EXPECT_LE(places.back().first + places.back().second, code.frameBytes);
}

TEST(Decode, ImmediatesAreMergedAndCopiedToEveryLane) {
  auto program = decoded(kernel(".reg .u32 r; .reg .f32 f; .reg .u16 h; .reg .pred p;\n"
                                "add.u32 r, r, 7; add.u32 r, 7, -1; add.f32 f, f, 0f3F800000; add.f32 f, f, 1.0;\n"
                                "mov.u16 h, 70000; mov.pred p, 1;"));
  ASSERT_TRUE(program);
  const std::vector<Op> &ops = program->code[0].ops;
  EXPECT_EQ(ops[0].slots[2], ops[1].slots[1]);
  EXPECT_EQ(ops[2].slots[2], ops[3].slots[2]);
  for (uint32_t lane : {0u, 13u, 31u}) {
    EXPECT_EQ(constantAt(*program, ops[0].slots[2], 4, lane), 7u);
    EXPECT_EQ(constantAt(*program, ops[1].slots[2], 4, lane), 0xffffffffu);
    EXPECT_EQ(constantAt(*program, ops[2].slots[2], 4, lane), 0x3f800000u);
    EXPECT_EQ(constantAt(*program, ops[4].slots[1], 2, lane), 70000u - 65536u);
  }
  EXPECT_EQ(constantAt(*program, ops[5].slots[1], 4, 0), 0xffffffffu);
}

TEST(Decode, NegatedSourcesAreMaterialized) {
  auto program = decoded(kernel(".reg .pred p, q; .reg .b32 r; setp.eq.u32 p, 1, 2; @p and.pred q, !p, p;"));
  ASSERT_TRUE(program);
  const Code &code = program->code[0];
  ASSERT_EQ(code.firstOp[2] - code.firstOp[1], 2u);
  const Op &inverted = code.ops[code.firstOp[1]], &used = code.ops[code.firstOp[1] + 1];
  EXPECT_EQ(inverted.slots[1], code.registers[0]);
  EXPECT_EQ(used.slots[1], inverted.slots[0]);
  EXPECT_NE(used.slots[1], code.registers[0]);
  EXPECT_EQ(used.slots[2], code.registers[0]);
  EXPECT_EQ(inverted.guard, code.registers[0]);
}

TEST(Decode, SpecialRegistersTakeOnePlaceEach) {
  auto program = decoded(kernel(".reg .u32 r; .reg .u16 h; .reg .u64 d; mov.u32 r, %tid.y; add.u32 r, %tid.y, %laneid;"
                                "mov.u16 h, %tid.y; mov.u64 d, %gridid; mov.u32 r, %envreg12; mov.u32 r, %clock;"));
  ASSERT_TRUE(program);
  const Code &code = program->code[0];
  ASSERT_EQ(code.specials.size(), 5u);
  EXPECT_EQ(code.specials[0].special, Special::Tid);
  EXPECT_EQ(code.specials[0].component, 1u);
  EXPECT_EQ(code.ops[0].slots[1], code.specials[0].slot);
  EXPECT_EQ(code.ops[1].slots[1], code.specials[0].slot);
  EXPECT_EQ(code.specials[2].type, Type::U16);
  EXPECT_EQ(code.specials[4].index, 12u);
  // %clock changes: an op reads it each time.
  EXPECT_EQ(code.firstOp[6] - code.firstOp[5], 2u);
}

TEST(Decode, LabelsBecomeOps) {
  auto program = decoded(kernel(".reg .pred p; .reg .u32 i;\nT: .branchtargets A, B;\nmov.pred p, 1;\nA: @!p bra B;\n"
                                "and.pred p, !p, p;\nbra A;\nB: brx.idx i, T;"));
  ASSERT_TRUE(program);
  const Code &code = program->code[0];
  EXPECT_EQ(code.ops[code.firstOp[1]].immediate, code.firstOp[4]);
  EXPECT_TRUE(code.ops[code.firstOp[1]].guardNegated);
  EXPECT_EQ(code.ops[code.firstOp[3]].immediate, code.firstOp[1]);
  const auto *table = static_cast<const JumpTable *>(code.ops[code.firstOp[4]].extra);
  EXPECT_EQ(table->targets, (std::vector<uint32_t>{code.firstOp[1], code.firstOp[4]}));
  EXPECT_EQ(code.ops.size(), code.firstOp.back() + 1u);
}

TEST(Decode, AddressesKnowTheirSpace) {
  auto program = decoded(".global .align 8 .b8 g[64];\n.extern .shared .align 16 .b8 dyn[];\n" +
                         kernel(".reg .u32 r; .reg .u64 d; .local .b32 l[4]; .shared .b32 s[3];\n"
                                "ld.param.u64 d, [k0]; ld.param.b32 r, [k1]; ld.global.b32 r, [g+8]; "
                                "ld.shared.b32 r, [s+4]; ld.local.b32 r, [l]; ld.shared.b32 r, [r+-4]; "
                                "ld.shared.b32 r, [dyn]; mov.u64 d, g; mov.u32 r, s;"));
  ASSERT_TRUE(program);
  const Code &code = program->code[0];
  auto address = [&](size_t op) { return static_cast<const AddressOperand *>(code.ops[op].extra); };
  EXPECT_EQ(address(0)->space, Space::Param);
  EXPECT_EQ(address(1)->offset, 8);
  EXPECT_EQ(address(2)->space, Space::Global);
  EXPECT_EQ(address(2)->offset, 8);
  EXPECT_EQ(address(3)->space, Space::Shared);
  EXPECT_EQ(address(4)->space, Space::Local);
  EXPECT_EQ(address(5)->space, Space::Generic);
  EXPECT_EQ(address(5)->offset, -4);
  EXPECT_FALSE(address(5)->wide);
  // [g+8] and g share a slot.
  EXPECT_EQ(program->addresses.size(), 1u);
  EXPECT_EQ(code.ops[7].slots[1], program->addresses[0].slot);
  EXPECT_EQ(code.parameterBytes, 12u);

  SharedLayout layout = sharedLayout(*program, 0);
  EXPECT_EQ(layout.bytes, 12u);
  EXPECT_EQ(layout.offset[2], program->chip->sharedReserved);
  EXPECT_EQ(layout.offset[1], program->chip->sharedReserved + 16);
  EXPECT_EQ(layout.dynamicStart, layout.offset[1]);
}

/// Without wrapping, the undefined-behaviour sanitizer ends the program.
TEST(Decode, OffsetsOfParametersWrap) {
  auto program = decoded(kernel(".reg .b32 r; ld.param.b32 r, [k1+9223372036854775807];"));
  ASSERT_TRUE(program);
  EXPECT_EQ(static_cast<const AddressOperand *>(program->code[0].ops[0].extra)->offset, INT64_MIN + 7);
}

TEST(Decode, SharedVariablesCountOnlyWhereTheyAreReached) {
  auto program = decoded(R"(
.shared .align 4 .b8 one[100];
.shared .align 16 .b8 two[200];
.shared .align 4 .b8 three[8];
.func f() { .reg .b32 r; mov.u32 r, two; ret; }
.entry a() { .reg .b32 r; mov.u32 r, one; ret; }
.entry b() { .reg .b32 r; mov.u32 r, three; call f; ret; }
.entry c() { .reg .b64 r; mov.u64 r, f; call r; ret; }
.entry d() { ret; }
)");
  ASSERT_TRUE(program);
  EXPECT_EQ(sharedLayout(*program, 1).bytes, 100u);
  EXPECT_EQ(sharedLayout(*program, 2).bytes, 208u);
  EXPECT_EQ(sharedLayout(*program, 3).bytes, 200u);
  EXPECT_EQ(sharedLayout(*program, 4).bytes, 0u);
  EXPECT_EQ(sharedLayout(*program, 4).offset[0], SharedLayout::kAbsent);
}

/// What is left for the machine to check: "reads of instruction i" by name.
std::vector<std::string> checkedReads(const Program &program) {
  std::vector<std::string> found;
  for (const Op &op : program.code[0].ops)
    for (uint32_t i = 0; i < op.readCount; ++i)
      found.push_back(std::to_string(op.instruction) + " " +
                      std::string(program.module.functions[0].registers[op.reads[i]].name));
  return found;
}

TEST(Decode, ReadsThatCanBeProvedAreNotChecked) {
  using Names = std::vector<std::string>;
  auto straight = decoded(kernel(".reg .b32 r, s; mov.b32 r, 1; mov.b32 s, r; add.u32 r, s, r;"));
  EXPECT_EQ(checkedReads(*straight), Names{});
  auto early = decoded(kernel(".reg .b32 r, s; mov.b32 s, r; mov.b32 r, 1; mov.b32 s, r;"));
  EXPECT_EQ(checkedReads(*early), Names{"0 r"});
  EXPECT_EQ(early->code[0].ops[1].writeCount, 1u);
  EXPECT_EQ(early->code[0].ops[0].writeCount, 0u);

  // Both ways write; then only one does.
  auto both = decoded(kernel(".reg .pred p; .reg .b32 r; mov.pred p, 1; @p bra A; mov.b32 r, 1; bra B;\n"
                             "A: mov.b32 r, 2;\nB: add.u32 r, r, r;"));
  EXPECT_EQ(checkedReads(*both), Names{});
  auto one = decoded(kernel(".reg .pred p; .reg .b32 r; mov.pred p, 1; @p bra B; mov.b32 r, 1;\nB: add.u32 r, r, r;"));
  EXPECT_EQ(checkedReads(*one), Names{"3 r"});

  // A guarded write proves nothing; a write after a loop's read does neither.
  auto guarded = decoded(kernel(".reg .pred p; .reg .b32 r; mov.pred p, 1; @p mov.b32 r, 1; @p add.u32 r, r, r;"));
  EXPECT_EQ(checkedReads(*guarded), Names{"2 r"});
  auto loop = decoded(kernel(".reg .pred p; .reg .b32 r, s; mov.pred p, 1;\nA: mov.b32 s, r; mov.b32 r, 1; @p bra A;"));
  EXPECT_EQ(checkedReads(*loop), Names{"1 r"});
  auto carried = decoded(kernel(".reg .pred p; .reg .b32 r, s; mov.pred p, 1; mov.b32 r, 1;\n"
                                "A: mov.b32 s, r; add.u32 r, s, r; @p bra A; mov.b32 s, r;"));
  EXPECT_EQ(checkedReads(*carried), Names{});
  auto guard = decoded(kernel(".reg .pred p; .reg .b32 r; @p mov.b32 r, 1;"));
  EXPECT_EQ(checkedReads(*guard), Names{"0 p"});
}

TEST(Decode, ParametersOfFunctionsLieOnTheStack) {
  auto program = decoded(".func (.param .b64 out, .reg .b32 x) f(.param .b32 in, .reg .f32 y)\n{\n"
                         ".reg .b32 r; .local .align 16 .b8 l[20]; ld.param.b32 r, [in]; st.param.b64 [out], 5;"
                         " mov.b32 x, r; add.f32 y, y, y; ret;\n}\n");
  ASSERT_TRUE(program);
  const Code &code = program->code[0];
  EXPECT_EQ(code.variableOffset, std::vector<uint64_t>{0});
  EXPECT_EQ(code.resultOffset[0], 24u);
  EXPECT_EQ(code.parameterOffset[0], 32u);
  EXPECT_EQ(code.localBytes, 48u);
  EXPECT_EQ(static_cast<const AddressOperand *>(code.ops[0].extra)->space, Space::Local);
  EXPECT_EQ(checkedReads(*program), std::vector<std::string>{});
}

TEST(Decode, TextForAnotherChipIsRefused) {
  std::string text = kernel("ret;");
  auto on = [&](std::string_view target, std::string_view chip) {
    Result<Module> module = parse(".version 9.0\n.target " + std::string(target) + "\n.address_size 64\n" + text, "t");
    Result<std::unique_ptr<Program>> program = decode(std::move(*module), *chipNamed(chip), toyForms(), "t");
    return program ? std::string() : program.error().message;
  };
  EXPECT_EQ(on("sm_80", "sm_90a"), "");
  EXPECT_EQ(on("sm_90", "sm_120a"), "");
  EXPECT_EQ(on("sm_90a", "sm_90a"), "");
  EXPECT_EQ(on("sm_90a", "sm_100a"), "t:2: .target must suit sm_100a, but found sm_90a");
  EXPECT_EQ(on("sm_100", "sm_90a"), "t:2: .target must suit sm_90a, but found sm_100");
  EXPECT_EQ(on("sm_100a", "sm_103a"), "t:2: .target must suit sm_103a, but found sm_100a");
  EXPECT_EQ(on("sm_100f", "sm_103a"), "");
  EXPECT_EQ(on("sm_100f", "sm_110a"), "t:2: .target must suit sm_110a, but found sm_100f");
  EXPECT_EQ(on("sm_100f", "sm_120a"), "t:2: .target must suit sm_120a, but found sm_100f");
  EXPECT_EQ(on("sm_120f", "sm_121a"), "");
  EXPECT_EQ(on("sm_121f", "sm_120a"), "t:2: .target must suit sm_120a, but found sm_121f");
  EXPECT_EQ(on("sm_77", "sm_90a"), "t:2: .target must name a chip that is known, but found sm_77");
}

TEST(Decode, FormsNeedTheirFeatureAndVersion) {
  EXPECT_EQ(refused(kernel("wgmma.fence.sync.aligned;")), "accepted");
  EXPECT_EQ(refused(kernel("wgmma.fence.sync.aligned;"), "sm_90"),
            "t:6: wgmma.fence.sync.aligned must be for a .target with wgmma, but found sm_90");
  EXPECT_EQ(refused(kernel("tcgen05.wait::ld.sync.aligned;"), "sm_120a"),
            "t:6: tcgen05.wait::ld.sync.aligned must be for a .target with tcgen05, but found sm_120a");
  EXPECT_EQ(refused(kernel("tcgen05.wait::ld.sync.aligned;"), "sm_100a"), "accepted");
  EXPECT_EQ(refused(kernel("ret;"), "sm_90a", "7.8"),
            "t:2: .target sm_90a must have .version 8.0 or later, but found 7.8");
  EXPECT_EQ(refused(kernel("nonsense.b32;")), "t:6: instruction must be one that is known, but found nonsense.b32");
  EXPECT_EQ(refused(kernel("add.b32;")), "t:6: instruction must be one that is known, but found add.b32");
}

TEST(Decode, OperandsMustFitTheInstruction) {
  std::string head = ".reg .u32 r; .reg .f32 f; .reg .b32 b; .reg .b64 d; .reg .pred p; .shared .b32 s;\n";
  auto message = [&](const std::string &text) { return refused(kernel(head + text)); };
  EXPECT_EQ(message("add.u32 r, r;"), "t:7: add.u32 must have 3 operands, but found 2");
  EXPECT_EQ(message("add.u32 r, r, d;"), "t:7: add.u32 must have a register of .u32 there, but found d of .b64");
  EXPECT_EQ(message("add.u32 r, r, f;"), "t:7: add.u32 must have a register of .u32 there, but found f of .f32");
  EXPECT_EQ(message("add.f32 f, r, f;"), "t:7: add.f32 must have a register of .f32 there, but found r of .u32");
  EXPECT_EQ(message("add.f32 f, b, f;"), "accepted");
  EXPECT_EQ(message("add.f16x2 b, b, b;"), "accepted");
  EXPECT_EQ(message("add.f16x2 b, b, r;"), "t:7: add.f16x2 must have a register of .f16x2 there, but found r of .u32");
  EXPECT_EQ(message("add.f32 f, f, 1;"), "t:7: add.f32 must have a constant of .f32 there, but found the integer 1");
  EXPECT_EQ(message("mov.u32 r, 0f3F800000;"),
            "t:7: mov.u32 must have a constant of .u32 there, but found a float of 32 bits");
  EXPECT_EQ(message("mov.b32 b, 0f3F800000;"), "accepted");
  EXPECT_EQ(message("mov.b32 b, p;"), "t:7: mov.b32 must have a register of .b32 there, but found p of .pred");
  EXPECT_EQ(message("mov.b32 b, %nothing;"),
            "t:7: mov.b32 must have registers that are declared or special, but found %nothing");
  EXPECT_EQ(message("mov.u32 r, %tid;"), "t:7: mov.u32 must name a component of %tid, but found none");
  EXPECT_EQ(message("mov.u32 r, %laneid.x;"), "t:7: mov.u32 must name %laneid without a component, but found one");
  EXPECT_EQ(message("mov.u64 d, %tid.x;"), "t:7: mov.u64 must have a value of .u64 there, but found %tid of .u32");
  EXPECT_EQ(message("mov.b32 5, b;"), "t:7: mov.b32 must write to a register of .b32, but found another operand");
  EXPECT_EQ(message("mov.b32 b, {b, b};"), "t:7: mov.b32 must have one value of .b32 there, but found several");
  EXPECT_EQ(message("mov.b32 b, [s];"),
            "t:7: mov.b32 must have a value of .b32 there, but found an address in brackets");
  EXPECT_EQ(message("mov.u16 r, s;"), "t:7: mov.u16 must have a register of .u16 there, but found r of .u32");
  EXPECT_EQ(message("ld.shared.b32 b, [f];"),
            "t:7: ld.shared.b32 must have a register of 32 or 64 bits as address, but found f of .f32");
  EXPECT_EQ(message("ld.shared.b32 b, b;"),
            "t:7: ld.shared.b32 must have an address in brackets there, but found another operand");
  EXPECT_EQ(message("ld.shared.b32 d, [s];"), "accepted");
  EXPECT_EQ(message("ld.shared.b64 b, [s];"),
            "t:7: ld.shared.b64 must have a register of .b64 or wider there, but found b of .b32");
  EXPECT_EQ(message("ld.shared.v2.b32 {b}, [s];"), "t:7: ld.shared.v2.b32 must have a vector of 2 there, but found 1");
  EXPECT_EQ(message("bra s;"), "t:7: bra must have a label there, but found s");
  EXPECT_EQ(message("add.u32 _, r, r;"), "accepted");
}

TEST(Decode, PlacesAreBounded) {
  EXPECT_EQ(refused(".shared .b8 s[1000000];\n" + kernel("ret;")),
            "t:4: s must fit into 233472 bytes of shared memory, but found 1000000");
  EXPECT_EQ(refused(kernel(".local .b8 l[1000000];")),
            "t:4: variables of k must take at most 524288 bytes of a thread's stack, but found 1000000");
  EXPECT_EQ(refused(".entry k(.param .b8 a[40000])\n{ ret; }"),
            "t:4: parameters of k must take at most 32764 bytes, but found 40000");
}

TEST(MatchPattern, OptionalPlacesAndAlternatives) {
  auto words = [](std::string_view pattern, std::vector<std::string_view> modifiers) {
    Instruction instruction;
    instruction.mnemonic = "m";
    instruction.modifiers = std::move(modifiers);
    std::optional<Match> match = matchPattern(pattern, instruction);
    return match ? std::optional(match->words) : std::nullopt;
  };
  using Words = std::vector<std::string_view>;
  EXPECT_EQ(words("m", {}), Words{});
  EXPECT_EQ(words("m", {"x"}), std::nullopt);
  EXPECT_EQ(words("m[.ftz].f32", {"f32"}), Words{""});
  EXPECT_EQ(words("m[.ftz].f32", {"ftz", "f32"}), Words{"ftz"});
  EXPECT_EQ(words("m[.(rn|rz)][.ftz].(f32|f64)", {"rz", "f64"}), (Words{"rz", "", "f64"}));
  EXPECT_EQ(words("m[.(rn|rz)][.ftz].(f32|f64)", {"ftz", "rz", "f64"}), std::nullopt);
  EXPECT_EQ(words("m.kind::f16.2x", {"kind::f16", "2x"}), Words{});
  // The optional place must give the word back.
  EXPECT_EQ(words("m[.(a|b)].(b|c)", {"b"}), (Words{"", "b"}));
  EXPECT_EQ(words("m.(ab|c)", {"a"}), std::nullopt);
  EXPECT_EQ(words("m.f32", {"f32", "f32"}), std::nullopt);
  EXPECT_EQ(words("mm", {}), std::nullopt);
}

} // namespace
} // namespace glm::ptx
