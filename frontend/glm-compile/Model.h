// What is known about a model folder before any IR exists.
#pragma once

#include "frontend/config/Precision.h"
#include "frontend/glm-compile/Options.h"
#include "runtime/artifact/Checkpoint.h"

namespace glm {

struct Model {
  ModelConfig config;
  Checkpoint checkpoint;
  StoredTensors stored;
  std::vector<PrecisionRule> rules; ///< of the policy, then of --set: later wins
  Precision precision;              ///< what they came to, a refusal included
  std::vector<std::string> warnings;
};

/// Read configs, headers and scalars of `options.model`, and decide the precision of every weight. A plan reads no scalars.
Result<Model> readModel(const CompileOptions &options);

} // namespace glm
