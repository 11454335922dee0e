#include "test/frontend/import/SampleModels.h"

namespace glm::test {

ModelConfig smallConfig() {
  ModelConfig config;
  config.vocabSize = 97;
  config.hiddenSize = 48;
  config.intermediateSize = 80;
  config.moeIntermediateSize = 32;
  config.layers = 3;
  config.mtpLayers = 1;
  config.heads = 3;
  config.qLoraRank = 36;
  config.kvLoraRank = 20;
  config.qkNopeHeadDim = 10;
  config.qkRopeHeadDim = 4;
  config.vHeadDim = 14;
  config.experts = 5;
  config.sharedExperts = 1;
  config.expertsPerToken = 2;
  config.routedScalingFactor = 2.5;
  config.indexHeadDim = 16;
  config.indexHeads = 4;
  config.indexTopk = 7;
  config.ownsIndexer = {true, true, false};
  config.sparseMlp = {false, true, true};
  config.ropeTheta = 10000;
  config.rmsNormEps = 1e-5;
  config.latentNormEps = 1e-6;
  config.maxPositions = 512;
  return config;
}

ModelConfig publishedConfig() {
  ModelConfig config;
  config.vocabSize = 154880;
  config.hiddenSize = 6144;
  config.intermediateSize = 12288;
  config.moeIntermediateSize = 2048;
  config.layers = 78;
  config.mtpLayers = 1;
  config.heads = 64;
  config.qLoraRank = 2048;
  config.kvLoraRank = 512;
  config.qkNopeHeadDim = 192;
  config.qkRopeHeadDim = 64;
  config.vHeadDim = 256;
  config.experts = 256;
  config.sharedExperts = 1;
  config.expertsPerToken = 8;
  config.routedScalingFactor = 2.5;
  config.indexHeadDim = 128;
  config.indexHeads = 32;
  config.indexTopk = 2048;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    config.ownsIndexer.push_back(layer < 3 || (layer - 2) % 4 == 0);
    config.sparseMlp.push_back(layer >= 3);
  }
  config.ropeTheta = 8e6;
  config.rmsNormEps = 1e-5;
  config.latentNormEps = 1e-5;
  config.maxPositions = 1048576;
  return config;
}

namespace {

/// Appends the weights of one place of a model.
class Weights {
public:
  explicit Weights(StoredTensors &stored) : stored(stored) {}

  std::string prefix;

  void vector(const std::string &name, int64_t width, StoredFormat format = StoredFormat::BF16) {
    stored.weights.push_back({.name = prefix + name, .shape = {width}, .format = format});
  }
  void matrix(const std::string &name, int64_t out, int64_t in, int64_t count = 1,
              StoredFormat format = StoredFormat::BF16) {
    stored.weights.push_back(
        {.name = prefix + name + ".weight", .count = count, .shape = {out, in}, .format = format, .linear = true});
  }
  void mlp(const std::string &name, int64_t hidden, int64_t width, int64_t count = 1,
           StoredFormat format = StoredFormat::BF16) {
    matrix(name + "gate_proj", width, hidden, count, format);
    matrix(name + "up_proj", width, hidden, count, format);
    matrix(name + "down_proj", hidden, width, count, format);
  }

private:
  StoredTensors &stored;
};

void addLayer(Weights &weights, const ModelConfig &config, bool ownsIndexer, bool sparse, StoredFormat expertFormat) {
  weights.vector("input_layernorm.weight", config.hiddenSize);
  weights.vector("post_attention_layernorm.weight", config.hiddenSize);
  weights.matrix("self_attn.q_a_proj", config.qLoraRank, config.hiddenSize);
  weights.vector("self_attn.q_a_layernorm.weight", config.qLoraRank);
  weights.matrix("self_attn.q_b_proj", config.heads * config.qkHeadDim(), config.qLoraRank);
  weights.matrix("self_attn.kv_a_proj_with_mqa", config.latentWidth(), config.hiddenSize);
  weights.vector("self_attn.kv_a_layernorm.weight", config.kvLoraRank);
  weights.matrix("self_attn.kv_b_proj", config.heads * (config.qkNopeHeadDim + config.vHeadDim), config.kvLoraRank);
  weights.matrix("self_attn.o_proj", config.hiddenSize, config.heads * config.vHeadDim);
  if (ownsIndexer) {
    weights.matrix("self_attn.indexer.wq_b", config.indexHeads * config.indexHeadDim, config.qLoraRank);
    weights.matrix("self_attn.indexer.wk", config.indexHeadDim, config.hiddenSize);
    weights.vector("self_attn.indexer.k_norm.weight", config.indexHeadDim);
    weights.vector("self_attn.indexer.k_norm.bias", config.indexHeadDim);
    weights.matrix("self_attn.indexer.weights_proj", config.indexHeads, config.hiddenSize, 1, StoredFormat::F32);
  }
  if (!sparse)
    return weights.mlp("mlp.", config.hiddenSize, config.intermediateSize);
  weights.matrix("mlp.gate", config.experts, config.hiddenSize);
  weights.vector("mlp.gate.e_score_correction_bias", config.experts, StoredFormat::F32);
  weights.mlp("mlp.experts.{}.", config.hiddenSize, config.moeIntermediateSize, config.experts, expertFormat);
  weights.mlp("mlp.shared_experts.", config.hiddenSize, config.moeIntermediateSize * config.sharedExperts);
}

} // namespace

StoredTensors storedWeights(const ModelConfig &config, bool mtp, StoredFormat expertFormat) {
  StoredTensors stored;
  Weights weights(stored);
  weights.matrix("model.embed_tokens", config.vocabSize, config.hiddenSize);
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    weights.prefix = "model.layers." + std::to_string(layer) + ".";
    addLayer(weights, config, config.ownsIndexer[layer], config.sparseMlp[layer], expertFormat);
  }
  weights.prefix.clear();
  weights.vector("model.norm.weight", config.hiddenSize);
  weights.matrix("lm_head", config.vocabSize, config.hiddenSize);
  stored.hasMtp = mtp;
  if (!mtp)
    return stored;
  weights.prefix = "model.layers." + std::to_string(config.layers) + ".";
  addLayer(weights, config, /*ownsIndexer=*/true, /*sparse=*/true, expertFormat);
  weights.matrix("eh_proj", config.hiddenSize, 2 * config.hiddenSize);
  weights.vector("enorm.weight", config.hiddenSize);
  weights.vector("hnorm.weight", config.hiddenSize);
  weights.vector("shared_head.norm.weight", config.hiddenSize);
  return stored;
}

} // namespace glm::test
