#include "runtime/exec/Sampler.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <numeric>
#include <vector>

namespace glm {

namespace {
struct Candidate {
  int32_t id;
  double weight; ///< not normalised; 1 for the likeliest
};
} // namespace

static bool likelier(const Candidate &a, const Candidate &b) {
  return a.weight != b.weight ? a.weight > b.weight : a.id < b.id;
}

static uint64_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

double uniformFromCounter(uint64_t seed, uint64_t sequence, uint64_t position) {
  return static_cast<double>(mix(mix(mix(seed) ^ sequence) ^ position) >> 11) * 0x1p-53;
}

Result<void> checkLogits(std::span<const float> logits) {
  bool legal = true;
  for (float logit : logits)
    legal &= logit <= std::numeric_limits<float>::max(); // false for NaN too
  if (legal)
    return {};
  auto bad = std::find_if(logits.begin(), logits.end(),
                          [](float logit) { return !(logit <= std::numeric_limits<float>::max()); });
  return Error{fmt::format("logits must be numbers, but found {} for id {}", *bad, bad - logits.begin())};
}

static void keepTopK(std::vector<Candidate> &candidates, int64_t topK) {
  if (topK == 0 || topK >= static_cast<int64_t>(candidates.size()))
    return;
  std::nth_element(candidates.begin(), candidates.begin() + topK - 1, candidates.end(), likelier);
  candidates.resize(topK);
}

// A heap and not a sort: a vocabulary has 150,000 ids, a nucleus a few dozen.
static void keepTopP(std::vector<Candidate> &candidates, double topP) {
  if (topP >= 1)
    return;
  double total = std::accumulate(candidates.begin(), candidates.end(), 0.0,
                                 [](double sum, const Candidate &c) { return sum + c.weight; });
  auto later = [](const Candidate &a, const Candidate &b) { return likelier(b, a); };
  std::make_heap(candidates.begin(), candidates.end(), later);
  double sum = 0;
  auto end = candidates.end();
  while (sum < topP * total && end != candidates.begin()) {
    std::pop_heap(candidates.begin(), end, later);
    sum += (--end)->weight;
  }
  candidates.erase(candidates.begin(), end);
}

Result<int32_t> sampleToken(std::span<const float> logits, const Sampling &sampling, uint64_t sequence,
                            uint64_t position) {
  if (Result<void> checked = checkLogits(logits); !checked)
    return checked.error();
  auto largest = std::max_element(logits.begin(), logits.end()); // the first of equals
  if (sampling.temperature == 0 || std::isinf(*largest))
    return static_cast<int32_t>(largest - logits.begin());

  std::vector<Candidate> candidates(logits.size());
  for (size_t id = 0; id < logits.size(); ++id)
    candidates[id] = {static_cast<int32_t>(id),
                      std::exp((static_cast<double>(logits[id]) - *largest) / sampling.temperature)};
  keepTopK(candidates, sampling.topK);
  keepTopP(candidates, sampling.topP);
  if (candidates.size() < logits.size()) // both filters leave an order of their own
    std::sort(candidates.begin(), candidates.end(), [](const Candidate &a, const Candidate &b) { return a.id < b.id; });

  double total = 0;
  for (const Candidate &candidate : candidates)
    total += candidate.weight;
  double left = uniformFromCounter(sampling.seed, sequence, position) * total;
  int32_t chosen = candidates.front().id;
  for (const Candidate &candidate : candidates) {
    if (candidate.weight == 0)
      continue;
    chosen = candidate.id; // the last one that can be drawn, should rounding leave a rest
    if ((left -= candidate.weight) < 0)
      break;
  }
  return chosen;
}

} // namespace glm
