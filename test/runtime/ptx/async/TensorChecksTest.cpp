// Planted mistakes of programs that copy tensors, and what they are told.
#include "test/runtime/ptx/async/Kernel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace glm::ptx {
namespace {

using test::run;
using test::waitFor;

/// A matrix of 64 x 64 words, word i holding i.
struct Matrix {
  test::Memory memory{64 * 64 * 4}, out{64 * 64 * 4};
  TensorMap map;

  explicit Matrix(uint32_t columns = 32, uint32_t rows = 8, Swizzle swizzle = Swizzle::B128) {
    map.type = TensorType::U32;
    map.rank = 2;
    map.globalAddress = memory.address();
    map.dims = {64, 64};
    map.strides = {256};
    map.box = {columns, rows};
    map.elementStrides = {1, 1};
    map.swizzle = swizzle;
    for (uint32_t i = 0; i < 64 * 64; ++i)
      memory.as<uint32_t>()[i] = i;
  }
  test::Arguments arguments() const { return {{memory.address(), out.address(), 0, 0}, {test::encoded(map), {}}}; }
};

/// Loads a box at (column, row) that is told to be of `bytes` bytes and lets thread i copy word `i` of row `row` of the box,
/// found with the swizzle of 128 bytes or, if the program is wrong, without it.
std::string loadRow(uint32_t bytes, uint32_t row, bool swizzled) {
  return fmt::format(R"(
  setp.eq.u32 %p1, %r0, 0;
  @%p1 mbarrier.init.shared.b64 [bars], 1;
  @%p1 fence.mbarrier_init.release.cluster;
  bar.sync 0;
  mov.b32 %r10, 32;
  mov.b32 %r11, 16;
  @%p1 mbarrier.arrive.expect_tx.shared.b64 _, [bars], {};
  @%p1 cp.async.bulk.tensor.2d.shared::cta.global.mbarrier::complete_tx::bytes [smem], [%d4, {{%r10, %r11}}], [bars];
{}
  mov.b32 %r12, {};
  shl.b32 %r13, %r0, 2;
  shl.b32 %r14, %r12, 7;
  add.u32 %r13, %r13, %r14;
  and.b32 %r15, %r12, 7;
  shl.b32 %r15, %r15, 4;
  xor.b32 %r13, %r13, {};
  add.u32 %r13, %r13, %r3;
  ld.shared.u32 %r16, [%r13];
  mul.wide.u32 %d10, %r0, 4;
  add.u64 %d10, %d1, %d10;
  st.global.u32 [%d10], %r16;
)",
                     bytes, waitFor("%r4", "0", "a"), row, swizzled ? "%r15" : "0");
}

TEST(TensorChecksTest, aCleanProgramReportsNothing) {
  Matrix matrix;
  ASSERT_EQ(run(loadRow(1024, 5, true), {}, matrix.arguments()), "");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(matrix.out.as<uint32_t>()[i], (16 + 5) * 64 + 32 + i);
}

TEST(TensorChecksTest, aWrongSwizzleGivesOtherNumbers) {
  // No check can know what a program means to read; what it reads is what the chip would give it.
  Matrix matrix;
  ASSERT_EQ(run(loadRow(1024, 5, false), {}, matrix.arguments()), "");
  uint32_t wrong = 0;
  for (uint32_t i = 0; i < 32; ++i) {
    uint32_t chunk = (i / 4) ^ 5;
    EXPECT_EQ(matrix.out.as<uint32_t>()[i], (16 + 5) * 64 + 32 + chunk * 4 + i % 4);
    wrong += matrix.out.as<uint32_t>()[i] != (16 + 5) * 64 + 32 + i;
  }
  EXPECT_EQ(wrong, 32u);
}

TEST(TensorChecksTest, aReaderPastABoxThatIsOneRowShortIsReported) {
  // The map was made with one row too few; the reader's last row was never written.
  Matrix matrix(32, 7);
  std::string fault = run(loadRow(7 * 128, 7, true), {}, matrix.arguments());
  EXPECT_NE(fault.find("must be written before it is read, but found no write"), std::string::npos) << fault;
}

