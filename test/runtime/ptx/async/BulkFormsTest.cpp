#include "test/runtime/ptx/async/Kernel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

namespace glm::ptx {
namespace {

using test::run;
using test::waitFor;

struct Data {
  test::Memory in{4096}, out{4096};

  explicit Data(uint32_t seed = 31) {
    std::mt19937 random(seed);
    for (uint8_t &byte : in.as<uint8_t>())
      byte = static_cast<uint8_t>(random());
    for (uint8_t &byte : out.as<uint8_t>())
      byte = static_cast<uint8_t>(random());
  }
  test::Arguments arguments() const { return {{in.address(), out.address(), 0, 0}, {}}; }
};

/// bars[0] for one arrival, in every block; %p1 is true for thread 0.
const std::string kStart = R"(
  setp.eq.u32 %p1, %r0, 0;
  @%p1 mbarrier.init.shared.b64 [bars], 1;
  @%p1 fence.mbarrier_init.release.cluster;
  bar.sync 0;
)";
/// Every thread of 32 stores 16 bytes of shared memory to the output, from byte 16 * thread on.
const std::string kStoreAll = R"(
  shl.b32 %r40, %r0, 4;
  add.u32 %r41, %r3, %r40;
  cvt.u64.u32 %d40, %r40;
  add.u64 %d40, %d1, %d40;
  ld.shared.v4.u32 {%r42, %r43, %r44, %r45}, [%r41];
  st.global.v4.u32 [%d40], {%r42, %r43, %r44, %r45};
)";
/// Every thread of 32 loads 16 bytes of the input into shared memory; visible to the async proxy afterwards.
std::string loadAll(std::string_view fence = "fence.proxy.async.shared::cta;") {
  return fmt::format(R"(
  shl.b32 %r40, %r0, 4;
  add.u32 %r41, %r3, %r40;
  cvt.u64.u32 %d40, %r40;
  add.u64 %d40, %d0, %d40;
  ld.global.v4.u32 {{%r42, %r43, %r44, %r45}}, [%d40];
  st.shared.v4.u32 [%r41], {{%r42, %r43, %r44, %r45}};
  {}
  bar.sync 0;
)",
                     fence);
}

TEST(BulkFormsTest, loadsCompleteOnAnMbarrier) {
  for (std::string_view copy :
       {"shared::cta.global.mbarrier::complete_tx::bytes [smem], [%d0+64], %r10, [bars];",
        "shared::cta.global.mbarrier::complete_tx::bytes.L2::cache_hint [smem], [%d0+64], %r10, [bars], %d2;",
        "shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%d0+64], 512, [%r4];",
        "shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%r3], [%d0+64], 512, [%r4], %d2;"}) {
    Data data;
    std::string body = kStart + "  mov.b32 %r10, 512;\n" +
                       fmt::format("  @%p1 mbarrier.arrive.expect_tx.shared.b64 _, [bars], 512;\n"
                                   "  @%p1 cp.async.bulk.{}\n",
                                   copy) +
                       waitFor("%r4", "0", "a") + kStoreAll;
    ASSERT_EQ(run(body, {}, data.arguments()), "") << copy;
    for (uint32_t i = 0; i < 512; ++i)
      ASSERT_EQ(data.out.as<uint8_t>()[i], data.in.as<uint8_t>()[64 + i]) << copy;
  }
}

