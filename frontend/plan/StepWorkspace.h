// The memory of a step beside weights and caches.
#pragma once

#include "frontend/config/ModelConfig.h"

#include <cstdint>

namespace glm {

struct StepShape {
  int64_t rows = 64;        ///< most rows of a step
  int64_t sequences = 1;    ///< at once
  int64_t context = 0;      ///< longest sequence
  int64_t elementBytes = 2; ///< of an activation: 2 for bf16, 4 for exact float32
  int64_t ranks = 1;        ///< heads and intermediate columns are divided, logits gathered whole
};

/// Bytes of the arena: inputs and logits, and the most that is alive at once of everything else. Four moments compete; the scores
/// of the indexer win at long contexts, the results of the experts before their sum at short ones. All rows in
///   scores      scores [C] f32, queries, index queries, head weights
///   attention   latent queries and latent results [heads, rank], queries
///   experts     a result f32 and a gated row per chosen expert, the shared expert's result
///   dense       gated row, result f32
/// beside the residual stream in f32, the rotation's angles and the chosen positions. What passes/kernel plans for x86 is this to
/// a fraction of a percent; the tests compare the two.
uint64_t stepWorkspace(const ModelConfig &config, const StepShape &shape);

} // namespace glm
