#include "test/runtime/ptx/async/Kernel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace glm::ptx {
namespace {

using test::run;
using test::waitFor;

/// Thread 0 sets up bars[0] for `count` arrivals; all threads wait for it.
std::string initialized(uint32_t count) {
  return fmt::format(R"(
  setp.eq.u32 %p1, %r0, 0;
  @%p1 mbarrier.init.shared.b64 [bars], {};
  bar.sync 0;
)",
                     count);
}

test::Arguments with(const test::Memory &out) { return {{out.address(), 0, 0, 0}, {}}; }

TEST(MbarrierFormsTest, everyThreadArrivesAndWaits) {
  // 64 threads write shared memory, arrive, wait for the phase and read what the other warp wrote; twice.
  for (std::string_view arrive :
       {"mbarrier.arrive.shared.b64 %d20, [%r4];", "mbarrier.arrive.shared::cta.b64 %d20, [%r4];",
        "mbarrier.arrive.shared::cta.b64 _, [%r4];", "mbarrier.arrive.release.cta.shared::cta.b64 %d20, [%r4], 1;",
        "mbarrier.arrive.release.cluster.shared::cta.b64 %d20, [%r4];", "mbarrier.arrive.shared::cluster.b64 _, [%r4];",
        "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r4], 1;", "mbarrier.arrive.b64 %d20, [%d21];"}) {
    test::Memory out(4 * 64);
    std::string body = initialized(64) + R"(
  cvt.u64.u32 %d21, %r4;
  cvta.shared.u64 %d21, %d21;
  mov.b32 %r20, 0;
again:
  shl.b32 %r10, %r0, 2;
  add.u32 %r10, %r3, %r10;
  add.u32 %r11, %r0, %r20;
  st.shared.u32 [%r10], %r11;
)" + std::string(arrive) +
                       waitFor("%r4", "%r20", "a") +
                       R"(
  xor.b32 %r12, %r0, 32;
  shl.b32 %r12, %r12, 2;
  add.u32 %r12, %r3, %r12;
  ld.shared.u32 %r13, [%r12];
  bar.sync 0;
  add.u32 %r20, %r20, 1;
  setp.lt.u32 %p2, %r20, 2;
  @%p2 bra again;
  mul.wide.u32 %d10, %r0, 4;
  add.u64 %d10, %d0, %d10;
  st.global.u32 [%d10], %r13;
)";
    ASSERT_EQ(run(body, {.block = 64}, with(out)), "") << arrive;
    for (uint32_t i = 0; i < 64; ++i)
      ASSERT_EQ(out.as<uint32_t>()[i], (i ^ 32) + 1) << arrive;
  }
}

TEST(MbarrierFormsTest, aRelaxedArrivalOrdersNothing) {
  test::Memory out(256);
  std::string body = initialized(64) + R"(
  shl.b32 %r10, %r0, 2;
  add.u32 %r10, %r3, %r10;
  st.shared.u32 [%r10], %r0;
  mbarrier.arrive.relaxed.cluster.shared::cta.b64 %d20, [%r4];
)" + waitFor("%r4", "0", "a") +
                     R"(
  xor.b32 %r12, %r10, 128;
  ld.shared.u32 %r13, [%r12];
)";
  std::string fault = run(body, {.block = 64}, with(out));
  EXPECT_NE(fault.find("after a barrier that orders it"), std::string::npos) << fault;
}

TEST(MbarrierFormsTest, anArrivalAtTheNextPhaseOrdersNothingForThoseThatLeaveThisOne) {
  // Two warps swap values, twice; the first to leave the first phase must not write before the other has read.
  auto with = [](const char *between) {
    return initialized(64) +
           "shl.b32 %r10, %r0, 2;\nadd.u32 %r10, %r3, %r10;\nxor.b32 %r11, %r10, 128;\n"
           "st.shared.u32 [%r10], %r0;\nmbarrier.arrive.shared.b64 _, [bars];\n" +
           waitFor("%r4", "0", "a") + "ld.shared.u32 %r12, [%r11];\n" + between +
           "add.u32 %r12, %r12, 1;\nst.shared.u32 [%r10], %r12;\nmbarrier.arrive.shared.b64 _, [bars];\n" +
           waitFor("%r4", "1", "b") + "ld.shared.u32 %r12, [%r11];\n";
  };
  EXPECT_EQ(run(with("bar.sync 0;\n"), {.block = 64}), "");
  EXPECT_NE(run(with(""), {.block = 64}).find("must be read after a barrier that orders it with the other write"),
            std::string::npos);
}

