// The ops of one decoder layer, from its config and its weights.
#pragma once

#include "dialect/GlmDialect.h"
#include "frontend/config/ModelConfig.h"
#include "frontend/config/StoredTensors.h"

#include "mlir/IR/Builders.h"

#include <string>

namespace glm {

/// What every layer of a step reads besides its rows.
struct StepValues {
  mlir::Value positions; ///< [T] i32
  mlir::Value slots;     ///< [T] i32
  mlir::Value pages;     ///< [sequences, pages per sequence] i32
  mlir::Value angles;    ///< [T, rope width] f32: cosines, then sines
};

/// What one layer is made of.
struct LayerShape {
  int64_t layer = 0; ///< its number in names; the number of layers for MTP
  bool ownsIndexer = false;
  bool sparse = false; ///< routed experts instead of one dense MLP
};

/// Builds ops at the insertion point of `builder`. All rows are f32.
class LayerImporter {
public:
  LayerImporter(mlir::OpBuilder &builder, const ModelConfig &config, const StoredTensors &stored, bool quantizedInputs)
      : builder(builder), config(config), stored(stored), quantizedInputs(quantizedInputs),
        loc(builder.getUnknownLoc()) {}

  /// Starts a function: choices of the indexers of another one are none of its values.
  void begin(const StepValues &values);
  /// What follows is at the place `name`, such as "layers.3.mlp".
  void at(const std::string &name);

  /// One decoder layer: the residual stream [T, D] after it.
  mlir::Value layer(const LayerShape &shape, mlir::Value hidden);

  mlir::Value embed(mlir::Value tokens);
  /// `x * W^T` for the weight called `name`.
  mlir::Value linear(mlir::Value rows, const std::string &name);
  mlir::Value rmsNorm(mlir::Value rows, const std::string &name, double eps);
  /// The logits of the language model's head.
  mlir::Value head(mlir::Value rows);

  mlir::Location location() const { return loc; }
  /// [T, width] f32
  mlir::RankedTensorType rowsType(int64_t width);
  /// Whether a weight was missing; each was named in a diagnostic.
  bool failed() const { return missing; }

private:
  /// The weight as it is stored, and in f32 where it is packed.
  mlir::Value weight(const std::string &name);
  mlir::Value attention(const LayerShape &shape, const std::string &prefix, mlir::Value rows);
  mlir::Value chosenPositions(const LayerShape &shape, const std::string &prefix, mlir::Value rows,
                              mlir::Value queryLatent);
  mlir::Value experts(const LayerShape &shape, const std::string &prefix, mlir::Value rows);
  mlir::Value gatedMlp(const std::string &prefix, mlir::Value rows);
  mlir::Value rope(mlir::Value rows, int64_t heads, int64_t offset);
  mlir::Value writeCache(int64_t layer, const std::string &kind, mlir::Value rows);
  mlir::Value add(int64_t layer, mlir::Value hidden, mlir::Value delta, bool endsLayer);

  mlir::OpBuilder &builder;
  const ModelConfig &config;
  const StoredTensors &stored;
  bool quantizedInputs;
  mlir::Location loc;
  StepValues step;
  mlir::Value lastChoice; ///< positions chosen by the nearest indexer before: IndexShare is another use of it
  bool missing = false;
};

} // namespace glm
