// Blocks over host threads, resident blocks that wait for each other, clusters that start late; random programs that run the
// same under one and two threads.
#include "test/runtime/ptx/harness/Harness.h"

#include <fmt/format.h>
#include <random>

namespace glm::ptx::test {
namespace {

/// Random code with branches, loops and calls within one another, shared memory exchanged at barriers of the block and of the
/// cluster, collectives of the warp, atomics in shared and reductions to global memory: everything whose result the order of
/// blocks must not change. Every fourth program also has what does depend on that order, which the machine must then keep.
class Generator {
public:
  explicit Generator(uint32_t seed) : random(seed) {}

  std::string program() {
    std::string body;
    for (int index = 0; index < 8; ++index)
      body +=
          fmt::format("mov.u32 %r{}, {};\n", index, index % 2 ? "%tid.x" : fmt::format("{}", random() & 0x7fffffff));
    body += "mov.u32 %r3, %ctaid.x;\n";
    statements(body, 14, 2);
    return fmt::format(R"(
.func (.reg .b32 o) mix(.reg .b32 i) {{
  .reg .b32 %t; .reg .pred %q; setp.lt.s32 %q, i, 0; mov.b32 o, i; @!%q bra SMALL; shr.u32 %t, i, 3; xor.b32 o, i, %t;
SMALL: ret; }}
.visible .entry k(.param .u64 to, .param .u64 sums) {{
  .shared .align 16 .b8 tile[1024]; .shared .align 16 .b8 ring[1024]; .shared .align 16 .b8 cells[64];
  .reg .b32 %r<20>; .reg .b64 %d<8>; .reg .pred %p<8>; .reg .f32 %f<2>;
  mov.u32 %r12, %tid.x; setp.gt.u32 %p0, %r12, 15; @%p0 bra READY;
  shl.b32 %r12, %r12, 2; mov.u32 %r13, cells; add.s32 %r13, %r13, %r12; st.shared.u32 [%r13], %r12;
READY: bar.sync 0;
{}
  barrier.cluster.arrive; barrier.cluster.wait;
  ld.param.u64 %d0, [to]; mov.u32 %r8, %ctaid.x; mov.u32 %r9, %ntid.x; mad.lo.u32 %r8, %r8, %r9, %tid.x;
  mul.wide.u32 %d1, %r8, 16; add.s64 %d0, %d0, %d1; st.global.v4.u32 [%d0], {{%r0, %r1, %r2, %r3}};
  ret;
}})",
                       body);
  }

private:
  std::string reg() { return fmt::format("%r{}", random() % 8); }

  void statements(std::string &body, int count, int depth) {
    for (int index = 0; index < count; ++index)
      statement(body, depth);
  }

