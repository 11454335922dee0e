#include "frontend/config/ModelConfig.h"

#include "test/frontend/config/SmallModel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace glm;
using namespace glm::test;

namespace {

using Json = nlohmann::ordered_json;

class ModelConfigTest : public testing::Test {
protected:
  Result<ModelConfig> read(const std::function<void(Json &)> &edit, const std::string &generation = "") {
    Json json = smallConfig();
    edit(json);
    folder.write("config.json", json.dump());
    if (!generation.empty())
      folder.write("generation_config.json", generation);
    warnings.clear();
    return readModelConfig(folder.path(), warnings);
  }

  /// The message of a config after one key was changed; place and line are cut off, as they are in every message.
  std::string refusal(const std::string &key, const Json &value) {
    return withoutPlace(messageOf(read([&](Json &json) { json[key] = value; })));
  }
  std::string refusal(const std::function<void(Json &)> &edit) { return withoutPlace(messageOf(read(edit))); }

  static std::string withoutPlace(const std::string &message) {
    for (const char *place : {"config.json:1: ", "config.json: "})
      if (message.starts_with(place))
        return message.substr(std::string_view(place).size());
    return message;
  }

  static std::vector<int64_t> layersOf(const std::vector<bool> &flags) {
    std::vector<int64_t> layers;
    for (size_t i = 0; i < flags.size(); ++i)
      if (flags[i])
        layers.push_back(static_cast<int64_t>(i));
    return layers;
  }

