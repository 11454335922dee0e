// glm.kernel.sample on a GPU, interpreted, against the runtime's sampler: the same token of the same logits, always.
#include "codegen/nvptx/Families.h"
#include "runtime/exec/Sampler.h"
#include "test/codegen/harness/Case.h"
#include "test/codegen/harness/Kernel.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace glm::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUnwritten = -99;

struct Row {
  std::vector<double> logits; ///< floats
  Sampling sampling;
};

/// Sequence and position of a row.
constexpr uint64_t sequenceOf(size_t row) { return row % 5; }

double expectedToken(const Row &row, size_t number) {
  std::vector<float> logits(row.logits.begin(), row.logits.end());
  for (size_t id = 0; id < logits.size(); ++id)
    if (std::isnan(logits[id]) || logits[id] == static_cast<float>(kInfinity))
      return -1.0 - (2.0 * static_cast<double>(id) + (std::isnan(logits[id]) ? 0 : 1));
  return *sampleToken(logits, row.sampling, sequenceOf(number), number);
}

std::vector<double> numbersOf(const SamplingWords &words) {
  std::vector<double> numbers;
  for (uint32_t word : {words.scale, words.topK, words.topP, words.randomHigh, words.randomLow})
    numbers.push_back(static_cast<int32_t>(word));
  return numbers;
}

/// What the kernel leaves in two entries more than there are rows, of which all but the last are live.
std::vector<double> sampled(const std::vector<double> &logits, const std::vector<double> &words) {
  constexpr int64_t wordsOfRow = 5;
  int64_t rows = static_cast<int64_t>(words.size()) / wordsOfRow, ids = static_cast<int64_t>(logits.size()) / rows;
  std::vector<double> before(rows + 2, kUnwritten);
  std::vector<Operand> operands = {Operand::buffer("f32", {rows, ids}).set(logits),
                                   Operand::buffer("i32", {rows, wordsOfRow}).set(words),
                                   Operand::buffer("i32", {rows + 2}).set(before)};
  auto kernel = Kernel::compile(*makeGpuSampleFamily(), "glm.kernel.sample %0 by %1 to %2 : $0, $1, $2", operands,
                                testedChip("sm_120a"));
  EXPECT_TRUE(kernel) << kernel.error().message;
  if (kernel)
    kernel->run(operands, rows - 1, kernel->threadCounts().back());
  return operands[2].values();
}

std::string describe(const Sampling &sampling) {
  return "temperature " + std::to_string(sampling.temperature) + ", top_k " + std::to_string(sampling.topK) +
         ", top_p " + std::to_string(sampling.topP);
}

/// All rows but the last are live; entries behind them may not be written.
void expectTokens(const std::vector<Row> &rows) {
  std::vector<double> logits, words;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<double> own = numbersOf(samplingWords(rows[i].sampling, sequenceOf(i), i));
    logits.insert(logits.end(), rows[i].logits.begin(), rows[i].logits.end());
    words.insert(words.end(), own.begin(), own.end());
  }
  std::vector<double> found = sampled(logits, words);
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_EQ(found[i], i < rows.size() - 1 ? expectedToken(rows[i], i) : kUnwritten)
        << "row " << i << " of " << rows[0].logits.size() << (i < rows.size() ? ": " + describe(rows[i].sampling) : "");
}

double asFloat(double value) { return static_cast<float>(value); }

/// Logits of different habits.
std::vector<double> logitsOf(Random &random, int64_t ids, int habit) {
  std::vector<double> logits(ids);
  for (double &logit : logits) {
    double wide = random.uniform(-9.0, 9.0);
    switch (habit) {
    case 0: // as models have them, more or less
      logit = asFloat(wide + random.uniform(-6.0, 6.0));
      break;
    case 1: // few values, zeros of both signs among them
      logit = std::copysign(std::floor(std::fabs(wide) / 3.0), wide);
      break;
    case 2: // all equal
      logit = -1.25;
      break;
    case 3: // most cannot be drawn
      logit = random.below(8) == 0 ? asFloat(wide / 8.0) : -kInfinity;
      break;
    default: // so far apart that differences overflow
      logit = asFloat(wide * 3e37);
    }
  }
  return logits;
}

std::vector<Row> combinations(int64_t ids, int habits) {
  Random random(31);
  std::vector<Row> rows;
  for (int habit = 0; habit < habits; ++habit)
    for (double temperature : {0.7, 1.5, 1e-40, 1e30})
      for (int64_t topK : {int64_t(0), int64_t(1), ids / 4 + 1, ids - 1, ids, int64_t(1) << 40})
        for (double topP : {1.0, 0.9, 0.3, 1e-12})
          rows.push_back({logitsOf(random, ids, habit), {temperature, topK, topP, random.next()}});
  rows.push_back(rows.front());
  return rows;
}

