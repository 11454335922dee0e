// The parts of one decoder layer of the reference.
#pragma once

#include "test/numerics/CheckpointWeights.h"
#include "test/numerics/Reference.h"

#include <optional>

namespace glm::test {

struct IndexerWeights {
  Matrix query;                            ///< wq_b [heads * width, queryRank]; a head is [rope | nope]
  Matrix key;                              ///< wk [width, hidden]
  Matrix headWeight;                       ///< weights_proj [heads, hidden]
  std::vector<float> normWeight, normBias; ///< k_norm [width]
};

struct AttentionWeights {
  Matrix queryDown; ///< q_a_proj [queryRank, hidden]
  Matrix queryUp;   ///< q_b_proj [heads * (nope + rope), queryRank]
  Matrix latent;    ///< kv_a_proj_with_mqa [latentRank + rope, hidden]
  Matrix expand;    ///< kv_b_proj [heads * (nope + value), latentRank]
  Matrix output;    ///< o_proj [hidden, heads * value]
  std::vector<float> queryNorm, latentNorm;
  std::optional<IndexerWeights> indexer;
};

struct MlpWeights {
  Matrix gate, up, down;
};

struct RouterWeights {
  Matrix gate;                       ///< [experts, hidden]
  std::vector<float> correctionBias; ///< [experts]
  std::vector<MlpWeights> experts;
  std::optional<MlpWeights> shared;
};

struct DraftWeights {
  Matrix combine; ///< eh_proj [hidden, 2 * hidden]: embedding half first
  std::vector<float> embeddingNorm, hiddenNorm, headNorm;
};

struct LayerWeights {
  std::vector<float> inputNorm, postNorm;
  AttentionWeights attention;
  std::optional<MlpWeights> dense;
  std::optional<RouterWeights> sparse;
  std::optional<DraftWeights> draft;
};

LayerWeights loadLayer(const CheckpointWeights &weights, const ModelDescription &model, int64_t layer);

/// x / sqrt(mean(x^2) + eps) * weight, row by row.
Matrix rmsNorm(const Matrix &inputs, const std::vector<float> &weight, double eps);

/// Rotates `width` values from `first` on by the angles of `position`: interleaved pairs (2i, 2i + 1), or halves (i,
/// i + width/2). Frequencies and angles are float32 products, as everywhere else: exact ones would differ at long
/// contexts.
void rotate(std::span<float> row, int64_t first, int64_t width, double theta, int64_t position, bool halves);

/// The normalised query latent [T, queryRank] that the heads and the indexer share.
Matrix queryLatent(const AttentionWeights &weights, const ReferenceOptions &options, const ModelDescription &model,
                   const Matrix &inputs);

/// Positions that each row may attend to, by the indexer's scores.
ChosenRows choosePositions(const IndexerWeights &weights, const ReferenceOptions &options,
                           const ModelDescription &model, const Matrix &inputs, const Matrix &query,
                           double &closestChoice);

/// Attention of the normed inputs [T, hidden] over `chosen`.
Matrix attend(const AttentionWeights &weights, const ReferenceOptions &options, const ModelDescription &model,
              const Matrix &inputs, const Matrix &query, const ChosenRows &chosen);

/// down(silu(gate x) * up x).
Matrix gatedMlp(const MlpWeights &weights, const ReferenceOptions &options, const Matrix &inputs);

/// Routed experts plus the shared one; the chosen experts go to `chosen`.
Matrix mixture(const RouterWeights &weights, const ReferenceOptions &options, const ModelDescription &model,
               const Matrix &inputs, ChosenRows &chosen, double &closestChoice);

/// The `count` largest of `scores`, the lower number where equal, ascending; narrows `closestChoice`.
std::vector<int32_t> largest(const std::vector<float> &scores, int64_t count, double &closestChoice);

} // namespace glm::test
