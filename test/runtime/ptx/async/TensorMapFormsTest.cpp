#include "test/runtime/ptx/async/Kernel.h"

#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace glm::ptx {
namespace {

using test::run;

TensorMap plainMap(uint64_t address) {
  TensorMap map;
  map.type = TensorType::F16;
  map.rank = 3;
  map.globalAddress = address;
  map.dims = {64, 32, 8};
  map.strides = {128, 4096};
  map.box = {64, 8, 1};
  map.elementStrides = {1, 1, 1};
  return map;
}

/// What `change` does to a map: in global memory at [%d10], in shared memory at [%r3], the result at %d1.
Result<TensorMap> changed(std::string_view change, bool inShared) {
  test::Memory in(128), out(128);
  std::array<std::byte, kTensorMapBytes> bytes = test::encoded(plainMap(in.address()));
  std::memcpy(in.as<std::byte>().data(), bytes.data(), 128);
  std::string words = R"(
  mov.b64 %d10, %d0;
)";
  if (inShared)
    for (uint32_t i = 0; i < 16; ++i)
      words += fmt::format("  ld.global.u64 %d30, [%d0+{0}];\n  st.shared.u64 [smem+{0}], %d30;\n", i * 8);
  words += std::string(change) + "\n";
  for (uint32_t i = 0; i < 16; ++i)
    words += fmt::format("  ld.{1} %d30, [{2}+{0}];\n  st.global.u64 [%d1+{0}], %d30;\n", i * 8,
                         inShared ? "shared.u64" : "global.u64", inShared ? "smem" : "%d10");
  EXPECT_EQ(run(words, {.block = 1}, {{in.address(), out.address(), 0, 0}, {}}), "") << change;
  return decodeTensorMap(out.as<std::byte>().first<kTensorMapBytes>());
}

TEST(TensorMapFormsTest, everyFieldIsReplaced) {
  for (bool inShared : {false, true}) {
    std::string space = inShared ? ".shared::cta" : ".global", place = inShared ? "[%r3]" : "[%d10]";
    auto replace = [&](std::string_view field, std::string_view type, std::string_view operands) {
      return fmt::format("  tensormap.replace.tile.{}{}.b1024.{} {}, {};\n", field, space, type, place, operands);
    };
    Result<TensorMap> map = changed("  mov.b64 %d20, 0x123450;\n  mov.b64 %d21, 8192;\n  mov.b32 %r20, 77;\n" +
                                        replace("global_address", "b64", "%d20") + replace("rank", "b32", "1") +
                                        replace("box_dim", "b32", "1, 16") + replace("global_dim", "b32", "1, %r20") +
                                        replace("global_stride", "b64", "0, %d21") +
                                        replace("element_stride", "b32", "1, 2") + replace("elemtype", "b32", "10") +
                                        replace("interleave_layout", "b32", "0") + replace("swizzle_mode", "b32", "3") +
                                        replace("swizzle_atomicity", "b32", "1") + replace("fill_mode", "b32", "1"),
                                    inShared);
    ASSERT_TRUE(map) << map.error().message;
    EXPECT_EQ(map->globalAddress, 0x123450u);
    EXPECT_EQ(map->rank, 2u);
    EXPECT_EQ(map->box[1], 16u);
    EXPECT_EQ(map->dims[1], 77u);
    EXPECT_EQ(map->strides[0], 8192u);
    EXPECT_EQ(map->elementStrides[1], 2u);
    EXPECT_EQ(map->type, TensorType::BF16);
    EXPECT_EQ(map->swizzle, Swizzle::B128Atom32);
    EXPECT_TRUE(map->fillNan);
    EXPECT_EQ(map->box[0], 64u) << "what is not named stays";
  }
  Result<TensorMap> generic =
      changed("  mov.b64 %d20, 0x1000;\n  tensormap.replace.tile.global_address.b1024.b64 [%d10], %d20;\n", false);
  ASSERT_TRUE(generic);
  EXPECT_EQ(generic->globalAddress, 0x1000u);
}

TEST(TensorMapFormsTest, aMapIsCopiedOutOfSharedMemory) {
  for (std::string_view scope : {"cta", "cluster", "gpu", "sys"}) {
    test::Memory out(128);
    std::string body = R"(
  shl.b32 %r10, %r0, 2;
  add.u32 %r10, %r10, %r3;
  add.u32 %r11, %r0, 300;
  st.shared.u32 [%r10], %r11;
  bar.warp.sync 0xffffffff;
)" + fmt::format("  tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.{}.sync.aligned [%d0], "
                 "[%r3], 128;\n",
                 scope);
    ASSERT_EQ(run(body, {}, {{out.address(), 0, 0, 0}, {}}), "") << scope;
    for (uint32_t i = 0; i < 32; ++i)
      ASSERT_EQ(out.as<uint32_t>()[i], 300 + i);
  }
}

TEST(TensorMapFormsTest, mapsArePrefetched) {
  EXPECT_EQ(run("  prefetch.tensormap [%d4];\n  prefetch.param.tensormap [%d5];\n", {.block = 1}), "");
  test::Memory small(64);
  EXPECT_NE(run("  prefetch.tensormap [%d0];\n", {.block = 1}, {{small.address(), 0, 0, 0}, {}}), "");
}

TEST(TensorMapFormsTest, misuseIsReported) {
  test::Memory memory(128);
  test::Arguments arguments{{memory.address(), 0, 0, 0}, {}};
  for (uint32_t &word : memory.as<uint32_t>())
    word = 0;
  EXPECT_NE(run("  tensormap.replace.tile.rank.global.b1024.b32 [%d0], 1;\n", {.block = 1}, arguments)
                .find("must be a tensor map that cuTensorMapEncodeTiled made"),
            std::string::npos);
  EXPECT_NE(run("  mul.wide.u32 %d10, %r0, 128;\n  add.u64 %d10, %d0, %d10;\n"
                "  tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.gpu.sync.aligned [%d10], "
                "[%r3], 128;\n",
                {}, arguments)
                .find("must have the same addresses in all lanes"),
            std::string::npos);
  EXPECT_NE(test::whyRefused("tensormap.replace.tile.box_dim.global.b1024.b32 [%d0], 5, 1;")
                .find("names a dimension of at most five, but found 5"),
            std::string::npos);
  EXPECT_NE(test::whyRefused("tensormap.replace.tile.elemtype.global.b1024.b32 [%d0], %r0;"), "");
  EXPECT_NE(
      test::whyRefused("tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.gpu.sync.aligned [%d0], "
                       "[%r3], 64;")
          .find("copies 128 bytes, but found 64"),
      std::string::npos);
}

TEST(TensorMapFormsTest, featuresBelongToChips) {
  EXPECT_NE(test::whyRefused("tensormap.replace.tile.elemtype.global.b1024.b32 [%d0], 13;", "sm_90a"), "");
  EXPECT_EQ(test::whyRefused("tensormap.replace.tile.elemtype.global.b1024.b32 [%d0], 13;", "sm_120a"), "");
  EXPECT_EQ(test::whyRefused("tensormap.replace.tile.elemtype.global.b1024.b32 [%d0], 12;", "sm_90a"), "");
  EXPECT_NE(test::whyRefused("tensormap.replace.tile.swizzle_atomicity.global.b1024.b32 [%d0], 1;", "sm_90a"), "");
}

} // namespace
} // namespace glm::ptx
