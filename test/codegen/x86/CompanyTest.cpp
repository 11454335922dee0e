// Tile, order of sums and unrolling depend on the width alone: each family, asked for the bits.
#include "test/codegen/x86/Company.h"
#include "codegen/x86/Families.h"
#include "test/codegen/harness/Cases.h"
#include "test/codegen/x86/ChipTest.h"

namespace glm::test {
namespace {

constexpr int64_t kRows = 17; ///< two full tiles of 8 and one row more
const std::vector<std::string> kActivations = {"f32", "bf16"};
const std::vector<std::string> kWeights = {"f32", "bf16", "f16", "nvfp4"};

class Company : public ChipTest {};

TEST_P(Company, Gemm) {
  // 272 = 2 x 128 + 16: every loop of every engine, the unrolled one included, and an odd number of weight rows.
  for (const std::string &activation : kActivations)
    for (const std::string &weight : kWeights)
      expectSameAlone(*makeGemmFamily(), gemmCase(activation, activation, weight, kRows, {5}, 272), {{0}, 2}, chip());
  // 640 = 4 x 128 + 128: the chunks that are written out four times, and one behind them.
  expectSameAlone(*makeGemmFamily(), gemmCase("bf16", "f32", "nvfp4", kRows, {3}, 640), {{0}, 2}, chip());
  expectSameAlone(*makeGemmFamily(), gemmCase("bf16", "f32", "bf16", kRows, {3}, 165), {{0}, 2}, chip());
}

TEST_P(Company, GatedGemm) {
  for (const std::string &weight : kWeights)
    expectSameAlone(*makeGemmFamily(), gatedGemmCase("bf16", weight, kRows, 5, 144), {{0}, 3}, chip());
}

TEST_P(Company, HeadGemm) {
  for (const std::string &activation : kActivations)
    for (const char *weight : {"bf16", "nvfp4"}) {
      expectSameAlone(*makeHeadGemmFamily(), headGemmCase(activation, weight, kRows, {3, 10, 6, 4, 144, 144}, false),
                      {{0}, 2}, chip());
      // Columns in wide chunks of one and of four rows, in vectors, and single ones.
      int64_t columns = std::string(weight) == "nvfp4" ? 336 : 341;
      expectSameAlone(*makeHeadGemmFamily(), headGemmCase(activation, weight, kRows, {3, 10, 1, 7, columns, 9}, true),
                      {{0}, 2}, chip());
    }
}

TEST_P(Company, Experts) {
  for (const std::string &weight : kWeights) {
    // Every row chooses both experts: the company of a row in its tile is that of the step.
    expectSameAloneAmongExperts(*makeMoeFamily(), moeGateUpCase("bf16", weight, kRows, 2, 2, 3, 144), 2, 5, chip());
    expectSameAloneAmongExperts(*makeMoeFamily(), moeDownCase("bf16", weight, kRows, 2, 2, 3, 144), 2, 4, chip());
  }
  expectSameAloneAmongExperts(*makeMoeFamily(), moeDownCase("f32", "nvfp4", kRows, 7, 3, 3, 80), 3, 4, chip());
}

TEST_P(Company, IndexScore) {
  for (const std::string &activation : kActivations)
    expectSameAlone(*makeIndexScoreFamily(), indexScoreCase(activation, kRows, 17, 48, 75, 8), {{0, 1, 3, 4}, 6},
                    chip());
}

TEST_P(Company, SparseMla) {
  for (const std::string &activation : kActivations)
    expectSameAlone(*makeSparseMlaFamily(), sparseMlaCase(activation, kRows, {17, 80, 16, 40, 24, 60, 8}),
                    {{0, 1, 3, 4}, 6}, chip());
}

GLM_ON_EACH_CHIP(Company);

} // namespace
} // namespace glm::test
