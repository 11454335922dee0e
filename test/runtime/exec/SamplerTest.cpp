#include "runtime/exec/Sampler.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <set>
#include <vector>

using namespace glm;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

int32_t sample(const std::vector<float> &logits, const Sampling &sampling, uint64_t sequence = 0,
               uint64_t position = 0) {
  Result<int32_t> token = sampleToken(logits, sampling, sequence, position);
  return token ? *token : -1;
}

std::vector<float> randomLogits(uint64_t seed, int64_t count, float spread) {
  std::mt19937_64 generator(seed);
  std::vector<float> logits(count);
  for (float &logit : logits)
    logit = (static_cast<float>(generator() >> 40) * 0x1p-23f - 1.0f) * spread;
  return logits;
}

TEST(Sampler, greedyTakesTheLowestOfTheLargest) {
  EXPECT_EQ(sample({-1, 3, 2, 3, -7}, {}), 1);
  EXPECT_EQ(sample({-3, -2, -2}, {}), 1);
  EXPECT_EQ(sample({-kInfinity, -5, -kInfinity}, {}), 1);
  EXPECT_EQ(sample({-0.0f, 0.0f, -0.0f}, {}), 0);
  for (double temperature : {0.0, 1.0})
    EXPECT_EQ(sample({-kInfinity, -kInfinity}, {.temperature = temperature, .topK = 1, .topP = 0.5}), 0);
}

TEST(Sampler, refusesWhatIsNoNumber) {
  Result<int32_t> token = sampleToken(std::vector<float>{1, 2, std::nanf(""), 3}, {}, 0, 0);
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().message, "logits must be numbers, but found nan for id 2");
  EXPECT_FALSE(sampleToken(std::vector<float>{1, kInfinity}, {.temperature = 1}, 0, 0));
}

TEST(Sampler, randomNumbersAreUniform) {
  constexpr int count = 20000, bins = 16;
  // The highest and the lowest four bits.
  std::vector<int> high(bins, 0), low(bins, 0);
  for (int i = 0; i < count; ++i) {
    uint64_t random = randomFromCounter(5, i % 7, i / 7);
    ++high[random >> 60];
    ++low[random & 15];
  }
  // Chi square with 15 degrees of freedom: above 37.7 once in 1000 if they are uniform; the seed is fixed.
  for (const std::vector<int> &histogram : {high, low}) {
    double chiSquare = 0;
    for (int seen : histogram)
      chiSquare += (seen - count / bins) * (seen - count / bins) / static_cast<double>(count / bins);
    EXPECT_LT(chiSquare, 37.7);
  }
}

TEST(Sampler, wordsSayWhatADrawDependsOn) {
  SamplingWords words = samplingWords({.temperature = 0.5, .topK = 40, .topP = 0.75, .seed = 3}, 4, 5);
  uint64_t random = randomFromCounter(3, 4, 5);
  EXPECT_EQ(words, (SamplingWords{std::bit_cast<uint32_t>(2.88539008f), 40, 0xc0000000,
                                  static_cast<uint32_t>(random >> 32), static_cast<uint32_t>(random)}));
  EXPECT_EQ(samplingWords({}, 0, 0).scale, 0u);
  EXPECT_EQ(samplingWords({.temperature = 1}, 0, 0).topP, 0u);
  EXPECT_EQ(samplingWords({.temperature = 1, .topP = 1e-12}, 0, 0).topP, 1u);
  EXPECT_EQ(samplingWords({.temperature = 1, .topP = std::nextafter(1.0, 0.0)}, 0, 0).topP, 0xffffffffu);
  EXPECT_EQ(samplingWords({.temperature = 1, .topK = int64_t(1) << 40}, 0, 0).topK, 0x7fffffffu);
  auto scale = [](double temperature) {
    return std::bit_cast<float>(samplingWords({.temperature = temperature}, 0, 0).scale);
  };
  EXPECT_EQ(scale(1e-320), std::numeric_limits<float>::max());
  EXPECT_EQ(scale(1e-40), std::numeric_limits<float>::max());
  EXPECT_EQ(scale(1e300), std::numeric_limits<float>::min());
}