TEST(MbarrierFormsTest, whoWaitsForAPhaseComesAfterThePhasesBeforeIt) {
  // Warp 0 writes and ends phase 0, warp 1 ends phase 1 without having acquired anything, warp 2 waits for that one alone. The
  // flag, without a fence, orders nothing.
  std::string relaxed = waitFor("%r4", "0", "a");
  relaxed.insert(relaxed.find(".parity") + 7, ".relaxed.cta");
  std::string body = "st.shared.u32 [smem+64], 0;\n" + initialized(32) +
                     "setp.ge.u32 %p2, %r0, 64;\n@%p2 bra last;\nsetp.ge.u32 %p2, %r0, 32;\n@%p2 bra second;\n"
                     "st.shared.u32 [smem], 7;\nmbarrier.arrive.shared.b64 _, [bars];\nbra end;\nsecond:\n" +
                     relaxed +
                     "mbarrier.arrive.shared.b64 _, [bars];\nst.volatile.shared.u32 [smem+64], 1;\nbra end;\nlast:\n"
                     "ld.volatile.shared.u32 %r12, [smem+64];\nsetp.eq.u32 %p2, %r12, 0;\n@%p2 bra last;\n" +
                     waitFor("%r4", "1", "b") + "ld.shared.u32 %r12, [smem];\nend:\n";
  EXPECT_EQ(run(body, {.block = 96}), "");
}

TEST(MbarrierFormsTest, aUseMustComeAfterTheInitialization) {
  std::string unordered = initialized(64);
  unordered.erase(unordered.find("bar.sync 0;"), 11);
  std::string use = "mbarrier.arrive.shared.b64 _, [bars];\n";
  EXPECT_EQ(run(initialized(64) + use, {.block = 64}), "");
  std::string report = run(unordered + use, {.block = 64});
  EXPECT_NE(report.find("must be used after a barrier that orders it with its mbarrier.init, but found that of warp 0"),
            std::string::npos)
      << report;
}

TEST(MbarrierFormsTest, aFenceOfInitializationsNeedsNoReleaseOfTheClusterBarrier) {
  auto with = [](const char *fence) {
    return std::string("setp.eq.u32 %p1, %r0, 0;\n@%p1 mbarrier.init.shared.b64 [bars], 1;\n") + fence +
           "barrier.cluster.arrive.relaxed;\nbarrier.cluster.wait.acquire;\nsetp.eq.u32 %p1, %r0, 32;\n"
           "@%p1 mbarrier.arrive.shared.b64 _, [bars];\n";
  };
  EXPECT_EQ(run(with("@%p1 fence.mbarrier_init.release.cluster;\n"), {.block = 64}), "");
  EXPECT_NE(run(with(""), {.block = 64}).find("must be used after a barrier that orders it with its mbarrier.init"),
            std::string::npos);
}

TEST(MbarrierFormsTest, countsAndStates) {
  // One thread: init 7, arrive 3 (state: 7 pending), noComplete 2 (4), drop 1 (2), drop noComplete 0 is refused, arrive 1.
  test::Memory out(8 * 8);
  std::string body = initialized(7) + R"(
  cvt.u64.u32 %d21, %r4;
  cvta.shared.u64 %d21, %d21;
  mbarrier.arrive.shared.b64 %d20, [bars], 3;
  mbarrier.pending_count.b64 %r10, %d20;
  st.global.u32 [%d0], %r10;
  mbarrier.arrive.noComplete.shared.b64 %d22, [bars], 1;
  mbarrier.pending_count.b64 %r10, %d22;
  st.global.u32 [%d0+4], %r10;
  mbarrier.arrive_drop.noComplete.release.cta.shared::cta.b64 %d22, [bars], 1;
  mbarrier.pending_count.b64 %r10, %d22;
  st.global.u32 [%d0+8], %r10;
  mbarrier.test_wait.shared.b64 %p2, [bars], %d20;
  selp.u32 %r10, 1, 0, %p2;
  st.global.u32 [%d0+12], %r10;
  mbarrier.arrive_drop.b64 %d22, [%d21], 2;
  mbarrier.pending_count.b64 %r10, %d22;
  st.global.u32 [%d0+16], %r10;
  mbarrier.test_wait.b64 %p2, [%d21], %d20;
  selp.u32 %r10, 1, 0, %p2;
  st.global.u32 [%d0+20], %r10;
  mbarrier.arrive.shared.b64 %d22, [bars];
  mbarrier.pending_count.b64 %r10, %d22;
  st.global.u32 [%d0+24], %r10;
  mbarrier.inval.shared.b64 [bars];
)";
  ASSERT_EQ(run(body, {.block = 1}, with(out)), "");
  const uint32_t expected[] = {7, 4, 3, 0, 2, 1, 4};
  for (size_t i = 0; i < 7; ++i)
    EXPECT_EQ(out.as<uint32_t>()[i], expected[i]) << i;
}

