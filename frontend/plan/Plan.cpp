#include "frontend/plan/Plan.h"

#include "dialect/Sharding.h"
#include "frontend/plan/Fitting.h"
#include "frontend/plan/RankWeights.h"

#include <fmt/format.h>

namespace glm {
namespace {

uint64_t elements(const StoredWeight &weight) {
  uint64_t count = weight.count;
  for (int64_t extent : weight.shape)
    count *= extent;
  return count;
}

/// Of `whole`, what one token touches: a row of the embedding, the chosen experts, all of the rest.
uint64_t readPerToken(uint64_t whole, WeightClass weightClass, const ModelConfig &config) {
  switch (weightClass) {
  case WeightClass::Mtp:
    return 0;
  case WeightClass::RoutedExperts:
    return whole / config.experts * config.expertsPerToken;
  case WeightClass::Embeddings:
    // Tied, it is the head too.
    return config.tieWordEmbeddings ? whole : whole / config.vocabSize;
  default:
    return whole;
  }
}

void countWeights(const ModelConfig &config, const StoredTensors &stored, Plan &plan) {
  int64_t ranks = plan.request.ranks;
  plan.weightBytes.assign(ranks, 0);
  for (const StoredWeight &weight : stored.weights) {
    WeightClass weightClass = classOf(weight, config);
    ClassSizes &sizes = plan.classes[weightClass];
    uint64_t count = elements(weight), stays = weight.bytes + weight.inputScaleBytes;
    sizes.parameters += count;
    sizes.bytes += stays;
    sizes.bytesPerToken += readPerToken(weight.bytes, weightClass, config);
    plan.parameters += count;
    plan.bytesByPrecision[precisionName(weight.format)] += stays;
    bool multiplies = weight.linear || (config.tieWordEmbeddings && weightClass == WeightClass::Embeddings);
    if (multiplies)
      plan.activeParameters += readPerToken(count, weightClass, config);
    // Scales of activations are only mapped where activations are packed.
    uint64_t inputScales = plan.request.activations == "nvfp4" ? weight.inputScaleBytes : 0;
    for (int64_t rank = 0; rank < ranks; ++rank)
      plan.weightBytes[rank] += rankBytes(weight, rank, ranks) + inputScales;
    uint64_t first = rankBytes(weight, 0, ranks);
    // Whoever holds the row of a token reads all of it.
    bool row = weightClass == WeightClass::Embeddings && !config.tieWordEmbeddings;
    sizes.bytesPerRank += readPerToken(row ? weight.bytes : first, weightClass, config);
    if (shardingOf(weight.module()).sharding == Sharding::Replicated)
      plan.replicatedBytes += weight.bytes + inputScales;
    if (weightClass == WeightClass::Mtp)
      plan.mtpRankBytes += first + inputScales;
  }
}

void countCheckpoint(const Checkpoint &checkpoint, Plan &plan) {
  plan.files = checkpoint.files().size();
  for (const SafetensorsFile &file : checkpoint.files()) {
    plan.tensors += file.tensors().size();
    for (const auto &[name, info] : file.tensors())
      plan.checkpointBytes += info.bytes;
  }
  uint64_t used = 0;
  for (const auto &[weightClass, sizes] : plan.classes)
    used += sizes.bytes;
  plan.unusedBytes = plan.checkpointBytes - used;
}

} // namespace

Result<Plan> makePlan(const ModelConfig &config, const StoredTensors &stored, const Checkpoint &checkpoint,
                      const PlanRequest &request) {
  if (auto checked = checkRanks(stored, config, request.ranks); !checked)
    return checked.error();
  Plan plan;
  plan.request = request;
  plan.layers = config.layers;
  plan.mtpLayers = stored.hasMtp ? config.mtpLayers : 0;
  plan.indexerLayers = indexerLayers(config);
  plan.maxPositions = config.maxPositions;
  plan.experts = config.experts;
  plan.expertsPerToken = config.expertsPerToken;
  countWeights(config, stored, plan);
  countCheckpoint(checkpoint, plan);
  plan.cache = cacheBytes(request.cache, config);
  for (const char *type : {"bf16", "fp8"})
    plan.cacheByType[type] = cacheBytes(type, config);
  plan.mtpCache = plan.mtpLayers * layerCacheBytes(request.cache, config).total();
  plan.context = request.context.value_or(std::min(config.maxPositions, request.defaultContext));
  plan.sequences = request.sequences.value_or(1);
  fitPlan(config, stored, plan);
  return plan;
}

} // namespace glm