TEST(TensorChecksTest, aBoxThatIsOneRowLongerThanToldNeverCompletes) {
  Matrix matrix(32, 9);
  std::string fault = run(loadRow(1024, 5, true), {}, matrix.arguments());
  EXPECT_NE(fault.find("-128 bytes of transactions outstanding"), std::string::npos) << fault;
}

TEST(TensorChecksTest, aShortTransactionCountIsReported) {
  Matrix matrix;
  std::string fault = run(loadRow(1024 + 16, 5, true), {}, matrix.arguments());
  EXPECT_NE(fault.find("phase parity 0, 0 of 1 arrivals pending, 16 bytes of transactions outstanding"),
            std::string::npos)
      << fault;
  EXPECT_NE(fault.find("kernel k, block (0,0,0), warp 0"), std::string::npos) << fault;
}

std::string storeBox(std::string_view fence, std::string_view wait) {
  return fmt::format(R"(
  setp.eq.u32 %p1, %r0, 0;
  shl.b32 %r13, %r0, 2;
  add.u32 %r13, %r13, %r3;
  st.shared.u32 [%r13], 1;
  st.shared.u32 [%r13+128], 2;
  {}
  bar.sync 0;
  mov.b32 %r10, 0;
  @%p1 cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%d4, {{%r10, %r10}}], [smem];
  @%p1 cp.async.bulk.commit_group;
  {}
  bar.sync 0;
  st.shared.u32 [%r13], 3;
)",
                     fence, wait);
}

TEST(TensorChecksTest, storesNeedAProxyFence) {
  Matrix matrix(32, 2);
  EXPECT_EQ(
      run(storeBox("fence.proxy.async;", "@%p1 cp.async.bulk.wait_group.read 0;"), {.block = 32}, matrix.arguments()),
      "");
  std::string fault = run(storeBox("", "@%p1 cp.async.bulk.wait_group.read 0;"), {.block = 32}, matrix.arguments());
  EXPECT_NE(fault.find("must be made visible by fence.proxy.async before an asynchronous operation reads it"),
            std::string::npos)
      << fault;
}

TEST(TensorChecksTest, sourcesStayUntilTheyWereWaitedFor) {
  Matrix matrix(32, 2);
  std::string fault = run(storeBox("fence.proxy.async;", ""), {.block = 32}, matrix.arguments());
  EXPECT_NE(fault.find("must not be written before the asynchronous copy of line"), std::string::npos) << fault;
}

TEST(TensorChecksTest, placesAreChecked) {
  auto fault = [](const Matrix &matrix, std::string_view copy) {
    return run(fmt::format("  setp.eq.u32 %p1, %r0, 0;\n  @%p1 mbarrier.init.shared.b64 [bars], 1;\n"
                           "  mov.b32 %r10, 0;\n  mov.b32 %r11, 1;\n  @%p1 {}\n{}",
                           copy, waitFor("%r4", "0", "a")),
               {}, matrix.arguments());
  };
  Matrix matrix;
  const std::string load = "cp.async.bulk.tensor.2d.shared::cta.global.mbarrier::complete_tx::bytes";
  EXPECT_NE(fault(matrix, load + " [smem+64], [%d4, {%r10, %r10}], [bars];").find("must be a multiple of 128"),
            std::string::npos);
  EXPECT_NE(fault(matrix, load + " [smem+15872], [%d4, {%r10, %r10}], [bars];").find("shared memory must be written"),
            std::string::npos);
  EXPECT_NE(fault(matrix, load + " [smem], [%d0, {%r10, %r10}], [bars];")
                .find("must be a tensor map that cuTensorMapEncodeTiled made"),
            std::string::npos);
  EXPECT_NE(fault(matrix, load + " [smem], [%d4+32, {%r10, %r10}], [bars];").find("must be a multiple of 64"),
            std::string::npos);
  EXPECT_NE(fault(matrix, "cp.async.bulk.tensor.1d.shared::cta.global.mbarrier::complete_tx::bytes [smem], "
                          "[%d4, {%r10}], [bars];")
                .find("must have the instruction's 1 dimensions, but found 2"),
            std::string::npos);
  EXPECT_NE(fault(matrix,
                  "cp.async.bulk.tensor.2d.shared::cta.global.tile::gather4.mbarrier::complete_tx::bytes [smem], "
                  "[%d4, {%r10, %r10, %r10, %r10, %r10}], [bars];")
                .find("must have a box of one row for .gather4 and .scatter4, but found 8"),
            std::string::npos);
  // Rows of the tensor that no allocation holds are found when they are copied.
  Matrix beyond;
  beyond.map.dims[1] = 100;
  EXPECT_NE(
      fault(beyond, "mov.b32 %r10, 60;\n  mov.b32 %r11, 0;\n  @%p1 " + load + " [smem], [%d4, {%r11, %r10}], [bars];")
          .find("global memory at"),
      std::string::npos);
}

