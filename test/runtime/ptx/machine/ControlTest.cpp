// Branches, calls and ends.
#include "test/runtime/ptx/harness/Harness.h"

#include <fmt/format.h>

namespace glm::ptx::test {
namespace {

std::vector<uint64_t> laneValues(std::function<uint64_t(uint64_t)> value) {
  std::vector<uint64_t> values(kWarpSize);
  for (uint64_t lane = 0; lane < kWarpSize; ++lane)
    values[lane] = value(lane);
  return values;
}

TEST(Control, BranchesDivergeAndMeet) {
  LaneProgram program;
  program.input(Type::B32, laneValues([](uint64_t lane) { return lane; }));
  program.output(Type::B32);
  program.output(Type::B32);
  // Every path ends at the same place, where all lanes are together again.
  Outputs out = program.run(R"(
.reg .pred %p, %q; .reg .b32 %t;
setp.lt.u32 %p, %in0, 10;
@%p bra LOW;
setp.lt.u32 %q, %in0, 20;
@!%q bra.uni HIGH;
mov.b32 %out0, 2;
bra END;
LOW: mov.b32 %out0, 1;
bra END;
HIGH: mov.b32 %out0, 3;
END: activemask.b32 %out1;
)");
  for (size_t lane = 0; lane < kWarpSize; ++lane) {
    EXPECT_EQ(out[0][lane], lane < 10 ? 1u : lane < 20 ? 2u : 3u);
    EXPECT_EQ(out[1][lane], 0xffffffffu);
  }
}

TEST(Control, LoopsOfDifferentLengthMeetAtTheirEnd) {
  LaneProgram program;
  program.input(Type::B32, laneValues([](uint64_t lane) { return lane * lane % 37; }));
  program.output(Type::B32, 0);
  program.output(Type::B32);
  Outputs out = program.run(R"(
.reg .pred %p; .reg .b32 %i;
mov.b32 %i, 0;
LOOP: setp.ge.u32 %p, %i, %in0;
@%p bra DONE;
add.s32 %i, %i, 1;
add.s32 %out0, %out0, %i;
bra LOOP;
DONE: activemask.b32 %out1;
)");
  for (uint64_t lane = 0; lane < kWarpSize; ++lane) {
    uint64_t count = lane * lane % 37;
    EXPECT_EQ(out[0][lane], count * (count + 1) / 2);
    EXPECT_EQ(out[1][lane], 0xffffffffu);
  }
}

TEST(Control, IndexedBranch) {
  LaneProgram program;
  program.input(Type::B32, laneValues([](uint64_t lane) { return lane % 3; }));
  program.input(Type::Pred, laneValues([](uint64_t lane) { return uint64_t{lane != 7}; }));
  program.output(Type::B32);
  const char *body = R"(
targets: .branchtargets A, B, C;
@%in1 brx.idx %in0, targets;
mov.b32 %out0, 100;
bra END;
A: mov.b32 %out0, 10;
bra END;
B: mov.b32 %out0, 20;
bra END;
C: mov.b32 %out0, 30;
END:
)";
  Outputs out = program.run(body);
  for (size_t lane = 0; lane < kWarpSize; ++lane)
    EXPECT_EQ(out[0][lane], lane == 7 ? 100 : 10 * (lane % 3 + 1));

  LaneProgram beyond;
  beyond.input(Type::B32, laneValues([](uint64_t lane) { return lane == 5 ? 3u : 0u; }));
  beyond.input(Type::Pred, {1});
  beyond.output(Type::B32);
  EXPECT_NE(beyond.failure(body).find("lane 5"), std::string::npos) << beyond.failure(body);
}

TEST(Control, CallsPassParametersInMemoryAndRegisters) {
  LaneProgram program;
  program.moduleScope = R"(
.func (.param .b32 sum, .param .align 16 .b8 pair[16]) add(.param .b32 a, .param .align 16 .b8 b[16]) {
  .reg .b32 %x, %y; .reg .b64 %d<2>;
  ld.param.u32 %x, [a]; ld.param.u32 %y, [b+4]; add.s32 %x, %x, %y;
  st.param.b32 [sum], %x;
  ld.param.v2.b64 {%d0, %d1}, [b];
  st.param.v2.b64 [pair], {%d1, %d0};
  ret;
}
.func (.reg .b32 r) twice(.reg .b32 x) { add.s32 r, x, x; ret.uni; }
)";
  program.input(Type::B32, laneValues([](uint64_t lane) { return lane + 100; }));
  program.input(Type::B64, laneValues([](uint64_t lane) { return lane << 32 | 5; }));
  for (int index = 0; index < 2; ++index)
    program.output(Type::B32);
  program.output(Type::B64);
  Outputs out = program.run(R"(
.reg .b64 %z;
{
.param .b32 p0; .param .align 16 .b8 p1[16]; .param .b32 r0; .param .align 16 .b8 r1[16];
st.param.b32 [p0], %in0; st.param.v2.b64 [p1], {%in1, 9};
call.uni (r0, r1), add, (p0, p1);
ld.param.b32 %out0, [r0]; ld.param.v2.b64 {%z, %out2}, [r1];
}
call (%out1), twice, (%in0);
)");
  for (uint64_t lane = 0; lane < kWarpSize; ++lane) {
    EXPECT_EQ(out[0][lane], lane + 100 + lane);
    EXPECT_EQ(out[1][lane], 2 * (lane + 100));
    EXPECT_EQ(out[2][lane], lane << 32 | 5);
  }
}