TEST(Sampler, weightsArePowersOfTwo) {
  EXPECT_EQ(sampleWeight(0, 1), uint64_t(1) << 40);
  EXPECT_EQ(sampleWeight(3, 1), uint64_t(1) << 37);
  EXPECT_EQ(sampleWeight(20, 2), 1u);
  EXPECT_EQ(sampleWeight(41, 1), 0u);
  EXPECT_EQ(sampleWeight(kInfinity, 1e-30f), 0u);
  EXPECT_EQ(sampleWeight(3e38f, 3e38f), 0u);
  uint64_t before = sampleWeight(0, 1);
  for (int i = 1; i < 16 * 4096; ++i) {
    float y = static_cast<float>(i) * 0x1.000346p-12f;
    uint64_t weight = sampleWeight(y, 1);
    // The polynomial and the cut of y (Sampler.h), and one unit of the last place.
    double exact = std::exp2(40.0 - static_cast<double>(y));
    ASSERT_NEAR(static_cast<double>(weight), exact, exact * 1.1e-7 + 1) << y;
    ASSERT_LE(weight, before) << y;
    before = weight;
  }
}

TEST(Sampler, dependsOnSeedSequenceAndPositionAlone) {
  std::vector<float> logits = randomLogits(3, 201, 1);
  Sampling sampling{.temperature = 1.3, .topK = 0, .topP = 1, .seed = 9};
  std::set<int32_t> bySeed, bySequence, byPosition;
  for (uint64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(sample(logits, sampling, 2, i), sample(logits, sampling, 2, i));
    byPosition.insert(sample(logits, sampling, 2, i));
    bySequence.insert(sample(logits, sampling, i, 2));
    Sampling other = sampling;
    other.seed = i;
    bySeed.insert(sample(logits, other, 2, 2));
  }
  // 50 draws from 201 ids that are nearly equally likely give some 44 different ones.
  EXPECT_GT(byPosition.size(), 30u);
  EXPECT_GT(bySequence.size(), 30u);
  EXPECT_GT(bySeed.size(), 30u);
}

/// Draw many times and compare the frequencies with the probabilities, kept ids only.
void expectDistribution(const std::vector<float> &logits, const Sampling &sampling,
                        const std::vector<double> &probabilities) {
  constexpr int draws = 40000;
  std::vector<int> histogram(logits.size(), 0);
  for (int i = 0; i < draws; ++i)
    ++histogram[sample(logits, sampling, 1, i)];
  for (size_t id = 0; id < logits.size(); ++id) {
    double expected = probabilities[id] * draws;
    // Five standard deviations of a binomial; an id that was filtered out must never come.
    EXPECT_NEAR(histogram[id], expected, 5 * std::sqrt(expected * (1 - probabilities[id]))) << "id " << id;
  }
}

const std::vector<float> kLogits = {0.3f, 2.0f, -1.0f, 1.1f, 2.0f, 0.9f, -3.5f};

std::vector<double> softmax(const std::vector<float> &logits, double temperature, const std::set<int> &kept) {
  std::vector<double> probabilities(logits.size(), 0);
  double sum = 0;
  for (int id : kept)
    sum += probabilities[id] = std::exp(logits[id] / temperature);
  for (double &probability : probabilities)
    probability /= sum;
  return probabilities;
}

TEST(Sampler, followsTemperature) {
  std::set<int> all = {0, 1, 2, 3, 4, 5, 6};
  expectDistribution(kLogits, {.temperature = 1}, softmax(kLogits, 1, all));
  expectDistribution(kLogits, {.temperature = 2.5}, softmax(kLogits, 2.5, all));
}

TEST(Sampler, keepsTopK) {
  expectDistribution(kLogits, {.temperature = 0.8, .topK = 3}, softmax(kLogits, 0.8, {1, 4, 3}));
  expectDistribution(kLogits, {.temperature = 0.8, .topK = 1}, softmax(kLogits, 0.8, {1})); // the lower of two equals
}

TEST(Sampler, keepsTopP) {
  // At temperature 1 the shares are 0.061 0.336 0.017 0.137 0.336 0.112 0.001, to three digits.
  expectDistribution(kLogits, {.temperature = 1, .topP = 0.67}, softmax(kLogits, 1, {1, 4}));
  expectDistribution(kLogits, {.temperature = 1, .topP = 0.68}, softmax(kLogits, 1, {1, 4, 3}));
  expectDistribution(kLogits, {.temperature = 1, .topP = 1e-9}, softmax(kLogits, 1, {1}));
}

// Top-p counts the share of what top-k kept: after top-k 3 the shares are 0.415, 0.415, 0.169.
TEST(Sampler, filtersInTheDocumentedOrder) {
  expectDistribution(kLogits, {.temperature = 1, .topK = 3, .topP = 0.80}, softmax(kLogits, 1, {1, 4}));
  expectDistribution(kLogits, {.temperature = 1, .topK = 3, .topP = 0.84}, softmax(kLogits, 1, {1, 4, 3}));
}

