#include "test/Inputs/Presets.h"

#include "test/Inputs/PublishedShapes.h"

#include <fmt/format.h>

namespace glm::test {
namespace {

using Json = nlohmann::ordered_json;

/// What all presets have in common: GLM-5.2's own keys that are not sizes.
Json baseConfig() {
  return Json::parse(R"({
    "architectures": ["GlmMoeDsaForCausalLM"], "model_type": "glm_moe_dsa", "dtype": "bfloat16",
    "attention_bias": false, "attention_dropout": 0.0, "hidden_act": "silu", "max_position_embeddings": 32768,
    "norm_topk_prob": true, "scoring_func": "sigmoid", "topk_method": "noaux_tc", "moe_layer_freq": 1,
    "moe_router_dtype": "float32", "n_group": 1, "topk_group": 1, "n_shared_experts": 1, "index_topk_freq": 4,
    "index_skip_topk_offset": 3, "index_topk_pattern": null, "index_share_for_mtp_iteration": true,
    "indexer_rope_interleave": true, "rope_interleave": true,
    "rope_parameters": {"rope_theta": 8000000, "rope_type": "default"}, "rms_norm_eps": 1e-05,
    "tie_word_embeddings": false, "initializer_range": 0.02, "routed_scaling_factor": 2.5,
    "first_k_dense_replace": 3, "num_nextn_predict_layers": 1, "eos_token_id": [3, 5], "pad_token_id": 3,
    "bos_token_id": 0, "ep_size": 1, "pretraining_tp": 1, "use_cache": true})");
}

/// Everything GLM-5.2 has, at odd sizes: full indexers at 0, 1, 2, 6, 10, three dense layers, MTP.
const char *const kTiny = R"({
  "vocab_size": 331, "hidden_size": 96, "intermediate_size": 176, "moe_intermediate_size": 48,
  "num_hidden_layers": 12, "num_attention_heads": 5, "num_key_value_heads": 5, "q_lora_rank": 48,
  "kv_lora_rank": 32, "qk_nope_head_dim": 24, "qk_rope_head_dim": 16, "v_head_dim": 32, "n_routed_experts": 9,
  "num_experts_per_tok": 3, "index_head_dim": 32, "index_n_heads": 12, "index_topk": 16})";

/// About 310 MB in bfloat16.
const char *const kSmall = R"({
  "vocab_size": 8192, "hidden_size": 512, "intermediate_size": 1536, "moe_intermediate_size": 256,
  "num_hidden_layers": 12, "num_attention_heads": 8, "num_key_value_heads": 8, "q_lora_rank": 192,
  "kv_lora_rank": 128, "qk_nope_head_dim": 48, "qk_rope_head_dim": 16, "v_head_dim": 64, "n_routed_experts": 32,
  "num_experts_per_tok": 8, "index_head_dim": 64, "index_n_heads": 16, "index_topk": 256})";

/// GLM-5.2's own widths, three layers: dense with an indexer, sparse with one, sparse without.
const char *const kWide = R"({
  "vocab_size": 1024, "hidden_size": 6144, "intermediate_size": 12288, "moe_intermediate_size": 2048,
  "num_hidden_layers": 3, "num_attention_heads": 64, "num_key_value_heads": 64, "q_lora_rank": 2048,
  "kv_lora_rank": 512, "qk_nope_head_dim": 192, "qk_rope_head_dim": 64, "v_head_dim": 256,
  "n_routed_experts": 256, "num_experts_per_tok": 8, "index_head_dim": 128, "index_n_heads": 32,
  "index_topk": 2048, "first_k_dense_replace": 1, "index_topk_freq": 2, "index_skip_topk_offset": 2,
  "num_nextn_predict_layers": 0})";

/// 8 GiB of packed experts beside little else.
const char *const kExperts = R"({
  "vocab_size": 4096, "hidden_size": 2048, "intermediate_size": 4096, "moe_intermediate_size": 1024,
  "num_hidden_layers": 20, "num_attention_heads": 16, "num_key_value_heads": 16, "q_lora_rank": 512,
  "kv_lora_rank": 256, "qk_nope_head_dim": 96, "qk_rope_head_dim": 32, "v_head_dim": 128,
  "n_routed_experts": 128, "num_experts_per_tok": 8, "index_head_dim": 64, "index_n_heads": 16,
  "index_topk": 1024, "first_k_dense_replace": 1, "num_nextn_predict_layers": 0})";

struct Preset {
  const char *name;
  const char *config;
  bool large; ///< packed as NVIDIA packs, with fast weights, unless the options say otherwise
};
const Preset kPresets[] = {
    {"tiny", kTiny, false}, {"small", kSmall, false}, {"wide", kWide, true}, {"experts", kExperts, true}};

/// Keys that only repeat others.
void derive(Json &config) {
  auto number = [&](const char *key) {
    return config.contains(key) && config[key].is_number() ? config[key].get<int64_t>() : 0;
  };
  config["qk_head_dim"] = number("qk_nope_head_dim") + number("qk_rope_head_dim");
  // The published file calls the nope width head_dim; nothing may be computed from it.
  config["head_dim"] = number("qk_nope_head_dim");
  config["num_key_value_heads"] = number("num_attention_heads");
}

} // namespace

std::vector<std::string> presetNames() {
  std::vector<std::string> names;
  for (const Preset &entry : kPresets)
    names.push_back(entry.name);
  for (const std::string &name : publishedShapeNames())
    names.push_back(name);
  return names;
}

Result<CheckpointRequest> preset(const std::string &name) {
  for (const Preset &entry : kPresets) {
    if (name != entry.name)
      continue;
    CheckpointRequest request;
    request.config = baseConfig();
    request.config.update(Json::parse(entry.config));
    derive(request.config);
    if (entry.large) {
      request.format = CheckpointFormat::ModelOpt;
      request.packed = {"nvidia"};
      request.fastWeights = true;
      request.shards = 4;
    }
    return request;
  }
  if (auto shape = publishedShape(name))
    return *shape;
  return Error{fmt::format("--preset: name must be one of {}, but found {}", fmt::join(presetNames(), ", "), name)};
}

Result<void> setKey(Json &config, const std::string &assignment) {
  size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    return Error{fmt::format("--set: assignment must be key=value, but found {}", assignment)};
  std::string key = assignment.substr(0, equals), text = assignment.substr(equals + 1);
  if (text.empty()) {
    config.erase(key);
    return {};
  }
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  config[key] = value.is_discarded() ? Json(text) : value;
  if (key != "qk_head_dim" && key != "head_dim" && key != "num_key_value_heads")
    derive(config);
  return {};
}

} // namespace glm::test