constexpr const char *kFactorial = R"(
.func (.param .b64 r) factorial(.param .b64 n) {
  .reg .b64 %n, %m, %f; .reg .pred %p; .local .b64 kept; .reg .b64 %x;
  ld.param.b64 %n, [n];
  setp.le.u64 %p, %n, 1;
  mov.b64 %f, 1;
  @%p bra END;
  st.local.b64 [kept], %n;
  sub.s64 %m, %n, 1;
  { .param .b64 a; .param .b64 b; st.param.b64 [a], %m; call (b), factorial, (a); ld.param.b64 %f, [b]; }
  ld.local.b64 %x, [kept];
  mul.lo.s64 %f, %f, %x;
END: st.param.b64 [r], %f;
  ret;
}
)";

TEST(Control, RecursionToDifferentDepths) {
  LaneProgram program;
  program.moduleScope = kFactorial;
  program.input(Type::B64, laneValues([](uint64_t lane) { return lane % 20; }));
  program.output(Type::B64);
  program.output(Type::B32);
  Outputs out = program.run("{ .param .b64 a; .param .b64 b; st.param.b64 [a], %in0; call (b), factorial, (a);\n"
                            "ld.param.b64 %out0, [b]; }\nactivemask.b32 %out1;");
  for (uint64_t lane = 0; lane < kWarpSize; ++lane) {
    uint64_t expected = 1;
    for (uint64_t factor = 2; factor <= lane % 20; ++factor)
      expected *= factor;
    EXPECT_EQ(out[0][lane], expected);
    EXPECT_EQ(out[1][lane], 0xffffffffu);
  }
}

TEST(Control, EndlessRecursionIsAStackError) {
  TestModule module(R"(
.func f(.param .b32 n) { .local .b8 space[4096]; .param .b32 a; .reg .b32 %x; ld.param.b32 %x, [n]; st.param.b32 [a], %x;
  call f, (a); ret; }
.visible .entry k() { .param .b32 a; st.param.b32 [a], 1; call f, (a); ret; }
)");
  ASSERT_TRUE(module);
  std::optional<LaunchFault> fault = module.launch("k", {.block = {32, 1, 1}});
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->kind, LaunchFault::Kind::HardwareStackError);
}

TEST(Control, IndirectCalls) {
  LaneProgram program;
  program.moduleScope = R"(
.func (.reg .b32 r) one(.reg .b32 x) { add.s32 r, x, 1; ret; }
.func (.reg .b32 r) two(.reg .b32 x) { add.s32 r, x, 200; ret; }
.global .u64 table[2] = {one, two};
)";
  program.input(Type::B32, laneValues([](uint64_t lane) { return lane; }));
  program.input(Type::Pred, laneValues([](uint64_t lane) { return lane % 5 == 0; }));
  program.input(Type::Pred, laneValues([](uint64_t lane) { return uint64_t{lane != 3}; }));
  program.output(Type::B32, 7);
  program.output(Type::B32);
  Outputs out = program.run(R"(
.reg .b64 %f, %g;
proto: .callprototype (.reg .b32 _) _ (.reg .b32 _);
mov.u64 %f, one;
ld.global.u64 %g, [table+8];
@%in1 mov.b64 %f, %g;
@%in2 call (%out0), %f, (%in0), proto;
activemask.b32 %out1;
)");
  for (uint64_t lane = 0; lane < kWarpSize; ++lane) {
    EXPECT_EQ(out[0][lane], lane == 3 ? 7 : lane % 5 == 0 ? lane + 200 : lane + 1) << lane;
    EXPECT_EQ(out[1][lane], 0xffffffffu);
  }
  LaneProgram wild;
  wild.moduleScope = program.moduleScope;
  wild.output(Type::B32);
  EXPECT_NE(wild.failure("proto: .callprototype (.reg .b32 _) _ (.reg .b32 _);\n.reg .b64 %f; mov.b64 %f, 1234;\n"
                         "call (%out0), %f, (7), proto;")
                .find("must go to a function"),
            std::string::npos);
}

