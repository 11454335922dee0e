#include "frontend/plan/Fitting.h"

#include "frontend/plan/Figures.h"
#include "frontend/plan/RankWeights.h"
#include "frontend/plan/StepWorkspace.h"

#include <algorithm>
#include <numeric>

namespace glm {
namespace {

/// The memory of one rank.
class RankMemory {
public:
  /// `cacheParts`: over how many ranks the positions of a cache are spread; 1 if each holds all.
  RankMemory(const ModelConfig &config, const Plan &plan, int64_t ranks, uint64_t weights, int64_t cacheParts)
      : config(config), plan(plan), ranks(ranks), weights(weights), cacheParts(cacheParts) {}

  uint64_t workspace(int64_t context, int64_t sequences) const {
    int64_t own = (context + cacheParts - 1) / cacheParts;
    return stepWorkspace(config, {.rows = plan.request.rows,
                                  .sequences = sequences,
                                  .context = own,
                                  .elementBytes = plan.request.activations == "f32" ? 4 : 2,
                                  .ranks = ranks});
  }

  uint64_t cache(int64_t context, int64_t sequences) const {
    int64_t pages = pagedLength(context) / kPageSize, own = (pages + cacheParts - 1) / cacheParts;
    return uint64_t(sequences) * own * kPageSize * plan.cache.total();
  }

  uint64_t needed(int64_t context, int64_t sequences) const {
    return weights + workspace(context, sequences) + cache(context, sequences);
  }

  bool fits(int64_t context, int64_t sequences) const { return needed(context, sequences) <= *plan.request.memory; }

  /// 0 if not even one position fits. Whole pages, but for the last one of the model.
  int64_t largestContext(int64_t sequences) const {
    int64_t most = pagedLength(config.maxPositions) / kPageSize;
    int64_t pages = largest(most, [&](int64_t pages) { return fits(positions(pages), sequences); });
    return positions(pages);
  }

  int64_t largestBatch(int64_t context) const {
    // A sequence takes a page at least, so that there are never more than this.
    int64_t most = *plan.request.memory / (kPageSize * std::max<int64_t>(1, plan.cache.total())) * cacheParts;
    return largest(most, [&](int64_t batch) { return fits(context, batch); });
  }

  uint64_t tokens(int64_t context) const {
    uint64_t taken = weights + workspace(context, 1);
    uint64_t free = taken < *plan.request.memory ? *plan.request.memory - taken : 0;
    return free / plan.cache.total() * cacheParts;
  }

  Fit fit() const {
    return {largestContext(plan.sequences), largestBatch(plan.context), tokens(plan.context),
            static_cast<double>(plan.cache.total()) / cacheParts};
  }

private:
  int64_t positions(int64_t pages) const { return std::min(pages * kPageSize, config.maxPositions); }

  /// The largest of 0 .. `most` that `holds`, which holds for all below one that it holds for; 0 need not hold.
  template <typename Predicate>
  static int64_t largest(int64_t most, Predicate holds) {
    int64_t low = 0, high = most;
    while (low < high) {
      int64_t middle = std::midpoint(low, high + 1);
      if (holds(middle))
        low = middle;
      else
        high = middle - 1;
    }
    return low;
  }

  const ModelConfig &config;
  const Plan &plan;
  int64_t ranks;
  uint64_t weights;
  int64_t cacheParts;
};

std::optional<int64_t> fewestRanks(const ModelConfig &config, const StoredTensors &stored, const Plan &plan,
                                   int64_t context) {
  for (int64_t ranks = 1; ranks <= 64; ranks *= 2) {
    if (!checkRanks(stored, config, ranks))
      continue;
    uint64_t weights = rankBytes(stored, plan.request.activations, 0, ranks);
    if (RankMemory(config, plan, ranks, weights, 1).fits(context, plan.sequences))
      return ranks;
  }
  return std::nullopt;
}

/// One line, as all errors.
std::string refusal(const RankMemory &memory, const RankMemory &shared, const Plan &plan, int64_t context) {
  bool asked = plan.request.context.has_value();
  uint64_t cache = memory.cache(context, plan.sequences), workspace = memory.workspace(context, plan.sequences);
  std::string text = fmt::format(
      "--memory: each of {} of {} must hold {} beside its weights, but found {} of weights + {} of {} cache + {} of "
      "workspace = {}",
      counted(plan.request.ranks, "rank"), gib(*plan.request.memory),
      asked ? fmt::format("{} of {} tokens", counted(plan.sequences, "sequence"), grouped(context)) : "a page of cache",
      gib(plan.rankWeights()), gib(cache), plan.request.cache, gib(workspace),
      gib(plan.rankWeights() + cache + workspace));
  std::string hints;
  auto hint = [&](const std::string &words) { hints += (hints.empty() ? "" : "; ") + words; };
  if (plan.fit.context > 0)
    hint(fmt::format("{} tokens fit", grouped(plan.fit.context)));
  if (plan.request.ranks > 1 && asked) {
    bool fits = shared.fits(context, plan.sequences);
    hint(fmt::format("tensor parallelism replicates the cache; sharded by context each rank would hold {} of it, {}",
                     gib(shared.cache(context, plan.sequences)), fits ? "and all fits" : "still too much"));
  }
  if (plan.fewestRanks && *plan.fewestRanks > plan.request.ranks)
    hint(fmt::format("{} ranks would do", *plan.fewestRanks));
  return hints.empty() ? text : fmt::format("{} ({})", text, hints);
}

} // namespace

void fitPlan(const ModelConfig &config, const StoredTensors &stored, Plan &plan) {
  int64_t ranks = plan.request.ranks;
  RankMemory memory(config, plan, ranks, plan.rankWeights(), 1), shared(config, plan, ranks, plan.rankWeights(), ranks);
  plan.workspace = memory.workspace(plan.context, plan.sequences);
  plan.cacheBytes = memory.cache(plan.context, plan.sequences);
  if (!plan.request.memory)
    return;
  uint64_t taken = plan.rankWeights() + plan.workspace;
  plan.free = taken < *plan.request.memory ? *plan.request.memory - taken : 0;
  plan.fit = memory.fit();
  plan.contextParallel = shared.fit();
  int64_t least = plan.request.context.value_or(1);
  plan.fewestRanks = fewestRanks(config, stored, plan, least);
  if (!memory.fits(least, plan.sequences))
    plan.refusal = refusal(memory, shared, plan, least);
}

} // namespace glm