TEST(BulkFormsTest, multicastReachesTheMaskedBlocks) {
  // Block 1 sends to blocks 0 and 3 of four; those wait on their own mbarriers.
  for (std::string_view hint : {"", ".L2::cache_hint"}) {
    Data data;
    std::string body = kStart +
                       fmt::format(R"(
  setp.eq.u32 %p2, %r2, 0;
  setp.eq.u32 %p3, %r2, 3;
  or.pred %p2, %p2, %p3;
  and.pred %p3, %p1, %p2;
  @%p3 mbarrier.arrive.expect_tx.shared.b64 _, [bars], 512;
  barrier.cluster.arrive.release;
  barrier.cluster.wait.acquire;
  setp.eq.and.u32 %p4, %r2, 1, %p1;
  mov.b16 %h1, 9;
  @%p4 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster{} [%r3], [%d0], 512, [%r4], %h1{};
  @!%p2 bra end;
)",
                                   hint, hint.empty() ? "" : ", %d2") +
                       waitFor("%r4", "0", "a") + R"(
  mul.wide.u32 %d41, %r2, 512;
  add.u64 %d1, %d1, %d41;
)" + kStoreAll + "end:\n  barrier.cluster.arrive.release;\n  barrier.cluster.wait.acquire;\n";
    std::vector<uint8_t> before(data.out.as<uint8_t>().begin(), data.out.as<uint8_t>().end());
    ASSERT_EQ(run(body, {.grid = 4, .cluster = 4}, data.arguments()), "");
    for (uint32_t i = 0; i < 2048; ++i) {
      bool isSent = i / 512 == 0 || i / 512 == 3;
      ASSERT_EQ(data.out.as<uint8_t>()[i], isSent ? data.in.as<uint8_t>()[i % 512] : before[i]) << i;
    }
  }
}

TEST(BulkFormsTest, storesCompleteByGroups) {
  for (std::string_view copy : {"bulk_group [%d1], [%r3], 512;", "bulk_group.L2::cache_hint [%d1], [smem], %r10, %d2;"})
    for (std::string_view wait : {"cp.async.bulk.wait_group 0;", "cp.async.bulk.wait_group.read 0;"}) {
      Data data;
      std::string body = "  mov.b32 %r10, 512;\n  setp.eq.u32 %p1, %r0, 0;\n" + loadAll() +
                         fmt::format("  @!%p1 bra end;\n  cp.async.bulk.global.shared::cta.{}\n"
                                     "  cp.async.bulk.commit_group;\n  {}\n  st.shared.u32 [smem], 1;\nend:\n",
                                     copy, wait);
      ASSERT_EQ(run(body, {}, data.arguments()), "") << copy << wait;
      for (uint32_t i = 0; i < 512; ++i)
        ASSERT_EQ(data.out.as<uint8_t>()[i], data.in.as<uint8_t>()[i]);
    }
}

// The guest's race and not the interpreter's: the thread sanitizer must not see it.
TEST(BulkFormsTest, blocksOfSeveralThreadsStoreTheSameBytes) {
  Data data;
  std::string body = "  setp.eq.u32 %p1, %r0, 0;\n" + loadAll() +
                     "  @!%p1 bra end;\n  cp.async.bulk.global.shared::cta.bulk_group [%d1], [%r3], 512;\n"
                     "  cp.async.bulk.commit_group;\n  cp.async.bulk.wait_group 0;\nend:\n";
  ASSERT_EQ(run(body, {.grid = 512, .threads = 3}, data.arguments()), "");
  EXPECT_TRUE(
      std::equal(data.in.as<uint8_t>().begin(), data.in.as<uint8_t>().begin() + 512, data.out.as<uint8_t>().begin()));
}

TEST(BulkFormsTest, readWaitsFreeTheSourceAndNoMore) {
  // After wait_group.read the result is not there yet; after wait_group it is.
  for (bool onlyRead : {false, true}) {
    Data data;
    uint32_t before = data.out.as<uint32_t>()[0];
    test::Memory seen(4);
    std::string body =
        "  setp.eq.u32 %p1, %r0, 0;\n" + loadAll() +
        fmt::format("  @!%p1 bra end;\n  cp.async.bulk.global.shared::cta.bulk_group [%d1], [%r3], 512;\n"
                    "  cp.async.bulk.commit_group;\n  cp.async.bulk.wait_group{} 0;\n"
                    "  ld.global.u32 %r20, [%d1];\n  st.global.u32 [%d2], %r20;\nend:\n",
                    onlyRead ? ".read" : "");
    ASSERT_EQ(run(body, {}, {{data.in.address(), data.out.address(), seen.address(), 0}, {}}), "");
    EXPECT_EQ(seen.as<uint32_t>()[0], onlyRead ? before : data.in.as<uint32_t>()[0]);
    EXPECT_EQ(data.out.as<uint32_t>()[0], data.in.as<uint32_t>()[0]);
  }
}