TEST(Control, ReturnAndExitUnderGuards) {
  LaneProgram program;
  program.moduleScope = R"(
.func (.reg .b32 r) f(.reg .b32 x) { .reg .pred %p; mov.b32 r, 1; setp.lt.u32 %p, x, 8; @%p ret; mov.b32 r, 2;
  setp.lt.u32 %p, x, 16; @!%p exit; ret; }
)";
  program.input(Type::B32, laneValues([](uint64_t lane) { return lane; }));
  program.output(Type::B32, 0);
  program.output(Type::B32, 0);
  Outputs out = program.run("call (%out0), f, (%in0); activemask.b32 %out1;");
  for (uint64_t lane = 0; lane < kWarpSize; ++lane) {
    EXPECT_EQ(out[0][lane], lane < 8 ? 1u : lane < 16 ? 2u : 0u);
    EXPECT_EQ(out[1][lane], lane < 16 ? 0xffffu : 0u);
  }
}

TEST(Control, TrapAndBreakpointAreFaults) {
  for (std::string_view word : {"trap", "brkpt"}) {
    LaneProgram program;
    program.input(Type::Pred, laneValues([](uint64_t lane) { return lane == 6; }));
    std::string message = program.failure(fmt::format("@%in0 {};", word));
    EXPECT_NE(message.find("lane 6"), std::string::npos) << message;
  }
}

TEST(Control, WhatHasNoEffect) {
  LaneProgram program;
  program.output(Type::B32);
  Outputs out =
      program.run("pmevent 3;\npmevent.mask 7;\nnanosleep.u32 100;\nsetmaxnreg.dec.sync.aligned.u32 40;\n"
                  "setmaxnreg.inc.sync.aligned.u32 232;\ngriddepcontrol.wait;\ngriddepcontrol.launch_dependents;\n"
                  "mov.b32 %out0, 1;");
  EXPECT_EQ(out[0][0], 1u);
  EXPECT_NE(program.failure("setmaxnreg.dec.sync.aligned.u32 41; mov.b32 %out0, 1;"), "");
}

TEST(Control, ClocksCount) {
  LaneProgram program;
  for (int index = 0; index < 3; ++index)
    program.output(Type::B64);
  for (int index = 0; index < 4; ++index)
    program.output(Type::B32);
  Outputs out = program.run("mov.u64 %out0, %clock64;\nmov.u64 %out1, %clock64;\nmov.u64 %out2, %globaltimer;\n"
                            "mov.u32 %out3, %clock;\nmov.u32 %out4, %clock_hi;\nmov.u32 %out5, %globaltimer_lo;\n"
                            "mov.u32 %out6, %globaltimer_hi;");
  EXPECT_GT(out[1][0].low, out[0][0].low);
  EXPECT_GE(out[2][0].low, out[1][0].low);
  EXPECT_GE(out[3][0].low, out[1][0].low);
  EXPECT_EQ(out[4][0], 0u);
  EXPECT_GE(out[5][0].low, out[3][0].low);
  EXPECT_EQ(out[6][0], 0u);
}

