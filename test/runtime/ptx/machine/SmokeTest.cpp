#include "test/runtime/ptx/harness/Harness.h"

#include <numeric>

namespace glm::ptx::test {
namespace {

TEST(Smoke, ReversesThroughSharedMemory) {
  TestModule module(R"(
.visible .entry reverse(.param .u64 from, .param .u64 to) {
  .reg .b64 %rd<6>; .reg .b32 %r<8>;
  .shared .align 4 .b8 tile[512];
  ld.param.u64 %rd0, [from];
  ld.param.u64 %rd1, [to];
  mov.u32 %r0, %tid.x;
  mul.wide.u32 %rd2, %r0, 4;
  add.s64 %rd3, %rd0, %rd2;
  ld.global.u32 %r1, [%rd3];
  mov.u32 %r2, tile;
  shl.b32 %r3, %r0, 2;
  add.s32 %r4, %r2, %r3;
  st.shared.u32 [%r4], %r1;
  bar.sync 0;
  mov.u32 %r5, 508;
  sub.s32 %r6, %r5, %r3;
  add.s32 %r6, %r6, %r2;
  ld.shared.u32 %r7, [%r6];
  add.s64 %rd4, %rd1, %rd2;
  st.global.u32 [%rd4], %r7;
  ret;
}
)");
  ASSERT_TRUE(module);
  std::vector<uint32_t> values(128);
  std::iota(values.begin(), values.end(), 1000);
  uint64_t from = module.upload(values), to = module.allocate(512);
  EXPECT_EQ(module.faultOf("reverse", {.block = {128, 1, 1}}, from, to), "");
  std::reverse(values.begin(), values.end());
  EXPECT_EQ(module.download<uint32_t>(to, 128), values);
}

TEST(Smoke, LanePrograms) {
  LaneProgram program;
  program.input(Type::B32, std::vector<uint64_t>{5, 6, 7});
  program.output(Type::B32);
  Outputs out = program.run("mov.b32 %out0, %in0;");
  for (size_t lane = 0; lane < kWarpSize; ++lane)
    EXPECT_EQ(out[0][lane], 5 + lane % 3);
}

} // namespace
} // namespace glm::ptx::test
