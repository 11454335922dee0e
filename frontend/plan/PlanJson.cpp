// Of Plan.h: the plan for scripts.
#include "frontend/plan/Plan.h"

#include <nlohmann/json.hpp>
#include <numeric>

namespace glm {
namespace {

using Json = nlohmann::ordered_json;

Json cacheJson(const CacheBytes &bytes) {
  return {{"latent", bytes.latent}, {"index_keys", bytes.indexKeys}, {"total", bytes.total()}};
}

/// One figure of every class.
template <typename Figure>
Json byClass(const Plan &plan, Figure ClassSizes::*figure) {
  Json object = Json::object();
  for (WeightClass weightClass : kWeightClasses)
    if (auto found = plan.classes.find(weightClass); found != plan.classes.end())
      object[className(weightClass)] = found->second.*figure;
  return object;
}

uint64_t sum(const Json &object) {
  uint64_t total = 0;
  for (const Json &value : object)
    total += value.get<uint64_t>();
  return total;
}

void addSizes(const Plan &plan, Json &json) {
  json["layers"] = plan.layers;
  json["mtp_layers"] = plan.mtpLayers;
  json["indexer_layers"] = plan.indexerLayers;
  json["max_positions"] = plan.maxPositions;
  json["parameters"] = plan.parameters;
  json["active_parameters"] = plan.activeParameters;
  json["tensors"] = plan.tensors;
  json["files"] = plan.files;
  json["checkpoint_bytes"] = plan.checkpointBytes;
  json["parameters_by_class"] = byClass(plan, &ClassSizes::parameters);
  json["bytes_by_class"] = byClass(plan, &ClassSizes::bytes);
  json["bytes_by_precision"] = plan.bytesByPrecision;
  if (plan.unusedBytes > 0)
    json["bytes_by_class"]["unused"] = json["bytes_by_precision"]["unused"] = plan.unusedBytes;
  Json read = byClass(plan, &ClassSizes::bytesPerToken);
  json["bytes_per_token"] = {
      {"total", sum(read)}, {"per_rank", sum(byClass(plan, &ClassSizes::bytesPerRank))}, {"by_class", read}};
}

void addRanks(const Plan &plan, Json &json) {
  json["kv_cache"] = plan.request.cache;
  json["kv_bytes_per_token"] = plan.cache.total();
  Json &types = json["kv_bytes_per_token_by_type"] = Json::object();
  for (const auto &[type, bytes] : plan.cacheByType)
    types[type] = cacheJson(bytes);
  json["mtp_kv_bytes_per_token"] = plan.mtpCache;
  json["ranks"] = plan.request.ranks;
  json["weight_bytes"] = {{"total", std::accumulate(plan.weightBytes.begin(), plan.weightBytes.end(), uint64_t(0))},
                          {"per_rank", plan.weightBytes},
                          {"replicated", plan.replicatedBytes},
                          {"mtp_per_rank", plan.mtpRankBytes}};
  json["context"] = plan.context;
  json["sequences"] = plan.sequences;
  json["rows"] = plan.request.rows;
  json["cache_bytes"] = plan.cacheBytes;
  json["cache_bytes_read"] = plan.cacheRead;
  json["workspace_bytes"] = plan.workspace;
}

Json fitJson(const Plan &plan, const Fit &fit) {
  return {{"kv_tokens", fit.tokens},
          {"max_context", fit.context},
          {"max_batch", fit.batch},
          {"concurrency", static_cast<double>(fit.tokens) / plan.context}};
}

void addMemory(const Plan &plan, Json &json) {
  if (!plan.request.memory)
    return;
  json["memory_bytes"] = *plan.request.memory;
  json["free_bytes"] = plan.free;
  json.update(fitJson(plan, plan.fit));
  json["context_parallel"] = fitJson(plan, plan.contextParallel);
  json["context_parallel"]["kv_bytes_per_token"] = plan.contextParallel.cacheBytesPerToken;
  json["fewest_ranks"] = plan.fewestRanks ? Json(*plan.fewestRanks) : Json(nullptr);
  json["fits"] = plan.refusal.empty();
  json["verdict"] = plan.refusal.empty() ? "fits" : plan.refusal;
}

} // namespace

std::string planJson(const Plan &plan) {
  Json json = Json::object();
  addSizes(plan, json);
  addRanks(plan, json);
  addMemory(plan, json);
  return json.dump(1) + "\n";
}

} // namespace glm
