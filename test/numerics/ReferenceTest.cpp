// The plain C++ reference against Hugging Face transformers.
#include "test/numerics/Reference.h"
#include "test/numerics/Goldens.h"
#include "test/numerics/Metrics.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace glm::test {
namespace {

// transformers' own float32 rerun noise (other summation orders) is 1e-5 on logits of spread 1.2; ten times that, in
// units of the spread.
constexpr double kBound = 1e-4;

class ReferenceGolden : public testing::TestWithParam<GoldenCase> {
protected:
  void SetUp() override {
    // The quantized goldens say nothing about the MTP layer.
    auto opened = Reference::open(checkpointFolder(GetParam()), {.draft = !GetParam().packed});
    ASSERT_TRUE(opened) << opened.error().message;
    reference = std::make_unique<Reference>(std::move(*opened));
  }

  void expectClose(const std::string &name, const Matrix &ours) {
    LogitDifference difference = compareLogits(goldenValues(GetParam()).floats(name), ours);
    EXPECT_LE(difference.relative(), kBound) << difference.failure(name, kBound);
  }

  void expectSets(int64_t sequence, const char *kind, const std::map<int64_t, ChosenRows> &found) {
    const TensorFile &golden = goldenValues(GetParam());
    size_t compared = 0;
    for (const auto &[layer, rows] : found) {
      std::string name = fmt::format("{}.{}.{}", sequence, kind, layer);
      auto difference = differingRow(toSets(golden.ints(name), kind == std::string("index")), rows);
      EXPECT_FALSE(difference) << name << ": " << difference.value_or("");
      ++compared;
    }
    EXPECT_GT(compared, 0u);
  }

  std::unique_ptr<Reference> reference;
};

/// The goldens that hold more than logits.
class ReferenceChoices : public ReferenceGolden {};

TEST_P(ReferenceGolden, logits) {
  for (int64_t sequence : goldenValues(GetParam()).sequences("logits"))
    expectClose(fmt::format("{}.logits", sequence), reference->run(goldenPrompt(GetParam(), sequence)).logits);
}

TEST_P(ReferenceChoices, hiddenSetsAndDraft) {
  const TensorFile &golden = goldenValues(GetParam());
  for (int64_t sequence : golden.sequences("logits")) {
    ReferenceOutput output = reference->run(goldenPrompt(GetParam(), sequence));
    expectSets(sequence, "index", output.index);
    expectSets(sequence, "experts", output.experts);
    if (output.draftLogits.rows > 0)
      expectClose(fmt::format("{}.mtp_logits", sequence), output.draftLogits);
    if (!golden.has(fmt::format("{}.hidden", sequence)))
      continue;
    std::vector<Matrix> hidden = golden.stack(fmt::format("{}.hidden", sequence));
    ASSERT_EQ(hidden.size(), output.hidden.size());
    for (size_t layer = 0; layer < hidden.size(); ++layer) {
      LogitDifference difference = compareLogits(hidden[layer], output.hidden[layer]);
      EXPECT_LE(difference.relative(), kBound)
          << difference.failure(fmt::format("{}.hidden[{}]", sequence, layer), kBound);
    }
  }
}

TEST_P(ReferenceChoices, greedy) {
  const TensorFile &golden = goldenValues(GetParam());
  for (int64_t sequence : golden.sequences("greedy")) {
    std::vector<int32_t> ids = goldenPrompt(GetParam(), sequence),
                         greedy = golden.ints(fmt::format("{}.greedy", sequence)).values;
    size_t prompt = ids.size();
    ids.insert(ids.end(), greedy.begin(), greedy.end());
    Matrix logits = reference->run(ids).logits;
    expectClose(fmt::format("{}.last", sequence), logits);
    for (size_t i = 0; i < greedy.size(); ++i) {
      auto row = logits.row(static_cast<int64_t>(prompt + i - 1));
      EXPECT_EQ(std::ranges::max_element(row) - row.begin(), greedy[i])
          << "sequence " << sequence << ", generated token " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, ReferenceChoices, testing::ValuesIn(wideGoldens()),
                         [](const auto &info) { return testName(info.param.name); });
INSTANTIATE_TEST_SUITE_P(Goldens, ReferenceGolden, testing::ValuesIn(allGoldens()),
                         [](const auto &info) { return testName(info.param.name); });

} // namespace
} // namespace glm::test
