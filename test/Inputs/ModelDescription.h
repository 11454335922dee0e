// What a config.json of the test checkpoints says: shapes, arithmetic, and the tensors that follow from them.
//
// Written on its own, straight from the published config and tensor tables, so that the tests do not believe the
// product's reading of the same files.
#pragma once

#include "runtime/artifact/Result.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace glm::test {

struct ModelDescription {
  int64_t vocabSize = 0;
  int64_t hiddenSize = 0;
  int64_t intermediateSize = 0;
  int64_t moeIntermediateSize = 0;
  int64_t layers = 0; ///< without MTP
  int64_t mtpLayers = 0;
  int64_t heads = 0;
  int64_t queryRank = 0;
  int64_t latentRank = 0;
  int64_t nopeDim = 0;
  int64_t ropeDim = 0;
  int64_t valueDim = 0;
  int64_t experts = 0;
  int64_t sharedExperts = 0;
  int64_t expertsPerToken = 0;
  int64_t groups = 1;
  int64_t keptGroups = 1;
  bool normalizeExperts = true;
  double routedScale = 1;
  int64_t indexHeadDim = 0;
  int64_t indexHeads = 0;
  int64_t indexTopk = 0;
  double ropeTheta = 0;
  double normEps = 0;
  std::vector<bool> fullIndexer; ///< [layers] false: reuses the positions of the nearest full layer before it
  std::vector<bool> sparse;      ///< [layers] true: routed experts, false: dense MLP

  int64_t queryDim() const { return nopeDim + ropeDim; }
  /// The MTP layer (number `layers`) owns an indexer and routed experts, whatever the lists say.
  bool hasIndexer(int64_t layer) const { return layer >= layers || fullIndexer[layer]; }
  bool isSparse(int64_t layer) const { return layer >= layers || sparse[layer]; }
};

/// Read the keys above; `indexer_types` and `mlp_layer_types` rule, else freq/offset and first_k_dense_replace.
Result<ModelDescription> describeModel(const nlohmann::ordered_json &config);

/// A tensor of the unquantized checkpoint.
struct LogicalTensor {
  std::string name; ///< such as model.layers.3.mlp.experts.7.gate_proj.weight
  std::vector<int64_t> shape;
  bool linear = false; ///< a matrix that multiplies activations: a quantizer may pack it

  int64_t elements() const;
  /// Without `.weight`: the name that exclude lists use.
  std::string module() const { return name.substr(0, name.rfind('.')); }
};

/// All tensors of a model, in the order of its layers, MTP last.
std::vector<LogicalTensor> modelTensors(const ModelDescription &model, bool withMtp);

} // namespace glm::test