TEST(BulkFormsTest, masksChooseBytesOfSixteen) {
  for (std::string_view hint : {"", ".L2::cache_hint"}) {
    Data data;
    std::vector<uint8_t> before(data.out.as<uint8_t>().begin(), data.out.as<uint8_t>().end());
    std::string body = "  setp.eq.u32 %p1, %r0, 0;\n  mov.b16 %h1, 0x8f01;\n" + loadAll() +
                       fmt::format("  @!%p1 bra end;\n"
                                   "  cp.async.bulk.global.shared::cta.bulk_group{}.cp_mask [%d1], [%r3], 512{}, %h1;\n"
                                   "  cp.async.bulk.commit_group;\n  cp.async.bulk.wait_group 0;\nend:\n",
                                   hint, hint.empty() ? "" : ", %d2");
    ASSERT_EQ(run(body, {}, data.arguments()), "");
    for (uint32_t i = 0; i < 512; ++i)
      ASSERT_EQ(data.out.as<uint8_t>()[i], 0x8f01 >> i % 16 & 1 ? data.in.as<uint8_t>()[i] : before[i]) << i;
  }
}

TEST(BulkFormsTest, blocksSendToEachOther) {
  Data data;
  std::string body = kStart + "  @%p1 mbarrier.arrive.expect_tx.shared.b64 _, [bars], 512;\n" + loadAll() + R"(
  barrier.cluster.arrive.release;
  barrier.cluster.wait.acquire;
  xor.b32 %r10, %r2, 1;
  add.u32 %r11, %r3, 1024;
  mapa.shared::cluster.u32 %r12, %r11, %r10;
  mapa.shared::cluster.u32 %r13, %r4, %r10;
  @%p1 cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%r12], [%r3], 512, [%r13];
)" + waitFor("%r4", "0", "a") +
                     "  mov.u32 %r3, %r11;\n  mul.wide.u32 %d41, %r2, 512;\n  add.u64 %d1, %d1, %d41;\n" + kStoreAll +
                     "  barrier.cluster.arrive.release;\n  barrier.cluster.wait.acquire;\n";
  ASSERT_EQ(run(body, {.grid = 2, .cluster = 2}, data.arguments()), "");
  for (uint32_t i = 0; i < 1024; ++i)
    ASSERT_EQ(data.out.as<uint8_t>()[i], data.in.as<uint8_t>()[i % 512]) << i;
}

TEST(BulkFormsTest, prefetchesOnlyCheck) {
  Data data;
  EXPECT_EQ(run("cp.async.bulk.prefetch.L2.global [%d0], 4096;\n"
                "cp.async.bulk.prefetch.L2.global.L2::cache_hint [%d0], 64, %d2;\n",
                {.block = 1}, data.arguments()),
            "");
  EXPECT_NE(run("cp.async.bulk.prefetch.L2.global [%d0], 8192;\n", {.block = 1}, data.arguments())
                .find("must stay within one allocation"),
            std::string::npos);
}

TEST(BulkFormsTest, aMissingProxyFenceIsReported) {
  Data data;
  std::string body = "  setp.eq.u32 %p1, %r0, 0;\n" + loadAll("") +
                     "  @%p1 cp.async.bulk.global.shared::cta.bulk_group [%d1], [%r3], 512;\n"
                     "  cp.async.bulk.commit_group;\n  cp.async.bulk.wait_group 0;\n";
  std::string fault = run(body, {}, data.arguments());
  EXPECT_NE(fault.find("must be made visible by fence.proxy.async before an asynchronous operation reads it"),
            std::string::npos)
      << fault;
  // A fence of global memory alone is none of shared memory.
  std::string global = "  setp.eq.u32 %p1, %r0, 0;\n" + loadAll("fence.proxy.async.global;") +
                       "  @%p1 cp.async.bulk.global.shared::cta.bulk_group [%d1], [%r3], 512;\n";
  EXPECT_NE(run(global, {}, data.arguments()), "");
}

