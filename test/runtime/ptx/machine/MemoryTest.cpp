// Allocations, regions and what kernels may touch of them; variables of a module.
#include "runtime/ptx/text/Parser.h"
#include "test/runtime/ptx/harness/Harness.h"

#include <fmt/format.h>

namespace glm::ptx::test {
namespace {

TEST(GlobalMemory, AllocatesAlignedZeroedAndApart) {
  GlobalMemory memory;
  Result<uint64_t> first = memory.allocate(100, 1, Region::Kind::Device, 0, "first");
  Result<uint64_t> second = memory.allocate(300, 4096, Region::Kind::Device, 0, "second");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first % 256, 0u);
  EXPECT_EQ(*second % 4096, 0u);
  EXPECT_EQ(memory.used(0), 400u);
  EXPECT_EQ(memory.find(*first + 99).name, "first");
  EXPECT_EQ(memory.find(*first + 100).bytes, 0u);
  EXPECT_EQ(memory.describe(*first + 104), "4 bytes past the end of first");
  EXPECT_EQ(memory.describe(*second - 8), "8 bytes before second");
  uint64_t generation = memory.generation();
  EXPECT_TRUE(memory.release(*first));
  EXPECT_FALSE(memory.release(*first));
  EXPECT_NE(memory.generation(), generation);
  EXPECT_EQ(memory.used(0), 300u);
}

TEST(GlobalMemory, HasAnEnd) {
  GlobalMemory memory;
  memory.setCapacity(1, 1000);
  EXPECT_TRUE(memory.allocate(900, 1, Region::Kind::Device, 1, "most"));
  Result<uint64_t> more = memory.allocate(101, 1, Region::Kind::Device, 1, "more");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().message, "device 1: memory must have 101 bytes free for more, but found 900 of 1000 in use");
  EXPECT_FALSE(memory.allocate(~uint64_t{0} - 5, 1, Region::Kind::Device, 0, "all"));
}

TEST(GlobalMemory, PeersSeeWhatTheyMay) {
  GlobalMemory memory;
  uint64_t own = *memory.allocate(64, 1, Region::Kind::Device, 2, "own");
  uint64_t shared = *memory.allocate(64, 1, Region::Kind::Managed, 2, "shared");
  EXPECT_EQ(memory.find(own).deviceMask, 4u);
  EXPECT_EQ(memory.find(shared).deviceMask, ~uint64_t{0});
  memory.setPeer(2, 5, true);
  uint64_t later = *memory.allocate(64, 1, Region::Kind::Device, 2, "later");
  EXPECT_EQ(memory.find(own).deviceMask, 36u);
  EXPECT_EQ(memory.find(later).writableMask, 36u);
  memory.setPeer(2, 5, false);
  EXPECT_EQ(memory.find(later).deviceMask, 4u);
}

TEST(GlobalMemory, RegionsOfOthers) {
  GlobalMemory memory;
  uint64_t bytes[8];
  auto address = reinterpret_cast<uint64_t>(bytes);
  memory.addRegion({address, sizeof(bytes), Region::Kind::Host, -1, ~uint64_t{0}, ~uint64_t{0}, "registered"});
  EXPECT_EQ(memory.find(address + 63).name, "registered");
  EXPECT_FALSE(memory.release(address));
  EXPECT_TRUE(memory.removeRegion(address));
  EXPECT_EQ(memory.find(address).bytes, 0u);
}

