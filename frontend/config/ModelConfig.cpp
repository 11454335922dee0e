#include "frontend/config/ModelConfig.h"

#include "frontend/config/KeyReader.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace glm {
namespace {

using Json = nlohmann::json;

/// Keys that are read below, and keys that are known to change nothing here (training, generation, bookkeeping).
const std::set<std::string> kKnownKeys = {"architectures",
                                          "model_type",
                                          "dtype",
                                          "torch_dtype",
                                          "vocab_size",
                                          "hidden_size",
                                          "intermediate_size",
                                          "moe_intermediate_size",
                                          "num_hidden_layers",
                                          "num_nextn_predict_layers",
                                          "num_attention_heads",
                                          "num_key_value_heads",
                                          "q_lora_rank",
                                          "kv_lora_rank",
                                          "qk_nope_head_dim",
                                          "qk_rope_head_dim",
                                          "qk_head_dim",
                                          "v_head_dim",
                                          "head_dim",
                                          "n_routed_experts",
                                          "num_experts",
                                          "num_local_experts",
                                          "n_shared_experts",
                                          "num_experts_per_tok",
                                          "n_group",
                                          "topk_group",
                                          "norm_topk_prob",
                                          "routed_scaling_factor",
                                          "scoring_func",
                                          "topk_method",
                                          "moe_layer_freq",
                                          "first_k_dense_replace",
                                          "mlp_layer_types",
                                          "moe_router_dtype",
                                          "index_head_dim",
                                          "index_n_heads",
                                          "index_topk",
                                          "index_topk_freq",
                                          "index_skip_topk_offset",
                                          "index_topk_pattern",
                                          "indexer_types",
                                          "index_share_for_mtp_iteration",
                                          "indexer_rope_interleave",
                                          "rope_interleave",
                                          "rope_parameters",
                                          "rope_scaling",
                                          "rope_theta",
                                          "rms_norm_eps",
                                          "attention_bias",
                                          "mlp_bias",
                                          "attention_dropout",
                                          "hidden_act",
                                          "max_position_embeddings",
                                          "eos_token_id",
                                          "pad_token_id",
                                          "bos_token_id",
                                          "tie_word_embeddings",
                                          "initializer_range",
                                          "ep_size",
                                          "pretraining_tp",
                                          "use_cache",
                                          "transformers_version",
                                          "layer_types",
                                          "output_router_logits",
                                          "router_aux_loss_coef",
                                          "quantization_config",
                                          "auto_map",
                                          "_name_or_path",
                                          "id2label",
                                          "label2id",
                                          "return_dict",
                                          "output_attentions",
                                          "output_hidden_states",
                                          "problem_type",
                                          "chunk_size_feed_forward",
                                          "is_encoder_decoder",
                                          "partial_rotary_factor",
                                          "aux_loss_alpha",
                                          "seq_aux"};

constexpr int64_t kWidest = int64_t(1) << 24;

void readWidths(KeyReader &r, ModelConfig &c) {
  c.vocabSize = r.integer("vocab_size", 1, kWidest);
  c.hiddenSize = r.integer("hidden_size", 1, kWidest);
  c.intermediateSize = r.integer("intermediate_size", 1, kWidest);
  c.moeIntermediateSize = r.integer("moe_intermediate_size", 1, kWidest);
  c.layers = r.integer("num_hidden_layers", 1, 4096);
  c.mtpLayers = r.integer("num_nextn_predict_layers", 0, 1, 0);
  c.heads = r.integer("num_attention_heads", 1, 65536);
  r.agree("num_key_value_heads", r.integer("num_key_value_heads", 1, 65536, c.heads), "num_attention_heads", c.heads);
  c.qLoraRank = r.integer("q_lora_rank", 1, kWidest);
  c.kvLoraRank = r.integer("kv_lora_rank", 1, kWidest);
  c.qkNopeHeadDim = r.integer("qk_nope_head_dim", 1, kWidest);
  c.qkRopeHeadDim = r.integer("qk_rope_head_dim", 2, kWidest);
  if (c.qkRopeHeadDim % 2)
    r.fail("qk_rope_head_dim", "must be even", std::to_string(c.qkRopeHeadDim));
  // head_dim is no width of anything in this model (its config class overwrites it), so that it is not read.
  if (r.fine({"qk_nope_head_dim", "qk_rope_head_dim"}))
    r.agree("qk_head_dim", r.integer("qk_head_dim", 1, kWidest, c.qkHeadDim()), "qk_nope_head_dim + qk_rope_head_dim",
            c.qkHeadDim());
  c.vHeadDim = r.integer("v_head_dim", 1, kWidest);
  c.maxPositions = r.integer("max_position_embeddings", 1, int64_t(1) << 31, 202752);
  c.rmsNormEps = r.positive("rms_norm_eps", 1e-5);
  c.latentNormEps = c.rmsNormEps;
  c.tieWordEmbeddings = r.flag("tie_word_embeddings", false);
}

/// As many experts as a token needs must be left in the kept groups.
void checkGroups(KeyReader &r, const ModelConfig &c) {
  if (c.expertsPerToken > c.experts)
    return r.fail("num_experts_per_tok", fmt::format("must be at most n_routed_experts {}", c.experts),
                  std::to_string(c.expertsPerToken));
  if (c.keptGroups > c.expertGroups)
    return r.fail("topk_group", fmt::format("must be at most n_group {}", c.expertGroups),
                  std::to_string(c.keptGroups));
  if (c.experts % c.expertGroups)
    return r.fail("n_group", fmt::format("must divide n_routed_experts {}", c.experts), std::to_string(c.expertGroups));
  if (c.expertGroups > 1 && c.experts / c.expertGroups < 2) // a group's score is the sum of its two best
    return r.fail("n_group", "must leave two experts or more to a group",
                  fmt::format("{} groups of {}", c.expertGroups, c.experts));
  int64_t kept = c.keptGroups * (c.experts / c.expertGroups);
  if (c.expertsPerToken > kept)
    r.fail("num_experts_per_tok", fmt::format("must fit into the {} experts of the kept groups", kept),
           std::to_string(c.expertsPerToken));
}

void readExperts(KeyReader &r, ModelConfig &c) {
  c.experts = r.integer("n_routed_experts", 1, 65536);
  for (const char *alias : {"num_experts", "num_local_experts"})
    r.agree(alias, r.integer(alias, 1, 65536, c.experts), "n_routed_experts", c.experts);
  c.sharedExperts = r.integer("n_shared_experts", 1, 64, 1);
  c.expertsPerToken = r.integer("num_experts_per_tok", 1, 65536, 8);
  c.expertGroups = r.integer("n_group", 1, 65536, 1);
  c.keptGroups = r.integer("topk_group", 1, 65536, 1);
  c.normTopkProb = r.flag("norm_topk_prob", true);
  c.routedScalingFactor = r.positive("routed_scaling_factor", 2.5);
  r.only("scoring_func", "sigmoid");
  r.only("topk_method", "noaux_tc");
  r.only("moe_layer_freq", 1);
  r.only("moe_router_dtype", "float32");
  if (r.fine({"n_routed_experts", "num_experts_per_tok", "n_group", "topk_group"}))
    checkGroups(r, c);
}

/// mlp_layer_types rules; first_k_dense_replace must say the same where both are there.
void readMlpTypes(KeyReader &r, ModelConfig &c) {
  bool listed = r.has("mlp_layer_types"), counted = r.has("first_k_dense_replace");
  int64_t dense = r.integer("first_k_dense_replace", 0, 4096, 3);
  std::vector<bool> byCount(c.layers);
  for (int64_t layer = 0; layer < c.layers; ++layer)
    byCount[layer] = layer >= dense;
  c.sparseMlp = listed ? r.words("mlp_layer_types", c.layers, "sparse", "dense") : byCount;
  if (listed && counted && c.sparseMlp != byCount && r.fine({"mlp_layer_types", "first_k_dense_replace"}))
    r.fail("mlp_layer_types", fmt::format("must agree with first_k_dense_replace {}", dense), "another split");
}

/// index_topk_pattern: a letter or a word per layer.
std::optional<std::vector<bool>> indexersByPattern(KeyReader &r, int64_t layers) {
  const Json &pattern = r.at("index_topk_pattern");
  if (pattern.is_array())
    return r.words("index_topk_pattern", layers, "full", "shared");
  std::string text = pattern.is_string() ? pattern.get<std::string>() : "";
  if (static_cast<int64_t>(text.size()) != layers || text.find_first_not_of("FS") != std::string::npos) {
    r.fail("index_topk_pattern", fmt::format("must be {} letters F or S", layers), pattern.dump());
    return std::nullopt;
  }
  std::vector<bool> owns;
  for (char letter : text)
    owns.push_back(letter == 'F');
  return owns;
}

/// The layers that the pattern, or frequency and offset, give an indexer: transformers, GlmMoeDsaConfig.
std::optional<std::vector<bool>> indexersByRule(KeyReader &r, const ModelConfig &c) {
  std::vector<bool> owns(c.layers);
  if (r.has("index_topk_pattern"))
    return indexersByPattern(r, c.layers);
  if (!r.has("index_topk_freq") && !r.has("index_skip_topk_offset"))
    return std::nullopt;
  int64_t frequency = r.integer("index_topk_freq", 1, 4096, 1),
          offset = r.integer("index_skip_topk_offset", 0, 4096, 2);
  for (int64_t layer = 0; layer < c.layers; ++layer)
    owns[layer] = std::max<int64_t>(layer - offset + 1, 0) % frequency == 0;
  return owns;
}

void readIndexer(KeyReader &r, ModelConfig &c) {
  c.indexHeadDim = r.integer("index_head_dim", 2, kWidest);
  c.indexHeads = r.integer("index_n_heads", 1, 65536);
  c.indexTopk = r.integer("index_topk", 1, kWidest, 2048);
  if (c.indexHeadDim < c.qkRopeHeadDim && r.fine({"index_head_dim", "qk_rope_head_dim"}))
    r.fail("index_head_dim", fmt::format("must hold the {} rotated columns of qk_rope_head_dim", c.qkRopeHeadDim),
           std::to_string(c.indexHeadDim));
  c.mtpSharesIndex = r.flag("index_share_for_mtp_iteration", false);
  r.only("indexer_rope_interleave", true);
  r.only("rope_interleave", true);
  std::optional<std::vector<bool>> byRule = indexersByRule(r, c);
  if (r.has("indexer_types"))
    c.ownsIndexer = r.words("indexer_types", c.layers, "full", "shared");
  else
    c.ownsIndexer = byRule.value_or(std::vector<bool>(c.layers, true));
  const char *rule = r.has("index_topk_pattern") ? "index_topk_pattern" : "index_topk_freq";
  if (!r.fine({"indexer_types", "index_topk_pattern", "index_topk_freq", "index_skip_topk_offset"}))
    return;
  if (byRule && *byRule != c.ownsIndexer) {
    int64_t layer = std::mismatch(byRule->begin(), byRule->end(), c.ownsIndexer.begin()).first - byRule->begin();
    const char *other = r.has("index_topk_pattern") ? rule : "index_topk_freq and index_skip_topk_offset";
    r.fail(
        "indexer_types",
        fmt::format("must agree with {}, which makes layer {} {}", other, layer, (*byRule)[layer] ? "full" : "shared"),
        c.ownsIndexer[layer] ? "full" : "shared");
  }
  if (!c.ownsIndexer.front())
    r.fail(r.has("indexer_types") ? "indexer_types" : rule,
           "must make layer 0 full, as no layer before it could share its choice", "shared");
}

/// One object of rope parameters: the type, and nothing that scales.
void checkRope(KeyReader &r, const char *key, const Json &rope) {
  if (!rope.is_object())
    return r.fail(key, "must be an object", rope.dump());
  // The type first, and then nothing else: it explains the others.
  for (const char *name : {"rope_type", "type"})
    if (rope.contains(name) && rope[name] != "default")
      return r.fail(name, "must be \"default\", the only one implemented", rope[name].dump());
  if (rope.contains("partial_rotary_factor") && rope["partial_rotary_factor"] != 1)
    r.fail("partial_rotary_factor", "must be 1, the only one implemented", rope["partial_rotary_factor"].dump());
  const std::set<std::string> known = {"rope_type", "type", "partial_rotary_factor", "rope_theta"};
  for (const auto &[name, value] : rope.items())
    if (!known.contains(name))
      r.fail(name, "must not be there, as scaled rotation is not implemented", value.dump());
}

/// rope_parameters (nested), or rope_scaling and rope_theta at the top as older files have them; all must agree.
void readRope(KeyReader &r, ModelConfig &c) {
  std::optional<double> theta;
  if (r.has("rope_theta"))
    theta = r.positive("rope_theta");
  r.only("partial_rotary_factor", 1);
  for (const char *key : {"rope_scaling", "rope_parameters"}) {
    if (!r.has(key))
      continue;
    checkRope(r, key, r.at(key));
    if (!r.at(key).is_object() || !r.at(key).contains("rope_theta"))
      continue;
    double nested = r.checkedPositive("rope_theta", r.at(key)["rope_theta"]);
    if (theta && *theta != nested)
      r.fail("rope_theta", fmt::format("must agree with {}, {}", key, nested), fmt::format("{}", *theta));
    theta = nested;
  }
  // No default: classes of models differ by orders of magnitude, and a wrong one is not noticed in short prompts.
  if (!theta && r.fine({"rope_scaling", "rope_parameters"}))
    return r.fail("rope_theta", "must be there, within rope_parameters", "none");
  c.ropeTheta = theta.value_or(0);
}

void readArithmetic(KeyReader &r, const ModelConfig &c) {
  r.only("hidden_act", "silu");
  r.only("attention_bias", false);
  r.only("mlp_bias", false);
  // Two spellings of one thing: transformers' own, and the one of NVIDIA's files.
  if (r.fine({"num_hidden_layers"}))
    r.onlyWords("layer_types", c.layers, {"indexed_attention", "deepseek_sparse_attention"});
  if (r.has("attention_dropout") && r.at("attention_dropout") != 0)
    r.fail("attention_dropout", "must be 0", r.at("attention_dropout").dump());
}

std::vector<int64_t> tokenIds(KeyReader &r, const char *key, int64_t vocabulary) {
  std::vector<int64_t> ids;
  const Json &value = r.at(key);
  if (!value.is_array())
    return {r.checkedInteger(key, value, 0, vocabulary - 1)};
  for (const Json &item : value)
    ids.push_back(r.checkedInteger(key, item, 0, vocabulary - 1));
  return ids;
}

/// generation_config.json: stop ids and sampling; absent in many folders.
Result<void> readGeneration(const JsonFile &file, ModelConfig &c) {
  KeyReader r(file);
  if (r.has("eos_token_id"))
    c.eosTokenIds = tokenIds(r, "eos_token_id", c.vocabSize);
  // 0 is the other way to write greedy sampling.
  c.temperature = r.has("temperature") && r.at("temperature") == 0 ? 0 : r.positive("temperature", 1.0);
  c.topP = r.positive("top_p", 1.0);
  if (c.topP > 1)
    r.fail("top_p", "must be at most 1", r.at("top_p").dump());
  c.topK = r.integer("top_k", 0, kWidest, 0);
  return r.error ? Result<void>(*r.error) : Result<void>();
}

} // namespace

