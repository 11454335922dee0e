#include "frontend/glm-compile/Inspect.h"

#include "frontend/plan/Plan.h"
#include "runtime/artifact/Streams.h"

namespace glm {
namespace {

/// A cache has the type of the activations, and packed ones are widened before they are stored.
std::string cacheType(const CompileOptions &options) {
  if (!options.kvCache.empty())
    return options.kvCache;
  return options.activations == "f32" ? "f32" : "bf16";
}

Result<void> print(const std::string &text) {
  writeResult(text);
  return flushResults();
}

} // namespace

Result<void> printPlan(const CompileOptions &options, const Model &model) {
  PlanRequest request;
  request.activations = options.activations;
  request.cache = cacheType(options);
  request.ranks = options.tensorParallel;
  request.memory = options.memory;
  request.context = options.maxModelLen;
  request.sequences = options.maxSequences;
  request.defaultContext = kDefaultPositions;
  request.rows = options.maxRows;
  auto plan = makePlan(model.config, model.stored, model.checkpoint, request);
  if (!plan)
    return plan.error();
  if (auto printed = print(options.plan == "json" ? planJson(*plan) : planText(*plan)); !printed)
    return printed;
  if (!plan->refusal.empty())
    return Error{plan->refusal};
  return model.precision.refusal ? Result<void>(*model.precision.refusal) : Result<void>();
}

Result<void> printPrecision(const CompileOptions &options, const Model &model) {
  const Precision &precision = model.precision;
  std::string text = options.printPrecision == "json" ? precisionJson(precision.table) : precisionText(precision);
  if (auto printed = print(text); !printed)
    return printed;
  return precision.refusal ? Result<void>(*precision.refusal) : Result<void>();
}

} // namespace glm
