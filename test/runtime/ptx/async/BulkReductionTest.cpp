#include "runtime/ptx/async/Reduction.h"
#include "test/runtime/ptx/async/Kernel.h"

#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

namespace glm::ptx {
namespace {

using test::run;
using test::waitFor;

/// What destination and source make; the room's own functions are proven in ReductionTest.
std::vector<std::byte> reduced(std::span<const std::byte> destination, std::span<const std::byte> source,
                               std::string_view op, std::string_view type) {
  std::vector<std::byte> result(destination.begin(), destination.end());
  reductionOf(*reductionNamed(op), *reductionTypeNamed(type))(result.data(), source.data(), source.size());
  return result;
}

void fill(const test::Memory &memory, uint32_t seed, bool small) {
  std::mt19937 random(seed);
  for (uint32_t &word : memory.as<uint32_t>())
    word = small ? random() % 4 : static_cast<uint32_t>(random());
}

/// Shared memory from `%d0`, 512 bytes, visible to copies.
const std::string kLoad = R"(
  setp.eq.u32 %p1, %r0, 0;
  shl.b32 %r40, %r0, 4;
  add.u32 %r41, %r3, %r40;
  cvt.u64.u32 %d40, %r40;
  add.u64 %d41, %d0, %d40;
  ld.global.v4.u32 {%r42, %r43, %r44, %r45}, [%d41];
  st.shared.v4.u32 [%r41], {%r42, %r43, %r44, %r45};
  fence.proxy.async;
  bar.sync 0;
)";

TEST(BulkReductionTest, everyOperationIntoGlobalMemory) {
  struct Row {
    const char *words, *op, *type;
  };
  const Row rows[] = {
      {"add.u32", "add", "u32"}, {"add.s32", "add", "s32"},         {"add.u64", "add", "u64"},
      {"add.f32", "add", "f32"}, {"add.f64", "add", "f64"},         {"add.noftz.f16", "add", "f16"},
      {"min.u32", "min", "u32"}, {"add.noftz.bf16", "add", "bf16"}, {"min.s32", "min", "s32"},
      {"min.u64", "min", "u64"}, {"min.s64", "min", "s64"},         {"min.f16", "min", "f16"},
      {"max.u32", "max", "u32"}, {"min.bf16", "min", "bf16"},       {"max.s32", "max", "s32"},
      {"max.u64", "max", "u64"}, {"max.s64", "max", "s64"},         {"max.f16", "max", "f16"},
      {"inc.u32", "inc", "u32"}, {"max.bf16", "max", "bf16"},       {"dec.u32", "dec", "u32"},
      {"and.b32", "and", "b32"}, {"and.b64", "and", "b64"},         {"or.b32", "or", "b32"},
      {"or.b64", "or", "b64"},   {"xor.b32", "xor", "b32"},         {"xor.b64", "xor", "b64"},
  };
  uint32_t seed = 1;
  for (const Row &row : rows) {
    test::Memory in(512), out(512);
    fill(in, ++seed, row.op[1] == 'n' || row.op[0] == 'd');
    fill(out, ++seed, row.op[1] == 'n' || row.op[0] == 'd');
    std::vector<std::byte> expected = reduced(out.as<std::byte>(), in.as<std::byte>(), row.op, row.type);
    bool hinted = seed % 4 == 1;
    std::string body = kLoad + fmt::format("  @%p1 cp.reduce.async.bulk.global.shared::cta.bulk_group{}.{} [%d1], "
                                           "[smem], 512{};\n  cp.async.bulk.commit_group;\n"
                                           "  cp.async.bulk.wait_group 0;\n",
                                           hinted ? ".L2::cache_hint" : "", row.words, hinted ? ", %d2" : "");
    ASSERT_EQ(run(body, {}, {{in.address(), out.address(), 0, 0}, {}}), "") << row.words;
    EXPECT_EQ(std::memcmp(out.as<std::byte>().data(), expected.data(), 512), 0) << row.words;
  }
}

TEST(BulkReductionTest, everyOperationIntoAnotherBlock) {
  // Both blocks of a cluster reduce their input into block 0, which starts with zeros; its mbarrier counts both.
  for (std::string_view words : {"add.u32", "add.s32", "add.u64", "inc.u32", "dec.u32", "min.u32", "min.s32", "max.u32",
                                 "max.s32", "and.b32", "or.b32", "xor.b32"}) {
    test::Memory in(512), out(512);
    fill(in, 77, words[1] == 'n' || words[0] == 'd');
    std::vector<std::byte> expected(512);
    for (int i = 0; i < 2; ++i)
      expected =
          reduced(expected, in.as<std::byte>(), words.substr(0, words.find('.')), words.substr(words.find('.') + 1));
    std::string body = R"(
  setp.eq.u32 %p1, %r0, 0;
  @%p1 mbarrier.init.shared.b64 [bars], 1;
  @%p1 mbarrier.arrive.expect_tx.shared.b64 _, [bars], 1024;
  shl.b32 %r10, %r0, 4;
  add.u32 %r10, %r10, %r3;
  st.shared.v4.u32 [%r10+1024], {0, 0, 0, 0};
)" + kLoad +
                       fmt::format(R"(
  barrier.cluster.arrive.release;
  barrier.cluster.wait.acquire;
  add.u32 %r11, %r3, 1024;
  mapa.shared::cluster.u32 %r12, %r11, 0;
  mapa.shared::cluster.u32 %r13, %r4, 0;
  @%p1 cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes.{} [%r12], [%r3], 512, [%r13];
  setp.ne.u32 %p2, %r2, 0;
  @%p2 bra end;
)",
                                   words) +
                       waitFor("%r4", "0", "a") + R"(
  ld.shared.v4.u32 {%r42, %r43, %r44, %r45}, [%r10+1024];
  add.u64 %d41, %d1, %d40;
  st.global.v4.u32 [%d41], {%r42, %r43, %r44, %r45};
end:
  barrier.cluster.arrive.release;
  barrier.cluster.wait.acquire;
)";
    ASSERT_EQ(run(body, {.grid = 2, .cluster = 2}, {{in.address(), out.address(), 0, 0}, {}}), "") << words;
    EXPECT_EQ(std::memcmp(out.as<std::byte>().data(), expected.data(), 512), 0) << words;
  }
}

TEST(BulkReductionTest, operationsThatTheIsaHasNotAreRefused) {
  for (std::string_view words : {"add.s64", "max.f32", "inc.u64", "add.f16"})
    EXPECT_NE(
        test::whyRefused(fmt::format("cp.reduce.async.bulk.global.shared::cta.bulk_group.{} [%d1], [%r3], 64;", words)),
        "")
        << words;
  for (std::string_view words : {"max.u64", "and.b64", "add.f32"})
    EXPECT_NE(
        test::whyRefused(fmt::format("cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes.{} "
                                     "[%r3], [%r3], 64, [%r4];",
                                     words)),
        "")
        << words;
}

} // namespace
} // namespace glm::ptx
