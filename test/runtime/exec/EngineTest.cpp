#include "runtime/exec/Engine.h"
#include "test/runtime/artifact/TemporaryFolder.h"
#include "test/runtime/exec/ToyArtifact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace glm;

namespace fs = std::filesystem;

namespace {

using testing::HasSubstr;
using testing::StartsWith;

class EngineTest : public testing::Test {
protected:
  std::string message(const toy::Options &options, bool checkScales = true) {
    Result<std::unique_ptr<Engine>> loaded =
        Engine::load(toy::writeArtifact(folder.path(), options), {.threads = 2, .checkBlockScales = checkScales});
    return loaded ? "" : loaded.error().message;
  }

  test::TemporaryFolder folder;
};

TEST_F(EngineTest, loadsTheToyModel) { EXPECT_EQ(message({}), ""); }

TEST_F(EngineTest, refusesWhatIsNoArtifact) {
  Result<std::unique_ptr<Engine>> loaded = Engine::load(folder.path() / "none.glm", {});
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("none.glm: the artifact must be a folder, but found none"));
}

TEST_F(EngineTest, refusesLibraryOutsideTheArtifact) {
  EXPECT_EQ(message({.edit = [](Manifest &m) { m.code[0].file = "../host.so"; }}),
            "manifest.json: code[0].file must be a file of the artifact's folder, but found \"../host.so\"");
}

TEST_F(EngineTest, refusesDamagedLibrary) {
  fs::path artifact = toy::writeArtifact(folder.path());
  fs::resize_file(artifact / "host.so", 1000);
  Result<std::unique_ptr<Engine>> loaded = Engine::load(artifact, {});
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, StartsWith("host.so: file must have "));
}

TEST_F(EngineTest, refusesMissingInstructions) {
  EXPECT_EQ(message({.edit = [](Manifest &m) { m.code[0].features = {"sse2", "avx9000"}; }}),
            "manifest.json: code for x86-64-v3 needs a processor with sse2, avx9000, but found one without avx9000");
}

TEST_F(EngineTest, takesTheFirstLibraryThatThisProcessorRuns) {
  fs::path artifact = toy::writeArtifact(folder.path(), {.edit = [&](Manifest &m) {
                                           fs::copy_file(folder.path() / "toy.glm" / "host.so",
                                                         folder.path() / "toy.glm" / "better.so");
                                           m.code.insert(m.code.begin(), m.code[0]);
                                           m.code[0].file = "better.so";
                                         }});
  Result<std::unique_ptr<Engine>> loaded = Engine::load(artifact, {});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)->code().file, "better.so");
}

TEST(ChooseCode, takesTheFirstWhoseFeaturesAreThere) {
  Manifest manifest;
  manifest.target = "x86-64-v4";
  manifest.code = {{"best.so", 1, 1, {"avx512f", "avx512bf16"}}, {"plain.so", 1, 1, {"avx512f", "lzcnt"}}};
  auto choose = [&](std::set<std::string> flags) {
    Result<const Code *> code = chooseCode(manifest, flags);
    return code ? (*code)->file : code.error().message;
  };
  EXPECT_EQ(choose({"sse2", "avx512f", "avx512_bf16", "abm"}), "best.so");
  EXPECT_EQ(choose({"avx512f", "avx512_bf16"}), "best.so");
  EXPECT_EQ(choose({"avx512f", "abm"}), "plain.so");
  EXPECT_EQ(choose({"avx512_bf16", "abm"}),
            "manifest.json: code for x86-64-v4 needs a processor with avx512f, lzcnt, but found one without avx512f");
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
