#include "test/runtime/ptx/async/Kernel.h"

#include <gtest/gtest.h>

namespace glm::ptx {
namespace {

using test::run;

TEST(CachePolicyFormsTest, policiesAreNumbersThatCopiesTake) {
  test::Memory out(8 * 8);
  ASSERT_EQ(run(R"(
  mov.b32 %r10, 1024;
  createpolicy.range.global.L2::evict_last.L2::evict_first.b64 %d10, [%d0], %r10, 4096;
  createpolicy.range.L2::evict_normal.b64 %d11, [%d0], 1024, %r10;
  createpolicy.fractional.L2::evict_last.b64 %d12, 0.5;
  createpolicy.fractional.L2::evict_first.L2::evict_unchanged.b64 %d13;
  mov.f32 %f1, 0.25;
  createpolicy.fractional.L2::evict_unchanged.b64 %d14, %f1;
  mov.b64 %d20, 1234567;
  createpolicy.cvt.L2.b64 %d15, %d20;
  st.global.u64 [%d0], %d10;
  st.global.u64 [%d0+8], %d11;
  st.global.u64 [%d0+16], %d12;
  st.global.u64 [%d0+24], %d13;
  st.global.u64 [%d0+32], %d14;
  st.global.u64 [%d0+40], %d15;
)",
                {.block = 1}, {{out.address(), 0, 0, 0}, {}}),
            "");
  std::span<uint64_t> policies = out.as<uint64_t>();
  EXPECT_EQ(policies[0], policies[2]) << "both evict last";
  EXPECT_NE(policies[1], policies[2]);
  EXPECT_NE(policies[3], policies[4]);
  EXPECT_EQ(policies[5], 1234567u) << "an access property is its policy";
}

TEST(CachePolicyFormsTest, prioritiesAreCheckedAndForgotten) {
  test::Memory memory(256);
  memory.as<uint32_t>()[3] = 42;
  test::Arguments arguments{{memory.address(), 0, 0, 0}, {}};
  EXPECT_EQ(
      run("  applypriority.global.L2::evict_normal [%d0], 128;\n  applypriority.L2::evict_normal [%d0+128], 128;\n",
          {.block = 1}, arguments),
      "");
  EXPECT_EQ(memory.as<uint32_t>()[3], 42u);
  EXPECT_NE(run("  applypriority.global.L2::evict_normal [%d0+64], 128;\n", {.block = 1}, arguments)
                .find("must be a multiple of 128"),
            std::string::npos);
  EXPECT_NE(test::whyRefused("applypriority.global.L2::evict_normal [%d0], 64;").find("takes 128 bytes, but found 64"),
            std::string::npos);
}

TEST(CachePolicyFormsTest, discardedLinesLoseWhatTheyHeld) {
  test::Memory memory(384);
  for (uint32_t &word : memory.as<uint32_t>())
    word = 42;
  ASSERT_EQ(run("  discard.global.L2 [%d0], 128;\n  discard.L2 [%d0+256], 128;\n", {.block = 1},
                {{memory.address(), 0, 0, 0}, {}}),
            "");
  for (uint32_t i = 0; i < 96; ++i)
    EXPECT_EQ(memory.as<uint32_t>()[i] == 42, i / 32 == 1) << i;
}

} // namespace
} // namespace glm::ptx