TEST(MbarrierFormsTest, transactionsHoldAPhaseBack) {
  for (std::string_view expect :
       {"mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r4], 64;", "mbarrier.arrive.expect_tx.b64 %d20, [%d21], 64;",
        "mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 %d20, [%r4], 64;",
        "mbarrier.arrive.expect_tx.relaxed.cluster.shared::cluster.b64 _, [%r4], 64;",
        "mbarrier.arrive_drop.expect_tx.shared::cta.release.cta.b64 %d20, [%r4], 64;",
        "mbarrier.arrive_drop.expect_tx.shared::cta.b64 %d20, [%r4], 64;",
        "mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%r4], 64; mbarrier.arrive.shared.b64 _, [%r4];",
        "mbarrier.expect_tx.relaxed.cluster.shared::cluster.b64 [%r4], 64; mbarrier.arrive.shared.b64 _, [%r4];"}) {
    test::Memory out(16);
    std::string body =
        initialized(1) + "  cvt.u64.u32 %d21, %r4;\n  cvta.shared.u64 %d21, %d21;\n" + std::string(expect) + R"(
  mbarrier.test_wait.parity.shared.b64 %p2, [bars], 0;
  selp.u32 %r10, 1, 0, %p2;
  st.global.u32 [%d0], %r10;
  mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [bars], 48;
  mbarrier.test_wait.parity.acquire.cta.shared::cta.b64 %p2, [bars], 0;
  selp.u32 %r10, 1, 0, %p2;
  st.global.u32 [%d0+4], %r10;
  mbarrier.complete_tx.relaxed.cluster.shared::cluster.b64 [%r4], 16;
  mbarrier.try_wait.parity.relaxed.cluster.shared::cta.b64 %p2, [bars], 0, 1000;
  selp.u32 %r10, 1, 0, %p2;
  st.global.u32 [%d0+8], %r10;
)";
    ASSERT_EQ(run(body, {.block = 1}, with(out)), "") << expect;
    EXPECT_EQ(out.as<uint32_t>()[0], 0u);
    EXPECT_EQ(out.as<uint32_t>()[1], 0u);
    EXPECT_EQ(out.as<uint32_t>()[2], 1u);
  }
}

TEST(MbarrierFormsTest, waitsByState) {
  for (std::string_view wait : {"mbarrier.try_wait.shared::cta.b64 %p2, [bars], %d20;",
                                "mbarrier.try_wait.acquire.cta.shared::cta.b64 %p2, [bars], %d20, 100;",
                                "mbarrier.try_wait.b64 %p2, [%d21], %d20;",
                                "mbarrier.test_wait.acquire.cluster.shared::cta.b64 %p2, [bars], %d20;",
                                "mbarrier.test_wait.relaxed.cta.shared::cta.b64 %p2, [bars], %d20;"}) {
    test::Memory out(4);
    std::string body = initialized(32) + R"(
  cvt.u64.u32 %d21, %r4;
  cvta.shared.u64 %d21, %d21;
  mbarrier.arrive.shared.b64 %d20, [bars];
wait:
)" + std::string(wait) +
                       R"(
  @!%p2 bra wait;
  atom.global.add.u32 %r10, [%d0], 1;
)";
    out.as<uint32_t>()[0] = 0;
    ASSERT_EQ(run(body, {}, with(out)), "") << wait;
    EXPECT_EQ(out.as<uint32_t>()[0], 32u);
  }
}

TEST(MbarrierFormsTest, aTryWaitThatCannotSucceedAnswersFalse) {
  // One thread peeks at a phase that only it can complete: it must get an answer, complete the phase and go on.
  test::Memory out(8);
  std::string body = initialized(1) + R"(
  mbarrier.try_wait.parity.shared.b64 %p2, [bars], 0;
  selp.u32 %r10, 1, 0, %p2;
  st.global.u32 [%d0], %r10;
  mbarrier.arrive.shared.b64 _, [bars];
)" + waitFor("%r4", "0", "a") +
                     "  st.global.u32 [%d0+4], 5;\n";
  ASSERT_EQ(run(body, {.block = 1}, with(out)), "");
  EXPECT_EQ(out.as<uint32_t>()[0], 0u);
  EXPECT_EQ(out.as<uint32_t>()[1], 5u);
}

TEST(MbarrierFormsTest, blocksOfAClusterArriveAtTheFirst) {
  // Blocks 1 to 3 write shared memory of block 0 and arrive at its mbarrier; block 0 waits and reads.
  test::Memory out(16);
  std::string body = R"(
  setp.eq.u32 %p1, %r2, 0;
  @%p1 mbarrier.init.shared.b64 [bars], 3;
  barrier.cluster.arrive.release;
  barrier.cluster.wait.acquire;
  mapa.shared::cluster.u32 %r10, %r3, 0;
  mapa.shared::cluster.u32 %r11, %r4, 0;
  shl.b32 %r12, %r2, 2;
  add.u32 %r10, %r10, %r12;
  @%p1 bra first;
  add.u32 %r13, %r2, 100;
  st.shared::cluster.u32 [%r10], %r13;
  mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r11];
  bra end;