  TemporaryFolder folder;
  std::vector<std::string> warnings;
};

TEST_F(ModelConfigTest, readsEveryKey) {
  auto config = read([](Json &json) {
    json["n_shared_experts"] = 2;
    json["n_group"] = 3;
    json["topk_group"] = 2;
    json["norm_topk_prob"] = false;
    json["routed_scaling_factor"] = 1.75;
    json["rms_norm_eps"] = 3e-4;
    json["max_position_embeddings"] = 4096;
    json["tie_word_embeddings"] = true;
  });
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(std::tuple(config->vocabSize, config->hiddenSize, config->intermediateSize, config->moeIntermediateSize),
            std::tuple(331, 96, 176, 48));
  EXPECT_EQ(std::tuple(config->layers, config->mtpLayers, config->heads), std::tuple(12, 1, 5));
  EXPECT_EQ(
      std::tuple(config->qLoraRank, config->kvLoraRank, config->qkNopeHeadDim, config->qkRopeHeadDim, config->vHeadDim),
      std::tuple(48, 32, 24, 16, 32));
  EXPECT_EQ(std::tuple(config->experts, config->sharedExperts, config->expertsPerToken, config->expertGroups,
                       config->keptGroups),
            std::tuple(9, 2, 3, 3, 2));
  EXPECT_EQ(std::tuple(config->normTopkProb, config->routedScalingFactor), std::tuple(false, 1.75));
  EXPECT_EQ(std::tuple(config->indexHeadDim, config->indexHeads, config->indexTopk, config->mtpSharesIndex),
            std::tuple(32, 12, 16, true));
  EXPECT_EQ(std::tuple(config->ropeTheta, config->rmsNormEps, config->latentNormEps, config->indexNormEps),
            std::tuple(8e6, 3e-4, 3e-4, 1e-6));
  EXPECT_EQ(std::tuple(config->maxPositions, config->tieWordEmbeddings), std::tuple(4096, true));
  EXPECT_EQ(config->eosTokenIds, (std::vector<int64_t>{3, 5}));
  EXPECT_EQ(layersOf(config->ownsIndexer), (std::vector<int64_t>{0, 1, 2, 6, 10}));
  EXPECT_EQ(layersOf(config->sparseMlp), (std::vector<int64_t>{3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(std::tuple(config->qkHeadDim(), config->latentWidth()), std::tuple(40, 48));
  EXPECT_EQ(std::tuple(config->indexSource(0), config->indexSource(5), config->indexSource(6), config->indexSource(11)),
            std::tuple(0, 2, 6, 10));
  EXPECT_TRUE(warnings.empty()) << warnings[0];
}

// The values of absent keys: transformers, class GlmMoeDsaConfig.
TEST_F(ModelConfigTest, takesAbsentKeysFromTransformers) {
  auto config = read([](Json &json) {
    for (const char *key : {"n_group",
                            "topk_group",
                            "norm_topk_prob",
                            "routed_scaling_factor",
                            "n_shared_experts",
                            "rms_norm_eps",
                            "num_key_value_heads",
                            "qk_head_dim",
                            "index_topk_freq",
                            "index_skip_topk_offset",
                            "index_topk_pattern",
                            "first_k_dense_replace",
                            "num_nextn_predict_layers",
                            "tie_word_embeddings",
                            "index_share_for_mtp_iteration",
                            "eos_token_id",
                            "index_topk",
                            "num_experts_per_tok",
                            "max_position_embeddings",
                            "scoring_func",
                            "topk_method",
                            "hidden_act",
                            "attention_bias",
                            "rope_interleave",
                            "indexer_rope_interleave",
                            "moe_router_dtype",
                            "head_dim"})
      json.erase(key);
  });
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(std::tuple(config->expertGroups, config->keptGroups, config->normTopkProb, config->sharedExperts),
            std::tuple(1, 1, true, 1));
  EXPECT_EQ(std::tuple(config->routedScalingFactor, config->rmsNormEps), std::tuple(2.5, 1e-5));
  EXPECT_EQ(std::tuple(config->indexTopk, config->expertsPerToken, config->maxPositions), std::tuple(2048, 8, 202752));
  EXPECT_EQ(layersOf(config->ownsIndexer).size(), 12u); // GLM-5 and 5.1: each layer owns one
  EXPECT_EQ(layersOf(config->sparseMlp).size(), 9u);
  EXPECT_EQ(std::tuple(config->mtpLayers, config->mtpSharesIndex, config->tieWordEmbeddings),
            std::tuple(0, false, false));
  EXPECT_TRUE(config->eosTokenIds.empty());
}

TEST_F(ModelConfigTest, readsThePublishedVariants) {
  struct Case {
    const char *folder;
    std::vector<int64_t> indexers, dense;
    int64_t experts;
    double theta;
  };
  for (const Case &c :
       {Case{"share", {0, 1, 2, 6, 10}, {0, 1, 2}, 9, 8e6}, Case{"groups", {0, 2, 3, 7, 9}, {0, 2, 3, 10}, 12, 8e6},
        Case{"ratio", {0, 1, 2, 6, 10}, {0, 1, 2}, 16, 1e4}, Case{"every", {0, 1, 2, 3}, {0}, 10, 8e6},
        Case{"share-card", {0, 1, 2, 6, 10}, {0, 1, 2}, 9, 8e6},
        Case{"ratio-all", {0, 1, 2, 6, 10}, {0, 1, 2}, 16, 1e4},
        Case{"groups-ct", {0, 2, 3, 7, 9}, {0, 2, 3, 10}, 12, 8e6}}) {
    auto config = readModelConfig(std::filesystem::path(GLM_TEST_GOLDEN) / c.folder, warnings);
    ASSERT_TRUE(config) << c.folder << ": " << config.error().message;
    EXPECT_EQ(layersOf(config->ownsIndexer), c.indexers) << c.folder;
    std::vector<bool> denseMlp = config->sparseMlp;
    denseMlp.flip();
    EXPECT_EQ(layersOf(denseMlp), c.dense) << c.folder;
    EXPECT_EQ(std::tuple(config->experts, config->ropeTheta, config->topP), std::tuple(c.experts, c.theta, 0.95))
        << c.folder;
    EXPECT_TRUE(warnings.empty()) << c.folder << ": " << warnings[0];
  }
}

TEST_F(ModelConfigTest, namesLineAndFolder) {
  folder.write("config.json", "{\n\"model_type\": \"glm_moe_dsa\",\n\n\"vocab_size\": \"many\"\n}");
  EXPECT_EQ(messageOf(readModelConfig(folder.path(), warnings)),
            "config.json:4: vocab_size must be an integer in 1 .. 16777216, but found \"many\"");
  EXPECT_EQ(messageOf(readModelConfig(folder.path() / "no", warnings)),
            (folder.path() / "no").string() + ": model must be a folder, but found none");
  EXPECT_EQ(messageOf(readModelConfig(folder.path() / "config.json", warnings)),
            (folder.path() / "config.json").string() + ": model must be a folder, but found a file");
  std::filesystem::remove(folder.path() / "config.json");
  EXPECT_EQ(messageOf(readModelConfig(folder.path(), warnings)),
            folder.path().string() + ": config.json must be a file, but found none");
}

TEST_F(ModelConfigTest, refusesOtherModels) {
  EXPECT_EQ(refusal("model_type", "deepseek_v3"), "model_type must be \"glm_moe_dsa\", but found \"deepseek_v3\"");
  EXPECT_EQ(refusal([](Json &json) { json.erase("model_type"); }),
            "model_type must be \"glm_moe_dsa\", but found none");
}

TEST_F(ModelConfigTest, refusesWrongNumbers) {
  for (const char *key : {"hidden_size", "intermediate_size", "moe_intermediate_size", "q_lora_rank", "kv_lora_rank",
                          "qk_nope_head_dim", "v_head_dim"}) {
    EXPECT_EQ(refusal([&](Json &json) { json.erase(key); }), fmt::format("{} must be there, but found none", key));
    for (const Json &value :
         {Json("96"), Json(-1), Json(0), Json(96.5), Json(true), Json::array({96}), Json(UINT64_MAX), Json(1e300)})
      EXPECT_EQ(refusal(key, value),
                fmt::format("{} must be an integer in 1 .. 16777216, but found {}", key, value.dump()));
  }
  for (const char *key : {"rms_norm_eps", "routed_scaling_factor"})
    for (const Json &value : {Json("1"), Json(0), Json(-1e-5), Json(false)})
      EXPECT_EQ(refusal(key, value), fmt::format("{} must be a positive number, but found {}", key, value.dump()));
  EXPECT_EQ(refusal("norm_topk_prob", 1), "norm_topk_prob must be true or false, but found 1");
  EXPECT_EQ(refusal("num_hidden_layers", 4097), "num_hidden_layers must be an integer in 1 .. 4096, but found 4097");
  EXPECT_EQ(refusal("num_nextn_predict_layers", 2),
            "num_nextn_predict_layers must be an integer in 0 .. 1, but found 2");
  EXPECT_EQ(refusal("eos_token_id", Json::array({3, 331})),
            "eos_token_id must be an integer in 0 .. 330, but found 331");
  // JSON has no NaN; Python writes it all the same.
  folder.write("config.json", "{\"model_type\": \"glm_moe_dsa\",\n\"rms_norm_eps\": NaN}");
  EXPECT_EQ(messageOf(readModelConfig(folder.path(), warnings)), "config.json:2: number must be finite, but found NaN");
}

TEST_F(ModelConfigTest, refusesWhatIsNotImplemented) {
  EXPECT_EQ(refusal("hidden_act", "gelu"), "hidden_act must be \"silu\", the only one implemented, but found \"gelu\"");
  EXPECT_EQ(refusal("scoring_func", "softmax"),
            "scoring_func must be \"sigmoid\", the only one implemented, but found \"softmax\"");
  EXPECT_EQ(refusal("topk_method", "greedy"),
            "topk_method must be \"noaux_tc\", the only one implemented, but found \"greedy\"");
  EXPECT_EQ(refusal("moe_layer_freq", 2), "moe_layer_freq must be 1, the only one implemented, but found 2");
  EXPECT_EQ(refusal("moe_router_dtype", "bfloat16"),
            "moe_router_dtype must be \"float32\", the only one implemented, but found \"bfloat16\"");
  EXPECT_EQ(refusal("attention_bias", true), "attention_bias must be false, the only one implemented, but found true");
  EXPECT_EQ(refusal("mlp_bias", true), "mlp_bias must be false, the only one implemented, but found true");
  EXPECT_EQ(refusal("attention_dropout", 0.1), "attention_dropout must be 0, but found 0.1");
  EXPECT_EQ(refusal("rope_interleave", false),
            "rope_interleave must be true, the only one implemented, but found false");
  EXPECT_EQ(refusal("indexer_rope_interleave", false),
            "indexer_rope_interleave must be true, the only one implemented, but found false");
  EXPECT_EQ(refusal("layer_types", Json::array({"full_attention"})),
            "layer_types must be a list of 12 layers, but found 1 entries");
  EXPECT_EQ(refusal("layer_types", Json(std::vector<std::string>(12, "full_attention"))),
            "layer_types must hold indexed_attention or deepseek_sparse_attention, but found \"full_attention\"");
  EXPECT_EQ(refusal("layer_types", Json(std::vector<std::string>(12, "deepseek_sparse_attention"))), "");
}

TEST_F(ModelConfigTest, refusesRotations) {
  auto rope = [&](const Json &value) { return refusal("rope_parameters", value); };
  EXPECT_EQ(rope({{"rope_theta", 1e4}, {"rope_type", "yarn"}, {"factor", 4}}),
            "rope_type must be \"default\", the only one implemented, but found \"yarn\"");
  EXPECT_EQ(rope({{"rope_theta", 1e4}, {"factor", 4}}),
            "factor must not be there, as scaled rotation is not implemented, but found 4");
  EXPECT_EQ(rope({{"rope_theta", 1e4}, {"partial_rotary_factor", 0.5}}),
            "partial_rotary_factor must be 1, the only one implemented, but found 0.5");
  EXPECT_EQ(rope({{"rope_theta", 0}}), "rope_theta must be a positive number, but found 0");
  EXPECT_EQ(rope({{"rope_type", "default"}}), "rope_theta must be there, within rope_parameters, but found none");
  EXPECT_EQ(rope("default"), "rope_parameters must be an object, but found \"default\"");
  EXPECT_EQ(rope(nullptr), "rope_theta must be there, within rope_parameters, but found none");
  EXPECT_EQ(refusal("rope_theta", 10000), "rope_theta must agree with rope_parameters, 8000000, but found 10000");
  EXPECT_EQ(refusal("rope_theta", 8000000), "");
  EXPECT_EQ(refusal("rope_scaling", {{"type", "linear"}, {"factor", 2}}),
            "type must be \"default\", the only one implemented, but found \"linear\"");
  EXPECT_EQ(refusal("rope_scaling", {{"type", "default"}}), "");
  EXPECT_EQ(refusal("partial_rotary_factor", 0.5),
            "partial_rotary_factor must be 1, the only one implemented, but found 0.5");
  EXPECT_EQ(refusal("qk_rope_head_dim", 15), "qk_rope_head_dim must be even, but found 15");
  EXPECT_EQ(refusal("index_head_dim", 14),
            "index_head_dim must hold the 16 rotated columns of qk_rope_head_dim, but found 14");
  auto old = read([](Json &json) {
    json.erase("rope_parameters");
    json["rope_theta"] = 12345.5;
  });
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_EQ(old->ropeTheta, 12345.5);
}

TEST_F(ModelConfigTest, refusesContradictions) {
  EXPECT_EQ(refusal("qk_head_dim", 41),
            "qk_head_dim must agree with qk_nope_head_dim + qk_rope_head_dim 40, but found 41");
  EXPECT_EQ(refusal("num_key_value_heads", 1),
            "num_key_value_heads must agree with num_attention_heads 5, but found 1");
  EXPECT_EQ(refusal("head_dim", 7), ""); // means nothing in this model
  EXPECT_EQ(refusal("num_experts", 256), "num_experts must agree with n_routed_experts 9, but found 256");
  EXPECT_EQ(refusal("num_local_experts", 8), "num_local_experts must agree with n_routed_experts 9, but found 8");
  EXPECT_EQ(refusal("num_experts", 9), "");
  EXPECT_EQ(refusal("mlp_layer_types", Json(std::vector<std::string>(12, "sparse"))),
            "mlp_layer_types must agree with first_k_dense_replace 3, but found another split");
}

TEST_F(ModelConfigTest, refusesExperts) {
  EXPECT_EQ(refusal("num_experts_per_tok", 10), "num_experts_per_tok must be at most n_routed_experts 9, but found 10");
  EXPECT_EQ(refusal("n_group", 2), "n_group must divide n_routed_experts 9, but found 2");
  EXPECT_EQ(refusal("n_group", 9), "n_group must leave two experts or more to a group, but found 9 groups of 9");
  EXPECT_EQ(refusal("topk_group", 2), "topk_group must be at most n_group 1, but found 2");
  EXPECT_EQ(refusal([](Json &json) {
              json["n_group"] = 3;
              json["topk_group"] = 1;
              json["num_experts_per_tok"] = 4;
            }),
            "num_experts_per_tok must fit into the 3 experts of the kept groups, but found 4");
}

TEST_F(ModelConfigTest, listsOfLayersRule) {
  std::vector<std::string> types(12, "sparse");
  types[4] = types[11] = "dense";
  auto config = read([&](Json &json) {
    json.erase("first_k_dense_replace");
    json["mlp_layer_types"] = types;
  });
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(layersOf(config->sparseMlp), (std::vector<int64_t>{0, 1, 2, 3, 5, 6, 7, 8, 9, 10}));
  types[3] = "wet";
  EXPECT_EQ(refusal("mlp_layer_types", types), "mlp_layer_types must hold \"sparse\" or \"dense\", but found \"wet\"");
  EXPECT_EQ(refusal("mlp_layer_types", std::vector<std::string>(11, "dense")),
            "mlp_layer_types must be a list of 12 layers, but found 11 entries");
}

TEST_F(ModelConfigTest, indexersByListPatternOrRule) {
  auto withoutRule = [](Json &json) {
    json.erase("index_topk_freq");
    json.erase("index_skip_topk_offset");
  };
  auto pattern = read([&](Json &json) {
    withoutRule(json);
    json["index_topk_pattern"] = "FSSFFSSSSSSF";
  });
  ASSERT_TRUE(pattern) << pattern.error().message;
  EXPECT_EQ(layersOf(pattern->ownsIndexer), (std::vector<int64_t>{0, 3, 4, 11}));
  std::vector<std::string> types(12, "shared");
  types[0] = types[7] = "full";
  for (const char *key : {"indexer_types", "index_topk_pattern"}) { // transformers takes a list for the pattern, too
    auto listed = read([&](Json &json) {
      withoutRule(json);
      json[key] = types;
    });
    ASSERT_TRUE(listed) << listed.error().message;
    EXPECT_EQ(layersOf(listed->ownsIndexer), (std::vector<int64_t>{0, 7}));
  }
  // transformers: max(i - offset + 1, 0) mod freq = 0
  auto rule = read([](Json &json) {
    json["index_topk_freq"] = 3;
    json["index_skip_topk_offset"] = 5;
  });
  ASSERT_TRUE(rule) << rule.error().message;
  EXPECT_EQ(layersOf(rule->ownsIndexer), (std::vector<int64_t>{0, 1, 2, 3, 4, 7, 10}));
}

TEST_F(ModelConfigTest, refusesIndexers) {
  std::vector<std::string> types(12, "full");
  EXPECT_EQ(refusal("indexer_types", types), "indexer_types must agree with index_topk_freq and "
                                             "index_skip_topk_offset, which makes layer 3 shared, but found full");
  EXPECT_EQ(refusal([&](Json &json) {
              json["indexer_types"] = types;
              json["index_topk_pattern"] = "FFFFFFFFFFFS";
            }),
            "indexer_types must agree with index_topk_pattern, which makes layer 11 shared, but found full");
  types.pop_back();
  EXPECT_EQ(refusal("indexer_types", types), "indexer_types must be a list of 12 layers, but found 11 entries");
  EXPECT_EQ(refusal("indexer_types", Json(std::vector<std::string>(12, "half"))),
            "indexer_types must hold \"full\" or \"shared\", but found \"half\"");
  EXPECT_EQ(refusal("index_topk_pattern", "FFX"), "index_topk_pattern must be 12 letters F or S, but found \"FFX\"");
  EXPECT_EQ(
      refusal("index_topk_pattern", "SFFFFFFFFFFF"),
      "index_topk_pattern must make layer 0 full, as no layer before it could share its choice, but found shared");
  EXPECT_EQ(refusal("index_skip_topk_offset", 0),
            "index_topk_freq must make layer 0 full, as no layer before it could share its choice, but found shared");
  EXPECT_EQ(refusal([&](Json &json) {
              json.erase("index_topk_freq");
              json.erase("index_skip_topk_offset");
              json["indexer_types"] = std::vector<std::string>(12, "shared");
            }),
            "indexer_types must make layer 0 full, as no layer before it could share its choice, but found shared");
  EXPECT_EQ(refusal("index_topk", 0), "index_topk must be an integer in 1 .. 16777216, but found 0");
}

TEST_F(ModelConfigTest, warnsOfUnknownKeysByName) {
  auto config = read([](Json &json) { json["attention_sink"] = 4; });
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(warnings, std::vector<std::string>{"config.json:1: key attention_sink is unknown and was not used: 4"});
}

TEST_F(ModelConfigTest, countsUnknownKeysBeyondTwenty) {
  auto config = read([](Json &json) {
    for (int i = 0; i < 23; ++i)
      json[fmt::format("extra_{:02}", i)] = i;
  });
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(warnings.size(), 21u);
  EXPECT_EQ(warnings[19], "config.json:1: key extra_19 is unknown and was not used: 19");
  EXPECT_EQ(warnings[20], "config.json: 3 more keys are unknown and were not used");
}

TEST_F(ModelConfigTest, namesEveryKeyThatIsWrong) {
  auto config = read([](Json &json) {
    json["hidden_size"] = "96";
    json["hidden_act"] = "gelu";
    json["rope_parameters"]["rope_type"] = "yarn";
    json["rope_parameters"]["factor"] = 4; // explained by the type
    json["indexer_types"] = {"full"};
    json["attention_bias"] = true;
  });
  ASSERT_FALSE(config);
  std::vector<std::string> messages = {withoutPlace(config.error().message)};
  for (const std::string &message : config.error().more)
    messages.push_back(withoutPlace(message));
  EXPECT_EQ(messages,
            (std::vector<std::string>{"hidden_size must be an integer in 1 .. 16777216, but found \"96\"",
                                      "indexer_types must be a list of 12 layers, but found 1 entries",
                                      "rope_type must be \"default\", the only one implemented, but found \"yarn\"",
                                      "hidden_act must be \"silu\", the only one implemented, but found \"gelu\"",
                                      "attention_bias must be false, the only one implemented, but found true"}));
}

// One mistake is one line: what follows from it is not told.
TEST_F(ModelConfigTest, oneMistakeIsOneMessage) {
  for (const auto &[key, value] : std::initializer_list<std::pair<const char *, Json>>{{"num_hidden_layers", 0},
                                                                                       {"num_attention_heads", 0},
                                                                                       {"qk_rope_head_dim", 15},
                                                                                       {"qk_nope_head_dim", nullptr},
                                                                                       {"n_routed_experts", -1},
                                                                                       {"num_experts_per_tok", 10},
                                                                                       {"index_topk_freq", 0},
                                                                                       {"vocab_size", 2.5},
                                                                                       {"rope_parameters", 3}}) {
    auto config = read([&](Json &json) { json[key] = value; });
    ASSERT_FALSE(config) << key;
    EXPECT_TRUE(config.error().more.empty()) << key << ": " << config.error().more[0];
  }
}

TEST_F(ModelConfigTest, generationConfigRules) {
  auto config = read([](Json &) {}, R"({"temperature": 0.6, "top_p": 0.9, "top_k": 20, "eos_token_id": 7})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(std::tuple(config->temperature, config->topP, config->topK), std::tuple(0.6, 0.9, 20));
  EXPECT_EQ(config->eosTokenIds, std::vector<int64_t>{7});
  auto greedy = read([](Json &) {}, R"({"temperature": 0})");
  ASSERT_TRUE(greedy) << greedy.error().message;
  EXPECT_EQ(std::tuple(greedy->temperature, greedy->topP, greedy->topK), std::tuple(0.0, 1.0, 0));
  EXPECT_EQ(greedy->eosTokenIds, (std::vector<int64_t>{3, 5}));
  auto refused = [&](const char *text) { return messageOf(read([](Json &) {}, text)); };
  EXPECT_EQ(refused(R"({"temperature": -1})"),
            "generation_config.json:1: temperature must be a positive number, but found -1");
  EXPECT_EQ(refused(R"({"top_p": 1.5})"), "generation_config.json:1: top_p must be at most 1, but found 1.5");
  EXPECT_EQ(refused(R"({"top_k": 1.5})"),
            "generation_config.json:1: top_k must be an integer in 0 .. 16777216, but found 1.5");
  EXPECT_EQ(refused(R"({"eos_token_id": [331]})"),
            "generation_config.json:1: eos_token_id must be an integer in 0 .. 330, but found 331");
  EXPECT_EQ(refused("[]"), "generation_config.json: file must hold one object, but found array");
}

} // namespace
