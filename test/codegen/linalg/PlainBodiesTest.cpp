// Every plain body against the formula of its op: types, widths that are no multiple of a vector, one row and many.
#include "codegen/linalg/PlainFamily.h"
#include "test/codegen/harness/Cases.h"
#include "test/codegen/harness/Kernel.h"

#include <gtest/gtest.h>

namespace glm::test {
namespace {

const std::string kChip = testedChip("host");

/// On a GPU also the bits of the host: plain bodies are the same arithmetic everywhere.
void verifyPlain(const Case &test) {
  verify(*plainFamily(), test, kChip);
  if (kChip != "host")
    sameBits(*plainFamily(), test, kChip, "host");
}

const std::vector<std::string> kActivations = {"f32", "bf16"};
const std::vector<std::string> kWeights = {"f32", "bf16", "f16", "nvfp4"};

TEST(PlainBodies, Embed) {
  for (const char *table : {"f32", "bf16", "f16"})
    verifyPlain(embedCase(table, "bf16", 5, 11, 48));
  verifyPlain(embedCase("bf16", "f32", 3, 7, 33));
  verifyPlain(embedSampledCase("bf16", "bf16", 7, 11, 48));
  verifyPlain(embedSampledCase("bf16", "f32", 4, 7, 33));
}

TEST(PlainBodies, GatherRows) {
  verifyPlain(gatherRowsCase("bf16", "bf16", 5, 64));
  verifyPlain(gatherRowsCase("f32", "bf16", 5, 19));
  verifyPlain(gatherRowsCase("f32", "f32", 2, 16));
}

TEST(PlainBodies, Add) {
  for (const std::string &activation : kActivations) {
    verifyPlain(addCase(activation, 5, 96));
    verifyPlain(addCase(activation, 3, 37));
  }
}

TEST(PlainBodies, GemmOfEachWeightType) {
  for (const std::string &activation : kActivations)
    for (const std::string &weight : kWeights)
      verifyPlain(gemmCase(activation, activation, weight, 5, {13}, 96));
}

TEST(PlainBodies, GemmOfSeveralWeights) {
  verifyPlain(gemmCase("bf16", "bf16", "bf16", 4, {7, 3, 20}, 35));
  verifyPlain(gemmCase("bf16", "f32", "nvfp4", 4, {6, 9}, 32));
}

TEST(PlainBodies, GatedGemm) {
  for (const std::string &activation : kActivations)
    for (const char *weight : {"bf16", "nvfp4"})
      verifyPlain(gatedGemmCase(activation, weight, 5, 11, 64));
}

TEST(PlainBodies, HeadGemm) {
  // Heads of 10 rows: 6 are of the key, 4 of the value.
  for (const std::string &activation : kActivations) {
    verifyPlain(headGemmCase(activation, "bf16", 5, {3, 10, 0, 6, 24, 9}, true));
    verifyPlain(headGemmCase(activation, "bf16", 5, {3, 10, 6, 4, 24, 24}, false));
  }
  verifyPlain(headGemmCase("f32", "nvfp4", 3, {2, 10, 0, 6, 32, 6}, true));
  verifyPlain(headGemmCase("f32", "f16", 3, {2, 10, 6, 4, 17, 20}, false));
}

TEST(PlainBodies, Norm) {
  for (const std::string &activation : kActivations)
    for (std::string kind : {"rms", "layer"})
      for (bool delta : {false, true}) {
        verifyPlain(normCase(activation, "bf16", 5, {kind, 96, 96, delta}));
        verifyPlain(normCase(activation, "f32", 3, {kind, 55, 37, delta}));
      }
  verifyPlain(normCase("bf16", "f16", 3, {"rms", 9, 9, false}));
}

TEST(PlainBodies, RopeAngles) {
  verifyPlain(ropeAnglesCase(7, 32, 1 << 20));
  verifyPlain(ropeAnglesCase(3, 5, 100));
}

TEST(PlainBodies, Rope) {
  for (const std::string &activation : kActivations) {
    verifyPlain(ropeCase(activation, 5, 3, 96, 32, 64));
    verifyPlain(ropeCase(activation, 5, 2, 29, 0, 10));
    verifyPlain(ropeCase(activation, 4, 1, 45, 3, 38));
  }
}

TEST(PlainBodies, RopeInPlace) {
  Case test = ropeCase("bf16", 5, 2, 48, 16, 20);
  test.text = "glm.kernel.rope %0, %1 to %0 heads 2 columns 16 plus 20 : $0, $1, $0";
  test.expect = [expect = test.expect](const std::vector<Operand> &operands, int64_t rows) {
    std::vector<Expected> expected = expect(operands, rows);
    expected[0].operand = 0;
    return expected;
  };
  verifyPlain(test);
}

TEST(PlainBodies, RopeCacheWrite) {
  for (const std::string &activation : kActivations) {
    verifyPlain(cacheWriteCase(activation, activation, 7, {"rms", 48, 32, 32, 16}));
    verifyPlain(cacheWriteCase(activation, activation, 7, {"layer", 40, 40, 0, 22}));
    verifyPlain(cacheWriteCase(activation, activation, 7, {"", 27, 0, 3, 12}));
    verifyPlain(cacheWriteCase(activation, activation, 7, {"rms", 21, 21, 0, 0}));
    verifyPlain(cacheWriteCase(activation, activation, 7, {"", 33, 0, 0, 0}));
  }
  verifyPlain(cacheWriteCase("f32", "bf16", 7, {"rms", 48, 32, 32, 16}));
  verifyPlain(cacheWriteCase("bf16", "bf16", 7, {"", 56, 0, 48, 8, 48}));
}

TEST(PlainBodies, CacheWriteHasTheNumbersOfSingleOps) {
  constexpr int64_t rows = 7, width = 40;
  for (std::string kind : {"rms", "layer"}) {
    Case fused = cacheWriteCase("bf16", "bf16", rows, {kind, width, width, 0, 22});
    std::string bias = kind == "layer" ? " bias %6" : "", biasType = kind == "layer" ? " bias $6" : "";
    std::vector<std::string> single = {"glm.kernel.norm <" + kind + "> %0 weight %5" + bias +
                                           " to %0 eps 1.0e-2 : $0, $5" + biasType + ", $0",
                                       "glm.kernel.rope %0, %7 to %0 heads 1 columns 0 plus 22 : $0, $7, $0",
                                       "glm.kernel.rope_cache_write %0 into %1 at %2, %3, %4 {page_size = 8 : i64, "
                                       "rope_offset = 0 : i64, rope_width = 0 : i64} : $0, $1, $2, $3, $4"};
    std::vector<Operand> fusedOperands = fused.operands, singleOperands = fused.operands;
    auto run = [&](const std::string &text, std::vector<Operand> &operands) {
      auto kernel = Kernel::compile(*plainFamily(), text, operands);
      ASSERT_TRUE(kernel) << kernel.error().message;
      kernel->run(operands, rows, 2);
    };
    run(fused.text, fusedOperands);
    for (const std::string &text : single)
      run(text, singleOperands);
    EXPECT_EQ(fusedOperands[1].bytes(), singleOperands[1].bytes()) << kind;
    EXPECT_NE(fusedOperands[1].bytes(), fused.operands[1].bytes()) << kind;
  }
}

TEST(PlainBodies, IndexScore) {
  for (const std::string &activation : kActivations) {
    verifyPlain(indexScoreCase(activation, 5, 4, 32, 75, 8));
    verifyPlain(indexScoreCase(activation, 5, 3, 21, 40, 64));
  }
}

TEST(PlainBodies, TopK) {
  verifyPlain(topKCase(7, 100, 16));
  verifyPlain(topKCase(7, 100, 50));
  verifyPlain(topKCase(5, 64, 1));
  verifyPlain(topKCase(5, 37, 36));
  verifyPlain(topKCase(4, 9, 20));
}

TEST(PlainBodies, SparseMla) {
  for (const std::string &activation : kActivations) {
    verifyPlain(sparseMlaCase(activation, 5, {3, 32, 16, 40, 24, 60, 8}));
    verifyPlain(sparseMlaCase(activation, 5, {2, 21, 6, 11, 7, 33, 4}));
  }
}

TEST(PlainBodies, SparseMlaInParts) {
  // A last part that is not full, and rows that have no position for it; a list of one part.
  for (const std::string &activation : kActivations)
    for (int64_t partSize : {5, 8, 30})
      for (AttentionShape shape :
           {AttentionShape{3, 32, 16, 40, 24, 60, 8, partSize}, {2, 21, 6, 11, 7, 33, 4, partSize}}) {
        verifyPlain(sparseMlaCase(activation, 5, shape));
        verifyPlain(sparseMlaPartCase(activation, 5, shape));
      }
  verifyPlain(sparseMlaJoinCase("f32", 5, 3, 32, 4));
  verifyPlain(sparseMlaJoinCase("bf16", 2, 2, 21, 1));
}

TEST(PlainBodies, Route) {
  verifyPlain(routeCase("f32", 7, {.experts = 32, .topK = 5}));
  verifyPlain(routeCase("bf16", 7, {.experts = 21, .topK = 3, .normalize = false}));
  verifyPlain(routeCase("f32", 7, {.experts = 32, .topK = 4, .groups = 8, .keptGroups = 3}));
  verifyPlain(routeCase("f32", 9, {.experts = 24, .topK = 6, .equals = true}));
  verifyPlain(routeCase("f32", 9, {.experts = 24, .topK = 5, .groups = 6, .keptGroups = 2, .equals = true}));
}

TEST(PlainBodies, GroupRows) {
  verifyPlain(groupRowsCase(9, 12, 4));
  verifyPlain(groupRowsCase(3, 40, 2));
}

TEST(PlainBodies, Moe) {
  for (const std::string &activation : kActivations)
    for (const std::string &weight : kWeights) {
      verifyPlain(moeGateUpCase(activation, weight, 5, 6, 2, 7, 32));
      verifyPlain(moeDownCase(activation, weight, 5, 6, 2, 9, 48));
    }
}

TEST(PlainBodies, MoeCombine) {
  for (const std::string &activation : kActivations)
    for (bool shared : {false, true}) {
      verifyPlain(moeCombineCase(activation, 5, 3, 48, shared));
      verifyPlain(moeCombineCase(activation, 5, 8, 21, shared));
    }
}

TEST(PlainBodies, SameBitsOnEachChip) {
  for (const Case &test :
       {gatedGemmCase("bf16", "nvfp4", 5, 11, 64), normCase("bf16", "bf16", 5, {"layer", 96, 96, true}),
        ropeCase("bf16", 5, 3, 96, 32, 64), indexScoreCase("bf16", 5, 4, 32, 75, 8),
        sparseMlaCase("bf16", 5, {3, 32, 16, 40, 24, 60, 8}), routeCase("f32", 7, {.experts = 32, .topK = 5}),
        moeCombineCase("bf16", 5, 3, 48, true)})
    sameBits(*plainFamily(), test, "host", "x86-64-v3");
}

} // namespace
} // namespace glm::test