TEST(BulkFormsTest, aMissingWaitGroupIsReported) {
  // The source is written again while the copy reads it.
  Data data;
  std::string body = "  setp.eq.u32 %p1, %r0, 0;\n" + loadAll() +
                     "  @!%p1 bra end;\n  cp.async.bulk.global.shared::cta.bulk_group [%d1], [%r3], 512;\n"
                     "  cp.async.bulk.commit_group;\n  cp.async.bulk.wait_group.read 1;\n"
                     "  st.shared.u32 [smem], 1;\nend:\n";
  std::string fault = run(body, {}, data.arguments());
  EXPECT_NE(fault.find("must not be written before the asynchronous copy of line"), std::string::npos) << fault;
}

TEST(BulkFormsTest, aMissingMbarrierWaitIsReported) {
  Data data;
  std::string body =
      kStart +
      "  @%p1 mbarrier.arrive.expect_tx.shared.b64 _, [bars], 512;\n"
      "  @%p1 cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes [smem], [%d0], 512, [bars];\n" +
      kStoreAll;
  std::string fault = run(body, {}, data.arguments());
  EXPECT_NE(fault.find("must not be read before the asynchronous copy of line"), std::string::npos) << fault;
}

TEST(BulkFormsTest, aShortTransactionCountIsReported) {
  // 480 bytes are expected and 512 come: the phase never ends, or ends too early.
  Data data;
  std::string body =
      kStart +
      "  @%p1 mbarrier.arrive.expect_tx.shared.b64 _, [bars], 528;\n"
      "  @%p1 cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes [smem], [%d0], 512, [bars];\n" +
      waitFor("%r4", "0", "a") + kStoreAll;
  std::string fault = run(body, {}, data.arguments());
  EXPECT_NE(fault.find("16 bytes of transactions outstanding"), std::string::npos) << fault;
}

TEST(BulkFormsTest, sizesAndAddressesAreMultiplesOfSixteen) {
  Data data;
  auto fault = [&](std::string_view copy) {
    return run(kStart + "  mov.b32 %r10, 24;\n  mov.b32 %r11, 16;\n  @%p1 cp.async.bulk." + std::string(copy) + "\n" +
                   waitFor("%r4", "0", "a"),
               {}, data.arguments());
  };
  EXPECT_NE(fault("shared::cta.global.mbarrier::complete_tx::bytes [smem], [%d0], %r10, [bars];")
                .find("must have a size in multiples of 16 bytes, but found 24"),
            std::string::npos);
  EXPECT_NE(fault("shared::cta.global.mbarrier::complete_tx::bytes [smem+8], [%d0], %r11, [bars];")
                .find("must be a multiple of 16"),
            std::string::npos);
  EXPECT_NE(fault("shared::cta.global.mbarrier::complete_tx::bytes [smem], [%d0+8], %r11, [bars];")
                .find("must be a multiple of 16"),
            std::string::npos);
  EXPECT_NE(fault("shared::cta.global.mbarrier::complete_tx::bytes [smem], [%d0+4096], %r11, [bars];")
                .find("global memory at"),
            std::string::npos);
  EXPECT_NE(test::whyRefused("cp.async.bulk.global.shared::cta.bulk_group [%d1], [%r3], 24;")
                .find("has a size in multiples of 16 bytes, but found 24"),
            std::string::npos);
}

TEST(BulkFormsTest, featuresBelongToChips) {
  const std::string masked = "cp.async.bulk.global.shared::cta.bulk_group.cp_mask [%d1], [%r3], 16, %h1;";
  EXPECT_NE(test::whyRefused(masked, "sm_90a"), "");
  EXPECT_EQ(test::whyRefused(masked, "sm_120a"), "");
  EXPECT_NE(test::whyRefused("cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes [smem], [%d0], 16, [bars];",
                             "sm_90a", "8.0"),
            "");
}

} // namespace
} // namespace glm::ptx
