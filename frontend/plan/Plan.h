// What a checkpoint costs, from its headers alone: sizes, bytes per token, the share of a rank, what fits beside it.
#pragma once

#include "frontend/config/ModelConfig.h"
#include "frontend/config/StoredTensors.h"
#include "frontend/plan/CacheLayout.h"
#include "frontend/plan/WeightClass.h"
#include "runtime/artifact/Checkpoint.h"
#include "runtime/artifact/Result.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace glm {

/// What is asked of a plan.
struct PlanRequest {
  std::string activations = "bf16"; ///< bf16, f32 or nvfp4
  std::string cache = "bf16";       ///< bf16, f32 or fp8
  int64_t ranks = 1;                ///< of tensor parallelism
  std::optional<uint64_t> memory;   ///< bytes of each rank's device
  std::optional<int64_t> context;   ///< longest sequence, if one is asked for
  std::optional<int64_t> sequences; ///< of that length at once, if asked for
  int64_t defaultContext = 32768;   ///< where none is asked for, batches are counted at this one
  int64_t rows = 64;                ///< most rows of a step
};

/// Sizes of one class.
struct ClassSizes {
  uint64_t parameters = 0;
  uint64_t bytes = 0;         ///< with input scales
  uint64_t bytesPerToken = 0; ///< read for one decoded token, over all ranks
  uint64_t bytesPerRank = 0;  ///< read for one decoded token by rank 0, which reads most
};

/// What fits into the memory of one rank beside its weights.
struct Fit {
  int64_t context = 0; ///< largest that fits for the sequences asked for (or one), at most max_position_embeddings
  int64_t batch = 0;   ///< most sequences of Plan::context
  uint64_t tokens = 0; ///< of cache, at the workspace of Plan::context
  double cacheBytesPerToken = 0; ///< of one rank
};

struct Plan {
  PlanRequest request;
  int64_t layers = 0, mtpLayers = 0, indexerLayers = 0, maxPositions = 0;
  int64_t experts = 0, expertsPerToken = 0;
  size_t tensors = 0, files = 0; ///< in the checkpoint

  uint64_t parameters = 0;       ///< all, MTP included
  uint64_t activeParameters = 0; ///< of the matrices that one token is multiplied with, without MTP
  uint64_t checkpointBytes = 0;  ///< tensor payload
  std::map<WeightClass, ClassSizes> classes;
  std::map<std::string, uint64_t> bytesByPrecision; ///< nvfp4 with all its scales
  uint64_t unusedBytes = 0; ///< stored, but no weight of this config: an MTP layer that it has not

  CacheBytes cache;                              ///< of the type asked for, one position, one rank
  std::map<std::string, CacheBytes> cacheByType; ///< bf16, fp8
  int64_t mtpCache = 0;                          ///< bytes of a position in the MTP layer's caches, if it drafts

  std::vector<uint64_t> weightBytes; ///< of each rank
  uint64_t replicatedBytes = 0;      ///< what each rank holds whole
  uint64_t mtpRankBytes = 0;         ///< part of rank 0's that only the MTP layer needs

  int64_t context = 0;   ///< that workspace, batch and free memory are counted at
  int64_t sequences = 0; ///< asked for, or 1
  uint64_t workspace = 0;
  uint64_t cacheBytes = 0; ///< of `sequences` of `context`, one rank
  uint64_t cacheRead = 0;  ///< of one rank for one decoded token at `context`

  // With PlanRequest::memory only.
  uint64_t free = 0;   ///< beside weights and workspace; 0 if they do not fit
  Fit fit;             ///< the cache replicated on every rank, as tensor parallelism leaves it
  Fit contextParallel; ///< each rank holds the cache of 1 / ranks of the positions
  std::optional<int64_t>
      fewestRanks;     ///< least power of two that holds what is asked for, the cache replicated; none up to 64
  std::string refusal; ///< why it does not fit, as an error; empty if it does or no memory was named

  uint64_t rankWeights() const { return weightBytes.front(); } ///< rank 0 holds most
};

/// Count. Refuses a number of ranks that the model cannot be divided by. `checkpoint` is asked for its headers only.
Result<Plan> makePlan(const ModelConfig &config, const StoredTensors &stored, const Checkpoint &checkpoint,
                      const PlanRequest &request);

/// For people.
std::string planText(const Plan &plan);
/// For scripts; numbers are bytes and tokens. README.md lists the keys.
std::string planJson(const Plan &plan);

} // namespace glm
