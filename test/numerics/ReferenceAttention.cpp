// Latent attention with expanded keys and values, and the indexer that says where it may look.
#include "test/numerics/ReferenceLayer.h"

#include <algorithm>
#include <cmath>
#include <mutex>

namespace glm::test {
namespace {

/// LayerNorm with bias; its eps is 1e-6 in every implementation, whatever the config says.
Matrix layerNorm(const Matrix &inputs, const std::vector<float> &weight, const std::vector<float> &bias) {
  Matrix outputs(inputs.rows, inputs.columns);
  for (int64_t t = 0; t < inputs.rows; ++t) {
    std::span<const float> row = inputs.row(t);
    double mean = 0, variance = 0;
    for (float value : row)
      mean += value / static_cast<double>(row.size());
    for (float value : row)
      variance += (value - mean) * (value - mean) / static_cast<double>(row.size());
    for (size_t i = 0; i < row.size(); ++i)
      outputs.row(t)[i] = static_cast<float>((row[i] - mean) / std::sqrt(variance + 1e-6) * weight[i] + bias[i]);
  }
  return outputs;
}

double latentEps(const ReferenceOptions &options, const ModelDescription &model) {
  return options.mistake == Mistake::LatentNormEps ? model.normEps : options.latentNormEps;
}

std::span<const float> part(const Matrix &matrix, int64_t row, int64_t first, int64_t width) {
  return matrix.row(row).subspan(first, width);
}

/// softmax(scores) in place.
void softmax(std::vector<double> &scores) {
  double highest = *std::max_element(scores.begin(), scores.end()), total = 0;
  for (double &score : scores)
    total += score = std::exp(score - highest);
  for (double &score : scores)
    score /= total;
}

} // namespace

Matrix queryLatent(const AttentionWeights &weights, const ReferenceOptions &options, const ModelDescription &model,
                   const Matrix &inputs) {
  return rmsNorm(linear(inputs, weights.queryDown), weights.queryNorm, latentEps(options, model));
}

ChosenRows choosePositions(const IndexerWeights &weights, const ReferenceOptions &options,
                           const ModelDescription &model, const Matrix &inputs, const Matrix &query,
                           double &closestChoice) {
  Matrix queries = linear(query, weights.query);
  Matrix keys = layerNorm(linear(inputs, weights.key), weights.normWeight, weights.normBias);
  Matrix headWeights = linear(inputs, weights.headWeight);
  int64_t width = model.indexHeadDim, heads = model.indexHeads;
  bool halves = options.mistake == Mistake::HalfSplitIndexerRope;
  int64_t first = options.mistake == Mistake::IndexerNopeFirst ? width - model.ropeDim : 0;
  for (int64_t t = 0; t < inputs.rows; ++t) {
    rotate(keys.row(t), first, model.ropeDim, model.ropeTheta, t, halves);
    for (int64_t head = 0; head < heads; ++head)
      rotate(queries.row(t), head * width + first, model.ropeDim, model.ropeTheta, t, halves);
  }
  // score(t, s) = sum over heads of w * relu(q . k / sqrt(width)) / sqrt(heads); the weights are signed.
  double scale = 1 / std::sqrt(static_cast<double>(width)), headScale = 1 / std::sqrt(static_cast<double>(heads));
  ChosenRows chosen(inputs.rows);
  std::mutex lock;
  forEach(inputs.rows, [&](int64_t t) {
    int64_t visible = options.mistake == Mistake::MaskAfterTopk ? inputs.rows : t + 1;
    std::vector<float> scores(visible);
    for (int64_t s = 0; s < visible; ++s) {
      double score = 0;
      for (int64_t head = 0; head < heads; ++head)
        score += headWeights.row(t)[head] * headScale *
                 std::max(0.0, dot(part(queries, t, head * width, width), keys.row(s)) * scale);
      scores[s] = static_cast<float>(score);
    }
    double closest = 1e9;
    std::vector<int32_t> positions = largest(scores, model.indexTopk, closest);
    std::erase_if(positions, [&](int32_t position) { return position > t; });
    if (positions.empty())
      positions.push_back(static_cast<int32_t>(t));
    chosen[t] = std::move(positions);
    std::lock_guard guard(lock);
    closestChoice = std::min(closestChoice, closest);
  });
  return chosen;
}

Matrix attend(const AttentionWeights &weights, const ReferenceOptions &options, const ModelDescription &model,
              const Matrix &inputs, const Matrix &query, const ChosenRows &chosen) {
  int64_t nope = model.nopeDim, rope = model.ropeDim, value = model.valueDim, headWidth = model.queryDim();
  Matrix queries = linear(query, weights.queryUp);    // [T, heads * (nope | rope)]
  Matrix compressed = linear(inputs, weights.latent); // [T, latent | rope key shared by all heads]
  Matrix latent = rmsNorm(compressed, weights.latentNorm, latentEps(options, model));
  Matrix expanded = linear(latent, weights.expand); // [T, heads * (nope key | value)]
  for (int64_t t = 0; t < inputs.rows; ++t) {
    rotate(compressed.row(t), model.latentRank, rope, model.ropeTheta, t, false);
    for (int64_t head = 0; head < model.heads; ++head)
      rotate(queries.row(t), head * headWidth + nope, rope, model.ropeTheta, t, false);
  }
  double scale = 1 / std::sqrt(static_cast<double>(headWidth));
  Matrix mixed(inputs.rows, model.heads * value);
  forEach(inputs.rows, [&](int64_t t) {
    for (int64_t head = 0; head < model.heads; ++head) {
      std::vector<double> scores;
      for (int32_t s : chosen[t])
        scores.push_back(
            scale *
            (dot(part(queries, t, head * headWidth, nope), part(expanded, s, head * (nope + value), nope)) +
             dot(part(queries, t, head * headWidth + nope, rope), part(compressed, s, model.latentRank, rope))));
      softmax(scores);
      for (int64_t i = 0; i < value; ++i) {
        double sum = 0;
        for (size_t j = 0; j < scores.size(); ++j)
          sum += scores[j] * expanded.row(chosen[t][j])[head * (nope + value) + nope + i];
        mixed.row(t)[head * value + i] = static_cast<float>(sum);
      }
    }
  });
  return linear(mixed, weights.output);
}

} // namespace glm::test