TEST(GpuFamilies, SampleCombinesFilters) { expectTokens(combinations(1003, 5)); }

TEST(GpuFamilies, SampleOfFewIds) {
  for (int64_t ids : {2, 8, 33})
    expectTokens(combinations(ids, 2));
}

// More ids than one load of all threads, and the last segments of the ids empty.
TEST(GpuFamilies, SampleOfManyIds) {
  Random random(32);
  std::vector<Row> rows;
  for (int64_t ids : {4100, 5003}) {
    for (int habit : {0, 1, 2})
      for (int64_t topK : {0, 40, 1500})
        for (double topP : {1.0, 0.95, 0.5})
          for (int64_t i = 0; i < 2; ++i)
            rows.push_back({logitsOf(random, ids, habit), {0.9, topK, topP, random.next()}});
    rows.push_back(rows.front());
    expectTokens(rows);
    rows.clear();
  }
}

TEST(GpuFamilies, SampleOfTheVocabulary) {
  constexpr int64_t ids = 154880;
  Random random(33);
  std::vector<double> logits = logitsOf(random, ids, 0), equals = logitsOf(random, ids, 2);
  expectTokens({{logits, {1.0, 0, 1.0, 5}},
                {logits, {1.0, 50, 0.95, 6}},
                {equals, {1.0, 77777, 0.7, 7}},
                {logits, {}},
                {logits, {}}});
}

// Two ids of weights 2^40 and w: the first random number that draws the second, and the last that draws the first, tell w to the last bit.
TEST(GpuFamilies, SampleWeighsToTheLastBit) {
  Random random(36);
  std::vector<double> logits, words, expected;
  for (int i = 0; i < 400; ++i) {
    auto below = static_cast<float>(random.uniform(0.0, 45.0)), scale = static_cast<float>(random.uniform(0.5, 1.0));
    uint64_t weight = sampleWeight(below, scale);
    if (weight == 0)
      continue;
    __extension__ using Wide = unsigned __int128;
    Wide first = Wide(1) << 40, total = first + weight;
    auto random64 = static_cast<uint64_t>(((first << 64) + total - 1) / total);
    for (uint64_t second : {1, 0}) {
      uint64_t number = random64 - 1 + second;
      std::vector<double> own = numbersOf({.scale = std::bit_cast<uint32_t>(scale),
                                           .randomHigh = static_cast<uint32_t>(number >> 32),
                                           .randomLow = static_cast<uint32_t>(number)});
      logits.insert(logits.end(), {0.0, -static_cast<double>(below)});
      words.insert(words.end(), own.begin(), own.end());
      expected.push_back(static_cast<double>(second));
    }
  }
  ASSERT_GT(expected.size(), 600u);
  std::vector<double> found = sampled(logits, words);
  for (size_t i = 0; i + 1 < expected.size(); ++i)
    EXPECT_EQ(found[i], expected[i]) << "row " << i << ", " << -logits[2 * i + 1] << " below";
}

TEST(GpuFamilies, SampleGreedily) {
  Random random(34);
  std::vector<Row> rows;
  for (int habit = 0; habit < 5; ++habit)
    rows.push_back({logitsOf(random, 1003, habit), {.temperature = 0, .topK = 3, .topP = 0.1}});
  for (double temperature : {0.0, 1.0})
    rows.push_back({std::vector<double>(1003, -kInfinity), {.temperature = temperature, .topP = 0.5}});
  rows.push_back(rows.front());
  expectTokens(rows);
}

TEST(GpuFamilies, SampleReportsWhatIsNoNumber) {
  Random random(35);
  std::vector<Row> rows;
  for (double temperature : {0.0, 1.0})
    for (double first : {kInfinity, std::nan(""), -std::nan("")})
      for (int64_t place : {0, 400, 1002}) {
        Row row{logitsOf(random, 1003, 0), {.temperature = temperature, .topK = 4, .topP = 0.9}};
        row.logits[place] = first;
        row.logits[1002] = place == 1002 ? first : std::nan("");
        row.logits[700] = place < 700 ? kInfinity : row.logits[700];
        rows.push_back(row);
      }
  rows.push_back(rows.front());
  expectTokens(rows);
}

} // namespace
} // namespace glm::test
