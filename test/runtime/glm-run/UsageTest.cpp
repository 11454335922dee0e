#include "test/runtime/glm-run/Program.h"

using namespace glm;

namespace {

using testing::HasSubstr;

class UsageTest : public GlmRunTest {
protected:
  void expectUsage(const std::string &arguments, const std::string &part) {
    Outcome outcome = glmRun(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_THAT(outcome.err, HasSubstr(part)) << arguments;
    EXPECT_EQ(outcome.out, "") << arguments;
  }
};

TEST_F(UsageTest, helps) {
  for (std::string arguments : {"--help", "run --help", "info --help", "verify --help", "bench --help"}) {
    Outcome outcome = glmRun(arguments);
    EXPECT_EQ(outcome.code, 0) << arguments;
    EXPECT_THAT(outcome.out, HasSubstr("Usage: glm-run")) << arguments;
    EXPECT_EQ(outcome.err, "") << arguments;
  }
}

TEST_F(UsageTest, printsVersion) {
  Outcome outcome = glmRun("--version");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, testing::MatchesRegex("glm-run [0-9.]+, artifact format [0-9]+\n"));
}

TEST_F(UsageTest, refusesUnknownWords) {
  expectUsage("", "subcommand is required");
  expectUsage("walk x.glm", "walk");
  expectUsage("run", "artifact is required");
  expectUsage("run x.glm --frobnicate", "--frobnicate");
}

TEST_F(UsageTest, suggestsNearNames) {
  expectUsage("rum x.glm", "did you mean run?");
  expectUsage("run x.glm --tokns=1", "--tokns=1; did you mean --tokens?");
  expectUsage("bench x.glm --repeats=3", "did you mean --repeat?");
}

TEST_F(UsageTest, wantsPromptsOnce) {
  expectUsage("run x.glm", "--tokens");
  expectUsage("run x.glm --tokens=1 --tokens-file=y", "excludes");
}

TEST_F(UsageTest, refusesValuesOutOfRange) {
  for (std::string flag : {"--tokens=1,,2", "--tokens=a", "--tokens=-1", "--tokens=99999999999"})
    expectUsage("run x.glm " + flag, "token ids must be numbers from 0 separated by commas");
  for (std::string flag :
       {"--max-new-tokens=-1", "--max-new-tokens=x", "--temperature=-0.5", "--temperature=nan", "--top-p=0",
        "--top-p=1.5", "--top-k=-1", "--seed=x", "--chunk=0", "--threads=0", "--threads=1e9", "--device=tpu"})
    expectUsage("run x.glm --tokens=1 " + flag, flag.substr(0, flag.find('=')));
  for (std::string flag : {"--prompt=-1", "--prompt=5,x", "--new=-2", "--batch=0", "--repeat=0"})
    expectUsage("bench x.glm " + flag, flag.substr(0, flag.find('=')));
}

TEST_F(UsageTest, failsOnMissingArtifact) {
  for (std::string command : {"run x.glm --tokens=1", "info x.glm", "verify x.glm", "bench x.glm"}) {
    Outcome outcome = glmRun(command);
    EXPECT_EQ(outcome.code, 1) << command;
    EXPECT_THAT(outcome.err, testing::StartsWith("error: ")) << command;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

} // namespace
