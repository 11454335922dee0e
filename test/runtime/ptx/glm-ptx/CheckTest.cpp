#include "test/runtime/ptx/glm-ptx/Program.h"

#include <nlohmann/json.hpp>

namespace glm::ptx {
namespace {

using testing::HasSubstr;

class CheckTest : public GlmPtxTest {};

TEST_F(CheckTest, saysWhatIsInTheText) {
  write("k.ptx", kAxpy);
  Outcome outcome = glmPtx("check k.ptx");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, HasSubstr("k.ptx: PTX 8.0 for sm_90a, loads on sm_90a\n"));
  auto report = nlohmann::json::parse(glmPtx("check k.ptx --json").out);
  const nlohmann::json &kernel = report.at("kernels").at(0);
  EXPECT_EQ(kernel.at("kernel"), "axpy");
  EXPECT_EQ(kernel.at("parameters"), 5);
  EXPECT_EQ(kernel.at("parameter_bytes"), 36);
  EXPECT_EQ(kernel.at("shared_bytes"), 0);
}

TEST_F(CheckTest, refusesWithFileLineAndName) {
  std::string text = kAxpy;
  text.replace(text.find("add.f32"), 7, "frob.f32");
  write("k.ptx", text);
  expectError("check k.ptx", "k.ptx:31: instruction must be one that is known, but found frob.f32");
  write("empty.ptx", "");
  EXPECT_EQ(glmPtx("check empty.ptx").code, 1);
  expectError("check absent.ptx", "absent.ptx: file must be readable, but found No such file or directory");
  expectError("check .", ".: file must be readable, but found Is a directory");
}

TEST_F(CheckTest, choosesTheChip) {
  write("k.ptx", kAxpy);
  expectError("check k.ptx --chip=sm_120a", "k.ptx:2: .target must suit sm_120a, but found sm_90a");
  Outcome unknown = glmPtx("check k.ptx --chip=sm_20");
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.err, testing::StartsWith("error: --chip: chip must be one of sm_90a, "));
  std::string plain = kAxpy;
  plain.replace(plain.find("sm_90a"), 6, "sm_90");
  write("plain.ptx", plain);
  EXPECT_THAT(glmPtx("check plain.ptx").out, HasSubstr("loads on sm_120a"));
}

TEST_F(CheckTest, listsForms) {
  Outcome outcome = glmPtx("forms wgmma.fence");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, testing::MatchesRegex("barrier +8.0  sm_90a +wgmma.fence.sync.aligned\n"));
  std::string lines = glmPtx("forms").out;
  auto all = nlohmann::json::parse(glmPtx("forms --json").out);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), static_cast<int64_t>(all.size()));
  EXPECT_GT(all.size(), 400u);
}

TEST_F(CheckTest, usageErrorsExitWithTwo) {
  for (const char *arguments : {"", "walk", "check", "check k.ptx --frobnicate", "run k.ptx", "run k.ptx -k k --grid=0",
                                "run k.ptx -k k --grid=1,2,3,4", "run k.ptx -k k --threads=0"}) {
    Outcome outcome = glmPtx(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_THAT(outcome.err, testing::StartsWith("error: glm-ptx: ")) << arguments;
    EXPECT_EQ(outcome.out, "") << arguments;
  }
  for (const char *arguments : {"--help", "check --help", "run --help", "profile --help", "forms --help", "--version"})
    EXPECT_EQ(glmPtx(arguments).code, 0) << arguments;
}

} // namespace
} // namespace glm::ptx
