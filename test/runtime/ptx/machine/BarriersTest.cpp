// Barriers of warps, blocks and clusters; fences.
#include "test/runtime/ptx/harness/Harness.h"

#include <fmt/format.h>

namespace glm::ptx::test {
namespace {

/// Threads of warp 0 leave their number, all others take it after the barrier.
std::string handOver(const std::string &barrier) {
  return fmt::format(R"(
.visible .entry k(.param .u64 to) {{
  .shared .align 4 .b8 word[4]; .reg .pred %p, %q, %v; .reg .b32 %r<6>; .reg .b64 %d<3>;
  mov.u32 %r0, %tid.x; setp.eq.u32 %p, %r0, 96; setp.lt.u32 %v, %r0, 100; mov.u32 %r3, 0; mov.u32 %r4, 128; mov.u32 %r5, 0;
  @%p st.shared.u32 [word], %r0;
  {}
  ld.shared.u32 %r1, [word]; add.s32 %r1, %r1, %r3;
  ld.param.u64 %d0, [to]; mul.wide.u32 %d1, %r0, 4; add.s64 %d0, %d0, %d1; st.global.u32 [%d0], %r1;
  ret;
}})",
                     barrier);
}

void checkHandOver(const std::string &barrier, uint32_t expected) {
  TestModule module(handOver(barrier));
  ASSERT_TRUE(module) << barrier;
  uint64_t to = module.allocate(512);
  EXPECT_EQ(module.faultOf("k", {.block = {128, 1, 1}}, to), "") << barrier;
  EXPECT_EQ(module.download<uint32_t>(to, 128), std::vector<uint32_t>(128, expected)) << barrier;
}

TEST(Barriers, OfABlock) {
  for (const char *barrier : {"bar.sync 0;", "bar.cta.sync 3, 128;", "barrier.sync 1;",
                              "barrier.cta.sync.aligned 15, %r4;", "barrier.sync %r5;"})
    checkHandOver(barrier, 96);
  checkHandOver("bar.red.popc.u32 %r3, 2, %v;", 96 + 100);
  checkHandOver("barrier.red.popc.aligned.u32 %r3, 2, 128, !%v;", 96 + 28);
  checkHandOver("bar.red.and.pred %q, 2, %v; @%q mov.u32 %r3, 1000;", 96);
  checkHandOver("bar.red.or.pred %q, 2, %p; @%q mov.u32 %r3, 1000;", 1096);
  checkHandOver("barrier.red.and.pred %q, 2, %v; @!%q mov.u32 %r3, 1000;", 1096);
  checkHandOver("barrier.red.or.aligned.pred %q, 2, 128, %p; @%q mov.u32 %r3, 1000;", 1096);
}

TEST(Barriers, ProducersArriveAndConsumersWait) {
  const char *body = "setp.ge.u32 %q, %r0, 96;\n@%q bra PRODUCE;\n{};\nbra GO;\nPRODUCE: {};\nGO: bar.sync 0;";
  for (const auto &[wait, arrive] : {std::pair{"bar.sync 1, 128", "bar.arrive 1, 128"},
                                     std::pair{"barrier.sync 1, 128", "barrier.arrive.aligned 1, 128"}})
    checkHandOver(fmt::format(fmt::runtime(body), wait, arrive), 96);
}

TEST(Barriers, PartialWarpsAndExitedThreads) {
  TestModule module(R"(
.visible .entry k(.param .u64 to) {
  .shared .align 4 .b8 words[400]; .reg .pred %p; .reg .b32 %r<6>; .reg .b64 %d<3>;
  mov.u32 %r0, %tid.x; setp.ge.u32 %p, %r0, 70; @%p exit;
  shl.b32 %r1, %r0, 2; mov.u32 %r2, words; add.s32 %r1, %r1, %r2; st.shared.u32 [%r1], %r0;
  bar.sync 0;
  sub.s32 %r3, 69, %r0; shl.b32 %r3, %r3, 2; add.s32 %r3, %r3, %r2; ld.shared.u32 %r4, [%r3];
  ld.param.u64 %d0, [to]; mul.wide.u32 %d1, %r0, 4; add.s64 %d0, %d0, %d1; st.global.u32 [%d0], %r4;
  ret;
})");
  ASSERT_TRUE(module);
  uint64_t to = module.allocate(400);
  EXPECT_EQ(module.faultOf("k", {.block = {75, 1, 1}}, to), "");
  std::vector<uint32_t> expected(70);
  for (uint32_t thread = 0; thread < 70; ++thread)
    expected[thread] = 69 - thread;
  EXPECT_EQ(module.download<uint32_t>(to, 70), expected);
}

TEST(Barriers, OfAWarp) {
  LaneProgram program;
  program.output(Type::B32);
  Outputs out = program.run("bar.warp.sync -1;\nbar.warp.sync 0xffffffff;\nactivemask.b32 %out0;");
  EXPECT_EQ(out[0][0], 0xffffffffu);
}

TEST(Barriers, OfAClusterWithDistributedSharedMemory) {
  for (const auto &[arrive, wait] :
       {std::pair{"barrier.cluster.arrive", "barrier.cluster.wait"},
        std::pair{"barrier.cluster.arrive.release.aligned", "barrier.cluster.wait.acquire.aligned"}}) {
    TestModule module(fmt::format(R"(
.visible .entry k(.param .u64 to) {{
  .shared .align 4 .b8 words[128]; .reg .b32 %r<10>; .reg .b64 %d<4>; .reg .pred %p;
  mov.u32 %r0, %tid.x; mov.u32 %r1, %cluster_ctarank; mov.u32 %r2, %cluster_nctarank;
  shl.b32 %r3, %r0, 2; mov.u32 %r4, words; add.s32 %r3, %r3, %r4;
  mad.lo.u32 %r5, %r1, 100, %r0; st.shared.u32 [%r3], %r5;
  {0}; {1};
  add.s32 %r6, %r1, 1; rem.u32 %r6, %r6, %r2; mapa.shared::cluster.u32 %r7, %r3, %r6;
  ld.shared::cluster.u32 %r8, [%r7];
  cvt.u64.u32 %d2, %r3; cvta.shared.u64 %d2, %d2; mapa.u64 %d3, %d2, %r6; ld.u32 %r9, [%d3]; add.s32 %r8, %r8, %r9;
  getctarank.shared::cluster.u32 %r9, %r7; mad.lo.u32 %r8, %r9, 10000, %r8; getctarank.u64 %r9, %d3; mad.lo.u32 %r8, %r9, 10000, %r8;
  barrier.cluster.arrive.relaxed; {1};
  mov.u32 %r9, %ctaid.x; mad.lo.u32 %r9, %r9, 32, %r0; ld.param.u64 %d0, [to]; mul.wide.u32 %d1, %r9, 4; add.s64 %d0, %d0, %d1;
  st.global.u32 [%d0], %r8; ret;
}})",
                                  arrive, wait));
    ASSERT_TRUE(module);
    uint64_t to = module.allocate(8 * 128);
    EXPECT_EQ(module.faultOf("k", {.grid = {8, 1, 1}, .block = {32, 1, 1}, .cluster = {4, 1, 1}}, to), "");
    std::vector<uint32_t> got = module.download<uint32_t>(to, 256);
    for (uint32_t block = 0; block < 8; ++block)
      for (uint32_t thread = 0; thread < 32; ++thread) {
        uint32_t other = (block + 1) % 4;
        EXPECT_EQ(got[block * 32 + thread], 2 * (other * 100 + thread) + 20000 * other) << block << " " << thread;
      }
  }
}

