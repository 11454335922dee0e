#include "frontend/plan/WeightClass.h"

#include <gtest/gtest.h>

using namespace glm;

namespace {

TEST(WeightClass, everyNameHasItsClass) {
  ModelConfig config;
  config.layers = 7;
  const std::pair<const char *, const char *> cases[] = {
      {"model.embed_tokens.weight", "embeddings"},
      {"lm_head.weight", "head"},
      {"model.norm.weight", "norms"},
      {"model.layers.0.input_layernorm.weight", "norms"},
      {"model.layers.0.self_attn.q_a_layernorm.weight", "norms"},
      {"model.layers.0.self_attn.indexer.k_norm.weight", "norms"},
      {"model.layers.0.self_attn.indexer.k_norm.bias", "norms"},
      {"model.layers.0.self_attn.indexer.weights_proj.weight", "indexer"},
      {"model.layers.0.self_attn.kv_a_proj_with_mqa.weight", "attention"},
      {"model.layers.0.mlp.gate_proj.weight", "dense"},
      {"model.layers.6.mlp.gate.weight", "routers"},
      {"model.layers.6.mlp.gate.e_score_correction_bias", "routers"},
      {"model.layers.6.mlp.experts.{}.gate_proj.weight", "routed_experts"},
      {"model.layers.6.mlp.shared_experts.down_proj.weight", "shared_experts"},
      {"model.layers.7.mlp.experts.{}.gate_proj.weight", "mtp"},
      {"model.layers.7.shared_head.norm.weight", "mtp"},
      {"model.layers.70.mlp.gate.weight", "routers"}, // no layer 7
  };
  for (auto [name, expected] : cases) {
    StoredWeight weight;
    weight.name = name;
    EXPECT_STREQ(className(classOf(weight, config)), expected) << name;
  }
}

} // namespace
