// Planted bugs, each reported by the right check with its place; and the same programs without them, which report nothing.
#include "test/runtime/ptx/harness/Harness.h"

#include <fmt/format.h>

namespace glm::ptx::test {
namespace {

using testing::Test;

/// A kernel of 64 threads with a tile of shared memory, and its registers ready.
std::string kernel(const std::string &body) {
  return fmt::format(R"(
.visible .entry k(.param .u64 memory) {{
  .shared .align 16 .b8 tile[256]; .reg .b32 %r<10>; .reg .b64 %d<6>; .reg .pred %p, %q;
  ld.param.u64 %d0, [memory]; mov.u32 %r0, %tid.x; shl.b32 %r1, %r0, 2; mov.u32 %r2, tile; add.s32 %r3, %r2, %r1;
  mul.wide.u32 %d1, %r0, 4; add.s64 %d2, %d0, %d1; sub.s32 %r4, 252, %r1; add.s32 %r4, %r4, %r2;
{}
  ret;
}})",
                     body);
}

struct Report {
  std::string message;
  LaunchFault::Kind kind = LaunchFault::Kind::LaunchFailed;
};

Report run(const std::string &body, LaunchConfig config = {.block = {64, 1, 1}}) {
  TestModule module(kernel(body));
  if (!module)
    return {"did not load"};
  uint64_t memory = module.allocate(256);
  std::optional<LaunchFault> fault = module.launch("k", config, memory);
  return fault ? Report{fault->message, fault->kind} : Report{};
}

void expectReport(const std::string &body, std::initializer_list<const char *> parts,
                  LaunchFault::Kind kind = LaunchFault::Kind::LaunchFailed) {
  Report report = run(body);
  for (const char *part : parts)
    EXPECT_NE(report.message.find(part), std::string::npos) << "expected '" << part << "' in: " << report.message;
  EXPECT_EQ(report.kind, kind);
}

TEST(Checks, MissingBarrier) {
  EXPECT_EQ(run("st.shared.u32 [%r3], %r0;\nbar.sync 0;\nld.shared.u32 %r5, [%r4];").message, "");
  expectReport("st.shared.u32 [%r3], %r0;\nld.shared.u32 %r5, [%r4];",
               {"kernel k, block (0,0,0), warp 0", "test.ptx:10", "must be written before it is read"});
  expectReport("st.shared.u32 [%r3], %r0;\nbar.sync 0;\nld.shared.u32 %r5, [%r4];\nst.shared.u32 [%r3], %r5;",
               {"warp 0, lane 0, test.ptx:11", "must be read after a barrier", "a write by warp 1, lane 31, line 12"});
  expectReport("setp.lt.u32 %p, %r0, 32;\nst.shared.u32 [%r3], %r0;\n@!%p st.shared.u32 [%r4], %r0;",
               {"warp 1, lane 0, test.ptx:11", "a write by warp 0, lane 31, line 10"});
}

TEST(Checks, ArrivalAtTheNextBarrierOrdersNothingForThoseThatLeaveThisOne) {
  // The last warp to arrive goes on first, and is at the second barrier before the other leaves the first.
  auto with = [](const char *between) {
    return fmt::format("st.shared.u32 [%r3], %r0;\nbar.sync 0;\nld.shared.u32 %r5, [%r4];\n{}add.u32 %r5, %r5, 1;\n"
                       "st.shared.u32 [%r3], %r5;\nbar.sync 0;\nld.shared.u32 %r5, [%r4];",
                       between);
  };
  EXPECT_EQ(run(with("bar.sync 0;\n")).message, "");
  expectReport(with(""),
               {"warp 0, lane 0, test.ptx:11", "must be read after a barrier", "a write by warp 1, lane 31, line 13"});
}

TEST(Checks, ArrivalAtTheNextClusterBarrierOrdersNothingForThoseThatLeaveThisOne) {
  auto with = [](const char *between) {
    return fmt::format("barrier.cluster.arrive;\nbarrier.cluster.wait;\nst.shared.u32 [%r3], %r0;\n"
                       "barrier.cluster.arrive;\nbarrier.cluster.wait;\nld.shared.u32 %r5, [%r4];\n{}"
                       "add.u32 %r5, %r5, 1;\nst.shared.u32 [%r3], %r5;\nbarrier.cluster.arrive;\n"
                       "barrier.cluster.wait;\nld.shared.u32 %r5, [%r4];",
                       between);
  };
  EXPECT_EQ(run(with("barrier.cluster.arrive;\nbarrier.cluster.wait;\n")).message, "");
  expectReport(with(""), {"test.ptx:14", "must be read after a barrier", "a write by warp", "line 16"});
}

TEST(Checks, BarrierOfAnotherNumberOrdersNothing) {
  expectReport("setp.lt.u32 %p, %r0, 32;\nst.shared.u32 [%r3], %r0;\n@%p bar.sync 1, 32;\n@!%p bar.sync 2, 32;\n"
               "@!%p ld.shared.u32 %r5, [%r4];",
               {"warp 1", "test.ptx:13", "by warp 0"});
}

TEST(Checks, FlagsOrderWhatAFenceMadeVisible) {
  // Warp 0 leaves values and raises a flag, warp 1 waits for the flag and takes them.
  const char *program = "setp.lt.u32 %p, %r0, 32;\n@!%p st.shared.u32 [%r3], 0;\nbar.sync 0;\n@!%p bra TAKE;\n"
                        "st.shared.u32 [%r3], %r0;\nFENCE;\nst.volatile.shared.u32 [tile+128], 1;\nbra END;\n"
                        "TAKE: ld.volatile.shared.u32 %r5, [tile+128];\nsetp.eq.u32 %q, %r5, 0;\n@%q bra TAKE;\n"
                        "ld.shared.u32 %r6, [%r4];\nEND:";
  auto with = [&](const char *fence) {
    std::string text = program;
    return text.replace(text.find("FENCE"), 5, fence);
  };
  for (const char *fence : {"membar.cta", "fence.acq_rel.cta", "fence.sc.gpu"})
    EXPECT_EQ(run(with(fence)).message, "") << fence;
  expectReport(with("mov.u32 %r7, 0"), {"test.ptx:20", "must be read after a barrier", "a write by warp 0", "line 13"});
}

TEST(Checks, SameValueByManyIsNoRace) {
  EXPECT_EQ(run("st.shared.u32 [tile], 1;\nbar.sync 0;\nld.shared.u32 %r5, [tile];").message, "");
}

TEST(Checks, AtomicsDoNotRace) {
  EXPECT_EQ(run("setp.eq.u32 %p, %r0, 0;\n@%p st.shared.u32 [tile], 0;\nbar.sync 0;\nred.shared.add.u32 [tile], 1;\n"
                "bar.sync 0;\nld.shared.u32 %r5, [tile];")
                .message,
            "");
  expectReport("setp.eq.u32 %p, %r0, 0;\n@%p st.shared.u32 [tile], 0;\nbar.sync 0;\nred.shared.add.u32 [tile], 1;\n"
               "ld.shared.u32 %r5, [tile];",
               {"after a barrier", "without one"});
  // The first warp adds to its own zero before the other does: that zero is not an atomic write for all that.
  expectReport(
      "setp.eq.u32 %p, %r0, 0;\n@%p st.shared.u32 [tile], 0;\nred.shared.add.u32 [tile], 1;",
      {"warp 1, lane 0, test.ptx:11", "must be written after a barrier", "a write by warp 0, lane 0, line 10"});
}

TEST(Checks, NarrowWritesOfNeighboursAreNoRace) {
  EXPECT_EQ(run("add.s32 %r6, %r2, %r0;\nst.shared.u8 [%r6], %r0;\nbar.sync 0;\nld.shared.u8 %r5, [%r6];").message, "");
}

TEST(Checks, OffByOne) {
  expectReport("ld.global.u32 %r5, [%d2+4];", {"warp 1, lane 31, test.ptx:9", "allocation of 256 bytes"},
               LaunchFault::Kind::IllegalAddress);
  expectReport("st.shared.u32 [%r3+4], %r0;", {"warp 1, lane 31, test.ptx:9", "shared memory must be written within"},
               LaunchFault::Kind::IllegalAddress);
  expectReport("mov.b64 %d3, 16;\nld.global.u32 %r5, [%d3];", {"lane 0, test.ptx:10"},
               LaunchFault::Kind::IllegalAddress);
  expectReport("ld.shared::cluster.u32 %r5, [%r3+16777216];", {"must name a block of the cluster"},
               LaunchFault::Kind::IllegalAddress);
}

TEST(Checks, UnalignedVectorLoad) {
  EXPECT_EQ(run("ld.global.v2.u32 {%r5, %r6}, [%d0+8];").message, "");
  expectReport("ld.global.v4.u32 {%r5, %r6, %r7, %r8}, [%d0+8];", {"lane 0, test.ptx:9", "must be a multiple of 16"},
               LaunchFault::Kind::MisalignedAddress);
  expectReport("st.shared.u32 [%r3+2], %r0;", {"must be a multiple of 4"}, LaunchFault::Kind::MisalignedAddress);
}

TEST(Checks, ShuffleFromAnInactiveLane) {
  EXPECT_EQ(run("shfl.sync.down.b32 %r5, %r0, 1, 31, -1;").message, "");
  expectReport("setp.gt.u32 %p, %r0, 10;\n@%p exit;\nshfl.sync.down.b32 %r5, %r0, 1, 31, -1;",
               {"warp 0, lane 10, test.ptx:11", "lane 11, which has exited"});
  expectReport("setp.lt.u32 %p, %r0, 16;\n@%p shfl.sync.idx.b32 %r5, %r0, 20, 31, 0xffff;",
               {"lane 20, which does not"});
  expectReport("shfl.sync.idx.b32 %r5, %r0, 0, 31, 1;", {"member mask must name every lane"});
}

TEST(Checks, LanesThatNeverCome) {
  expectReport("setp.lt.u32 %p, %r0, 16;\n@%p bra A;\nbar.warp.sync -1;\nbra B;\nA: bar.sync 0;\nB: mov.u32 %r5, 1;",
               {"waiting", "test.ptx:11", "test.ptx:13"}, LaunchFault::Kind::LaunchTimeout);
}

TEST(Checks, BarrierDivergence) {
  expectReport("setp.lt.u32 %p, %r0, 16;\n@%p bra A;\nbar.sync 0;\nbra B;\nA: bar.sync 0;\nB: mov.u32 %r5, 1;",
               {"lanes", "test.ptx:11", "test.ptx:13"}, LaunchFault::Kind::LaunchTimeout);
  expectReport("setp.lt.u32 %p, %r0, 16;\n@%p bar.sync 0;", {"test.ptx:10", "guard false in lanes 0xffff0000"});
}

TEST(Checks, DeadlockNamesEveryWarp) {
  expectReport("setp.lt.u32 %p, %r0, 32;\n@%p bar.sync 1, 64;\n@!%p bar.sync 2, 64;",
               {"barrier 1: 32 of 64 threads arrived", "barrier 2: 32 of 64 threads arrived", "warp 0", "warp 1"},
               LaunchFault::Kind::LaunchTimeout);
}

TEST(Checks, UninitializedRegister) {
  expectReport("setp.lt.u32 %p, %r0, 7;\n@%p mov.u32 %r5, 1;\nadd.s32 %r6, %r5, 1;",
               {"warp 0, lane 7, test.ptx:11", "register %r5 must hold a value"});
  // Copies pass it on: compilers copy what they do not use.
  EXPECT_EQ(run("setp.lt.u32 %p, %r0, 7;\n@%p mov.u32 %r5, 1;\nmov.u32 %r6, %r5;\n@%p add.s32 %r7, %r6, 1;").message,
            "");
}

TEST(Checks, StepLimit) {
  TestModule module(kernel("LOOP: bra LOOP;"));
  ASSERT_TRUE(module);
  module.options.stepLimit = 100000;
  uint64_t memory = module.allocate(256);
  std::optional<LaunchFault> fault = module.launch("k", {.block = {64, 1, 1}}, memory);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->kind, LaunchFault::Kind::LaunchTimeout);
  EXPECT_NE(fault->message.find("within 100000 warp instructions"), std::string::npos) << fault->message;
  EXPECT_NE(fault->message.find("test.ptx:9"), std::string::npos) << fault->message;
}

TEST(Checks, CanBeTurnedOffButBoundsCannot) {
  TestModule module(
      kernel("setp.lt.u32 %p, %r0, 7;\n@%p mov.u32 %r5, 1;\nadd.s32 %r6, %r5, 1;\nst.shared.u32 [%r3], %r0;\n"
             "ld.shared.u32 %r5, [%r4];\nld.global.u32 %r5, [%d2+4];"));
  ASSERT_TRUE(module);
  module.options.checks = false;
  uint64_t memory = module.allocate(256);
  std::string message = module.faultOf("k", {.block = {64, 1, 1}}, memory);
  EXPECT_NE(message.find("test.ptx:14"), std::string::npos) << message;
}

TEST(Checks, SourceLinesAreNamed) {
  TestModule module(".file 1 \"a.cu\"\n" + kernel(".loc 1 42 0\nld.global.u32 %r5, [%d2+4];"));
  ASSERT_TRUE(module);
  uint64_t memory = module.allocate(256);
  std::string message = module.faultOf("k", {.block = {64, 1, 1}}, memory);
  EXPECT_NE(message.find("test.ptx:11 (source a.cu:42)"), std::string::npos) << message;
}

} // namespace
} // namespace glm::ptx::test
