#include "frontend/config/Pattern.h"
#include "test/frontend/config/SmallModel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace glm;
using namespace glm::test;

namespace {

class PoliciesTest : public testing::Test {
protected:
  Result<std::vector<PrecisionRule>> rules(const std::string &policy, int64_t layers = 78) {
    ModelConfig config;
    config.layers = layers;
    return policyRules(policy, config, quantization);
  }

  /// The type that a policy gives a module.
  std::string typeOf(const std::string &policy, const std::string &module) {
    auto list = rules(policy);
    if (!list)
      return list.error().message;
    auto set = RuleSet::make(*list);
    if (!set)
      return set.error().message;
    auto rule = set->last(module);
    return *rule ? (*rule)->type : "none";
  }

  std::string refusal(const std::string &text) { return messageOf(rules(folder.write("rules.json", text).string())); }

  QuantizationConfig quantization;
  TemporaryFolder folder;
};

// The table of the model card, line by line, with the names of the tensors that each line can mean.
TEST_F(PoliciesTest, cardIsTheCardsTable) {
  for (const char *module :
       {"lm_head", "model.layers.2.self_attn.q_a_proj", "model.layers.40.self_attn.kv_b_proj",
        "model.layers.2.self_attn.indexer.wq_b", "model.layers.2.self_attn.indexer.wk", "model.layers.3.mlp.gate",
        "model.layers.75.mlp.shared_experts.up_proj", "model.layers.0.mlp.gate_proj", "model.layers.1.mlp.down_proj",
        "model.layers.76.mlp.experts.0.up_proj", "model.layers.77.mlp.experts.255.down_proj",
        "model.layers.78.mlp.experts.3.gate_proj", "model.layers.78.eh_proj"})
    EXPECT_EQ(typeOf("card", module), "bf16") << module;
  for (const char *module :
       {"model.layers.2.mlp.gate_proj", "model.layers.2.mlp.down_proj", "model.layers.3.mlp.experts.0.up_proj",
        "model.layers.10.mlp.experts.0.up_proj", "model.layers.75.mlp.experts.255.down_proj"})
    EXPECT_EQ(typeOf("card", module), "nvfp4") << module;
  for (const char *module :
       {"model.layers.0.self_attn.indexer.weights_proj", "model.layers.2.self_attn.indexer.weights_proj",
        "model.layers.78.self_attn.indexer.weights_proj"})
    EXPECT_EQ(typeOf("card", module), "f32") << module;
  auto list = rules("card"); // named: a loop over what a temporary Result holds would outlive it
  ASSERT_TRUE(list) << list.error().message;
  for (const PrecisionRule &rule : *list)
    EXPECT_EQ(rule.source, "built-in card");
}

TEST_F(PoliciesTest, nvidiaPacksRoutedExpertsAlone) {
  for (const char *module : {"lm_head", "model.layers.2.mlp.gate_proj", "model.layers.3.mlp.gate",
                             "model.layers.3.mlp.shared_experts.up_proj", "model.layers.3.self_attn.o_proj",
                             "model.layers.78.mlp.experts.3.gate_proj"})
    EXPECT_EQ(typeOf("nvidia", module), "wide") << module;
  for (const char *module : {"model.layers.3.mlp.experts.0.up_proj", "model.layers.77.mlp.experts.255.down_proj"})
    EXPECT_EQ(typeOf("nvidia", module), "nvfp4") << module;
}

TEST_F(PoliciesTest, checkpointIsItsOwnList) {
  quantization.excludes = {makeRule("lm_head", "wide", "hf_quant_config.json:9")};
  EXPECT_EQ(typeOf("checkpoint", "lm_head"), "wide");
  EXPECT_EQ(typeOf("checkpoint", "model.layers.0.mlp.gate"), "none");
}

TEST_F(PoliciesTest, smallModelsHaveFewBoundaryLayers) {
  for (int64_t layers : {1, 2, 3})
    EXPECT_TRUE(RuleSet::make(*rules("card", layers))) << layers;
  EXPECT_EQ(rules("card", 1)->size(), 10u); // 5 types, layers 0, 0, 1, 1 (the MTP layer), weights_proj
}

TEST_F(PoliciesTest, readsAFileOfRules) {
  auto list = rules(
      folder
          .write("my.json",
                 "{\"comment\": \"why\",\n\"rules\": [\n{\"pattern\": \"*\", \"type\": \"stored\"},\n{\"pattern\": "
                 "\"re:.*\\\\.gate$\", \"type\": \"f32\", \"comment\": \"routers\"},\n\n"
                 "{\"pattern\": \"*\", \"type\": \"wide\"}]}")
          .string());
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ(std::tuple((*list)[0].pattern, (*list)[0].type, (*list)[0].source), std::tuple("*", "stored", "my.json:3"));
  EXPECT_EQ(std::tuple((*list)[1].pattern, (*list)[1].type, (*list)[1].source),
            std::tuple(".*\\.gate$", "f32", "my.json:4"));
  EXPECT_EQ((*list)[1].spelling, PrecisionRule::Spelling::Regex);
  EXPECT_EQ((*list)[2].source, "my.json:6"); // its own line, not that of the equal pattern before
}

TEST_F(PoliciesTest, refusesFiles) {
  EXPECT_EQ(messageOf(rules("bf17")), "--precision: policy must be checkpoint, card, nvidia or a file, but found bf17");
  EXPECT_EQ(refusal("{}"), "rules.json: rules must be a list of objects, but found none");
  EXPECT_EQ(refusal(R"({"rules": {}})"), "rules.json:1: rules must be a list of objects, but found object");
  EXPECT_EQ(refusal("{\"rules\": [],\n\"rule\": []}"),
            "rules.json:2: key must be one of rules, comment, but found rule");
  EXPECT_EQ(refusal(R"({"rules": [{"pattern": "*", "type": "f32", "typo": 1}]})"),
            "rules.json:1: key must be one of pattern, type, comment, but found typo");
  for (const char *rule : {"3", "{\"pattern\":\"*\"}", "{\"pattern\":3,\"type\":\"f32\"}", "[]"})
    EXPECT_EQ(refusal(fmt::format("{{\"rules\": [{}]}}", rule)),
              fmt::format("rules.json:1: a rule must be an object with a pattern and a type, but found {}", rule));
  EXPECT_EQ(refusal("rules:"), "rules.json:1: text must be JSON, but found an error at byte 1");
}

} // namespace
