// Counters of kernels whose costs follow from their text.
#include "test/runtime/ptx/harness/Harness.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>

namespace glm::ptx::test {
namespace {

constexpr const char *kKernel = R"(
.visible .entry k(.param .u64 from, .param .u32 stride) {
  .shared .align 16 .b8 tile[16384]; .reg .b32 %r<8>; .reg .b64 %d<4>; .reg .pred %p;
  ld.param.u64 %d0, [from]; ld.param.u32 %r1, [stride]; mov.u32 %r0, %tid.x; mul.lo.u32 %r2, %r0, %r1;
  mul.wide.u32 %d1, %r2, 4; add.s64 %d0, %d0, %d1;
  ld.global.u32 %r3, [%d0];
  shl.b32 %r2, %r2, 2; mov.u32 %r4, tile; add.s32 %r2, %r2, %r4;
  st.shared.u32 [%r2], %r3;
  bar.sync 0;
  setp.lt.u32 %p, %r0, 8;
  @%p st.global.u32 [%d0], %r3;
  ret;
})";

nlohmann::json lineOf(const nlohmann::json &launch, const std::string &instruction) {
  for (const nlohmann::json &line : launch["lines"])
    if (line["instruction"] == instruction)
      return line;
  return {};
}

TEST(Profile, SectorsAndWavefrontsOfStrides) {
  struct {
    uint32_t stride, sectors, wavefronts;
  } const cases[] = {{1, 4, 1}, {2, 8, 2}, {8, 32, 8}, {32, 32, 32}, {33, 32, 1}};
  for (const auto &test : cases) {
    TestModule module(kKernel);
    ASSERT_TRUE(module);
    uint64_t from = module.allocate(64 * 33 * 4 * 4);
    ASSERT_EQ(module.faultOf("k", {.grid = {3, 1, 1}, .block = {64, 1, 1}}, from, test.stride), "");
    nlohmann::json launch = module.profile.json()["launches"][0];
    uint64_t warps = 6;
    EXPECT_EQ(launch["blocks"], 3);
    EXPECT_EQ(launch["kernel"], "k");
    nlohmann::json load = lineOf(launch, "ld.global.u32");
    EXPECT_EQ(load["warp_instructions"], warps);
    EXPECT_EQ(load["lane_instructions"], warps * 32);
    EXPECT_EQ(load["global_bytes_read"], warps * 128);
    EXPECT_EQ(load["global_sectors_read"], warps * test.sectors) << test.stride;
    // The blocks read the same: a perfect cache would read it once.
    EXPECT_EQ(launch["global_unique_bytes_read"], 2 * test.sectors * 32) << test.stride;
    nlohmann::json store = lineOf(launch, "st.shared.u32");
    EXPECT_EQ(store["shared_wavefronts"], warps * test.wavefronts) << test.stride;
    EXPECT_EQ(store["shared_wavefronts_ideal"], warps) << test.stride;
    nlohmann::json write = lineOf(launch, "st.global.u32");
    EXPECT_EQ(write["lane_instructions"], 3 * 8);
    EXPECT_EQ(write["global_bytes_written"], 3 * 8 * 4);
    EXPECT_EQ(launch["classes"]["load"], warps * 3);
    EXPECT_EQ(launch["classes"]["barrier"], warps);
    EXPECT_GE(launch["barrier_waits"].get<uint64_t>(), 3u);
  }
}

TEST(Profile, CountersDoNotDependOnThreads) {
  std::vector<nlohmann::json> profiles;
  for (uint32_t threads : {1u, 3u}) {
    TestModule module(kKernel);
    ASSERT_TRUE(module);
    module.options.threads = threads;
    std::vector<uint32_t> zeros(64 * 8);
    uint64_t from = module.upload(zeros);
    ASSERT_EQ(module.faultOf("k", {.grid = {7, 1, 1}, .block = {64, 1, 1}}, from, 8u), "");
    profiles.push_back(module.profile.json());
  }
  EXPECT_EQ(profiles[0], profiles[1]);
}

TEST(Profile, IsWritten) {
  TestModule module(kKernel);
  ASSERT_TRUE(module);
  uint64_t from = module.allocate(4096);
  ASSERT_EQ(module.faultOf("k", {.block = {64, 1, 1}}, from, 1u), "");
  std::filesystem::path path = std::filesystem::temp_directory_path() / fmt::format("glm-profile-{}.json", getpid());
  ASSERT_TRUE(module.profile.write(path));
  std::ifstream file(path);
  EXPECT_EQ(nlohmann::json::parse(file), module.profile.json());
  std::filesystem::remove(path);
  EXPECT_FALSE(module.profile.write("/nowhere/profile.json"));
}

} // namespace
} // namespace glm::ptx::test