  void statement(std::string &body, int depth) {
    switch (random() % (depth ? 13 : 10)) {
    case 0:
    case 1:
    case 2: {
      const char *operations[] = {"add.s32", "sub.s32", "mul.lo.u32", "xor.b32",
                                  "and.b32", "or.b32",  "min.u32",    "max.s32"};
      body += fmt::format("{} {}, {}, {};\n", operations[random() % 8], reg(), reg(), reg());
      break;
    }
    case 3:
      body += fmt::format(
          "ld.param.u64 %d2, [sums]; and.b32 %r10, {}, 15; mul.wide.u32 %d3, %r10, 4; add.s64 %d2, %d2, %d3;\n"
          "red.global.{}.u32 [%d2], {};\n",
          reg(), oneSum, reg());
      break;
    case 4:
      body += fmt::format("shr.u32 {}, {}, {};\n", reg(), reg(), random() % 31);
      break;
    case 5:
      body += fmt::format("activemask.b32 %r11; popc.b32 %r11, %r11; add.s32 {0}, {0}, %r11;\n", reg());
      break;
    case 6:
      body +=
          fmt::format("and.b32 %r12, {}, 15; shl.b32 %r12, %r12, 2; mov.u32 %r13, cells; add.s32 %r13, %r13, %r12;\n"
                      "atom.shared.{} {}, [%r13], {};\n",
                      reg(), random() % 2 ? "add.u32" : "exch.b32", reg(), reg());
      break;
    case 7:
      body += fmt::format("call ({}), mix, ({});\n", reg(), reg());
      break;
    case 8:
      body += fmt::format(
          "cvt.rn.f32.s32 %f0, {}; cvt.rn.f32.u32 %f1, {}; fma.rn.f32 %f0, %f0, %f1, %f0; mov.b32 {}, %f0;\n", reg(),
          reg(), reg());
      break;
    case 9:
      if (isOrdered)
        body += fmt::format("ld.param.u64 %d2, [sums]; atom.global.add.u32 {}, [%d2], {};\n"
                            "cvt.rn.f32.s32 %f0, {}; red.global.add.f32 [%d2+64], %f0;\n",
                            reg(), reg(), reg());
      break;
    case 10:
      // Only where no lane is elsewhere: at the outermost level.
      if (depth == 2)
        exchange(body);
      break;
    case 11: {
      int label = labels++;
      std::string p = fmt::format("%p{}", depth);
      body += fmt::format("setp.lt.u32 {}, {}, {};\n@{} bra ELSE{};\n", p, reg(), reg(), p, label);
      statements(body, 3, depth - 1);
      body += fmt::format("bra END{0};\nELSE{0}:\n", label);
      statements(body, 3, depth - 1);
      body += fmt::format("END{}:\n", label);
      break;
    }
    default: {
      int label = labels++;
      std::string counter = fmt::format("%r{}", 13 + depth);
      body += fmt::format("and.b32 {}, {}, 7;\nLOOP{}:\n", counter, reg(), label);
      statements(body, 2, 0);
      body +=
          fmt::format("sub.s32 {0}, {0}, 1;\nsetp.gt.s32 %p{1}, {0}, 0;\n@%p{1} bra LOOP{2};\n", counter, depth, label);
      break;
    }
    }
  }

  /// What the lanes of a warp, the threads of a block or the blocks of a cluster tell each other.
  void exchange(std::string &body) {
    switch (random() % 4) {
    case 0:
      body += fmt::format(
          "bar.sync 0; mov.u32 %r12, %tid.x; shl.b32 %r12, %r12, 2; mov.u32 %r13, tile; add.s32 %r13, %r13, %r12;\n"
          "st.shared.u32 [%r13], {}; bar.sync 0; xor.b32 %r12, %r12, {}; mov.u32 %r13, tile;\n"
          "add.s32 %r13, %r13, %r12; ld.shared.u32 {}, [%r13];\n",
          reg(), 4 * (random() % 64), reg());
      break;
    case 1:
      body += fmt::format(
          "barrier.cluster.arrive; barrier.cluster.wait; mov.u32 %r12, %tid.x; shl.b32 %r12, %r12, 2;\n"
          "mov.u32 %r13, ring; add.s32 %r13, %r13, %r12; st.shared.u32 [%r13], {0};\n"
          "barrier.cluster.arrive; barrier.cluster.wait; mov.u32 %r12, %cluster_ctarank; add.s32 %r12, %r12, {1};\n"
          "mov.u32 %r16, %cluster_nctarank; rem.u32 %r12, %r12, %r16; mapa.shared::cluster.u32 %r13, %r13, %r12;\n"
          "ld.shared::cluster.u32 {2}, [%r13];\n",
          reg(), random() % 3, reg());
      break;
    case 2:
      body += fmt::format("shfl.sync.idx.b32 {}, {}, {}, 31, -1;\n", reg(), reg(), reg());
      break;
    default:
      body += fmt::format(
          "setp.gt.s32 %p0, {0}, {1}; vote.sync.ballot.b32 {0}, %p0, -1; redux.sync.add.s32 {1}, {1}, -1;\n", reg(),
          reg());
      break;
    }
  }

  std::mt19937 random;
  int labels = 0;
  bool isOrdered = random() % 4 == 0;
  /// One operation per program: a sum and a maximum do not commute with each other.
  const char *oneSum = random() % 2 ? "add" : "max";
};

/// What a launch leaves in memory, and its counters.
struct Traces {
  std::vector<uint32_t> memory;
  std::string counters;