first:
)" + waitFor("%r4", "0", "a") +
                     R"(
  ld.shared.u32 %r20, [smem+4];
  ld.shared.u32 %r21, [smem+8];
  ld.shared.u32 %r22, [smem+12];
  st.global.u32 [%d0], %r20;
  st.global.u32 [%d0+4], %r21;
  st.global.u32 [%d0+8], %r22;
end:
  barrier.cluster.arrive.release;
  barrier.cluster.wait.acquire;
)";
  ASSERT_EQ(run(body, {.grid = 4, .block = 1, .cluster = 4}, with(out)), "");
  for (uint32_t i = 0; i < 3; ++i)
    EXPECT_EQ(out.as<uint32_t>()[i], 101 + i);
}

TEST(MbarrierFormsTest, aShortTransactionCountIsADeadlockThatSaysSo) {
  // The producer expects 4096 bytes and completes 4080.
  std::string body = initialized(1) + R"(
  @%p1 mbarrier.arrive.expect_tx.shared.b64 _, [bars], 4096;
  @%p1 mbarrier.complete_tx.shared::cta.b64 [bars], 4080;
)" + waitFor("%r4", "0", "a");
  std::string fault = run(body, {.block = 64});
  EXPECT_NE(fault.find("phase parity 0, 0 of 1 arrivals pending, 16 bytes of transactions outstanding"),
            std::string::npos)
      << fault;
  EXPECT_NE(fault.find("warp 1"), std::string::npos) << fault;
}

TEST(MbarrierFormsTest, aPollThatNothingWillAnswerIsADeadlock) {
  std::string body = initialized(2) + R"(
  @%p1 mbarrier.arrive.shared.b64 _, [bars];
poll:
  mbarrier.test_wait.parity.shared.b64 %p2, [bars], 0;
  @!%p2 bra poll;
)";
  std::string fault = run(body, {.block = 1});
  EXPECT_NE(fault.find("1 of 2 arrivals pending"), std::string::npos) << fault;
}

TEST(MbarrierFormsTest, misuseIsReported) {
  EXPECT_NE(run("mbarrier.arrive.shared.b64 _, [bars];\n", {.block = 1}).find("must be written before it is read"),
            std::string::npos);
  EXPECT_NE(run("st.shared.u64 [bars], 5;\nmbarrier.arrive.shared.b64 _, [bars];\n", {.block = 1})
                .find("must be initialized, but found 0x0000000000000005"),
            std::string::npos);
  EXPECT_NE(run("mov.b32 %r10, 0;\nmbarrier.init.shared.b64 [bars], %r10;\n", {.block = 1})
                .find("must have a count from 1 to 1048575, but found 0"),
            std::string::npos);
  EXPECT_NE(run(initialized(2) + "mbarrier.arrive.shared.b64 _, [bars], 3;\n", {.block = 1})
                .find("arrives at most 2 more times in this phase, but found 3"),
            std::string::npos);
  EXPECT_NE(run("mbarrier.init.shared.b64 [bars+4], 1;\n", {.block = 1}).find("must be a multiple of 8"),
            std::string::npos);
  EXPECT_NE(
      run("mbarrier.init.b64 [%d0], 1;\n", {.block = 1}, {{4096, 0, 0, 0}, {}}).find("must be one of shared memory"),
      std::string::npos);
  EXPECT_NE(run(initialized(1) + "mbarrier.inval.shared::cta.b64 [bars];\nmbarrier.arrive.shared.b64 _, [bars];\n",
                {.block = 1})
                .find("must be initialized, but found 0x0000000000000000"),
            std::string::npos);
}

TEST(MbarrierFormsTest, illegalSpellingsAreRefused) {
  EXPECT_NE(test::whyRefused("mbarrier.init.shared::cluster.b64 [%r4], 1;"), "");
  EXPECT_NE(test::whyRefused("mbarrier.arrive.shared::cluster.b64 %d20, [%r4];")
                .find("gives no state of an mbarrier in .shared::cluster"),
            std::string::npos);
  EXPECT_NE(test::whyRefused("mbarrier.test_wait.parity.shared::cluster.b64 %p1, [%r4], 0;"), "");
  EXPECT_NE(test::whyRefused("mbarrier.init.b64 [bars], 1;").find("takes a generic address"), std::string::npos);
  EXPECT_NE(test::whyRefused("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%r4], 64;", "sm_90a", "7.8"), "");
}

} // namespace
} // namespace glm::ptx
