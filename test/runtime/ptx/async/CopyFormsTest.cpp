#include "test/runtime/ptx/async/Kernel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

namespace glm::ptx {
namespace {

using test::run;

/// 4096 random bytes and room for as many.
struct Data {
  test::Memory in{4096}, out{4096};

  Data() {
    std::mt19937 random(21);
    for (uint8_t &byte : in.as<uint8_t>())
      byte = static_cast<uint8_t>(random());
  }
  test::Arguments arguments(uint64_t third = 0) const { return {{in.address(), out.address(), third, 0}, {}}; }
};

/// Each of 32 lanes copies `size` bytes from its place in the input to its place in shared memory with `copy`, waits with
/// `wait` and stores what it finds.
std::string copyAndStore(uint32_t size, std::string_view copy, std::string_view wait) {
  std::string store;
  for (uint32_t offset = 0; offset < size; offset += 4)
    store += fmt::format("  ld.shared.u32 %r20, [%r10+{0}];\n  st.global.u32 [%d11+{0}], %r20;\n", offset);
  return fmt::format(R"(
  mul.lo.u32 %r11, %r0, {};
  add.u32 %r10, %r3, %r11;
  cvt.u64.u32 %d10, %r11;
  add.u64 %d11, %d1, %d10;
  add.u64 %d10, %d0, %d10;
  {}
  {}
{})",
                     size, copy, wait, store);
}

TEST(CopyFormsTest, copiesOfEverySize) {
  for (uint32_t size : {4u, 8u, 16u})
    for (std::string_view spelling : {"ca.shared.global", "ca.shared::cta.global", "ca.shared.global.L2::128B",
                                      "ca.shared.global.L2::64B", "ca.shared.global.L2::256B"}) {
      Data data;
      std::string body =
          copyAndStore(size, fmt::format("cp.async.{} [%r10], [%d10], {};", spelling, size), "cp.async.wait_all;");
      ASSERT_EQ(run(body, {}, data.arguments()), "");
      for (uint32_t i = 0; i < 32 * size; ++i)
        ASSERT_EQ(data.out.as<uint8_t>()[i], data.in.as<uint8_t>()[i]) << spelling << " byte " << i;
    }
}

TEST(CopyFormsTest, copiesOfSixteenBytesPastTheFirstCache) {
  Data data;
  std::string body = copyAndStore(16, R"(
  mov.b64 %d12, 0;
  cp.async.cg.shared.global.L2::cache_hint.L2::128B [%r10], [%d10], 16, %d12;
  cp.async.commit_group;)",
                                  "cp.async.wait_group 0;");
  ASSERT_EQ(run(body, {}, data.arguments()), "");
  for (uint32_t i = 0; i < 512; ++i)
    ASSERT_EQ(data.out.as<uint8_t>()[i], data.in.as<uint8_t>()[i]);
}

TEST(CopyFormsTest, whatIsNotCopiedIsZero) {
  // Lane i copies i % 17 bytes; lanes from 17 on read nothing that is mapped.
  Data data;
  std::string body = copyAndStore(16, R"(
  rem.u32 %r12, %r0, 17;
  setp.eq.u32 %p1, %r12, 0;
  @%p1 mov.b64 %d10, 16;
  cp.async.cg.shared.global [%r10], [%d10], 16, %r12;)",
                                  "cp.async.wait_all;");
  ASSERT_EQ(run(body, {}, data.arguments()), "");
  for (uint32_t i = 0; i < 512; ++i)
    ASSERT_EQ(data.out.as<uint8_t>()[i], i % 16 < i / 16 % 17 ? data.in.as<uint8_t>()[i] : 0) << i;
}