  bool operator==(const Traces &) const = default;
};

Traces tracesOf(const std::string &text, uint32_t cluster, uint32_t threads) {
  Traces traces;
  TestModule module(text);
  if (!module)
    return traces;
  module.options.threads = threads;
  uint64_t to = module.allocate(9 * 256 * 16), sums = module.allocate(80);
  LaunchConfig config{.grid = {9, 1, 1}, .block = {256, 1, 1}, .cluster = {cluster, 1, 1}};
  EXPECT_EQ(module.faultOf("k", config, to, sums), "") << text;
  traces.memory = module.download<uint32_t>(to, 9 * 256 * 4);
  std::vector<uint32_t> sum = module.download<uint32_t>(sums, 20);
  traces.memory.insert(traces.memory.end(), sum.begin(), sum.end());
  traces.counters = module.profile.json().dump();
  return traces;
}

TEST(Scheduling, RandomProgramsRunTheSameUnderOneAndTwoThreads) {
  for (uint32_t seed = 0; seed < 48; ++seed) {
    std::string text = Generator(seed).program();
    uint32_t cluster = seed % 2 ? 3 : 1;
    Traces alone = tracesOf(text, cluster, 1);
    ASSERT_FALSE(alone.memory.empty()) << text;
    for (uint32_t threads : {2u, 3u})
      EXPECT_TRUE(tracesOf(text, cluster, threads) == alone) << threads << " threads\n" << text;
  }
}

TEST(Scheduling, FloatSumsDoNotDependOnThreads) {
  std::vector<uint32_t> bits;
  for (uint32_t threads : {1u, 2u}) {
    TestModule module(R"(
.visible .entry k(.param .u64 sum) { .reg .b64 %d; .reg .b32 %r<3>; .reg .f32 %f;
  ld.param.u64 %d, [sum]; mov.u32 %r0, %ctaid.x; mad.lo.u32 %r0, %r0, 1000, %tid.x; cvt.rn.f32.u32 %f, %r0; mul.f32 %f, %f, 0f3DCCCCCD;
  red.global.add.f32 [%d], %f; ret; })");
    ASSERT_TRUE(module);
    module.options.threads = threads;
    uint64_t sum = module.allocate(4);
    EXPECT_EQ(module.faultOf("k", {.grid = {20, 1, 1}, .block = {64, 1, 1}}, sum), "");
    bits.push_back(module.download<uint32_t>(sum, 1)[0]);
  }
  EXPECT_EQ(bits[0], bits[1]);
}

/// All blocks add one and wait until all have: `words` polls.
std::string gridBarrier(const std::string &poll) {
  return fmt::format(R"(
.visible .entry k(.param .u64 counter, .param .u64 to) {{ .reg .b64 %d<4>; .reg .b32 %r<6>; .reg .pred %p;
  ld.param.u64 %d0, [counter]; mov.u32 %r0, %tid.x; mov.u32 %r4, %nctaid.x; setp.ne.u32 %p, %r0, 0;
  @%p bra WAIT;
  fence.acq_rel.gpu; atom.global.add.u32 %r1, [%d0], 1;
POLL: {} %r2, [%d0]; setp.lt.u32 %p, %r2, %r4; @%p bra POLL;
  fence.acq_rel.gpu;
WAIT: bar.sync 0;
  ld.global.u32 %r3, [%d0]; ld.param.u64 %d1, [to]; mov.u32 %r5, %ctaid.x; mul.wide.u32 %d2, %r5, 4; add.s64 %d1, %d1, %d2;
  st.global.u32 [%d1], %r3; ret; }})",
                     poll);
}

TEST(Scheduling, BlocksOfACooperativeLaunchWaitForEachOther) {
  for (const char *poll : {"ld.acquire.gpu.global.u32", "ld.volatile.global.u32", "ld.relaxed.sys.global.u32"}) {
    TestModule module(gridBarrier(poll));
    ASSERT_TRUE(module);
    uint64_t counter = module.upload(std::vector<uint32_t>{0}), to = module.allocate(400);
    EXPECT_EQ(module.faultOf("k", {.grid = {40, 1, 1}, .block = {64, 1, 1}, .cooperative = true}, counter, to), "");
    EXPECT_EQ(module.download<uint32_t>(to, 40), std::vector<uint32_t>(40, 40));
  }
}

