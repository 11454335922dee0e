#include "runtime/exec/Sampler.h"

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
}

TEST(Sampler, refusesWhatIsNoNumber) {
  Result<int32_t> token = sampleToken(std::vector<float>{1, 2, std::nanf(""), 3}, {}, 0, 0);
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().message, "logits must be numbers, but found nan for id 2");
  EXPECT_FALSE(sampleToken(std::vector<float>{1, kInfinity}, {.temperature = 1}, 0, 0));
}

TEST(Sampler, uniformNumbersAreUniform) {
  constexpr int count = 20000, bins = 20;
  std::vector<int> histogram(bins, 0);
  for (int i = 0; i < count; ++i) {
    double u = uniformFromCounter(5, i % 7, i / 7);
    ASSERT_TRUE(u >= 0 && u < 1);
    ++histogram[static_cast<int>(u * bins)];
  }
  // Chi square with 19 degrees of freedom: above 43.8 once in 1000 if they are uniform; the seed is fixed.
  double chiSquare = 0;
  for (int seen : histogram)
    chiSquare += (seen - count / bins) * (seen - count / bins) / static_cast<double>(count / bins);
  EXPECT_LT(chiSquare, 43.8);
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

} // namespace
