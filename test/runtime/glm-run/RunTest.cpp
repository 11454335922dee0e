#include "runtime/artifact/Safetensors.h"
#include "test/runtime/glm-run/Program.h"

#include <cstring>
#include <fmt/format.h>

using namespace glm;

namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class RunTest : public GlmRunTest {};

TEST_F(RunTest, printsALinePerSequence) {
  Outcome outcome = glmRun(on("run") + "--tokens=3,1,4 --tokens=1,5 --max-new-tokens=5 --threads=2");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, line(greedy({3, 1, 4}, 5)) + line(greedy({1, 5}, 5)));
  EXPECT_THAT(
      outcome.err,
      MatchesRegex("x86-64-v3 .host.so. on host, 2 threads: loaded in [0-9.]+ s; prompt 5 tokens, [0-9.]+ tokens/s; "
                   "decode 8 tokens, [0-9.]+ tokens/s\n"));
}

TEST_F(RunTest, generatesSixteenByDefault) { EXPECT_EQ(glmRun(on("run") + "--tokens=7").out, line(greedy({7}, 16))); }

TEST_F(RunTest, scoresWithoutGenerating) {
  std::filesystem::path file = folder.path() / "logits.safetensors";
  Outcome outcome = glmRun(on("run") + "--tokens=3,1,4,1,5 --tokens=9 --max-new-tokens=0 --logits=" + file.string());
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "\n\n");
  Result<SafetensorsFile> logits = SafetensorsFile::open(file);
  ASSERT_TRUE(logits) << logits.error().message;
  EXPECT_EQ(logits->tensors().at("0").shape, (std::vector<int64_t>{5, toy::kVocab}));
  EXPECT_EQ(logits->tensors().at("1").shape, (std::vector<int64_t>{1, toy::kVocab}));
  std::vector<float> found(5 * toy::kVocab), expected = toy::referenceLogits({3, 1, 4, 1, 5});
  std::memcpy(found.data(), logits->data(logits->tensors().at("0")), found.size() * sizeof(float));
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-5) << i; // float32 sums of a few terms of size 1
}

TEST_F(RunTest, writesLogitsOfEveryTokenFed) {
  std::filesystem::path file = folder.path() / "logits.safetensors";
  ASSERT_EQ(glmRun(on("run") + "--tokens=3,1,4 --max-new-tokens=4 --logits=" + file.string()).code, 0);
  Result<SafetensorsFile> logits = SafetensorsFile::open(file);
  ASSERT_TRUE(logits) << logits.error().message;
  EXPECT_EQ(logits->tensors().at("0").dtype, "F32");
  EXPECT_EQ(logits->tensors().at("0").shape, (std::vector<int64_t>{3 + 4 - 1, toy::kVocab}));
}

TEST_F(RunTest, writesTrace) {
  std::filesystem::path file = folder.path() / "trace.safetensors";
  ASSERT_EQ(glmRun(on("run") + "--tokens=3,1,4 --tokens=1 --max-new-tokens=2 --trace=" + file.string()).code, 0);
  Result<SafetensorsFile> trace = SafetensorsFile::open(file);
  ASSERT_TRUE(trace) << trace.error().message;
  EXPECT_EQ(trace->tensors().at("0.experts.0").shape, (std::vector<int64_t>{4, toy::kChosen}));
  EXPECT_EQ(trace->tensors().at("1.context.0").shape, (std::vector<int64_t>{2, toy::kWidth}));
}

TEST_F(RunTest, readsFiles) {
  std::ofstream(folder.path() / "prompts") << "3,1,4\n 1, 5 \r\n";
  std::string expected = line(greedy({3, 1, 4}, 3)) + line(greedy({1, 5}, 3));
  EXPECT_EQ(glmRun(on("run") + "-n 3 --tokens-file=" + (folder.path() / "prompts").string()).out, expected);
  EXPECT_EQ(glmRun(on("run") + "-n 3 --tokens-file=-", "3,1,4\n1,5").out, expected);
}

TEST_F(RunTest, namesTheLineOfABadFile) {
  expectError(glmRun(on("run") + "--tokens-file=-", "3,1\n4,x\n"),
              "stdin:2: token ids must be numbers from 0 separated by commas, but found 'x'");
  expectError(glmRun(on("run") + "--tokens-file=-", "3,1\n\n4\n"),
              "stdin:2: token ids must be numbers from 0 separated by commas, but found ''");
  expectError(glmRun(on("run") + "--tokens-file=-", "99999999999\n"),
              "stdin:1: token ids must be numbers from 0 separated by commas, but found '99999999999'");
  expectError(glmRun(on("run") + "--tokens-file=-"),
              "stdin: the file must have a line of token ids per sequence, but found no line");
  expectError(glmRun(on("run") + "--tokens-file=/nowhere/x"),
              "/nowhere/x: the file must be readable, but found No such file or directory");
}

TEST_F(RunTest, ordersMoreThanFits) {
  std::string arguments = on("run", {.maxSequences = 2, .pages = 7}) + "-n 3 --chunk=2", expected;
  for (int32_t i = 0; i < 9; ++i) {
    std::vector<int32_t> prompt;
    for (int32_t k = 0; k <= (i * 4) % 11; ++k)
      prompt.push_back((i * 5 + k * 3) % toy::kVocab);
    std::string text = line(prompt);
    arguments += " --tokens=" + text.substr(0, text.size() - 1);
    expected += line(greedy(prompt, 3));
  }
  EXPECT_EQ(glmRun(arguments).out, expected);
}

