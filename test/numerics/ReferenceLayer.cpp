#include "test/numerics/ReferenceLayer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace glm::test {
namespace {

MlpWeights loadMlp(const CheckpointWeights &weights, const std::string &prefix) {
  return {weights.matrix(prefix + "gate_proj"), weights.matrix(prefix + "up_proj"),
          weights.matrix(prefix + "down_proj")};
}

AttentionWeights loadAttention(const CheckpointWeights &weights, const std::string &prefix, bool withIndexer) {
  AttentionWeights attention;
  attention.queryDown = weights.matrix(prefix + "q_a_proj");
  attention.queryUp = weights.matrix(prefix + "q_b_proj");
  attention.latent = weights.matrix(prefix + "kv_a_proj_with_mqa");
  attention.expand = weights.matrix(prefix + "kv_b_proj");
  attention.output = weights.matrix(prefix + "o_proj");
  attention.queryNorm = weights.vector(prefix + "q_a_layernorm.weight");
  attention.latentNorm = weights.vector(prefix + "kv_a_layernorm.weight");
  if (withIndexer)
    attention.indexer = IndexerWeights{weights.matrix(prefix + "indexer.wq_b"), weights.matrix(prefix + "indexer.wk"),
                                       weights.matrix(prefix + "indexer.weights_proj"),
                                       weights.vector(prefix + "indexer.k_norm.weight"),
                                       weights.vector(prefix + "indexer.k_norm.bias")};
  return attention;
}

RouterWeights loadRouter(const CheckpointWeights &weights, const ModelDescription &model, const std::string &prefix) {
  RouterWeights router;
  router.gate = weights.matrix(prefix + "gate");
  router.correctionBias = weights.vector(prefix + "gate.e_score_correction_bias");
  for (int64_t expert = 0; expert < model.experts; ++expert)
    router.experts.push_back(loadMlp(weights, fmt::format("{}experts.{}.", prefix, expert)));
  if (model.sharedExperts > 0)
    router.shared = loadMlp(weights, prefix + "shared_experts.");
  return router;
}

} // namespace

LayerWeights loadLayer(const CheckpointWeights &weights, const ModelDescription &model, int64_t layer) {
  std::string prefix = fmt::format("model.layers.{}.", layer);
  LayerWeights loaded;
  loaded.inputNorm = weights.vector(prefix + "input_layernorm.weight");
  loaded.postNorm = weights.vector(prefix + "post_attention_layernorm.weight");
  loaded.attention = loadAttention(weights, prefix + "self_attn.", model.hasIndexer(layer));
  if (model.isSparse(layer))
    loaded.sparse = loadRouter(weights, model, prefix + "mlp.");
  else
    loaded.dense = loadMlp(weights, prefix + "mlp.");
  if (layer >= model.layers)
    loaded.draft =
        DraftWeights{weights.matrix(prefix + "eh_proj"), weights.vector(prefix + "enorm.weight"),
                     weights.vector(prefix + "hnorm.weight"), weights.vector(prefix + "shared_head.norm.weight")};
  return loaded;
}

Matrix rmsNorm(const Matrix &inputs, const std::vector<float> &weight, double eps) {
  Matrix outputs(inputs.rows, static_cast<int64_t>(weight.size()));
  for (int64_t t = 0; t < inputs.rows; ++t) {
    std::span<const float> row = inputs.row(t).first(weight.size());
    double factor = 1 / std::sqrt(dot(row, row) / static_cast<double>(row.size()) + eps);
    for (size_t i = 0; i < row.size(); ++i)
      outputs.row(t)[i] = static_cast<float>(row[i] * factor * weight[i]);
  }
  return outputs;
}

void rotate(std::span<float> row, int64_t first, int64_t width, double theta, int64_t position, bool halves) {
  for (int64_t i = 0; i < width / 2; ++i) {
    float exponent = static_cast<float>(2 * i) / static_cast<float>(width);
    float frequency =
        1 / static_cast<float>(std::pow(static_cast<double>(static_cast<float>(theta)), static_cast<double>(exponent)));
    double angle = static_cast<float>(position) * frequency; // the product is a float32
    double cosine = static_cast<float>(std::cos(angle)), sine = static_cast<float>(std::sin(angle));
    float &even = row[first + (halves ? i : 2 * i)], &odd = row[first + (halves ? i + width / 2 : 2 * i + 1)];
    float rotatedEven = static_cast<float>(even * cosine - odd * sine);
    odd = static_cast<float>(odd * cosine + even * sine);
    even = rotatedEven;
  }
}

std::vector<int32_t> largest(const std::vector<float> &scores, int64_t count, double &closestChoice) {
  std::vector<int32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return scores[a] > scores[b]; });
  if (count < static_cast<int64_t>(order.size())) {
    double mean = std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size()), squares = 0;
    for (float score : scores)
      squares += (score - mean) * (score - mean);
    float last = scores[order[count - 1]], next = scores[order[count]];
    // The ReLU makes indexer scores of exactly zero: there the rule for ties decides, which is the same for everyone.
    if (last != 0 || next != 0)
      closestChoice = std::min(closestChoice, (last - next) / std::sqrt(squares / static_cast<double>(scores.size())));
    order.resize(count);
  }
  std::sort(order.begin(), order.end());
  return order;
}

} // namespace glm::test
