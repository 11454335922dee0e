#include "test/runtime/ptx/async/Kernel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace glm::ptx {
namespace {

using test::run;
using test::waitFor;

/// Two blocks: block 0 runs `send` in each of 32 threads towards block 1, which expects `bytes` bytes in all, waits and
/// stores 512 words of its shared memory. %r12 is the thread's 16 bytes there, %r13 the mbarrier; %d12, %d13 the same as
/// generic addresses. Shared memory of block 1 holds 5s before.
std::string exchange(std::string_view send, uint32_t bytes) {
  return fmt::format(R"(
  setp.eq.u32 %p1, %r0, 0;
  @%p1 mbarrier.init.shared.b64 [bars], 1;
  @%p1 mbarrier.arrive.expect_tx.shared.b64 _, [bars], {};
  shl.b32 %r10, %r0, 4;
  add.u32 %r10, %r10, %r3;
  st.shared.v4.u32 [%r10], {{5, 5, 5, 5}};
  barrier.cluster.arrive.release;
  barrier.cluster.wait.acquire;
  setp.eq.u32 %p2, %r2, 1;
  @%p2 bra receive;
  mapa.shared::cluster.u32 %r12, %r10, 1;
  mapa.shared::cluster.u32 %r13, %r4, 1;
  cvt.u64.u32 %d12, %r12;
  cvta.shared::cluster.u64 %d12, %d12;
  cvt.u64.u32 %d13, %r13;
  cvta.shared::cluster.u64 %d13, %d13;
  add.u32 %r14, %r0, 100;
  cvt.u64.u32 %d14, %r14;
  {}
  bra end;
receive:
{}
  ld.shared.v4.u32 {{%r20, %r21, %r22, %r23}}, [%r10];
  mul.wide.u32 %d10, %r0, 16;
  add.u64 %d10, %d0, %d10;
  st.global.v4.u32 [%d10], {{%r20, %r21, %r22, %r23}};
end:
  barrier.cluster.arrive.release;
  barrier.cluster.wait.acquire;
)",
                     bytes, send, waitFor("%r4", "0", "a"));
}

void expectExchange(std::string_view send, uint32_t bytes, const std::function<uint32_t(uint32_t, uint32_t)> &word) {
  test::Memory out(512);
  ASSERT_EQ(run(exchange(send, bytes), {.grid = 2, .cluster = 2}, {{out.address(), 0, 0, 0}, {}}), "") << send;
  for (uint32_t i = 0; i < 128; ++i)
    ASSERT_EQ(out.as<uint32_t>()[i], word(i / 4, i % 4)) << send << " word " << i;
}

TEST(RemoteStoreFormsTest, storesReachAnotherBlock) {
  auto first = [](uint32_t thread, uint32_t word) { return word == 0 ? thread + 100 : 5; };
  for (std::string_view type : {"b32", "u32", "s32"}) {
    expectExchange(fmt::format("st.async.shared::cluster.mbarrier::complete_tx::bytes.{} [%r12], %r14, [%r13];", type),
                   128, first);
    expectExchange(
        fmt::format("st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.{} [%r12], %r14, [%r13];", type), 128,
        first);
  }
  expectExchange("st.async.mbarrier::complete_tx::bytes.b32 [%d12], %r14, [%d13];", 128, first);
  auto wide = [](uint32_t thread, uint32_t word) { return word == 0 ? thread + 100 : word == 1 ? 0 : 5; };
  for (std::string_view type : {"b64", "u64", "s64"})
    expectExchange(fmt::format("st.async.shared::cluster.mbarrier::complete_tx::bytes.{} [%r12], %d14, [%r13];", type),
                   256, wide);
  expectExchange("mov.b32 %f1, %r14;\nst.async.shared::cluster.mbarrier::complete_tx::bytes.f32 [%r12], %f1, [%r13];",
                 128, first);
  expectExchange(
      "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [%r12], {%r14, %r0, %r2, %r14}, [%r13];", 512,
      [](uint32_t thread, uint32_t word) { return word == 0 || word == 3 ? thread + 100
                                                  : word == 1            ? thread
                                                                         : 0; });
  expectExchange("st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.b64 [%r12], {%d14, %d14}, [%r13];", 512,
                 [](uint32_t thread, uint32_t word) { return word % 2 == 0 ? thread + 100 : 0; });
}

TEST(RemoteStoreFormsTest, reductionsReachAnotherBlock) {
  struct Row {
    const char *words;
    uint32_t (*word)(uint32_t value); ///< of the value 5 and `value`
  };
  const Row rows[] = {
      {"add.u32", [](uint32_t v) { return 5 + v; }}, {"add.s32", [](uint32_t v) { return 5 + v; }},
      {"min.u32", [](uint32_t) { return 5u; }},      {"min.s32", [](uint32_t) { return 5u; }},
      {"max.u32", [](uint32_t v) { return v; }},     {"max.s32", [](uint32_t v) { return v; }},
      {"and.b32", [](uint32_t v) { return 5 & v; }}, {"or.b32", [](uint32_t v) { return 5 | v; }},
      {"xor.b32", [](uint32_t v) { return 5 ^ v; }}, {"inc.u32", [](uint32_t) { return 6u; }},
      {"dec.u32", [](uint32_t) { return 4u; }},
  };
  for (const Row &row : rows)
    expectExchange(
        fmt::format("red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.{} [%r12], %r14, "
                    "[%r13];",
                    row.words),
        128, [&](uint32_t thread, uint32_t word) { return word == 0 ? row.word(thread + 100) : 5; });
  for (std::string_view type : {"u64", "s64"})
    expectExchange(
        fmt::format(
            "red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.{} [%r12], %d14, [%r13];",
            type),
        256, [](uint32_t thread, uint32_t word) { return word == 0 ? thread + 105 : 5; });
  expectExchange("red.async.relaxed.cluster.mbarrier::complete_tx::bytes.add.u32 [%d12], %r14, [%d13];", 128,
                 [](uint32_t thread, uint32_t word) { return word == 0 ? thread + 105 : 5; });
}