TEST(CopyFormsTest, ignoredSourcesReadAsZero) {
  Data data;
  std::string body = copyAndStore(4, R"(
  and.b32 %r12, %r0, 1;
  setp.eq.u32 %p1, %r12, 1;
  @%p1 mov.b64 %d10, 4;
  mov.b64 %d12, 0;
  cp.async.ca.shared.global.L2::cache_hint [%r10], [%d10], 4, %p1, %d12;)",
                                  "cp.async.wait_all;");
  ASSERT_EQ(run(body, {}, data.arguments()), "");
  for (uint32_t i = 0; i < 32; ++i)
    ASSERT_EQ(data.out.as<uint32_t>()[i], i % 2 ? 0 : data.in.as<uint32_t>()[i]) << i;
}

TEST(CopyFormsTest, sourcesAreNotReadBeforeTheWait) {
  // Global memory changes after the copy was issued: the copy comes late.
  Data data;
  std::string body = copyAndStore(4, R"(
  cp.async.ca.shared.global [%r10], [%d10], 4;
  st.global.u32 [%d10], 77;)",
                                  "cp.async.wait_all;");
  ASSERT_EQ(run(body, {}, data.arguments()), "");
  EXPECT_EQ(data.out.as<uint32_t>()[5], 77u);
}

TEST(CopyFormsTest, groupsAreWaitedForInOrder) {
  // Three groups; waiting for all but one completes the first two, and reading the third is a race.
  auto body = [](uint32_t left, uint32_t readOffset) {
    return fmt::format(R"(
  mul.lo.u32 %r11, %r0, 4;
  add.u32 %r10, %r3, %r11;
  cvt.u64.u32 %d10, %r11;
  add.u64 %d11, %d1, %d10;
  add.u64 %d10, %d0, %d10;
  cp.async.ca.shared.global [%r10], [%d10], 4;
  cp.async.commit_group;
  cp.async.ca.shared.global [%r10+128], [%d10+128], 4;
  cp.async.commit_group;
  cp.async.ca.shared.global [%r10+256], [%d10+256], 4;
  cp.async.commit_group;
  cp.async.wait_group {};
  ld.shared.u32 %r20, [%r10+{}];
  st.global.u32 [%d11], %r20;
)",
                       left, readOffset);
  };
  for (uint32_t left = 0; left < 4; ++left)
    for (uint32_t group = 0; group < 3; ++group) {
      Data data;
      std::string fault = run(body(left, group * 128), {}, data.arguments());
      if (group + left < 3) {
        ASSERT_EQ(fault, "");
        for (uint32_t i = 0; i < 32; ++i)
          ASSERT_EQ(data.out.as<uint32_t>()[i], data.in.as<uint32_t>()[group * 32 + i]);
      } else {
        EXPECT_NE(fault.find("must not be read before the asynchronous copy of line"), std::string::npos) << fault;
      }
    }
}

TEST(CopyFormsTest, aMissingWaitIsReported) {
  Data data;
  std::string fault = run(copyAndStore(16, "cp.async.cg.shared.global [%r10], [%d10], 16;", "cp.async.commit_group;"),
                          {}, data.arguments());
  EXPECT_NE(fault.find("before the asynchronous copy of line"), std::string::npos) << fault;
  EXPECT_NE(fault.find("warp 0, lane 0"), std::string::npos) << fault;
}

TEST(CopyFormsTest, aWaitOfOneWarpIsNotOneOfAnother) {
  // Warp 1 reads what warp 0 copied: after the wait of warp 0, a barrier is missing, or is there.
  auto body = [](std::string_view barrier) {
    return fmt::format(R"(
  setp.lt.u32 %p1, %r0, 32;
  mul.lo.u32 %r11, %r0, 4;
  and.b32 %r12, %r11, 127;
  cvt.u64.u32 %d10, %r12;
  add.u64 %d11, %d1, %d10;
  add.u64 %d10, %d0, %d10;
  add.u32 %r10, %r3, %r12;
  @!%p1 bra reader;
  cp.async.ca.shared.global [%r10], [%d10], 4;
  cp.async.wait_all;
  {0}
  ret;
reader:
  {0}
  ld.shared.u32 %r20, [%r10];
  st.global.u32 [%d11], %r20;
)",
                       barrier);
  };
  Data data;
  ASSERT_EQ(run(body("bar.sync 0;"), {.block = 64}, data.arguments()), "");
  for (uint32_t i = 0; i < 32; ++i)
    ASSERT_EQ(data.out.as<uint32_t>()[i], data.in.as<uint32_t>()[i]);
  EXPECT_NE(run(body(""), {.block = 64}, data.arguments()), "");
}

