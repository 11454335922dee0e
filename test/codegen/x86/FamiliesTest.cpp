// Each family of x86 against the formula of its op and against the plain body: types, and widths that are odd for its tile. A case
// runs on all, no, one and half of its rows; the numbers of rows between follow, since rows have the same bits in every company.
#include "codegen/x86/Families.h"
#include "codegen/linalg/PlainFamily.h"
#include "test/codegen/harness/Cases.h"
#include "test/codegen/x86/ChipTest.h"

namespace glm::test {
namespace {

const std::vector<std::string> kActivations = {"f32", "bf16"};
const std::vector<std::string> kWeights = {"f32", "bf16", "f16", "nvfp4"};

/// The case with an absolute bound for sums of `width` terms. The harness's is for a few hundred; rounding errors of a sum grow at
/// most like its number of terms.
Case longSums(Case test, int64_t width) {
  test.expect = [expect = test.expect,
                 factor = static_cast<double>(width) / 256.0](const std::vector<Operand> &operands, int64_t rows) {
    std::vector<Expected> expected = expect(operands, rows);
    for (Expected &one : expected)
      one.absolute *= factor;
    return expected;
  };
  return test;
}

/// The case with operand `number` replaced by a weight of another type.
Case withWeight(Case test, size_t number, const std::string &weight) {
  Random random(31);
  test.name += " with " + weight;
  test.operands[number] = Operand::anyWeight(weight, test.operands[number].shape()).randomize(random);
  return test;
}

class Families : public ChipTest {
protected:
  void verifyGemm(const Case &test) { verify(*makeGemmFamily(), test, chip()); }
  void verifyHead(const Case &test) { verify(*makeHeadGemmFamily(), test, chip()); }
  void verifyExperts(const Case &test) { verify(*makeMoeFamily(), test, chip()); }
};

TEST_P(Families, GemmOfEachTypeAndWidth) {
  for (const std::string &weight : kWeights) {
    for (int64_t width : {16, 48, 80, 96, 128, 144, 272})
      verifyGemm(gemmCase("bf16", "bf16", weight, 17, {5}, width));
    // One loop for all weights: fewer widths tell.
    for (int64_t width : {16, 80, 272})
      verifyGemm(gemmCase("f32", "f32", weight, 9, {5}, width));
  }
}

TEST_P(Families, GemmOfWidthsThatNoVectorDivides) {
  for (const std::string &activation : kActivations)
    for (const char *weight : {"f32", "bf16", "f16"})
      for (int64_t width : {1, 7, 33, 100})
        verifyGemm(gemmCase(activation, "f32", weight, 9, {3}, width));
}

TEST_P(Families, GemmOfTheModelsWidth) {
  for (const std::string &activation : kActivations)
    for (const char *weight : {"bf16", "nvfp4"})
      verifyGemm(longSums(gemmCase(activation, "f32", weight, 3, {7}, 6144), 6144));
}

TEST_P(Families, GemmOfSeveralWeights) {
  verifyGemm(gemmCase("bf16", "bf16", "bf16", 5, {7, 1, 20}, 48));
  verifyGemm(withWeight(gemmCase("bf16", "f32", "nvfp4", 5, {6, 9}, 144), 2, "bf16"));
}

TEST_P(Families, GatedGemm) {
  for (const std::string &activation : kActivations)
    for (const char *weight : {"bf16", "nvfp4"})
      verifyGemm(gatedGemmCase(activation, weight, 17, 5, 144));
  // A quantizer may leave one half out.
  verifyGemm(withWeight(gatedGemmCase("bf16", "nvfp4", 9, 5, 144), 2, "bf16"));
  verifyGemm(withWeight(gatedGemmCase("bf16", "bf16", 9, 5, 144), 2, "f16"));
}

TEST_P(Families, HeadGemm) {
  for (const std::string &activation : kActivations)
    for (const std::string &weight : kWeights) {
      // Heads of 10 rows: 4 of them behind the first 6.
      for (int64_t heads : {1, 5, 16, 17})
        verifyHead(headGemmCase(activation, weight, 5, {heads, 10, 6, 4, 48, 48}, false));
      verifyHead(headGemmCase(activation, weight, 17, {3, 7, 0, 5, 144, 144}, false));
    }
  verifyHead(headGemmCase("bf16", "bf16", 5, {3, 7, 1, 5, 37, 40}, false));
}

TEST_P(Families, HeadGemmTransposed) {
  for (const std::string &activation : kActivations)
    for (const std::string &weight : kWeights) {
      for (int64_t heads : {1, 5, 16, 17})
        verifyHead(headGemmCase(activation, weight, 5, {heads, 10, 0, 6, 48, 9}, true));
      // Chunks of 256, of 64, of 16 columns.
      verifyHead(headGemmCase(activation, weight, 9, {2, 8, 1, 7, 336, 7}, true));
    }
  verifyHead(headGemmCase("bf16", "bf16", 5, {2, 8, 1, 7, 341, 7}, true));
}

TEST_P(Families, Experts) {
  for (const std::string &activation : kActivations)
    for (const std::string &weight : kWeights) {
      verifyExperts(moeGateUpCase(activation, weight, 17, 6, 2, 3, 144));
      verifyExperts(moeDownCase(activation, weight, 17, 6, 2, 5, 48));
    }
  verifyExperts(moeDownCase("bf16", "nvfp4", 3, 20, 8, 3, 80));
  verifyExperts(withWeight(moeGateUpCase("bf16", "nvfp4", 9, 3, 2, 3, 144), 4, "bf16"));
}

TEST_P(Families, IndexScore) {
  for (const std::string &activation : kActivations)
    for (int64_t heads : {1, 5, 16, 17}) {
      verify(*makeIndexScoreFamily(), indexScoreCase(activation, 9, heads, 32, 75, 8), chip());
      verify(*makeIndexScoreFamily(), indexScoreCase(activation, 5, heads, 21, 40, 64), chip());
    }
}

TEST_P(Families, SparseMla) {
  for (const std::string &activation : kActivations)
    for (int64_t heads : {1, 5, 16, 17}) {
      verify(*makeSparseMlaFamily(), sparseMlaCase(activation, 5, {heads, 80, 16, 40, 24, 60, 8}), chip());
      verify(*makeSparseMlaFamily(), sparseMlaCase(activation, 5, {heads, 21, 6, 11, 7, 33, 4}), chip());
    }
}

TEST_P(Families, AgreeWithThePlainBodies) {
  compare(*makeGemmFamily(), *plainFamily(), gemmCase("bf16", "bf16", "nvfp4", 9, {13}, 272), chip());
  compare(*makeGemmFamily(), *plainFamily(), gatedGemmCase("bf16", "nvfp4", 9, 13, 272), chip());
  compare(*makeHeadGemmFamily(), *plainFamily(), headGemmCase("bf16", "bf16", 9, {5, 10, 6, 4, 48, 48}, false), chip());
  compare(*makeHeadGemmFamily(), *plainFamily(), headGemmCase("bf16", "bf16", 9, {5, 10, 0, 6, 48, 9}, true), chip());
  compare(*makeMoeFamily(), *plainFamily(), moeGateUpCase("bf16", "nvfp4", 9, 6, 2, 5, 144), chip());
  compare(*makeMoeFamily(), *plainFamily(), moeDownCase("bf16", "nvfp4", 9, 6, 2, 5, 144), chip());
  compare(*makeIndexScoreFamily(), *plainFamily(), indexScoreCase("bf16", 9, 17, 32, 75, 8), chip());
  compare(*makeSparseMlaFamily(), *plainFamily(), sparseMlaCase("bf16", 9, {17, 80, 16, 40, 24, 60, 8}), chip());
}

GLM_ON_EACH_CHIP(Families);

} // namespace
} // namespace glm::test