/// cooperative_groups finds the barrier of its grid by %envreg1 and %envreg2 (details/driver_abi.h).
TEST(Scheduling, CooperativeLaunchesHaveAWorkspace) {
  TestModule module(R"(
.visible .entry k(.param .u64 to) { .reg .b64 %d<3>; .reg .b32 %r<4>; .reg .pred %p;
  mov.u32 %r0, %envreg1; mov.u32 %r1, %envreg2; mov.b64 %d0, {%r1, %r0}; setp.eq.u64 %p, %d0, 0; @%p exit;
  atom.add.release.gpu.u32 %r2, [%d0+4], 1; ld.param.u64 %d1, [to]; mul.wide.u32 %d2, %r2, 4; add.s64 %d1, %d1, %d2;
  mov.u32 %r3, %ctaid.x; st.global.u32 [%d1], %r3; ret; })");
  ASSERT_TRUE(module);
  for (bool cooperative : {true, false, true}) {
    uint64_t to = module.upload(std::vector<uint32_t>(5, 99));
    EXPECT_EQ(module.faultOf("k", {.grid = {5, 1, 1}, .block = {1, 1, 1}, .cooperative = cooperative}, to), "");
    EXPECT_EQ(module.download<uint32_t>(to, 5),
              cooperative ? (std::vector<uint32_t>{0, 1, 2, 3, 4}) : std::vector<uint32_t>(5, 99));
  }
}

TEST(Scheduling, BlocksThatWaitForLaterOnesLetThemStart) {
  TestModule module(gridBarrier("ld.acquire.gpu.global.u32"));
  ASSERT_TRUE(module);
  uint64_t counter = module.upload(std::vector<uint32_t>{0}), to = module.allocate(400);
  EXPECT_EQ(module.faultOf("k", {.grid = {40, 1, 1}, .block = {64, 1, 1}}, counter, to), "");
  EXPECT_EQ(module.download<uint32_t>(to, 40), std::vector<uint32_t>(40, 40));
}

TEST(Scheduling, LanesOfAWarpThatTakeALockInTurn) {
  TestModule module(R"(
.visible .entry k(.param .u64 lock, .param .u64 sum) { .reg .b64 %d<2>; .reg .b32 %r<4>; .reg .pred %p;
  ld.param.u64 %d0, [lock]; ld.param.u64 %d1, [sum];
TAKE: atom.global.cas.b32 %r0, [%d0], 0, 1; setp.ne.u32 %p, %r0, 0; @%p bra TAKE;
  ld.global.u32 %r1, [%d1]; add.s32 %r1, %r1, 3; st.global.u32 [%d1], %r1;
  fence.acq_rel.gpu; atom.global.exch.b32 %r2, [%d0], 0; ret; })");
  ASSERT_TRUE(module);
  uint64_t lock = module.upload(std::vector<uint32_t>{0}), sum = module.upload(std::vector<uint32_t>{0});
  EXPECT_EQ(module.faultOf("k", {.grid = {3, 1, 1}, .block = {64, 1, 1}}, lock, sum), "");
  EXPECT_EQ(module.download<uint32_t>(sum, 1)[0], 3u * 64 * 3);
}

TEST(Scheduling, TheFirstFaultIsReportedWhateverTheThreads) {
  for (uint32_t threads : {1u, 4u}) {
    TestModule module(
        ".visible .entry k() { .reg .b32 %r; .reg .pred %p; mov.u32 %r, %ctaid.x; setp.gt.u32 %p, %r, 10;\n"
        "@%p trap; ret; }");
    ASSERT_TRUE(module);
    module.options.threads = threads;
    EXPECT_NE(module.faultOf("k", {.grid = {64, 1, 1}, .block = {32, 1, 1}}).find("block (11,0,0)"), std::string::npos);
  }
}

TEST(Scheduling, ShapesThatCannotBeLaunched) {
  TestModule module(".visible .entry k(.param .u64 a) { ret; }");
  ASSERT_TRUE(module);
  EXPECT_NE(module.faultOf("k", {.grid = {5, 1, 1}, .cluster = {2, 1, 1}}, uint64_t{0}), "");
  EXPECT_NE(module.faultOf("k", {.grid = {0, 1, 1}}, uint64_t{0}), "");
}

} // namespace
} // namespace glm::ptx::test
