// config.json, and generation_config.json as its member `generation`. Keys that an input lacks are those of a small model.
#include "frontend/config/ModelConfig.h"
#include "test/fuzz/Fuzz.h"

#include <algorithm>
#include <cmath>

namespace glm::fuzz {
namespace {

const nlohmann::json &baseConfig() {
  static const nlohmann::json base = nlohmann::json::parse(R"({
    "model_type": "glm_moe_dsa", "vocab_size": 331, "hidden_size": 96, "intermediate_size": 176,
    "moe_intermediate_size": 48, "num_hidden_layers": 5, "num_attention_heads": 5, "q_lora_rank": 48,
    "kv_lora_rank": 32, "qk_nope_head_dim": 24, "qk_rope_head_dim": 16, "v_head_dim": 32, "n_routed_experts": 8,
    "num_experts_per_tok": 3, "index_head_dim": 32, "index_n_heads": 12, "index_topk": 16,
    "rope_parameters": {"rope_theta": 8000000, "rope_type": "default"}})");
  return base;
}

/// What the importer relies on.
void check(const ModelConfig &c) {
  auto layers = static_cast<size_t>(c.layers);
  require(c.ownsIndexer.size() == layers && c.sparseMlp.size() == layers, "the lists have an entry per layer");
  require(c.ownsIndexer.front(), "layer 0 owns an indexer");
  for (int64_t width : {c.vocabSize, c.hiddenSize, c.intermediateSize, c.moeIntermediateSize, c.heads, c.qLoraRank,
                        c.kvLoraRank, c.qkNopeHeadDim, c.qkRopeHeadDim, c.vHeadDim, c.experts, c.sharedExperts,
                        c.expertsPerToken, c.indexHeadDim, c.indexHeads, c.indexTopk, c.maxPositions})
    require(width > 0 && width <= int64_t(1) << 31, "widths are positive and products of two in range");
  require(c.qkRopeHeadDim % 2 == 0 && c.indexHeadDim >= c.qkRopeHeadDim, "rotated columns are pairs within the heads");
  require(c.experts % c.expertGroups == 0 && c.keptGroups <= c.expertGroups &&
              c.expertsPerToken <= c.keptGroups * (c.experts / c.expertGroups),
          "the chosen experts fit into the kept groups");
  for (double number : {c.ropeTheta, c.rmsNormEps, c.latentNormEps, c.routedScalingFactor})
    require(std::isfinite(number) && number > 0, "numbers are positive");
  require(c.topP > 0 && c.topP <= 1 && c.temperature >= 0 && std::isfinite(c.temperature) && c.topK >= 0,
          "sampling is possible");
  require(std::ranges::all_of(c.eosTokenIds, [&](int64_t id) { return id >= 0 && id < c.vocabSize; }),
          "stop ids are in the vocabulary");
}

} // namespace

void run(std::string_view input) {
  auto file = parse("config.json", input);
  if (!file)
    return;
  complete(*file, baseConfig());
  auto generation = takeFile(*file, "generation", "generation_config.json");
  std::vector<std::string> warnings;
  auto config = parseModelConfig(*file, generation ? &*generation : nullptr, warnings);
  if (!config)
    return requireRefusal(config.error());
  check(*config);
}

} // namespace glm::fuzz
