#include "test/runtime/ptx/glm-ptx/Program.h"

namespace glm::ptx {
namespace {

using testing::HasSubstr;

class ProfileTest : public GlmPtxTest {};

TEST_F(ProfileTest, printsWhatALaunchCost) {
  write("k.ptx", kAxpy);
  std::vector<float> values(100, 1.5f);
  write("v.npy", npy("<f4", "(100,)", values));
  Outcome run =
      glmPtx("run k.ptx -k axpy --grid=2 --block=64 --arg=in:v.npy --arg=in:v.npy --arg=f64:2 --arg=out:f32:100:o.npy "
             "--arg=u32:100 --profile=p.json");
  ASSERT_EQ(run.code, 0) << run.err;
  Outcome outcome = glmPtx("profile p.json --lines=40");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("axpy: grid (2, 1, 1), block (64, 1, 1), cluster (1, 1, 1)"));
  // 100 threads read two floats and write two; 13 sectors of 32 bytes each.
  EXPECT_THAT(outcome.out,
              HasSubstr("global read       800 bytes asked for, 832 in sectors (1.04 of those), 832 unique"));
  EXPECT_THAT(outcome.out,
              HasSubstr("global written    800 bytes asked for, 832 in sectors (1.04 of those), 832 unique"));
  EXPECT_THAT(outcome.out, testing::ContainsRegex("27 +4 +400 +- +1.04 +0  ld.global.f32\n"));
  EXPECT_EQ(glmPtx("profile p.json --kernel=axpy").code, 0);
  expectError("profile p.json --kernel=other", "p.json: profile must have a launch of other, but found none");
}

TEST_F(ProfileTest, refusesOtherFiles) {
  const std::string rule =
      "p.json: profile must be one that GLM_PTX_PROFILE or glm-ptx run --profile named, but found ";
  write("p.json", "{");
  expectError("profile p.json", rule + "no JSON");
  write("p.json", R"({"version": 2})");
  expectError("profile p.json", rule + "version 2");
  for (const char *text : {"[]", "{}", R"({"version": 1})", R"({"version": 1, "launches": [{}]})"}) {
    write("p.json", text);
    Outcome outcome = glmPtx("profile p.json");
    EXPECT_EQ(outcome.code, 1) << text;
    EXPECT_THAT(outcome.err, testing::StartsWith("error: " + rule)) << text;
  }
}

} // namespace
} // namespace glm::ptx
