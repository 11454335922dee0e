#include "test/runtime/glm-run/Program.h"

using namespace glm;

namespace {

using testing::HasSubstr;

class BenchTest : public GlmRunTest {};

TEST_F(BenchTest, measuresEachCombination) {
  Outcome outcome = glmRun(on("bench") + "--prompt=7,11 --new=5 --batch=1,2 --repeat=3 --threads=2 --json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  nlohmann::json result = nlohmann::json::parse(outcome.out);
  std::vector<std::string> tests;
  for (const nlohmann::json &row : result["results"]) {
    tests.push_back(row["test"].get<std::string>() + "/" + std::to_string(row["batch"].get<int>()));
    EXPECT_EQ(row["samples"].size(), 3u);
    EXPECT_GT(row["tokens_per_second"], 0);
    EXPECT_GT(row["weight_bytes"], 0);
    EXPECT_GT(row["bandwidth_ratio"], 0);
  }
  EXPECT_EQ(tests, (std::vector<std::string>{"pp7/1", "pp11/1", "tg5/1", "pp7/2", "pp11/2", "tg5/2"}));
  EXPECT_EQ(result["threads"], 2);
  EXPECT_GT(result["bandwidth_bytes_per_second"], 0);
  EXPECT_EQ(result["profile"].size(), 6u);
}

// One row a step chooses two experts of five; everything else is read whole, the embedding once for the logits and a row to embed.
TEST_F(BenchTest, countsBytesOfWeights) {
  nlohmann::json result = nlohmann::json::parse(glmRun(on("bench") + "--prompt=0 --new=5 --repeat=1 --json").out);
  double row = toy::kWidth * 4, step = toy::kVocab * row + row + toy::kChosen * row + toy::kExperts * 4 + 2 * 4;
  ASSERT_EQ(result["results"].size(), 1u);
  EXPECT_DOUBLE_EQ(result["results"][0]["weight_bytes"].get<double>(), 5 * step);
}

TEST_F(BenchTest, printsATable) {
  Outcome outcome = glmRun(on("bench") + "-p 6 -n 4 -d 0,9 -r 2");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const char *part : {"memory read at ", "| pp6 ", "| tg4 ", "| tg4 @ d9 ", " ± "})
    EXPECT_THAT(outcome.out, HasSubstr(part));
  EXPECT_THAT(outcome.err, HasSubstr("kernel family"));
}

TEST_F(BenchTest, fitsItsDefaultsToTheArtifact) {
  Outcome outcome = glmRun(on("bench", {.maxModelLen = 20}) + "--repeat=1");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("| pp19 "));
  EXPECT_THAT(outcome.out, HasSubstr("| tg18 "));
}

TEST_F(BenchTest, refusesWhatDoesNotFit) {
  expectError(glmRun(on("bench") + "--prompt=50"), "bench pp50: sequence 0: prompt and new tokens must be at most 40 "
                                                   "together (max_model_len of the artifact), but found 50 and 1");
  expectError(glmRun(on("bench") + "--batch=4"),
              "bench: --batch must be at most 3 (max_sequences of the artifact), but found 4");
  expectError(glmRun(on("bench", {.pages = 10}) + "--prompt=20 --batch=3 --new=0"),
              "bench pp20: a batch of 3 must fit into the cache together, but found that it needs 15 pages of 10");
}

} // namespace
