#include "test/Inputs/ModelDescription.h"

#include <fmt/format.h>

#include <algorithm>

namespace glm::test {
namespace {

using Json = nlohmann::ordered_json;

/// Reads numbers and remembers the first key that was missing or of another type.
struct Reader {
  const Json &config;
  std::string failure;

  template <typename T>
  void read(const char *key, T &value) {
    auto found = config.find(key);
    if (found != config.end() && (found->is_number() || found->is_boolean()))
      value = found->get<T>();
    else if (failure.empty())
      failure = fmt::format("config.json: {} must be a number, but found {}", key,
                            found == config.end() ? "nothing" : found->dump());
  }

  int64_t optional(const char *key, int64_t otherwise) const {
    auto found = config.find(key);
    return found == config.end() || found->is_null() ? otherwise : found->get<int64_t>();
  }
};

/// A list of `layers` words as flags.
Result<std::vector<bool>> words(const Json &list, const char *key, const char *yes, const char *no, int64_t layers) {
  if (!list.is_array() || static_cast<int64_t>(list.size()) != layers)
    return Error{fmt::format("config.json: {} must have {} entries, but found {}", key, layers, list.size())};
  std::vector<bool> flags;
  for (const Json &word : list) {
    if (word != yes && word != no)
      return Error{fmt::format("config.json: {} must hold \"{}\" or \"{}\", but found {}", key, yes, no, word.dump())};
    flags.push_back(word == yes);
  }
  return flags;
}

Result<std::vector<bool>> indexers(const Reader &reader, int64_t layers) {
  if (reader.config.contains("indexer_types"))
    return words(reader.config["indexer_types"], "indexer_types", "full", "shared", layers);
  int64_t frequency = reader.optional("index_topk_freq", 1), offset = reader.optional("index_skip_topk_offset", 2);
  std::vector<bool> flags;
  for (int64_t layer = 0; layer < layers; ++layer)
    flags.push_back(std::max<int64_t>(layer - offset + 1, 0) % frequency == 0);
  return flags;
}

Result<std::vector<bool>> sparseLayers(const Reader &reader, int64_t layers) {
  if (reader.config.contains("mlp_layer_types"))
    return words(reader.config["mlp_layer_types"], "mlp_layer_types", "sparse", "dense", layers);
  int64_t dense = reader.optional("first_k_dense_replace", 0);
  std::vector<bool> flags;
  for (int64_t layer = 0; layer < layers; ++layer)
    flags.push_back(layer >= dense);
  return flags;
}

/// Appends the tensors of one layer.
class LayerTensors {
public:
  LayerTensors(const ModelDescription &model, int64_t layer, std::vector<LogicalTensor> &tensors)
      : model(model), layer(layer), prefix(fmt::format("model.layers.{}.", layer)), tensors(tensors) {}

  void append() {
    vector("input_layernorm.weight", model.hiddenSize);
    vector("post_attention_layernorm.weight", model.hiddenSize);
    attention();
    if (model.hasIndexer(layer))
      indexer();
    if (model.isSparse(layer))
      experts();
    else
      mlp("mlp.", model.intermediateSize);
    if (layer >= model.layers)
      draft();
  }

private:
  void vector(const std::string &name, int64_t width) { tensors.push_back({prefix + name, {width}, false}); }
  void linear(const std::string &name, int64_t out, int64_t in) {
    tensors.push_back({prefix + name + ".weight", {out, in}, true});
  }

  void attention() {
    linear("self_attn.q_a_proj", model.queryRank, model.hiddenSize);
    vector("self_attn.q_a_layernorm.weight", model.queryRank);
    linear("self_attn.q_b_proj", model.heads * model.queryDim(), model.queryRank);
    linear("self_attn.kv_a_proj_with_mqa", model.latentRank + model.ropeDim, model.hiddenSize);
    vector("self_attn.kv_a_layernorm.weight", model.latentRank);
    linear("self_attn.kv_b_proj", model.heads * (model.nopeDim + model.valueDim), model.latentRank);
    linear("self_attn.o_proj", model.hiddenSize, model.heads * model.valueDim);
  }

  void indexer() {
    linear("self_attn.indexer.wq_b", model.indexHeads * model.indexHeadDim, model.queryRank);
    linear("self_attn.indexer.wk", model.indexHeadDim, model.hiddenSize);
    vector("self_attn.indexer.k_norm.weight", model.indexHeadDim);
    vector("self_attn.indexer.k_norm.bias", model.indexHeadDim);
    linear("self_attn.indexer.weights_proj", model.indexHeads, model.hiddenSize);
  }

