// config.json of a GlmMoeDsaForCausalLM folder, checked and resolved.
//
// Every key that changes the arithmetic is read or refused, never assumed; keys that contradict each other are refused with
// both values. Formulas, and the values of absent keys that are no widths: transformers, class GlmMoeDsaConfig.
#pragma once

#include "runtime/artifact/Json.h"
#include "runtime/artifact/Result.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace glm {

struct ModelConfig {
  int64_t vocabSize = 0;
  int64_t hiddenSize = 0;
  int64_t intermediateSize = 0;    ///< dense MLP
  int64_t moeIntermediateSize = 0; ///< one routed expert; a shared expert has sharedExperts times this
  int64_t layers = 0;              ///< without MTP
  int64_t mtpLayers = 0;           ///< num_nextn_predict_layers: 0 or 1
  int64_t heads = 0;
  int64_t qLoraRank = 0;
  int64_t kvLoraRank = 0;
  int64_t qkNopeHeadDim = 0;
  int64_t qkRopeHeadDim = 0;
  int64_t vHeadDim = 0;
  int64_t experts = 0;
  int64_t sharedExperts = 0;
  int64_t expertsPerToken = 0;
  int64_t expertGroups = 1; ///< n_group
  int64_t keptGroups = 1;   ///< topk_group
  bool normTopkProb = true;
  double routedScalingFactor = 1.0;
  int64_t indexHeadDim = 0;
  int64_t indexHeads = 0;
  int64_t indexTopk = 0;
  std::vector<bool>
      ownsIndexer; ///< [layers]; a layer that does not reuses the choice of the nearest one before that does
  std::vector<bool> sparseMlp; ///< [layers]; true: routed experts, false: dense
  bool mtpSharesIndex = false; ///< index_share_for_mtp_iteration
  double ropeTheta = 0;
  double rmsNormEps = 0;
  double latentNormEps = 0;   ///< q_a_layernorm and kv_a_layernorm; rms_norm_eps unless the command line says otherwise
  double indexNormEps = 1e-6; ///< the indexer's k_norm; fixed in transformers, vLLM and SGLang
  int64_t maxPositions = 0;   ///< max_position_embeddings
  bool tieWordEmbeddings = false;
  std::vector<int64_t> eosTokenIds; ///< generation_config.json rules over config.json
  double temperature = 1.0;         ///< generation_config.json
  double topP = 1.0;
  int64_t topK = 0;

  /// Query and key width of one head: nope, then rope.
  int64_t qkHeadDim() const { return qkNopeHeadDim + qkRopeHeadDim; }
  /// One row of the latent cache: normalised latent, then roped key.
  int64_t latentWidth() const { return kvLoraRank + qkRopeHeadDim; }
  /// The layer whose indexer chooses for layer `layer`.
  int64_t indexSource(int64_t layer) const;
};

/// Read config.json and generation_config.json (optional) of a folder. Warnings (unknown keys that may change the
/// arithmetic, by name) are appended to `warnings`.
Result<ModelConfig> readModelConfig(const std::filesystem::path &folder, std::vector<std::string> &warnings);

/// The same for files at hand; `generation` may be null.
Result<ModelConfig> parseModelConfig(const JsonFile &file, const JsonFile *generation,
                                     std::vector<std::string> &warnings);

} // namespace glm