// Of equals the lower ids are kept, zeros of both signs being equals: top-k 3 of 0.25 each, then a half of what is left.
TEST(Sampler, keepsTheLowerOfEquals) {
  std::vector<float> logits = {0.0f, -1.0f, -0.0f, 0.0f, -0.0f, -1.0f};
  expectDistribution(logits, {.temperature = 1, .topK = 3}, softmax(logits, 1, {0, 2, 3}));
  expectDistribution(logits, {.temperature = 1, .topK = 5}, softmax(logits, 1, {0, 1, 2, 3, 4}));
  expectDistribution(logits, {.temperature = 1, .topK = 4, .topP = 0.5}, softmax(logits, 1, {0, 2}));
  expectDistribution(logits, {.temperature = 1, .topK = 4, .topP = 0.50001}, softmax(logits, 1, {0, 2, 3}));
  expectDistribution(logits, {.temperature = 1, .topK = 6}, softmax(logits, 1, {0, 1, 2, 3, 4, 5}));
  expectDistribution(logits, {.temperature = 1, .topK = 100}, softmax(logits, 1, {0, 1, 2, 3, 4, 5}));
}

// Chi square over a vocabulary in groups of 100 ids, of which each is expected some hundred times.
TEST(Sampler, followsTheSoftmaxOfAVocabulary) {
  constexpr int groups = 50, draws = 50000;
  std::vector<float> logits = randomLogits(4, groups * 100, 5);
  std::set<int> all;
  for (int id = 0; id < groups * 100; ++id)
    all.insert(all.end(), id);
  std::vector<double> probabilities = softmax(logits, 1.5, all), expected(groups, 0.0), seen(groups, 0.0);
  for (size_t id = 0; id < logits.size(); ++id)
    expected[id / 100] += probabilities[id] * draws;
  for (int i = 0; i < draws; ++i)
    ++seen[sample(logits, {.temperature = 1.5, .seed = 6}, 2, i) / 100];
  // With 49 degrees of freedom: above 85.4 once in 1000 if the draws follow the softmax; the seed is fixed.
  double chiSquare = 0;
  for (int group = 0; group < groups; ++group)
    chiSquare += (seen[group] - expected[group]) * (seen[group] - expected[group]) / expected[group];
  EXPECT_LT(chiSquare, 85.4);
}

TEST(Sampler, takesAnyTemperature) {
  std::vector<float> logits = {-4.0f, 3e38f, -3e38f, 2.0f, 3e38f};
  expectDistribution(logits, {.temperature = 1e-40}, softmax({0, 0, 0, 0, 0}, 1, {1, 4}));
  expectDistribution(logits, {.temperature = 1e-320}, softmax({0, 0, 0, 0, 0}, 1, {1, 4}));
  // All are equally likely, but the order of the filters is that of the logits.
  expectDistribution(kLogits, {.temperature = 1e30}, softmax({0, 0, 0, 0, 0, 0, 0}, 1, {0, 1, 2, 3, 4, 5, 6}));
  expectDistribution(kLogits, {.temperature = 1e300, .topK = 3}, softmax({0, 0, 0, 0, 0, 0, 0}, 1, {1, 3, 4}));
  expectDistribution(kLogits, {.temperature = 1e30, .topP = 0.28}, softmax({0, 0, 0, 0, 0, 0, 0}, 1, {1, 4}));
}

TEST(Sampler, neverDrawsWhatCannotBe) {
  std::vector<float> logits = {-kInfinity, 1, -kInfinity, 1.5f, -kInfinity};
  expectDistribution(logits, {.temperature = 1}, softmax(logits, 1, {1, 3}));
}

TEST(Sampler, staysExactAtSmallTemperatures) {
  std::vector<float> logits = randomLogits(17, 1001, 30);
  int32_t best = sample(logits, {});
  for (uint64_t i = 0; i < 20; ++i)
    EXPECT_EQ(sample(logits, {.temperature = 1e-6}, i, i), best);
}

TEST(Sampler, NamesWhatADeviceFound) {
  EXPECT_EQ(sampledError(-1).message, "logits must be numbers, but found nan for id 0");
  EXPECT_EQ(sampledError(-1 - (2 * 154879 + 1)).message, "logits must be numbers, but found inf for id 154879");
}

} // namespace
