#include "frontend/plan/RankWeights.h"

#include <gtest/gtest.h>

using namespace glm;

namespace {

StoredWeight weightOf(const char *name, std::vector<int64_t> shape, StoredFormat format, int64_t count = 1) {
  StoredWeight weight{name, count, shape, format, 0, true, 0};
  int64_t elements = shape[0] * (shape.size() > 1 ? shape[1] : 1);
  weight.bytes = count * (isPacked(format) ? elements / 2 + elements / 16 + 4 : 2 * elements);
  return weight;
}

uint64_t sumOverRanks(const StoredWeight &weight, int64_t ranks) {
  uint64_t total = 0;
  for (int64_t rank = 0; rank < ranks; ++rank)
    total += rankBytes(weight, rank, ranks);
  return total;
}

TEST(RankWeights, dividesRowsColumnsAndNothing) {
  auto bf16 = StoredFormat::BF16;
  EXPECT_EQ(rankBytes(weightOf("model.layers.3.self_attn.q_b_proj.weight", {48, 10}, bf16), 1, 4), 12u * 10 * 2);
  EXPECT_EQ(rankBytes(weightOf("model.layers.3.self_attn.o_proj.weight", {10, 48}, bf16), 1, 4), 10u * 12 * 2);
  for (const char *name :
       {"model.layers.3.self_attn.q_a_proj.weight", "model.layers.3.self_attn.kv_a_proj_with_mqa.weight",
        "model.layers.3.self_attn.indexer.wq_b.weight", "model.layers.3.mlp.gate.weight",
        "model.layers.9.eh_proj.weight"})
    EXPECT_EQ(rankBytes(weightOf(name, {48, 16}, bf16), 3, 4), 48u * 16 * 2) << name;
  EXPECT_EQ(rankBytes(weightOf("model.norm.weight", {48}, bf16), 3, 4), 96u);
}

// All of a matrix is somewhere; what is held more than once is the global scale alone.
TEST(RankWeights, partsOfPackedWeightsAddUp) {
  for (auto format : {StoredFormat::ModelOptNvfp4, StoredFormat::CompressedTensorsNvfp4})
    for (const char *name :
         {"model.layers.3.mlp.experts.{}.up_proj.weight", "model.layers.3.mlp.experts.{}.down_proj.weight"}) {
      // 8 rows of 0.5625 bytes: a column is no whole number of bytes, a block is.
      StoredWeight weight = weightOf(name, {8, 64}, format, 5);
      EXPECT_EQ(sumOverRanks(weight, 4), weight.bytes + 3 * 5 * 4) << name;
      EXPECT_EQ(rankBytes(weight, 2, 4), 5u * (8 * 64 * 9 / 16 / 4 + 4)) << name;
    }
}

// The first rank holds a largest part.
TEST(RankWeights, vocabularyIsDividedUnevenly) {
  StoredWeight head = weightOf("lm_head.weight", {11, 3}, StoredFormat::BF16);
  std::vector<uint64_t> rows;
  for (int64_t rank = 0; rank < 4; ++rank)
    rows.push_back(rankBytes(head, rank, 4) / 6);
  EXPECT_EQ(rows, (std::vector<uint64_t>{3, 3, 3, 2}));
}

TEST(RankWeights, refusesWhatMustNotBeCut) {
  ModelConfig config;
  config.heads = 6;
  auto refusal = [&](const StoredWeight &weight, int64_t ranks) {
    StoredTensors stored;
    stored.weights = {weight};
    auto checked = checkRanks(stored, config, ranks);
    return checked ? std::string() : checked.error().message;
  };
  StoredWeight heads = weightOf("model.layers.0.self_attn.q_b_proj.weight", {24, 16}, StoredFormat::BF16);
  EXPECT_EQ(refusal(heads, 3), "");
  // 24 rows can be divided by 4, 6 heads cannot.
  EXPECT_EQ(refusal(heads, 4), "--tensor-parallel: ranks must divide the 6 heads of model.layers.0.self_attn.q_b_proj, "
                               "but found 4");
  StoredWeight down = weightOf("model.layers.3.mlp.experts.{}.down_proj.weight", {8, 64}, StoredFormat::ModelOptNvfp4);
  EXPECT_EQ(refusal(down, 4), "");
  EXPECT_EQ(refusal(down, 8), "--tensor-parallel: ranks must divide the 4 blocks of 16 columns of "
                              "model.layers.3.mlp.experts.{}.down_proj, but found 8");
  EXPECT_EQ(refusal(weightOf("model.layers.0.mlp.down_proj.weight", {8, 64}, StoredFormat::BF16), 8), "");
  EXPECT_EQ(refusal(weightOf("model.layers.0.mlp.up_proj.weight", {63, 8}, StoredFormat::BF16), 8),
            "--tensor-parallel: ranks must divide the 63 rows of model.layers.0.mlp.up_proj, but found 8");
  EXPECT_EQ(refusal(weightOf("lm_head.weight", {63, 8}, StoredFormat::BF16), 8), "");
}

} // namespace
