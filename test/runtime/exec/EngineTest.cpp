#include "runtime/exec/Engine.h"
#include "test/runtime/exec/ToyArtifact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace glm;

namespace {

using testing::HasSubstr;
using testing::StartsWith;

class EngineTest : public testing::Test {
protected:
  std::string message(const toy::Options &options, bool checkScales = true) {
    Result<std::unique_ptr<Engine>> loaded = Engine::load(toy::writeArtifact(folder.path(), options), {2, checkScales});
    return loaded ? "" : loaded.error().message;
  }

  toy::TemporaryFolder folder;
};

TEST_F(EngineTest, loadsTheToyModel) { EXPECT_EQ(message({}), ""); }

TEST_F(EngineTest, refusesWhatIsNoArtifact) {
  Result<std::unique_ptr<Engine>> loaded = Engine::load(folder.path() / "none.glm", {});
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("none.glm: the artifact must be a folder, but found none"));
}

TEST_F(EngineTest, refusesLibraryOutsideTheArtifact) {
  EXPECT_THAT(message({.edit = [](Manifest &m) { m.library = "../host.so"; }}),
              testing::AnyOf(HasSubstr("library must be a file name within the artifact, but found \"../host.so\""),
                             HasSubstr("library")));
}

TEST_F(EngineTest, refusesMissingInstructions) {
  EXPECT_EQ(message({.edit = [](Manifest &m) { m.features = {"sse2", "avx9000"}; }}),
            "manifest.json: code for x86-64-v3 needs a processor with sse2, avx9000, but found one without avx9000");
}

TEST_F(EngineTest, refusesMissingKernel) {
  EXPECT_THAT(message({.edit = [](Manifest &m) { m.kernels[1].name = "cache_write_bf16"; }}),
              StartsWith("host.so: kernel cache_write_bf16 must be a symbol of the library, but found none"));
}

TEST_F(EngineTest, refusesIllegalBlockScales) {
  EXPECT_EQ(message({.blockScale = 0x7f}),
            "experts.2.weight_scale: block scales must be e4m3 numbers of at least 0, but found 0x7f (nan) at [1, 1]");
  EXPECT_EQ(message({.blockScale = 0x7f}, /*checkScales=*/false), "");
}

TEST_F(EngineTest, refusesIllegalScalars) {
  EXPECT_EQ(message({.scale3 = -1}), "experts.3.scale: the scale must be finite and greater than 0, but found -1");
}

TEST_F(EngineTest, refusesOtherShapes) {
  EXPECT_EQ(message({.edit = [](Manifest &m) { m.weights[1].shape = {toy::kWidth + 1}; }}),
            "experts.0.weight: the program expects F32 [9], but found F32 [8]");
}

TEST_F(EngineTest, refusesSmallInputs) {
  EXPECT_EQ(message({.edit = [](Manifest &m) { m.buffers[1].bytes = 20; }}),
            "manifest.json: buffer positions must have at least 24 bytes, but found 20");
}

TEST_F(EngineTest, refusesMissingPorts) {
  EXPECT_EQ(message({.edit = [](Manifest &m) { m.buffers[2].name = "lanes"; }}),
            "manifest.json: buffers must contain the input slots, but found none");
  EXPECT_EQ(message({.edit = [](Manifest &m) { m.buffers[8].space = BufferSpace::Arena; }}),
            "manifest.json: buffers must contain the output logits, but found none");
}

TEST_F(EngineTest, refusesProgramsThatAreTooSmall) {
  EXPECT_THAT(message({.maxRows = 6, .programRows = {1, 5}}), HasSubstr("6"));
}

TEST_F(EngineTest, refusesTapsBeyondTheirBuffers) {
  EXPECT_EQ(message({.edit = [](Manifest &m) { m.programs[1].launches[3].taps[0].width = 3; }}),
            "manifest.json: tap experts.0 needs a buffer of at least 72 bytes, but found 48");
}

} // namespace