TEST(TensorChecksTest, mbarriersLieWhereTheBoxGoes) {
  Matrix matrix;
  std::string body = R"(
  setp.eq.u32 %p1, %r0, 0;
  @%p1 mbarrier.init.shared.b64 [bars], 1;
  barrier.cluster.arrive.release;
  barrier.cluster.wait.acquire;
  mov.b32 %r10, 0;
  mapa.shared::cluster.u32 %r11, %r4, 1;
  setp.eq.and.u32 %p2, %r2, 0, %p1;
  @%p2 cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [smem], [%d4, {%r10, %r10}], [%r11];
)";
  std::string fault = run(body, {.grid = 2, .cluster = 2}, matrix.arguments());
  EXPECT_NE(fault.find("mbarrier must lie in the block of the destination, rank 0, but found rank 1"),
            std::string::npos)
      << fault;
}

TEST(TensorChecksTest, reductionsNeedElementsTheyAreDefinedFor) {
  Matrix matrix(32, 2);
  matrix.map.type = TensorType::F32;
  std::string body =
      "  mov.b32 %r10, 0;\n  st.shared.u32 [smem], 1;\n"
      "  cp.reduce.async.bulk.tensor.2d.global.shared::cta.xor.bulk_group [%d4, {%r10, %r10}], [smem];\n";
  std::string fault = run(body, {.block = 1}, matrix.arguments());
  EXPECT_NE(fault.find("tensor must have elements that .xor is defined for, but found FLOAT32"), std::string::npos)
      << fault;
}

TEST(TensorChecksTest, whatIsNotForTheChipIsRefused) {
  const std::string gather =
      "cp.async.bulk.tensor.2d.shared::{}.global.tile::gather4.mbarrier::complete_tx::bytes [smem], [%d4, {{%r0, %r0, "
      "%r0, %r0, %r0}}], [bars];";
  std::string toCta = fmt::format(fmt::runtime(gather), "cta"),
              toCluster = fmt::format(fmt::runtime(gather), "cluster");
  EXPECT_NE(test::whyRefused(toCta, "sm_90a"), "");
  EXPECT_EQ(test::whyRefused(toCta, "sm_120a"), "");
  EXPECT_NE(test::whyRefused(toCluster, "sm_120a"), "");
  EXPECT_EQ(test::whyRefused(toCluster, "sm_103a"), "");
  const std::string paired = "cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes.cta_group::2 "
                             "[smem], [%d4, {%r0}], [bars];";
  EXPECT_NE(test::whyRefused(paired, "sm_120a"), "");
  EXPECT_EQ(test::whyRefused(paired, "sm_100a"), "");
}

TEST(TensorChecksTest, otherModesAreRefusedByName) {
  std::string refused = test::whyRefused(
      "cp.async.bulk.tensor.3d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [smem], [%d4, "
      "{%r0, %r0, %r0}], [bars], {%h0};");
  EXPECT_NE(refused.find("im2col"), std::string::npos) << refused;
  EXPECT_NE(test::whyRefused("cp.async.bulk.tensor.2d.shared::cta.global.mbarrier::complete_tx::bytes [smem], [%d4, "
                             "{%r0}], [bars];")
                .find("takes 2 coordinates, but found 1"),
            std::string::npos);
}

} // namespace
} // namespace glm::ptx
