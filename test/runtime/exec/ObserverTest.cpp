#include "runtime/exec/Engine.h"
#include "runtime/exec/Profile.h"
#include "runtime/exec/Session.h"
#include "runtime/exec/Trace.h"
#include "runtime/exec/WeightTraffic.h"
#include "test/runtime/artifact/TemporaryFolder.h"
#include "test/runtime/exec/ToyArtifact.h"

#include <cstring>
#include <gtest/gtest.h>
#include <set>

using namespace glm;

namespace {

TEST(Profile, groupsKernelsByLeadingWords) {
  EXPECT_EQ(kernelFamily("moe_gemm_bf16_nvfp4_m16n128k256s4"), "moe_gemm");
  EXPECT_EQ(kernelFamily("top_k_f32_n2048"), "top_k");
  EXPECT_EQ(kernelFamily("embed_bf16"), "embed");
  EXPECT_EQ(kernelFamily("route"), "route");
  EXPECT_EQ(kernelFamily("f32_copy"), "f32_copy"); // nothing would be left
}

class ObserverTest : public testing::Test {
protected:
  ObserverTest() {
    Result<std::unique_ptr<Engine>> loaded =
        Engine::load(toy::writeArtifact(folder.path(), {.maxRows = 6, .maxSequences = 2}), {2});
    if (!loaded)
      throw std::runtime_error(loaded.error().message);
    engine = std::move(*loaded);
  }

  /// Feed the sequences; generates `newTokens` for each.
  void run(const std::vector<std::vector<int32_t>> &prompts, int64_t newTokens, StepObserver &observer,
           int64_t chunk = 4) {
    engine->executor().setObservers({&observer});
    Result<Session> session = Session::create(engine->executor(), {chunk});
    ASSERT_TRUE(session);
    for (const std::vector<int32_t> &prompt : prompts)
      ASSERT_TRUE(session->add({.prompt = prompt, .newTokens = newTokens}));
    while (!session->idle())
      ASSERT_TRUE(session->step());
    engine->executor().setObservers({});
  }

  test::TemporaryFolder folder;
  std::unique_ptr<Engine> engine;
};

const std::vector<std::vector<int32_t>> kPrompts = {{3, 1, 4, 1, 5, 9, 2}, {6, 5, 3}, {5, 8, 9, 7, 9}};

TEST_F(ObserverTest, tracesEachSequenceInOrder) {
  Trace trace(engine->executor());
  run(kPrompts, 0, trace);
  std::filesystem::path file = folder.path() / "trace.safetensors";
  ASSERT_TRUE(trace.write(file));
  Result<SafetensorsFile> opened = SafetensorsFile::open(file);
  ASSERT_TRUE(opened) << opened.error().message;
  for (size_t sequence = 0; sequence < kPrompts.size(); ++sequence) {
    const TensorInfo &info = opened->tensors().at(std::to_string(sequence) + ".experts.0");
    int64_t rows = static_cast<int64_t>(kPrompts[sequence].size());
    EXPECT_EQ(info.dtype, "I32");
    ASSERT_EQ(info.shape, (std::vector<int64_t>{rows, toy::kChosen}));
    std::vector<int32_t> chosen(rows * toy::kChosen);
    std::memcpy(chosen.data(), opened->data(info), info.bytes);
    for (int64_t position = 0; position < rows; ++position) {
      EXPECT_EQ(chosen[2 * position], toy::firstExpert(kPrompts[sequence][position], position))
          << sequence << " at " << position;
      EXPECT_EQ(chosen[2 * position + 1], toy::secondExpert(kPrompts[sequence][position], position))
          << sequence << " at " << position;
    }
    EXPECT_EQ(opened->tensors().at(std::to_string(sequence) + ".context.0").shape,
              (std::vector<int64_t>{rows, toy::kWidth}));
    EXPECT_FALSE(opened->tensors().contains(std::to_string(sequence) + ".logits")); // no row's logits were wanted
  }
}

// A launch over output rows belongs to the sequences whose rows those are, in a step shared by two.
TEST_F(ObserverTest, tracesOutputRows) {
  Trace trace(engine->executor());
  run({kPrompts[0], kPrompts[1]}, 2, trace);
  std::filesystem::path file = folder.path() / "trace.safetensors";
  ASSERT_TRUE(trace.write(file));
  Result<SafetensorsFile> opened = SafetensorsFile::open(file);
  ASSERT_TRUE(opened) << opened.error().message;
  for (size_t sequence = 0; sequence < 2; ++sequence) {
    const TensorInfo &info = opened->tensors().at(std::to_string(sequence) + ".logits");
    ASSERT_EQ(info.shape, (std::vector<int64_t>{2, toy::kVocab}));
    std::vector<float> expected = toy::referenceLogits(kPrompts[sequence]);
    float first;
    std::memcpy(&first, opened->data(info), sizeof first);
    EXPECT_NEAR(first, expected[expected.size() - toy::kVocab], 1e-5); // as in SessionTest
  }
}

TEST_F(ObserverTest, profilesEachLaunch) {
  Profile profile(engine->manifest());
  run({kPrompts[0]}, 3, profile); // steps of 4, 3, 1 and 1 rows, the first without logits
  EXPECT_EQ(profile.steps(), 4);
  std::map<std::string, int64_t> launches;
  for (const Profile::Family &family : profile.families())
    launches[family.name] = family.launches;
  EXPECT_EQ(launches,
            (std::map<std::string, int64_t>{
                {"embed", 4}, {"cache_write", 4}, {"attend", 4}, {"route", 4}, {"moe_gemm", 4}, {"gemm", 3}}));
  EXPECT_GT(profile.seconds(), 0);
}

TEST_F(ObserverTest, countsWeightBytes) {
  WeightTraffic traffic(engine->executor(), engine->weights());
  run({kPrompts[0]}, 1, traffic); // steps of 4 and 3 rows
  double scales = toy::kExperts * 4, constants = 4 + 4, row = toy::kWidth * 4;
  auto distinct = [&](int64_t begin, int64_t end) {
    std::set<int64_t> experts;
    for (int64_t p = begin; p < end; ++p)
      experts.insert({toy::firstExpert(kPrompts[0][p], p), toy::secondExpert(kPrompts[0][p], p)});
    return static_cast<double>(experts.size());
  };
  // Seven rows of the embedding are gathered; only the second step wants logits, for which all of it is read.
  double expected = 2 * (scales + constants) + (distinct(0, 4) + distinct(4, 7)) * row + 7 * row + toy::kVocab * row;
  EXPECT_DOUBLE_EQ(traffic.bytes(), expected);
}

} // namespace
