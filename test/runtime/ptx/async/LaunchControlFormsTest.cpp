#include "test/runtime/ptx/async/Kernel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace glm::ptx {
namespace {

using test::run;
using test::waitFor;

/// Thread 0 of a block counts its work in `%d0`[first block of the cluster] and asks for more until there is none.
std::string workLoop(std::string_view cancel, std::string_view query) {
  return fmt::format(R"(
  cvt.u64.u32 %d21, %r3;
  cvta.shared.u64 %d21, %d21;
  cvt.u64.u32 %d22, %r4;
  cvta.shared.u64 %d22, %d22;
  setp.eq.u32 %p1, %r0, 0;
  @!%p1 bra end;
  mbarrier.init.shared.b64 [bars], 1;
  mov.b32 %r20, 0;
  mov.b32 %r21, %r1;
again:
  mul.wide.u32 %d10, %r21, 4;
  add.u64 %d10, %d0, %d10;
  atom.global.add.u32 %r22, [%d10], 1;
  mbarrier.arrive.expect_tx.shared.b64 _, [bars], 16;
  clusterlaunchcontrol.try_cancel.async{}
{}
  ld.shared.b128 %q1, [smem];
  clusterlaunchcontrol.query_cancel.is_canceled.pred.b128 %p2, %q1;
  @!%p2 bra end;
  {}
  xor.b32 %r20, %r20, 1;
  bra again;
end:
)",
                     cancel, waitFor("%r4", "%r20", "a"), query);
}

TEST(LaunchControlFormsTest, everyBlockOfAGridIsWorkedOnOnce) {
  for (std::string_view cancel :
       {".mbarrier::complete_tx::bytes.b128 [%d21], [%d22];",
        ".shared::cta.mbarrier::complete_tx::bytes.b128 [%r3], [bars];",
        ".shared::cta.mbarrier::complete_tx::bytes.multicast::cluster::all.b128 [%r3], [bars];"})
    for (std::string_view query :
         {"clusterlaunchcontrol.query_cancel.get_first_ctaid::x.b32.b128 %r21, %q1;",
          "clusterlaunchcontrol.query_cancel.get_first_ctaid.v4.b32.b128 {%r21, %r30, %r31, _}, %q1;"}) {
      test::Memory counts(64 * 4);
      for (uint32_t &count : counts.as<uint32_t>())
        count = 0;
      ASSERT_EQ(run(workLoop(cancel, query), {.grid = 64}, {{counts.address(), 0, 0, 0}, {}}), "") << cancel;
      for (uint32_t i = 0; i < 64; ++i)
        ASSERT_EQ(counts.as<uint32_t>()[i], 1u) << cancel << " block " << i;
    }
}

TEST(LaunchControlFormsTest, otherCoordinatesAreZeroOfALine) {
  test::Memory seen(64);
  ASSERT_EQ(run(R"(
  setp.eq.u32 %p1, %r1, 0;
  @!%p1 bra end;
  mbarrier.init.shared.b64 [bars], 1;
  mbarrier.arrive.expect_tx.shared.b64 _, [bars], 16;
  clusterlaunchcontrol.try_cancel.async.shared::cta.mbarrier::complete_tx::bytes.b128 [%r3], [bars];
)" + waitFor("%r4", "0", "a") +
                    R"(
  ld.shared.b128 %q1, [smem];
  clusterlaunchcontrol.query_cancel.get_first_ctaid::y.b32.b128 %r10, %q1;
  clusterlaunchcontrol.query_cancel.get_first_ctaid::z.b32.b128 %r11, %q1;
  clusterlaunchcontrol.query_cancel.get_first_ctaid.v4.b32.b128 {%r12, %r13, %r14, %r15}, %q1;
  st.global.u32 [%d0], %r10;
  st.global.u32 [%d0+4], %r11;
  st.global.u32 [%d0+8], %r12;
  st.global.u32 [%d0+12], %r13;
  st.global.u32 [%d0+16], %r14;
end:
)",
                {.grid = 8, .block = 1}, {{seen.address(), 0, 0, 0}, {}}),
            "");
  const uint32_t expected[] = {0, 0, 1, 0, 0};
  for (uint32_t i = 0; i < 5; ++i)
    EXPECT_EQ(seen.as<uint32_t>()[i], expected[i]) << i;
}

TEST(LaunchControlFormsTest, chipsBeforeHaveNone) {
  EXPECT_NE(
      test::whyRefused("clusterlaunchcontrol.try_cancel.async.shared::cta.mbarrier::complete_tx::bytes.b128 [%r3], "
                       "[bars];",
                       "sm_90a"),
      "");
  EXPECT_EQ(test::whyRefused("clusterlaunchcontrol.try_cancel.async.shared::cta.mbarrier::complete_tx::bytes."
                             "multicast::cluster::all.b128 [%r3], [bars];",
                             "sm_120a"),
            "");
}

} // namespace
} // namespace glm::ptx
