#include "test/Inputs/PublishedShapes.h"

#include <fmt/format.h>

#include <algorithm>

namespace glm::test {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kLayers = 78;
constexpr int64_t kDense = 3;

/// config.json of zai-org/GLM-5.2, keys in the order of the file (sorted, as transformers writes them); the lists of layers
/// are filled in below.
const char *const kConfig = R"({
  "architectures": ["GlmMoeDsaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "dtype": "bfloat16",
  "eos_token_id": [154820, 154827, 154829], "ep_size": 1, "first_k_dense_replace": 3, "head_dim": 192,
  "hidden_act": "silu", "hidden_size": 6144, "index_head_dim": 128, "index_n_heads": 32,
  "index_share_for_mtp_iteration": true, "index_skip_topk_offset": 3, "index_topk": 2048, "index_topk_freq": 4,
  "index_topk_pattern": null, "indexer_rope_interleave": true, "indexer_types": [], "initializer_range": 0.02,
  "intermediate_size": 12288, "kv_lora_rank": 512, "max_position_embeddings": 1048576, "mlp_layer_types": [],
  "model_type": "glm_moe_dsa", "moe_intermediate_size": 2048, "moe_layer_freq": 1, "moe_router_dtype": "float32",
  "n_group": 1, "n_routed_experts": 256, "n_shared_experts": 1, "norm_topk_prob": true, "num_attention_heads": 64,
  "num_experts_per_tok": 8, "num_hidden_layers": 78, "num_key_value_heads": 64, "num_nextn_predict_layers": 1,
  "pad_token_id": 154820, "pretraining_tp": 1, "q_lora_rank": 2048, "qk_head_dim": 256, "qk_nope_head_dim": 192,
  "qk_rope_head_dim": 64, "rms_norm_eps": 1e-05, "rope_interleave": true,
  "rope_parameters": {"rope_theta": 8000000, "rope_type": "default"}, "routed_scaling_factor": 2.5,
  "scoring_func": "sigmoid", "tie_word_embeddings": false, "topk_group": 1, "topk_method": "noaux_tc",
  "transformers_version": "5.12.0", "use_cache": true, "v_head_dim": 256, "vocab_size": 154880})";

Json publishedConfig() {
  Json config = Json::parse(kConfig);
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    config["indexer_types"].push_back(std::max<int64_t>(layer - 2, 0) % 4 == 0 ? "full" : "shared");
    config["mlp_layer_types"].push_back(layer < kDense ? "dense" : "sparse");
  }
  return config;
}

CheckpointRequest bf16Shape() {
  CheckpointRequest request;
  request.config = publishedConfig();
  request.shards = 282;
  request.holes = true;
  return request;
}

CheckpointRequest cardShape() {
  CheckpointRequest request = bf16Shape();
  request.format = CheckpointFormat::ModelOpt;
  request.packed = {"card"};
  return request;
}

CheckpointRequest nvidiaShape() {
  CheckpointRequest request = bf16Shape();
  request.format = CheckpointFormat::ModelOpt;
  request.packed = {"nvidia"};
  request.inputScales = true;
  request.producerVersion = "0.46.0.dev65+g977d34dc3";
  request.config.erase("moe_router_dtype");
  request.config["bos_token_id"] = 0;
  request.config["mlp_bias"] = false;
  request.config["num_experts"] = request.config["n_routed_experts"];
  request.config["layer_types"] = std::vector<std::string>(kLayers, "deepseek_sparse_attention");
  request.config["transformers_version"] = "5.11.0";
  request.excluded = {"lm_head", "model.embed_tokens", "model.layers.0*", "model.layers.1.*", "model.layers.2.*"};
  for (int64_t layer = kDense; layer < kLayers; ++layer)
    for (const char *branch : {"self_attn*", "mlp.shared_experts*"})
      request.excluded.push_back(fmt::format("model.layers.{}.{}", layer, branch));
  request.excluded.push_back(fmt::format("model.layers.{}*", kLayers));
  return request;
}

struct Shape {
  const char *name;
  CheckpointRequest (*request)();
};
const Shape kShapes[] = {{"glm-5.2", bf16Shape}, {"glm-5.2-card", cardShape}, {"glm-5.2-nvidia", nvidiaShape}};

} // namespace

std::vector<std::string> publishedShapeNames() {
  std::vector<std::string> names;
  for (const Shape &shape : kShapes)
    names.emplace_back(shape.name);
  return names;
}

std::optional<CheckpointRequest> publishedShape(const std::string &name) {
  for (const Shape &shape : kShapes)
    if (name == shape.name)
      return shape.request();
  return std::nullopt;
}

} // namespace glm::test