int64_t ModelConfig::indexSource(int64_t layer) const {
  while (layer > 0 && !ownsIndexer[layer])
    --layer;
  return layer;
}

Result<ModelConfig> readModelConfig(const std::filesystem::path &folder, std::vector<std::string> &warnings) {
  std::error_code code;
  if (!std::filesystem::is_directory(folder, code))
    return Error{fmt::format("{}: model must be a folder, but found {}", folder.string(),
                             std::filesystem::exists(folder, code) ? "a file" : "none")};
  auto file = readJson(folder / "config.json");
  if (!file)
    return file.error();
  auto generation = readOptionalJson(folder / "generation_config.json");
  if (!generation)
    return generation.error();
  return parseModelConfig(*file, *generation ? &**generation : nullptr, warnings);
}

Result<ModelConfig> parseModelConfig(const JsonFile &file, const JsonFile *generation,
                                     std::vector<std::string> &warnings) {
  KeyReader r(file);
  if (!r.has("model_type") || r.at("model_type") != "glm_moe_dsa")
    return Error{fmt::format("{}: model_type must be \"glm_moe_dsa\", but found {}", file.place("model_type"),
                             r.has("model_type") ? r.at("model_type").dump() : "none")};
  ModelConfig c;
  readWidths(r, c);
  readExperts(r, c);
  if (r.fine({"num_hidden_layers"})) {
    readMlpTypes(r, c);
    readIndexer(r, c);
  }
  readRope(r, c);
  readArithmetic(r, c);
  if (r.has("eos_token_id") && r.fine({"vocab_size"}))
    c.eosTokenIds = tokenIds(r, "eos_token_id", c.vocabSize);
  if (r.error)
    return *r.error;
  warnOfUnknown(file, file.value, kKnownKeys, warnings);
  if (generation)
    if (auto read = readGeneration(*generation, c); !read)
      return read.error();
  return c;
}

} // namespace glm
