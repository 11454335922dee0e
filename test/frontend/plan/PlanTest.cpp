// The arithmetic of what fits, on folders whose sizes are known; the counts themselves are compared with a script's by
// test/frontend/glm-compile/plan.test.
#include "frontend/plan/Plan.h"

#include "test/Inputs/Presets.h"
#include "test/runtime/artifact/TemporaryFolder.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <numeric>

using namespace glm;
using namespace glm::test;

namespace {

/// A folder of the tiny preset, changed, and plans of it.
class PlanTest : public testing::Test {
protected:
  void make(const std::function<void(CheckpointRequest &)> &change = {}) {
    CheckpointRequest request = *preset("tiny");
    request.holes = true;
    request.config["num_attention_heads"] = 8;
    request.config["num_key_value_heads"] = 8;
    request.config["intermediate_size"] = 256;
    request.config["moe_intermediate_size"] = 128;
    if (change)
      change(request);
    ASSERT_TRUE(makeCheckpoint(request, folder.path() / "model"));
    std::vector<std::string> warnings;
    config = *readModelConfig(folder.path() / "model", warnings);
    checkpoint = std::move(*Checkpoint::open(folder.path() / "model"));
    stored = *readStoredTensors(config, checkpoint, ScalarValues::Unread);
  }

  Plan plan(const PlanRequest &request) const {
    auto made = makePlan(config, stored, checkpoint, request);
    EXPECT_TRUE(made) << messageOf(made);
    return *made;
  }

  /// Exactly what a rank takes at a context.
  uint64_t needed(const PlanRequest &request) const {
    Plan counted = plan(request);
    return counted.rankWeights() + counted.workspace + counted.cacheBytes;
  }

  TemporaryFolder folder;
  ModelConfig config;
  Checkpoint checkpoint;
  StoredTensors stored;
};

TEST_F(PlanTest, aByteTooFewIsRefused) {
  make();
  PlanRequest request{.context = 1000, .sequences = 3};
  request.memory = needed(request);
  EXPECT_EQ(plan(request).refusal, "");
  --*request.memory;
  Plan refused = plan(request);
  EXPECT_TRUE(refused.refusal.starts_with("--memory: each of 1 rank of ")) << refused.refusal;
  EXPECT_NE(refused.refusal.find("must hold 3 sequences of 1,000 tokens beside its weights"), std::string::npos);
  EXPECT_NE(refused.refusal.find("2 ranks would do"), std::string::npos) << refused.refusal;
  EXPECT_EQ(refused.fewestRanks, 2);
}

TEST_F(PlanTest, largestContextEndsWithAPage) {
  make();
  PlanRequest request{.cache = "fp8", .context = 6400};
  uint64_t exact = needed(request);
  request.memory = exact;
  EXPECT_EQ(plan(request).fit.context, 6400);
  request.memory = exact - 1;
  EXPECT_EQ(plan(request).fit.context, 6336);
  EXPECT_EQ(plan(request).fit.batch, 0);
  // Enough for everything: the model's own limit, which need not be whole pages.
  config.maxPositions = 10007;
  request.memory = uint64_t(1) << 40;
  EXPECT_EQ(plan(request).fit.context, 10007);
}

TEST_F(PlanTest, nothingFitsBelowTheWeights) {
  make();
  PlanRequest request;
  request.memory = plan(request).rankWeights();
  Plan refused = plan(request);
  EXPECT_EQ(std::tuple(refused.fit.context, refused.fit.batch, refused.fit.tokens, refused.free),
            std::tuple(0, 0, 0u, 0u));
  EXPECT_NE(refused.refusal.find("must hold a page of cache beside its weights"), std::string::npos) << refused.refusal;
}

// Tensor parallelism leaves the cache whole on every rank; sharded by context it is divided.
TEST_F(PlanTest, cacheIsReplicatedUnlessShardedByContext) {
  make();
  PlanRequest one{.context = 4096}, four{.ranks = 4, .context = 4096};
  EXPECT_EQ(plan(one).cacheBytes, plan(four).cacheBytes);
  four.memory = needed(four);
  Plan counted = plan(four);
  EXPECT_EQ(counted.fit.batch, 1);
  EXPECT_GE(counted.contextParallel.batch, 4);
  EXPECT_GE(counted.contextParallel.context, 4 * 4096);
  EXPECT_EQ(counted.contextParallel.cacheBytesPerToken * 4, counted.cache.total());
  EXPECT_EQ(counted.weightBytes.size(), 4u);
  EXPECT_EQ(counted.weightBytes[0], *std::max_element(counted.weightBytes.begin(), counted.weightBytes.end()));
  // Each rank holds what is replicated and its part of the rest.
  uint64_t sum = std::accumulate(counted.weightBytes.begin(), counted.weightBytes.end(), uint64_t(0));
  EXPECT_EQ(sum, plan(one).rankWeights() + 3 * counted.replicatedBytes);
}

TEST_F(PlanTest, inputScalesAreMappedForPackedActivationsAlone) {
  make([](CheckpointRequest &request) {
    request.format = CheckpointFormat::ModelOpt;
    request.packed = {"nvidia"};
    request.inputScales = true;
  });
  uint64_t wide = plan({}).rankWeights(), packed = plan({.activations = "nvfp4"}).rankWeights();
  EXPECT_EQ(packed - wide, 9u * 9 * 3 * 4); // experts of layers 3 to 11, three matrices each
  EXPECT_EQ(plan({}).checkpointBytes, packed);
}

// A folder may carry an MTP layer that its config does not name: it is counted, and nothing more.
TEST_F(PlanTest, unusedTensorsAreCounted) {
  make();
  uint64_t all = plan({}).checkpointBytes, mtp = plan({}).classes[WeightClass::Mtp].bytes;
  config.mtpLayers = 0;
  stored = *readStoredTensors(config, checkpoint, ScalarValues::Unread);
  Plan without = plan({});
  EXPECT_EQ(without.checkpointBytes, all);
  EXPECT_EQ(without.unusedBytes, mtp);
  nlohmann::json json = nlohmann::json::parse(planJson(without));
  EXPECT_EQ(json["bytes_by_class"]["unused"], mtp);
  EXPECT_EQ(json["bytes_by_precision"]["unused"], mtp);
  EXPECT_FALSE(json.contains("max_context"));
}

TEST_F(PlanTest, refusesRanksThatDoNotDivide) {
  make();
  EXPECT_EQ(messageOf(makePlan(config, stored, checkpoint, {.ranks = 3})),
            "--tensor-parallel: ranks must divide the 8 heads of model.layers.0.self_attn.q_b_proj, but found 3");
}

} // namespace