TEST(Barriers, Fences) {
  LaneProgram program;
  program.output(Type::B32);
  std::string body;
  for (const char *fence : {"membar.cta", "membar.gl", "membar.sys", "fence.sc.gpu", "fence.acq_rel.cta",
                            "fence.acquire.sys", "fence.release.cluster", "fence.gpu"})
    body += std::string(fence) + ";\n";
  Outputs out = program.run(body + "mov.b32 %out0, 5;");
  EXPECT_EQ(out[0][0], 5u);
}

TEST(Addresses, SpacesAreToldApart) {
  LaneProgram program;
  program.moduleScope = ".global .b32 g; .const .b32 c = 3; .shared .b32 s;";
  program.declarations = ".local .b32 l;";
  for (int index = 0; index < 8; ++index)
    program.output(Type::Pred);
  for (int index = 0; index < 3; ++index)
    program.output(Type::B32);
  Outputs out = program.run(R"(
.reg .b64 %g, %c, %s, %l; .reg .b32 %x; .reg .b64 %t;
mov.u64 %g, g; cvta.global.u64 %g, %g; mov.u64 %c, c; cvta.const.u64 %c, %c; mov.u32 %x, s; cvt.u64.u32 %s, %x;
cvta.shared.u64 %s, %s; mov.u64 %l, l; cvta.local.u64 %l, %l;
isspacep.global %out0, %g; isspacep.shared %out1, %s; isspacep.local %out2, %l; isspacep.const %out3, %c;
isspacep.shared %out4, %g; isspacep.const %out5, %g; isspacep.local %out6, %s; isspacep.shared::cta %out7, %s;
st.u32 [%g], 11; st.u32 [%s], 22; st.u32 [%l], 33;
cvta.to.global.u64 %t, %g; ld.global.u32 %out8, [%t];
cvta.to.shared.u64 %t, %s; cvt.u32.u64 %x, %t; ld.shared.u32 %out9, [%x];
cvta.to.local.u64 %t, %l; ld.local.u32 %out10, [%t];
prefetch.global.L1 [%g]; prefetch.L2 [%g]; prefetchu.L1 [%g]; prefetch.global.L2::evict_last [%g];
)");
  const uint64_t expected[] = {1, 1, 1, 1, 0, 0, 0, 1, 11, 22, 33};
  for (size_t index = 0; index < 11; ++index)
    EXPECT_EQ(out[index][4], expected[index]) << index;
}

} // namespace
} // namespace glm::ptx::test