TEST(CopyFormsTest, anMbarrierWatchesCopies) {
  // Two warps copy and let the mbarrier know; a third one waits. Without .noinc the arrivals add themselves.
  for (bool noinc : {false, true})
    for (std::string_view space : {"", ".shared", ".shared::cta"}) {
      std::string address = space.empty() ? "[%d13]" : "[%r4]";
      std::string body =
          fmt::format(R"(
  cvt.u64.u32 %d13, %r4;
  cvta.shared.u64 %d13, %d13;
  setp.eq.u32 %p1, %r0, 0;
  @%p1 mbarrier.init.shared.b64 [bars], {};
  bar.sync 0;
  mul.lo.u32 %r11, %r0, 4;
  and.b32 %r12, %r11, 255;
  cvt.u64.u32 %d10, %r12;
  add.u64 %d11, %d1, %d10;
  add.u64 %d10, %d0, %d10;
  add.u32 %r10, %r3, %r12;
  setp.ge.u32 %p1, %r0, 64;
  @%p1 bra reader;
  cp.async.ca.shared.global [%r10], [%d10], 4;
  cp.async.mbarrier.arrive{}{}.b64 {};
  {}
  ret;
reader:
{}
  ld.shared.u32 %r20, [%r10];
  st.global.u32 [%d11], %r20;
)",
                      64, noinc ? ".noinc" : "", space, address, noinc ? "" : "mbarrier.arrive.shared.b64 _, [%r4];",
                      test::waitFor("%r4", "0", "w"));
      Data data;
      ASSERT_EQ(run(body, {.block = 128}, data.arguments()), "") << noinc << space;
      for (uint32_t i = 0; i < 64; ++i)
        ASSERT_EQ(data.out.as<uint32_t>()[i], data.in.as<uint32_t>()[i]);
    }
}

TEST(CopyFormsTest, misalignedAndForeignAddressesAreReported) {
  Data data;
  std::string fault = run("cp.async.cg.shared.global [smem+8], [%d0], 16;\n", {}, data.arguments());
  EXPECT_NE(fault.find("must be a multiple of 16"), std::string::npos) << fault;
  fault = run("cp.async.cg.shared.global [smem], [%d0+8], 16;\n", {}, data.arguments());
  EXPECT_NE(fault.find("must be a multiple of 16"), std::string::npos) << fault;
  fault = run("cp.async.cg.shared.global [smem], [%d0+4096], 16;\n", {}, data.arguments());
  EXPECT_NE(fault.find("global memory at"), std::string::npos) << fault;
  fault =
      run("mov.b32 %r10, 17;\ncp.async.cg.shared.global [smem], [%d0], 16, %r10;\n", {.block = 1}, data.arguments());
  EXPECT_NE(fault.find("must read at most the 16 bytes that it writes, but found 17"), std::string::npos) << fault;
}

TEST(CopyFormsTest, illegalSpellingsAreRefused) {
  EXPECT_NE(test::whyRefused("cp.async.cg.shared.global [%r3], [%d0], 8;").find("copies 16 bytes, but found 8"),
            std::string::npos);
  EXPECT_NE(test::whyRefused("cp.async.ca.shared.global [%r3], [%d0], 2;").find("copies 4, 8 or 16 bytes, but found 2"),
            std::string::npos);
  EXPECT_NE(test::whyRefused("cp.async.ca.shared::cluster.global [%r3], [%d0], 4;"), "");
  EXPECT_NE(test::whyRefused("cp.async.wait_group %r3;"), "");
}

} // namespace
} // namespace glm::ptx
