#include "frontend/plan/Plan.h"

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
  for (const StoredWeight &weight : stored.weights) {
    WeightClass weightClass = classOf(weight, config);
    ClassSizes &sizes = plan.classes[weightClass];
    uint64_t count = elements(weight), stays = weight.bytes + weight.inputScaleBytes;
    sizes.parameters += count;
    sizes.bytes += stays;
    plan.parameters += count;
    plan.bytesByPrecision[precisionName(weight.format)] += stays;
    bool embeds = weightClass == WeightClass::Embeddings && !config.tieWordEmbeddings;
    if (!embeds && weight.shape.size() == 2)
      plan.activeParameters += readPerToken(count, weightClass, config);
    sizes.bytesPerToken += readPerToken(weight.bytes, weightClass, config);
    // Whoever holds the row of a token reads all of it.
    uint64_t held = embeds ? weight.bytes : rankBytes(weight, 0, plan.request.ranks);
    sizes.bytesPerRank += readPerToken(held, weightClass, config);
  }
}

void countRanks(const ModelConfig &config, const StoredTensors &stored, Plan &plan) {
  const PlanRequest &request = plan.request;
  for (int64_t rank = 0; rank < request.ranks; ++rank)
    plan.weightBytes.push_back(rankBytes(stored, request.activations, rank, request.ranks));
  plan.replicatedBytes = replicatedBytes(stored, request.activations);
  StoredTensors draft;
  for (const StoredWeight &weight : stored.weights)
    if (classOf(weight, config) == WeightClass::Mtp)
      draft.weights.push_back(weight);
  plan.mtpRankBytes = rankBytes(draft, request.activations, 0, request.ranks);
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
  countRanks(config, stored, plan);
  countCheckpoint(checkpoint, plan);
  plan.cache = cacheBytes(request.cache, config);
  for (const char *type : {"bf16", "fp8"})
    plan.cacheByType[type] = cacheBytes(type, config);
  plan.mtpCache = plan.mtpLayers * layerCacheBytes(request.cache, config).total();
  plan.context = request.context.value_or(std::min(config.maxPositions, request.defaultContext));
  plan.sequences = request.sequences.value_or(1);
  plan.cacheRead = cacheBytesRead(request.cache, config, plan.context);
  fitPlan(config, stored, plan);
  return plan;
}

} // namespace glm