TEST(Variables, HoldTheirValuesAndAddresses) {
  TestModule module(R"(
.global .align 4 .u32 table[3] = {7, 8, 9};
.const .align 8 .u64 limit = 5;
.global .u64 where = generic(table)+4;
.visible .entry k(.param .u64 to) { .reg .b64 %d<4>; .reg .b32 %r;
  ld.param.u64 %d0, [to]; ld.global.u64 %d1, [where]; ld.u32 %r, [%d1]; st.global.u32 [%d0], %r;
  ld.const.u64 %d2, [limit]; st.global.u64 [%d0+8], %d2; st.global.u32 [table], 99; ret; }
.visible .entry write() { .reg .b64 %d; mov.u64 %d, limit; st.global.u64 [%d], 1; ret; })");
  ASSERT_TRUE(module);
  uint64_t to = module.allocate(16);
  EXPECT_EQ(module.faultOf("k", {}, to), "");
  EXPECT_EQ(module.download<uint64_t>(to, 2), (std::vector<uint64_t>{8, 5}));
  std::optional<LoadedModule::Placed> table = module.module().variable("table");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->bytes, 12u);
  EXPECT_EQ(module.download<uint32_t>(table->address, 3), (std::vector<uint32_t>{99, 8, 9}));
  EXPECT_FALSE(module.module().variable("nothing"));
  EXPECT_NE(module.faultOf("write", {}).find("must be writable, but found variable limit"), std::string::npos);
}

TEST(Variables, OfOtherModulesAreRefused) {
  Result<Module> parsed = parse(moduleText(".extern .global .u32 elsewhere;\n.visible .entry k() { ret; }"), "a.ptx");
  ASSERT_TRUE(parsed);
  Result<std::unique_ptr<Program>> program =
      decode(std::move(*parsed), *chipNamed("sm_120a"), instructionSet(), "a.ptx");
  ASSERT_TRUE(program);
  GlobalMemory memory;
  Result<std::unique_ptr<LoadedModule>> loaded = LoadedModule::load(std::move(*program), memory, 0);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message,
            "a.ptx:4: variable elsewhere must be defined in this module, but found only .extern");
}

TEST(Variables, DynamicSharedMemoryFollowsTheStatic) {
  TestModule module(R"(
.extern .shared .align 16 .b8 dynamic[];
.visible .entry k(.param .u64 to) { .shared .align 4 .b8 own[12]; .reg .b64 %d; .reg .b32 %r<4>;
  ld.param.u64 %d, [to]; mov.u32 %r0, own; mov.u32 %r1, dynamic; mov.u32 %r2, %total_smem_size;
  st.global.u32 [%d], %r0; st.global.u32 [%d+4], %r1; st.global.u32 [%d+8], %r2; st.shared.u32 [dynamic+96], %r0; ret; })");
  ASSERT_TRUE(module);
  uint64_t to = module.allocate(16);
  EXPECT_EQ(module.faultOf("k", {.dynamicShared = 100}, to), "");
  std::vector<uint32_t> got = module.download<uint32_t>(to, 3);
  EXPECT_EQ(got[1], (got[0] + 12 + 15) / 16 * 16);
  EXPECT_NE(module.faultOf("k", {.dynamicShared = 96}, to).find("shared memory must be written within"),
            std::string::npos);
}

TEST(Options, OfTheEnvironment) {
  setenv("GLM_PTX_CHECKS", "0", 1);
  setenv("GLM_PTX_THREADS", "3", 1);
  setenv("GLM_PTX_STEP_LIMIT", "12345678901", 1);
  setenv("GLM_PTX_PROFILE", "p.json", 1);
  Result<Options> options = optionsFromEnvironment();
  ASSERT_TRUE(options);
  EXPECT_FALSE(options->checks);
  EXPECT_EQ(options->threads, 3u);
  EXPECT_EQ(options->stepLimit, 12345678901u);
  EXPECT_EQ(options->profilePath, "p.json");
  setenv("GLM_PTX_THREADS", "two", 1);
  options = optionsFromEnvironment();
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().message, "environment: GLM_PTX_THREADS must be a number, but found two");
  for (const char *name : {"GLM_PTX_CHECKS", "GLM_PTX_THREADS", "GLM_PTX_STEP_LIMIT", "GLM_PTX_PROFILE"})
    unsetenv(name);
}

} // namespace
} // namespace glm::ptx::test
