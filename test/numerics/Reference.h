// The model in plain C++: float32 values, double sums, one sequence at a time, no cache, no blocking.
//
// Follows the published formulas line by line (transformers, modeling_glm_moe_dsa.py, and for MTP vLLM's mtp.py),
// with keys and values expanded per head. It shares nothing with the product but the safetensors reader, so that the
// two can disagree.
#pragma once

#include "runtime/artifact/Result.h"
#include "test/Inputs/ModelDescription.h"
#include "test/numerics/Matrix.h"
#include "test/numerics/Mistake.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace glm::test {

struct ReferenceOptions {
  double latentNormEps = 1e-6; ///< q_a_layernorm and kv_a_layernorm; transformers' own default
  Mistake mistake = Mistake::None;
  bool draft = false; ///< compute the MTP layer too
};

/// Chosen numbers of each row, ascending.
using ChosenRows = std::vector<std::vector<int32_t>>;

struct ReferenceOutput {
  Matrix logits; ///< [T, vocabulary]
  std::vector<Matrix>
      hidden; ///< [layers + 1] of [T, hidden]: embedding, after each layer but the last, final norm's output
  std::map<int64_t, ChosenRows> index;   ///< full layer -> positions of each row; the MTP layer has T - 1 rows
  std::map<int64_t, ChosenRows> experts; ///< sparse layer -> experts of each row
  Matrix draftLogits;                    ///< [T - 1, vocabulary] of the MTP layer; empty unless asked for
  /// How near the nearest top-k choice was: (last chosen - first left out) / standard deviation of the row's scores.
  double closestChoice = 1e9;
};

struct LayerWeights;
class CheckpointWeights;

class Reference {
public:
  static Result<Reference> open(const std::filesystem::path &folder, const ReferenceOptions &options);

  Reference(Reference &&) noexcept;
  ~Reference();

  ReferenceOutput run(const std::vector<int32_t> &ids) const;

  const ModelDescription &model() const { return description; }

private:
  Reference(ModelDescription description, ReferenceOptions options);

  void load(const CheckpointWeights &weights);
  /// The decoder layer `layer` on the residual stream [T, hidden]; `chosen` goes from one full layer to the next.
  void runLayer(int64_t layer, Matrix &stream, ChosenRows &chosen, ReferenceOutput &output) const;
  void runDraft(const std::vector<int32_t> &ids, const Matrix &finalHidden, ReferenceOutput &output) const;
  Matrix embed(const std::vector<int32_t> &ids) const;

  ModelDescription description;
  ReferenceOptions options;
  Matrix embedding, head;
  std::vector<float> finalNorm;
  std::vector<std::unique_ptr<LayerWeights>> layers; ///< MTP last, if loaded
};

} // namespace glm::test