TEST(RemoteStoreFormsTest, everyThreadReducesTheSameWord) {
  expectExchange(
      "mapa.shared::cluster.u32 %r12, %r3, 1;\n"
      "red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.u32 [%r12], %r14, [%r13];",
      128, [](uint32_t thread, uint32_t word) { return thread == 0 && word == 0 ? 5 + 32 * 100 + 31 * 32 / 2 : 5u; });
}

TEST(RemoteStoreFormsTest, aReaderThatDoesNotWaitIsReported) {
  std::string body = exchange("st.async.shared::cluster.mbarrier::complete_tx::bytes.b32 [%r12], %r14, [%r13];", 128);
  std::string wait = waitFor("%r4", "0", "a");
  // The blocks meet after the stores were issued; that is no wait for them.
  body.replace(body.find(wait), wait.size(), "  barrier.cluster.arrive.release;\n  barrier.cluster.wait.acquire;\n");
  test::Memory out(512);
  std::string fault = run(body, {.grid = 2, .cluster = 2}, {{out.address(), 0, 0, 0}, {}});
  EXPECT_NE(fault.find("asynchronous copy of line"), std::string::npos) << fault;
}

TEST(RemoteStoreFormsTest, globalMemory) {
  test::Memory out(32 * 4);
  for (std::string_view spelling : {"st.async.release.gpu.global.b32", "st.async.mmio.release.sys.global.u32"}) {
    for (uint32_t &word : out.as<uint32_t>())
      word = 0;
    ASSERT_EQ(
        run(fmt::format("  mul.wide.u32 %d10, %r0, 4;\n  add.u64 %d10, %d0, %d10;\n  {} [%d10], %r0;\n", spelling), {},
            {{out.address(), 0, 0, 0}, {}}),
        "");
    for (uint32_t i = 0; i < 32; ++i)
      ASSERT_EQ(out.as<uint32_t>()[i], i);
  }
  for (std::string_view spelling :
       {"red.async.release.gpu.global.add.u32", "red.async.mmio.release.sys.global.add.s32"}) {
    out.as<uint32_t>()[0] = 7;
    ASSERT_EQ(run(fmt::format("  {} [%d0], %r0;\n", spelling), {}, {{out.address(), 0, 0, 0}, {}}), "");
    EXPECT_EQ(out.as<uint32_t>()[0], 7u + 31 * 32 / 2);
  }
}

TEST(RemoteStoreFormsTest, sharedMemoryIsZeroed) {
  for (std::string_view store : {"st.bulk.weak.shared::cta [%r3], 64, 0;", "st.bulk.shared::cta [%r3], %d20, 0;",
                                 "st.bulk [%d21], %d20, 0;", "st.bulk.weak [%d21], 64, 0;"}) {
    test::Memory out(128);
    std::string body = fmt::format(R"(
  mov.b64 %d20, 64;
  cvt.u64.u32 %d21, %r3;
  cvta.shared.u64 %d21, %d21;
  mul.lo.u32 %r10, %r0, 4;
  add.u32 %r11, %r10, %r3;
  st.shared.u32 [%r11], 9;
  bar.sync 0;
  setp.eq.u32 %p1, %r0, 0;
  @%p1 {}
  bar.sync 0;
  ld.shared.u32 %r12, [%r11];
  cvt.u64.u32 %d10, %r10;
  add.u64 %d10, %d0, %d10;
  st.global.u32 [%d10], %r12;
)",
                                   store);
    ASSERT_EQ(run(body, {}, {{out.address(), 0, 0, 0}, {}}), "") << store;
    for (uint32_t i = 0; i < 32; ++i)
      ASSERT_EQ(out.as<uint32_t>()[i], i < 16 ? 0u : 9u);
  }
}

TEST(RemoteStoreFormsTest, misuseIsReported) {
  EXPECT_NE(run("  mov.b64 %d20, 12;\n  st.bulk.weak.shared::cta [%r3], %d20, 0;\n", {.block = 1})
                .find("must have a size in multiples of 8 bytes that shared memory holds, but found 12"),
            std::string::npos);
  EXPECT_NE(test::whyRefused("st.bulk.weak.shared::cta [%r3], 64, 1;").find("stores 0, but found 1"),
            std::string::npos);
  EXPECT_NE(
      test::whyRefused("st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.b64 [%r3], {%d0, %d0, %d0, %d0}, "
                       "[%r4];")
          .find("stores at most 16 bytes, but found 32"),
      std::string::npos);
  EXPECT_NE(test::whyRefused("st.async.release.gpu.global.b32 [%d0], %r0;", "sm_90a"), "");
}

} // namespace
} // namespace glm::ptx
