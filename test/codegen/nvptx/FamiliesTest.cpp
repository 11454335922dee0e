// Families of GPUs against the formulas, interpreted, on the chip that GLM_TEST_CHIP names: shapes that fill tiles and shapes that do not.
#include "codegen/nvptx/Families.h"
#include "codegen/linalg/PlainFamily.h"
#include "test/codegen/harness/Cases.h"
#include "test/codegen/harness/Kernel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace glm::test {
namespace {

const std::string kChip = testedChip("sm_120a");

/// Against the formula and against the meaning, whose sums have another order.
void verifyFamily(const KernelFamily &family, const Case &test) {
  verify(family, test, kChip);
  compare(family, *plainFamily(), test, kChip);
}

const std::vector<std::string> kWeights = {"bf16", "nvfp4"};

TEST(GpuFamilies, Gemm) {
  for (const std::string &weight : kWeights) {
    verifyFamily(*makeGpuGemmFamily(), gemmCase("bf16", "bf16", weight, 5, {13}, 96));
    verifyFamily(*makeGpuGemmFamily(), gemmCase("bf16", "f32", weight, 33, {48}, 64));
    verifyFamily(*makeGpuGemmFamily(), gemmCase("bf16", "bf16", weight, 9, {20, 7, 16}, 48));
  }
  // Columns that end within a lane's chunk, and enough of them for 8 or 16 warps.
  verifyFamily(*makeGpuGemmFamily(), gemmCase("bf16", "bf16", "bf16", 9, {17, 3}, 2056));
  verifyFamily(*makeGpuGemmFamily(), gemmCase("bf16", "bf16", "bf16", 3, {17}, 1048));
  verifyFamily(*makeGpuGemmFamily(), gemmCase("bf16", "bf16", "nvfp4", 3, {17}, 2064));
  // Packed rows of a whole number of tiles, fewer than warps and more; blocks with several tiles.
  verifyFamily(*makeGpuGemmFamily(), gemmCase("bf16", "bf16", "nvfp4", 19, {17}, 512));
  verifyFamily(*makeGpuGemmFamily(), gemmCase("bf16", "f32", "nvfp4", 3, {9, 16}, 2944));
  verifyFamily(*makeGpuGemmFamily(), gemmCase("bf16", "f32", "nvfp4", 2, {16384}, 272));
}

/// Inputs rounded to NVFP4 too, on the chips that multiply codes with codes; the others leave it to the plain bodies.
TEST(GpuFamilies, ScaledProducts) {
  if (kChip != "sm_120a")
    GTEST_SKIP() << kChip << " has no mma.sync with block scales";
  verifyFamily(*makeGpuGemmFamily(), gemmCase("bf16", "bf16", "nvfp4_w4a4", 5, {13}, 128));
  // Columns that end within an instruction, and rows of scales that are no whole words.
  verifyFamily(*makeGpuGemmFamily(), gemmCase("bf16", "f32", "nvfp4_w4a4", 9, {20, 7}, 80));
  verifyFamily(*makeGpuGemmFamily(), gemmCase("bf16", "f32", "nvfp4_w4a4", 11, {5}, 2064));
  verifyFamily(*makeGpuGemmFamily(), gatedGemmCase("bf16", "nvfp4_w4a4", 17, 32, 112));
  for (int64_t rows : {2, 4, 23}) {
    verifyFamily(*makeGpuMoeFamily(), moeGateUpCase("bf16", "nvfp4_w4a4", rows, 8, 2, 24, 48));
    verifyFamily(*makeGpuMoeFamily(), moeDownCase("bf16", "nvfp4_w4a4", rows, 8, 2, 40, 64));
  }
}

/// Tiles that are full, and rows and columns that end within one.
TEST(GpuFamilies, PackWeight) {
  Random random(7);
  for (const std::vector<int64_t> &shape : std::vector<std::vector<int64_t>>{{32, 512}, {13, 48}, {50, 784}}) {
    std::vector<Operand> operands = {Operand::packed(shape).randomize(random), Operand::emptyTiles(shape)};
    auto kernel =
        Kernel::compile(*makeGpuPackWeightFamily(), "glm.kernel.pack_weight %0 to %1 : $0, $1", operands, kChip);
    ASSERT_TRUE(kernel) << kernel.error().message;
    kernel->run(operands, /*rows=*/1, kernel->threadCounts().back());
    EXPECT_EQ(operands[1].bytes(), operands[0].tiles(0)) << shape[0] << " x " << shape[1];
  }
}

TEST(GpuFamilies, GatedGemm) {
  for (const std::string &weight : kWeights) {
    verifyFamily(*makeGpuGemmFamily(), gatedGemmCase("bf16", weight, 5, 11, 64));
    verifyFamily(*makeGpuGemmFamily(), gatedGemmCase("bf16", weight, 17, 32, 112));
    verifyFamily(*makeGpuGemmFamily(), gatedGemmCase("bf16", weight, 9, 13, 640));
  }
}

TEST(GpuFamilies, HeadGemm) {
  // Heads of 40 rows: 24 are of the key, 16 of the value.
  for (int64_t rows : {1, 5, 17}) {
    verifyFamily(*makeGpuHeadGemmFamily(), headGemmCase("bf16", "bf16", rows, {3, 40, 0, 24, 32, 24}, true));
    verifyFamily(*makeGpuHeadGemmFamily(), headGemmCase("bf16", "bf16", rows, {3, 40, 24, 16, 32, 40}, false));
  }
  // More columns than a tile, and no multiple of it; terms that end within an instruction; inputs wider than what takes part.
  verifyFamily(*makeGpuHeadGemmFamily(), headGemmCase("bf16", "bf16", 3, {2, 50, 4, 38, 200, 42}, true));
  verifyFamily(*makeGpuHeadGemmFamily(), headGemmCase("bf16", "bf16", 3, {2, 50, 10, 23, 200, 208}, false));
  verifyFamily(*makeGpuHeadGemmFamily(), headGemmCase("bf16", "nvfp4", 9, {2, 40, 24, 16, 64, 64}, false));
}

TEST(GpuFamilies, Moe) {
  for (const std::string &weight : kWeights) {
    // Fewer entries than experts, as many, and more.
    for (int64_t rows : {2, 4, 23}) {
      verifyFamily(*makeGpuMoeFamily(), moeGateUpCase("bf16", weight, rows, 8, 2, 24, 48));
      verifyFamily(*makeGpuMoeFamily(), moeDownCase("bf16", weight, rows, 8, 2, 40, 32));
    }
    verifyFamily(*makeGpuMoeFamily(), moeGateUpCase("bf16", weight, 1, 9, 3, 16, 96));
    verifyFamily(*makeGpuMoeFamily(), moeDownCase("bf16", weight, 9, 4, 2, 40, 768));
  }
}

TEST(GpuFamilies, IndexScore) {
  verifyFamily(*makeGpuIndexScoreFamily(), indexScoreCase("bf16", 5, 6, 40, 90, 8));
  verifyFamily(*makeGpuIndexScoreFamily(), indexScoreCase("bf16", 2, 32, 64, 33, 16));
}

TEST(GpuFamilies, SparseMla) {
  // Fewer heads than a tile and more than one; more choices than a round; slabs that are not full, and several of a warp.
  verifyFamily(*makeGpuSparseMlaFamily(), sparseMlaCase("bf16", 5, {6, 32, 16, 40, 16, 40, 8}));
  verifyFamily(*makeGpuSparseMlaFamily(), sparseMlaCase("bf16", 3, {20, 72, 8, 32, 48, 150, 16}));
  verifyFamily(*makeGpuSparseMlaFamily(), sparseMlaCase("bf16", 2, {16, 320, 64, 96, 33, 70, 8}));
}

// Several parts of one round or more, a last part that is not full, rows without positions for some of them; parts that end within a round.
const std::vector<AttentionShape> kShapesInParts = {
    {6, 32, 16, 40, 80, 100, 8, 32}, {20, 72, 8, 32, 150, 300, 16, 64}, {16, 320, 64, 96, 40, 70, 8, 12}};

TEST(GpuFamilies, SparseMlaInParts) {
  for (const AttentionShape &shape : kShapesInParts) {
    verifyFamily(*makeGpuSparseMlaFamily(), sparseMlaCase("bf16", 4, shape));
    verifyFamily(*makeGpuSparseMlaFamily(), sparseMlaPartCase("bf16", 4, shape));
  }
  verifyFamily(*makeGpuSparseMlaJoinFamily(), sparseMlaJoinCase("bf16", 5, 3, 200, 4));
  verifyFamily(*makeGpuSparseMlaJoinFamily(), sparseMlaJoinCase("f32", 2, 20, 32, 16));
}

void run(const KernelFamily &family, Case &test) {
  auto kernel = Kernel::compile(family, test.text, test.operands, kChip);
  ASSERT_TRUE(kernel) << test.name << ": " << kernel.error().message;
  kernel->run(test.operands, test.rows, kernel->threadCounts().back());
}

/// Programs of few rows run one form, programs of many the other: a row may not show which. Outputs are float32: bf16 would hide the last bits of
/// the sums.
void expectSameBitsInParts(const KernelFamily &family, const KernelFamily &joining, const AttentionShape &shape) {
  constexpr int64_t rows = 4;
  Case whole = sparseMlaCase("bf16", rows, shape), part = sparseMlaPartCase("bf16", rows, shape);
  int64_t parts = part.operands[7].width() / (2 * shape.heads);
  whole.operands[6] = Operand::buffer("f32", whole.operands[6].shape());
  Case join = sparseMlaJoinCase("f32", rows, shape.heads, shape.rank, parts);
  run(family, whole);
  run(family, part);
  join.operands[0] = part.operands[6];
  join.operands[1] = part.operands[7];
  run(joining, join);
  EXPECT_EQ(join.operands[2].bytes(), whole.operands[6].bytes()) << family.name().str() << ", " << whole.name;
}

TEST(GpuFamilies, SparseMlaInPartsHasTheBitsOfTheWhole) {
  for (const AttentionShape &shape : kShapesInParts) {
    expectSameBitsInParts(*makeGpuSparseMlaFamily(), *makeGpuSparseMlaJoinFamily(), shape);
    expectSameBitsInParts(*plainFamily(), *plainFamily(), shape);
  }
}

TEST(GpuFamilies, SparseMlaValuesHasTheBitsOfTwo) {
  struct Shape {
    int64_t rows, heads, rank, parts;
    HeadShape product;
  };
  // Tiles that fill blocks and tiles that do not; more columns than threads join at once.
  for (auto [rows, heads, rank, parts, product] :
       {Shape{1, 3, 32, 4, {3, 96, 24, 70, 32, 32}}, Shape{3, 2, 520, 3, {2, 144, 16, 128, 520, 520}}}) {
    Case join = sparseMlaJoinCase("bf16", rows, heads, rank, parts);
    Case gemm = headGemmCase("bf16", "bf16", rows, product, false);
    Case both = gemm;
    both.name = "sparse_mla_values";
    both.text =
        fmt::format("glm.kernel.sparse_mla_values %0, %1, %2 to %3 heads {} rows {} plus {} of {} : $0, $1, $2, $3",
                    heads, product.rowBegin, product.rowCount, product.headRows);
    both.operands = {join.operands[0], join.operands[1], gemm.operands[1], gemm.operands[2]};
    run(*makeGpuSparseMlaJoinFamily(), join);
    gemm.operands[0] = join.operands[2];
    run(*makeGpuHeadGemmFamily(), gemm);
    run(*makeGpuSparseMlaValuesFamily(), both);
    EXPECT_EQ(both.operands[3].bytes(), gemm.operands[2].bytes()) << rows << " rows of rank " << rank;
  }
}

TEST(GpuFamilies, MoeDownCombineHasTheBitsOfTwo) {
  for (const std::string &weight : kWeights)
    for (auto [rows, experts, topK] : {std::tuple{1, 8, 3}, std::tuple{1, 4, 4}, std::tuple{5, 6, 2}}) {
      int64_t width = 40;
      Case down = moeDownCase("bf16", weight, rows, experts, topK, width, 48);
      down.prepare(down.operands, rows);
      Case combine = moeCombineCase("bf16", rows, topK, width, /*shared=*/true);
      Case both = down;
      both.name = "moe_down_combine";
      both.text = "glm.kernel.moe_down_combine %0 of %1, %2 down %3 by %4 plus %5 to %6 through %7, %8 : "
                  "$0, $1, $2, $3, $4 plus $5, $6, $7, $8";
      both.operands = {down.operands[0],    down.operands[1],    down.operands[2],
                       down.operands[3],    combine.operands[1], combine.operands[2],
                       combine.operands[3], down.operands[4],    Operand::buffer("i32", {3})};
      run(*makeGpuMoeFamily(), down);
      combine.operands[0] = down.operands[4];
      run(*makeGpuRowFamily(), combine);
      // Counters are as they were: a second launch does the same.
      for (int round = 0; round < 2; ++round) {
        run(*makeGpuMoeFamily(), both);
        EXPECT_EQ(both.operands[6].bytes(), combine.operands[3].bytes()) << weight << ", " << rows << " rows";
        EXPECT_EQ(both.operands[8].bytes(), Operand::buffer("i32", {3}).bytes());
        both.operands[6] = moeCombineCase("bf16", rows, topK, width, true).operands[3];
      }
    }
}

TEST(GpuFamilies, Norm) {
  for (const char *kind : {"rms", "layer"})
    for (bool delta : {false, true}) {
      verifyFamily(*makeGpuRowFamily(), normCase("bf16", "bf16", 5, {kind, 96, 96, delta}));
      verifyFamily(*makeGpuRowFamily(), normCase("bf16", "f32", 3, {kind, 55, 37, delta}));
      // More columns than the threads of a block take at once, and a row of which the first part is normalised.
      verifyFamily(*makeGpuRowFamily(), normCase("bf16", "bf16", 2, {kind, 2320, 2312, delta}));
      // Pieces that stay in registers, and a row of which the rest passes.
      verifyFamily(*makeGpuRowFamily(), normCase("bf16", "bf16", 2, {kind, 4104, 4096, delta}));
    }
}

TEST(GpuFamilies, RopeCacheWrite) {
  verifyFamily(*makeGpuRowFamily(), cacheWriteCase("bf16", "bf16", 7, {"rms", 48, 32, 32, 16}));
  verifyFamily(*makeGpuRowFamily(), cacheWriteCase("bf16", "bf16", 7, {"", 56, 0, 48, 8, 48}));
  verifyFamily(*makeGpuRowFamily(), cacheWriteCase("bf16", "bf16", 7, {"layer", 40, 40, 0, 22}));
  verifyFamily(*makeGpuRowFamily(), cacheWriteCase("bf16", "bf16", 7, {"", 27, 0, 3, 12}));
  verifyFamily(*makeGpuRowFamily(), cacheWriteCase("bf16", "bf16", 7, {"", 33, 0, 0, 0}));
}

TEST(GpuFamilies, RowsThatAreMovedOrAdded) {
  verifyFamily(*makeGpuRowFamily(), embedCase("bf16", "bf16", 5, 11, 48));
  verifyFamily(*makeGpuRowFamily(), embedCase("f16", "f32", 3, 7, 33));
  verifyFamily(*makeGpuRowFamily(), embedSampledCase("bf16", "bf16", 7, 11, 48));
  verifyFamily(*makeGpuRowFamily(), embedSampledCase("f16", "f32", 4, 7, 33));
  verifyFamily(*makeGpuRowFamily(), gatherRowsCase("bf16", "bf16", 5, 64));
  verifyFamily(*makeGpuRowFamily(), gatherRowsCase("f32", "bf16", 5, 19));
  verifyFamily(*makeGpuRowFamily(), addCase("bf16", 5, 96));
  verifyFamily(*makeGpuRowFamily(), addCase("f32", 3, 37));
  for (bool shared : {false, true}) {
    verifyFamily(*makeGpuRowFamily(), moeCombineCase("bf16", 5, 3, 2312, shared));
    verifyFamily(*makeGpuRowFamily(), moeCombineCase("f32", 4, 2, 21, shared));
  }
}

TEST(GpuFamilies, Rope) {
  verifyFamily(*makeGpuRowFamily(), ropeCase("bf16", 5, 3, 24, 8, 16));
  verifyFamily(*makeGpuRowFamily(), ropeCase("f32", 4, 2, 40, 0, 12));
}

TEST(GpuFamilies, TopK) {
  verifyFamily(*makeGpuTopKFamily(), topKCase(7, 100, 16));
  verifyFamily(*makeGpuTopKFamily(), topKCase(5, 64, 1));
  verifyFamily(*makeGpuTopKFamily(), topKCase(4, 9, 20));
  // Several positions a thread.
  verifyFamily(*makeGpuTopKFamily(), topKCase(4, 1700, 300));
}

TEST(GpuFamilies, Route) {
  verifyFamily(*makeGpuRouteFamily(), routeCase("f32", 7, {.experts = 40, .topK = 5}));
  verifyFamily(*makeGpuRouteFamily(), routeCase("bf16", 7, {.experts = 21, .topK = 3, .normalize = false}));
  verifyFamily(*makeGpuRouteFamily(), routeCase("f32", 9, {.experts = 70, .topK = 8, .equals = true}));
}

TEST(GpuFamilies, GroupRows) {
  verifyFamily(*makeGpuRouteFamily(), groupRowsCase(9, 12, 4));
  verifyFamily(*makeGpuRouteFamily(), groupRowsCase(3, 40, 2));
}

} // namespace
} // namespace glm::test
