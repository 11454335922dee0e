#include "runtime/exec/Sampler.h"

#include "runtime/artifact/KernelAbi.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <limits>
#include <numbers>
#include <numeric>
#include <vector>

namespace glm {

using FloatLimits = std::numeric_limits<float>;

static uint64_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

uint64_t randomFromCounter(uint64_t seed, uint64_t sequence, uint64_t position) {
  return mix(mix(mix(seed) ^ sequence) ^ position);
}

static uint32_t scaleWord(double temperature) {
  if (temperature == 0)
    return 0;
  // A limit of float32 on both sides: any temperature, be it ever so small or large, stays one.
  double scale = std::clamp<double>(std::numbers::log2e / temperature, FloatLimits::min(), FloatLimits::max());
  return std::bit_cast<uint32_t>(static_cast<float>(scale));
}

static uint32_t topPWord(double topP) {
  return topP >= 1 ? 0 : static_cast<uint32_t>(std::clamp(std::round(topP * 0x1p32), 1.0, 0x1p32 - 1));
}

SamplingWords samplingWords(const Sampling &sampling, uint64_t sequence, uint64_t position) {
  uint64_t random = randomFromCounter(sampling.seed, sequence, position);
  return {.scale = scaleWord(sampling.temperature),
          .topK = static_cast<uint32_t>(std::min<int64_t>(sampling.topK, std::numeric_limits<int32_t>::max())),
          .topP = topPWord(sampling.topP),
          .randomHigh = static_cast<uint32_t>(random >> 32),
          .randomLow = static_cast<uint32_t>(random)};
}

static uint32_t highProduct(uint32_t a, uint32_t b) { return static_cast<uint32_t>(uint64_t(a) * b >> 32); }

uint64_t sampleWeight(float below, float scale) {
  float y = below * scale;
  if (!(y < 41))
    return 0;
  auto fixed = static_cast<int32_t>(y * 0x1p25f);
  uint32_t x = static_cast<uint32_t>(fixed) << 7, rest = kSamplePower[4];
  for (int power = 3; power >= 0; --power)
    rest = kSamplePower[power] - highProduct(x, rest);
  return ((uint64_t(1) << 32) - highProduct(x, rest)) << 8 >> (fixed >> 25);
}

static Error wrongLogit(float found, int64_t id) {
  return Error{fmt::format("logits must be numbers, but found {} for id {}", found, id)};
}

Error sampledError(int32_t sampled) {
  int32_t code = -1 - sampled;
  return wrongLogit(code % 2 ? FloatLimits::infinity() : FloatLimits::quiet_NaN(), code / 2);
}

Result<void> checkLogits(std::span<const float> logits) {
  bool legal = true;
  for (float logit : logits)
    legal &= logit <= FloatLimits::max(); // false for NaN too
  if (legal)
    return {};
  auto bad = std::find_if(logits.begin(), logits.end(), [](float logit) { return !(logit <= FloatLimits::max()); });
  return wrongLogit(*bad, bad - logits.begin());
}

static uint64_t highProduct(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>(Wide(a) * b >> 64);
}

namespace {

/// A logit and its id as one number, the larger the sooner it is kept: above, the bits of the logit as an unsigned number of the
/// same order; below, all bits of the id turned.
uint64_t rankOf(float logit, size_t id) {
  auto bits = std::bit_cast<uint32_t>(logit + 0.0f); // adding zero makes -0 a +0
  uint32_t key = bits >> 31 ? ~bits : bits | 0x80000000;
  return uint64_t(key) << 32 | static_cast<uint32_t>(~id);
}

int32_t idOf(uint64_t rank) { return static_cast<int32_t>(~static_cast<uint32_t>(rank)); }

/// One draw.
class Draw {
public:
  Draw(std::span<const float> logits, float largest, const SamplingWords &words)
      : logits(logits), largest(largest), words(words), scale(std::bit_cast<float>(words.scale)) {}

  int32_t token() {
    bool hasTopK = words.topK != 0 && words.topK < logits.size();
    if (!hasTopK && words.topP == 0) {
      std::vector<int32_t> all(logits.size());
      std::iota(all.begin(), all.end(), 0);
      return draw(all);
    }
    std::vector<uint64_t> ranks(logits.size());
    for (size_t id = 0; id < logits.size(); ++id)
      ranks[id] = rankOf(logits[id], id);
    if (hasTopK)
      keepTopK(ranks);
    if (words.topP != 0)
      keepTopP(ranks);
    std::vector<int32_t> kept(ranks.size());
    std::transform(ranks.begin(), ranks.end(), kept.begin(), idOf);
    std::sort(kept.begin(), kept.end());
    return draw(kept);
  }

private:
  uint64_t weightOf(int32_t id) const { return sampleWeight(largest - logits[id], scale); }

  void keepTopK(std::vector<uint64_t> &ranks) const {
    std::nth_element(ranks.begin(), ranks.begin() + words.topK - 1, ranks.end(), std::greater());
    ranks.resize(words.topK);
  }

  // A heap and not a sort: a vocabulary has 150,000 ids, a nucleus a few dozen.
  void keepTopP(std::vector<uint64_t> &ranks) const {
    uint64_t total = 0;
    for (uint64_t rank : ranks)
      total += weightOf(idOf(rank));
    uint64_t share = (total >> 32) * words.topP + ((total & 0xffffffff) * words.topP >> 32);
    uint64_t target = std::max<uint64_t>(share, 1), sum = 0;
    std::make_heap(ranks.begin(), ranks.end());
    auto end = ranks.end();
    while (sum < target) {
      std::pop_heap(ranks.begin(), end);
      sum += weightOf(idOf(*--end));
    }
    ranks.erase(ranks.begin(), end);
  }

  int32_t draw(const std::vector<int32_t> &ids) const {
    std::vector<uint64_t> sums(ids.size());
    std::transform_inclusive_scan(ids.begin(), ids.end(), sums.begin(), std::plus(),
                                  [&](int32_t id) { return weightOf(id); });
    uint64_t random = uint64_t(words.randomHigh) << 32 | words.randomLow;
    auto chosen = std::upper_bound(sums.begin(), sums.end(), highProduct(random, sums.back()));
    return ids[chosen - sums.begin()];
  }

  std::span<const float> logits;
  float largest;
  SamplingWords words;
  float scale;
};

} // namespace

Result<int32_t> sampleToken(std::span<const float> logits, const Sampling &sampling, uint64_t sequence,
                            uint64_t position) {
  if (Result<void> checked = checkLogits(logits); !checked)
    return checked.error();
  auto largest = std::max_element(logits.begin(), logits.end()); // the first of equals
  SamplingWords words = samplingWords(sampling, sequence, position);
  if (words.scale == 0 || std::isinf(*largest))
    return static_cast<int32_t>(largest - logits.begin());
  return Draw(logits, *largest, words).token();
}

} // namespace glm
