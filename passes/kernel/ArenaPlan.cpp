#include "passes/kernel/ArenaPlan.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

namespace glm {
namespace {

/// Bytes [begin, end) that a placed buffer takes.
struct Taken {
  int64_t begin;
  int64_t end;
};

/// The offset of the smallest gap of at least `bytes` between `taken`, or the end of all of them.
int64_t smallestGap(std::vector<Taken> taken, int64_t bytes) {
  std::sort(taken.begin(), taken.end(), [](const Taken &a, const Taken &b) { return a.begin < b.begin; });
  int64_t best = -1, bestSize = std::numeric_limits<int64_t>::max(), end = 0;
  for (const Taken &next : taken) {
    int64_t gap = next.begin - end;
    if (gap >= bytes && gap < bestSize) {
      best = end;
      bestSize = gap;
    }
    end = std::max(end, next.end);
  }
  return best >= 0 ? best : end;
}

} // namespace

int64_t alignToArena(int64_t bytes) { return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment; }

ArenaPlan planArena(const std::vector<Lifetime> &lifetimes) {
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });

  ArenaPlan plan;
  plan.offsets.resize(lifetimes.size());
  std::vector<size_t> placed;
  for (size_t buffer : order) {
    std::vector<Taken> taken;
    for (size_t other : placed)
      if (lifetimes[other].overlaps(lifetimes[buffer]))
        taken.push_back({plan.offsets[other], plan.offsets[other] + alignToArena(lifetimes[other].bytes)});
    int64_t bytes = alignToArena(lifetimes[buffer].bytes);
    plan.offsets[buffer] = smallestGap(std::move(taken), bytes);
    plan.bytes = std::max(plan.bytes, plan.offsets[buffer] + bytes);
    placed.push_back(buffer);
  }
  return plan;
}

int64_t leastArenaBytes(const std::vector<Lifetime> &lifetimes) {
  std::map<int64_t, int64_t> changes; // launch -> bytes that begin to live there, less those that ended before
  for (const Lifetime &lifetime : lifetimes) {
    changes[lifetime.first] += alignToArena(lifetime.bytes);
    changes[lifetime.last + 1] -= alignToArena(lifetime.bytes);
  }
  int64_t live = 0, most = 0;
  for (auto [launch, change] : changes) {
    live += change;
    most = std::max(most, live);
  }
  return most;
}

} // namespace glm