TEST_F(RunTest, stopsAtStopIds) {
  std::vector<int32_t> expected = greedy({3, 1, 4}, 16);
  // The toy model is monotonous: the first id may come again and again, which does not matter here.
  std::string run = on("run", {.stopIds = {expected[0]}}) + "--tokens=3,1,4";
  EXPECT_EQ(glmRun(run).out, line({expected[0]}));
  EXPECT_EQ(glmRun(run + " --ignore-eos").out, line(expected));
}

TEST_F(RunTest, samplesReproducibly) {
  std::string run = on("run") + "--tokens=3,1,4 --temperature=3 -n 12 ";
  std::string first = glmRun(run + "--seed=1").out;
  EXPECT_EQ(glmRun(run + "--seed=1 --chunk=1 --threads=1").out, first);
  EXPECT_NE(glmRun(run + "--seed=2").out, first);
  EXPECT_EQ(glmRun(run + "--seed=2 --top-k=1").out, line(greedy({3, 1, 4}, 12)));
  // Filters alone ask for sampling at temperature 1.
  EXPECT_EQ(glmRun(on("run") + "--tokens=3,1,4 -n 12 --top-p=0.99 --seed=3").out,
            glmRun(on("run") + "--tokens=3,1,4 -n 12 --top-p=0.99 --seed=3 --temperature=1").out);
}

TEST_F(RunTest, printsJson) {
  Outcome outcome = glmRun(on("run") + "--tokens=3,1,4 --tokens=5 -n 3 --json --profile");
  nlohmann::json result = nlohmann::json::parse(outcome.out);
  ASSERT_EQ(result["sequences"].size(), 2u);
  EXPECT_EQ(result["sequences"][0]["tokens"].get<std::vector<int32_t>>(), greedy({3, 1, 4}, 3));
  EXPECT_EQ(result["sequences"][1]["tokens"].get<std::vector<int32_t>>(), greedy({5}, 3));
  EXPECT_EQ(result["sequences"][0]["finish"], "length");
  EXPECT_EQ(result["sequences"][0]["prompt_tokens"], 3);
  EXPECT_EQ(result["prompt_tokens"], 4);
  EXPECT_EQ(result["decode_tokens"], 4);
  EXPECT_EQ(result["profile"].size(), 6u);
}

TEST_F(RunTest, profilesOnStderr) {
  Outcome outcome = glmRun(on("run") + "--tokens=3,1,4 -n 3 --profile");
  EXPECT_EQ(outcome.out, line(greedy({3, 1, 4}, 3)));
  EXPECT_THAT(outcome.err, HasSubstr("kernel family"));
  EXPECT_THAT(outcome.err, HasSubstr("moe_gemm"));
}

TEST_F(RunTest, refusesBeforeRunning) {
  expectError(glmRun(on("run") + "--tokens=1 --tokens=40"),
              "sequence 1: token ids must be in [0, 37), but found 40 at position 0");
  expectError(glmRun(on("run") + "--tokens=1,2 -n 39"), "sequence 0: prompt and new tokens must be at most 40 together "
                                                        "(max_model_len of the artifact), but found 2 and 39");
  expectError(glmRun(on("run") + "--tokens=1 --chunk=7"),
              "--chunk: rows must be at most 6 (max_rows of the artifact), but found 7");
  expectError(glmRun(on("run") + "--tokens=1 --logits=/nowhere/x.safetensors"),
              "/nowhere/x.safetensors: the folder of an output must be writable, but found No such file or directory");
}

// Results that do not arrive are a failure; talk that nobody hears is none.
TEST_F(RunTest, failsWhereResultsDoNotArrive) {
  for (std::string command : {on("run") + "--tokens=3,1 -n 2", on("run") + "--tokens=3,1 -n 2 --json", on("info"),
                              on("info") + "--json", on("verify"), std::string("--help"), std::string("--version")}) {
    for (const char *out : {"/dev/full", "&-"}) {
      std::filesystem::path err = folder.path() / "err";
      int status = std::system(fmt::format("{} {} >{} 2>{}", GLM_RUN, command, out, err.string()).c_str());
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << command << " >" << out;
      EXPECT_THAT(read(err), HasSubstr("error: stdout: output must be written whole, but found ")) << command;
    }
    EXPECT_EQ(std::system(fmt::format("{} {} >/dev/null 2>/dev/full", GLM_RUN, command).c_str()), 0) << command;
  }
}

TEST_F(RunTest, refusesOtherDevices) {
  for (std::string device : {"cuda", "ptx"})
    expectError(glmRun(on("run") + "--tokens=1 --device=" + device),
                "toy.glm: --device=" + device +
                    " needs an artifact for a GPU, but found one for the host (x86-64-v3, host.so)");
  EXPECT_EQ(glmRun(on("run") + "--tokens=1 --device=host").code, 0);
}

TEST_F(RunTest, refusesIllegalBlockScales) {
  std::string run = on("run", {.blockScale = 0xff}) + "--tokens=1";
  expectError(
      glmRun(run),
      "experts.2.weight_scale: block scales must be e4m3 numbers of at least 0, but found 0xff (nan) at [1, 1]");
  EXPECT_EQ(glmRun(run + " --skip-scale-check").code, 0);
}

TEST_F(RunTest, writesNothingWhenItFails) {
  std::filesystem::path file = folder.path() / "logits.safetensors";
  Outcome outcome = glmRun(on("run", {.spoiled = true}) + "--tokens=1,2 --logits=" + file.string());
  expectError(outcome, "sequence 0, position 0: logits must be numbers, but found nan for id 5");
  EXPECT_FALSE(std::filesystem::exists(file));
}

} // namespace
