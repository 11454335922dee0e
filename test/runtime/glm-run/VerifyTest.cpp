#include "test/runtime/glm-run/Program.h"

using namespace glm;

namespace {

using testing::HasSubstr;

class VerifyTest : public GlmRunTest {};

TEST_F(VerifyTest, reportsWhatIsRight) {
  Outcome outcome = glmRun(on("verify"));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("weights: 18 tensors"));
  EXPECT_THAT(outcome.out, HasSubstr("host.so: 6 kernels found"));
  EXPECT_THAT(outcome.out, testing::Not(HasSubstr("sha256")));
}

TEST_F(VerifyTest, readsWeights) {
  std::string verify = on("verify") + "--weights";
  Outcome outcome = glmRun(verify);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("block scales: 30 B read"));
  // The system's own program for the hash, where there is one.
  std::filesystem::path file = folder.path() / "checkpoint" / "model.safetensors", hash = folder.path() / "hash";
  if (std::system(("sha256sum " + file.string() + " >" + hash.string() + " 2>/dev/null").c_str()) == 0) {
    EXPECT_THAT(outcome.out, HasSubstr("sha256 " + read(hash).substr(0, 64) + "  model.safetensors"));
  }
  nlohmann::json result = nlohmann::json::parse(glmRun(verify + " --json").out);
  EXPECT_EQ(result["ok"], true);
  EXPECT_EQ(result["files"][0]["sha256"].get<std::string>().size(), 64u);
  EXPECT_EQ(result["block_scale_bytes"], 30);
}

TEST_F(VerifyTest, leavesBlockScalesToWeights) {
  std::string verify = on("verify", {.blockScale = 0x90});
  EXPECT_EQ(glmRun(verify).code, 0);
  expectError(
      glmRun(verify + "--weights"),
      "experts.2.weight_scale: block scales must be e4m3 numbers of at least 0, but found 0x90 (negative) at [1, 1]");
}

TEST_F(VerifyTest, checksScalars) {
  expectError(glmRun(on("verify", {.scale3 = 0})),
              "experts.3.scale: the scale must be finite and greater than 0, but found 0");
}

TEST_F(VerifyTest, noticesTruncation) {
  std::string verify = on("verify");
  std::filesystem::path file = folder.path() / "checkpoint" / "model.safetensors";
  uint64_t bytes = std::filesystem::file_size(file);
  std::filesystem::resize_file(file, bytes - 7);
  expectError(glmRun(verify), "model.safetensors: the checkpoint file must have " + std::to_string(bytes) +
                                  " bytes, but found " + std::to_string(bytes - 7) + " (7 missing)");
}

TEST_F(VerifyTest, noticesMissingSymbols) {
  Outcome outcome = glmRun(on("verify", {.edit = [](Manifest &m) { m.kernels[5].name = "gemm_bf16"; }}));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("kernel gemm_bf16 must be a symbol of the library, but found none"));
}

TEST_F(VerifyTest, refusesOtherFormats) {
  Outcome outcome = glmRun(on("verify", {.edit = [](Manifest &m) { m.format = 99; }}));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("99"));
}

class InfoTest : public GlmRunTest {};

TEST_F(InfoTest, printsForPeople) {
  Outcome outcome = glmRun(on("info"));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  for (const char *part :
       {"x86-64-v3", "1 layers, 37 ids", "40 tokens a sequence, 3 sequences at once, 16 pages of 4 tokens",
        "rows6: steps of up to 6 rows, 6 launches", "experts.*.weight"})
    EXPECT_THAT(outcome.out, HasSubstr(part));
}

TEST_F(InfoTest, printsForScripts) {
  nlohmann::json info = nlohmann::json::parse(glmRun(on("info") + "--json").out);
  EXPECT_EQ(info["target"], "x86-64-v3");
  EXPECT_EQ(info["format"], kFormatVersion);
  EXPECT_EQ(info["layers"], 1);
  EXPECT_EQ(info["vocab_size"], 37);
  EXPECT_EQ(info["max_model_len"], 40);
  EXPECT_EQ(info["kernels"], 6);
  EXPECT_EQ(info["launches_per_step"], 6);
  EXPECT_EQ(info["cache_bytes"], 16 * 4 * 8 * 4);
}

// A manifest tells what an artifact is even where its checkpoint is not.
TEST_F(InfoTest, needsNoCheckpoint) {
  std::string info = on("info");
  std::filesystem::remove_all(folder.path() / "checkpoint");
  EXPECT_EQ(glmRun(info).code, 0);
}

} // namespace