TEST(Control, SpecialRegistersOfABlock) {
  TestModule module(R"(
.visible .entry k(.param .u64 to) {
  .reg .b64 %d<3>; .reg .b32 %r<16>;
  ld.param.u64 %d0, [to];
  mov.u32 %r0, %tid.x; mov.u32 %r1, %tid.y; mov.u32 %r2, %tid.z; mov.u32 %r3, %ctaid.y; mov.u32 %r4, %ntid.y; mov.u32 %r5, %nctaid.y;
  mov.u32 %r6, %laneid; mov.u32 %r7, %warpid; mov.u32 %r8, %lanemask_lt; mov.u32 %r9, %lanemask_ge;
  mov.u32 %r10, %dynamic_smem_size; mov.u32 %r11, %cluster_ctarank;
  mad.lo.u32 %r12, %r2, %r4, %r1; mov.u32 %r13, %ntid.x; mad.lo.u32 %r12, %r12, %r13, %r0;
  mul.lo.u32 %r14, %r13, %r4; mul.lo.u32 %r14, %r14, 2; mad.lo.u32 %r12, %r3, %r14, %r12;
  mul.wide.u32 %d1, %r12, 48; add.s64 %d0, %d0, %d1;
  st.global.v4.u32 [%d0], {%r0, %r1, %r2, %r3}; st.global.v4.u32 [%d0+16], {%r4, %r5, %r6, %r7};
  st.global.v4.u32 [%d0+32], {%r8, %r9, %r10, %r11};
  ret;
})");
  ASSERT_TRUE(module);
  uint64_t to = module.allocate(3 * 70 * 48);
  ASSERT_EQ(module.faultOf("k", {.grid = {1, 3, 1}, .block = {7, 5, 2}, .dynamicShared = 80}, to), "");
  std::vector<uint32_t> got = module.download<uint32_t>(to, 3 * 70 * 12);
  for (uint32_t block = 0; block < 3; ++block)
    for (uint32_t thread = 0; thread < 70; ++thread) {
      uint32_t lane = thread % 32;
      uint32_t lower = (1u << lane) - 1;
      std::vector<uint32_t> expected{thread % 7, thread / 7 % 5, thread / 35, block,  5,  3,
                                     lane,       thread / 32,    lower,       ~lower, 80, 0};
      auto first = got.begin() + (block * 70 + thread) * 12;
      EXPECT_EQ(std::vector<uint32_t>(first, first + 12), expected) << block << " " << thread;
    }
}

TEST(Control, SystemCalls) {
  TestModule module(R"(
.extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);
.extern .func (.param .b64 r) malloc(.param .b64 a);
.extern .func free(.param .b64 a);
.extern .func __assertfail(.param .b64 a, .param .b64 b, .param .b32 c, .param .b64 d, .param .b64 e);
.global .align 1 .b8 text[26] = {108,97,110,101,32,37,117,58,32,37,46,50,102,32,37,115,32,37,108,108,100,37,37,10,0};
.global .align 1 .b8 word[5] = {119,111,114,100,0};
.visible .entry k(.param .u64 to, .param .u32 fails) {
  .local .align 8 .b8 args[32]; .reg .b64 %d<8>; .reg .b32 %r<4>; .reg .pred %p; .reg .f64 %f;
  mov.u32 %r0, %laneid; mov.u64 %d0, args; cvta.local.u64 %d1, %d0;
  st.local.u32 [%d0], %r0; mov.f64 %f, 0d3FF8000000000000; st.local.f64 [%d0+8], %f;
  mov.u64 %d2, word; cvta.global.u64 %d2, %d2; st.local.u64 [%d0+16], %d2; mov.u64 %d3, -7; st.local.u64 [%d0+24], %d3;
  mov.u64 %d4, text; cvta.global.u64 %d4, %d4;
  { .param .b64 a; .param .b64 b; .param .b32 r; st.param.b64 [a], %d4; st.param.b64 [b], %d1; call.uni (r), vprintf, (a, b); ld.param.b32 %r1, [r]; }
  { .param .b64 a; .param .b64 r; st.param.b64 [a], 8; call.uni (r), malloc, (a); ld.param.b64 %d5, [r]; }
  st.u32 [%d5], %r0; ld.u32 %r2, [%d5];
  { .param .b64 a; st.param.b64 [a], %d5; call.uni free, (a); }
  ld.param.u64 %d6, [to]; mul.wide.u32 %d7, %r0, 4; add.s64 %d6, %d6, %d7; st.global.u32 [%d6], %r2;
  ld.param.u32 %r3, [fails]; setp.ne.u32 %p, %r3, %r0; @%p ret;
  { .param .b64 a; .param .b64 b; .param .b32 c; .param .b64 d; .param .b64 e; st.param.b64 [a], %d2; st.param.b64 [b], %d2; st.param.b32 [c], 12; st.param.b64 [d], %d2; st.param.b64 [e], 1;
    call.uni __assertfail, (a, b, c, d, e); }
  ret;
})");
  ASSERT_TRUE(module);
  uint64_t to = module.allocate(8);
  testing::internal::CaptureStdout();
  std::optional<LaunchFault> fault = module.launch("k", {.block = {2, 1, 1}}, to, 1u);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "lane 0: 1.50 word -7%\nlane 1: 1.50 word -7%\n");
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->kind, LaunchFault::Kind::Assert);
  EXPECT_NE(fault->message.find("lane 1"), std::string::npos);
  EXPECT_NE(fault->message.find("`word` false (word:12, word)"), std::string::npos) << fault->message;
  EXPECT_EQ(module.download<uint32_t>(to, 2), (std::vector<uint32_t>{0, 1}));
}

} // namespace
} // namespace glm::ptx::test