  void mlp(const std::string &name, int64_t width) {
    linear(name + "gate_proj", width, model.hiddenSize);
    linear(name + "up_proj", width, model.hiddenSize);
    linear(name + "down_proj", model.hiddenSize, width);
  }

  void experts() {
    linear("mlp.gate", model.experts, model.hiddenSize);
    vector("mlp.gate.e_score_correction_bias", model.experts);
    for (int64_t expert = 0; expert < model.experts; ++expert)
      mlp(fmt::format("mlp.experts.{}.", expert), model.moeIntermediateSize);
    if (model.sharedExperts > 0)
      mlp("mlp.shared_experts.", model.sharedExperts * model.moeIntermediateSize);
  }

  void draft() {
    linear("eh_proj", model.hiddenSize, 2 * model.hiddenSize);
    vector("enorm.weight", model.hiddenSize);
    vector("hnorm.weight", model.hiddenSize);
    vector("shared_head.norm.weight", model.hiddenSize);
  }

  const ModelDescription &model;
  int64_t layer;
  std::string prefix;
  std::vector<LogicalTensor> &tensors;
};

} // namespace

Result<ModelDescription> describeModel(const Json &config) {
  ModelDescription model;
  Reader reader{config, {}};
  reader.read("vocab_size", model.vocabSize);
  reader.read("hidden_size", model.hiddenSize);
  reader.read("intermediate_size", model.intermediateSize);
  reader.read("moe_intermediate_size", model.moeIntermediateSize);
  reader.read("num_hidden_layers", model.layers);
  reader.read("num_attention_heads", model.heads);
  reader.read("q_lora_rank", model.queryRank);
  reader.read("kv_lora_rank", model.latentRank);
  reader.read("qk_nope_head_dim", model.nopeDim);
  reader.read("qk_rope_head_dim", model.ropeDim);
  reader.read("v_head_dim", model.valueDim);
  reader.read("n_routed_experts", model.experts);
  reader.read("n_shared_experts", model.sharedExperts);
  reader.read("num_experts_per_tok", model.expertsPerToken);
  reader.read("norm_topk_prob", model.normalizeExperts);
  reader.read("routed_scaling_factor", model.routedScale);
  reader.read("index_head_dim", model.indexHeadDim);
  reader.read("index_n_heads", model.indexHeads);
  reader.read("index_topk", model.indexTopk);
  reader.read("rms_norm_eps", model.normEps);
  model.groups = reader.optional("n_group", 1);
  model.keptGroups = reader.optional("topk_group", 1);
  model.mtpLayers = reader.optional("num_nextn_predict_layers", 0);
  if (!config.contains("rope_parameters"))
    return Error{"config.json: rope_parameters must be an object, but found nothing"};
  Reader rope{config["rope_parameters"], {}};
  rope.read("rope_theta", model.ropeTheta);
  for (const std::string &failure : {reader.failure, rope.failure})
    if (!failure.empty())
      return Error{failure};
  auto full = indexers(reader, model.layers);
  if (!full)
    return full.error();
  auto sparse = sparseLayers(reader, model.layers);
  if (!sparse)
    return sparse.error();
  model.fullIndexer = *full;
  model.sparse = *sparse;
  if (model.layers < 1 || !model.fullIndexer[0])
    return Error{"config.json: layer 0 must own an indexer, but found a shared one"};
  return model;
}

int64_t LogicalTensor::elements() const {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

std::vector<LogicalTensor> modelTensors(const ModelDescription &model, bool withMtp) {
  std::vector<LogicalTensor> tensors;
  tensors.push_back({"model.embed_tokens.weight", {model.vocabSize, model.hiddenSize}, false});
  for (int64_t layer = 0; layer < model.layers; ++layer)
    LayerTensors(model, layer, tensors).append();
  tensors.push_back({"model.norm.weight", {model.hiddenSize}, false});
  tensors.push_back({"lm_head.weight", {model.vocabSize, model.hiddenSize}, true});
  if (withMtp && model.mtpLayers > 0)
    LayerTensors(model, model.layers, tensors).append();
  return tensors;
}

} // namespace glm::test
