#include "codegen/target/Target.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

#include <gtest/gtest.h>

namespace glm::test {
namespace {

class TargetTest : public ::testing::Test {
protected:
  TargetTest() { context.loadDialect<GlmDialect>(); }

  TargetAttr target(const std::string &chip) {
    auto result = makeTarget(&context, chip);
    EXPECT_TRUE(result) << result.error().message;
    return result ? *result : TargetAttr();
  }
  std::string refusal(const std::string &chip) {
    auto result = makeTarget(&context, chip);
    EXPECT_FALSE(result) << chip;
    return result ? "" : result.error().message;
  }

  mlir::MLIRContext context;
};

std::vector<std::string> featuresOf(TargetAttr target) {
  llvm::SmallVector<llvm::StringRef> words;
  target.getFeatures().split(words, ',');
  std::vector<std::string> features;
  for (llvm::StringRef word : words) {
    EXPECT_TRUE(word.consume_front("+")) << word.str();
    features.push_back(word.str());
  }
  return features;
}

TEST_F(TargetTest, KnownChipsAreListedInOrder) {
  std::vector<std::string> names;
  for (const Chip &chip : knownChips()) {
    names.push_back(chip.name);
    EXPECT_FALSE(chip.description.empty()) << chip.name;
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"host", "x86-64-v3", "x86-64-v4", "sm_90a", "sm_100a", "sm_103a", "sm_120a"}));
}

TEST_F(TargetTest, EveryChipHasATargetOfItsName) {
  for (const Chip &chip : knownChips()) {
    bool gpu = llvm::StringRef(chip.name).starts_with("sm_");
    EXPECT_EQ(target(chip.name).getChip().str(), chip.name);
    EXPECT_EQ(target(chip.name).getTriple().str(), gpu ? "nvptx64-nvidia-cuda" : "x86_64-unknown-linux-gnu");
    EXPECT_EQ(isGpu(target(chip.name)), gpu);
  }
}

TEST_F(TargetTest, LevelsAnswerWhatTheyHave) {
  TargetAttr v3 = target("x86-64-v3"), v4 = target("x86-64-v4");
  EXPECT_EQ(vectorLanes(v3), 8);
  EXPECT_EQ(vectorLanes(v4), 16);
  EXPECT_TRUE(v3.has("avx2"));
  EXPECT_FALSE(v3.has("avx512f"));
  EXPECT_TRUE(v4.has("avx512bw"));
  // No level of the psABI has the product of bf16 pairs.
  EXPECT_FALSE(hasBf16Dot(v3));
  EXPECT_FALSE(hasBf16Dot(v4));
}

TEST_F(TargetTest, LevelFourHasBf16OnTop) {
  auto targets = makeTargets(&context, "x86-64-v4");
  ASSERT_TRUE(targets) << targets.error().message;
  ASSERT_EQ(targets->size(), 2u);
  TargetAttr best = targets->front(), plain = targets->back();
  EXPECT_EQ(best.getChip().str(), "x86-64-v4+avx512bf16");
  EXPECT_EQ(plain.getChip().str(), "x86-64-v4");
  EXPECT_TRUE(hasBf16Dot(best));
  EXPECT_FALSE(hasBf16Dot(plain));
  // The better code needs what the plain code needs, and one thing more.
  std::vector<std::string> features = featuresOf(plain);
  features.push_back("avx512bf16");
  EXPECT_EQ(featuresOf(best), features);
  EXPECT_EQ(target("x86-64-v4+avx512bf16"), best);
  EXPECT_EQ(refusal("x86-64-v4+amx"), "--target: chip must be one of --list-targets, but found x86-64-v4+amx");
  for (const char *chip : {"host", "x86-64-v3"}) {
    auto only = makeTargets(&context, chip);
    ASSERT_TRUE(only) << only.error().message;
    EXPECT_EQ(*only, std::vector<TargetAttr>{target(chip)});
  }
}

TEST_F(TargetTest, Bf16DotNeedsItsThreeFeatures) {
  auto with = [&](llvm::StringRef features) {
    return hasBf16Dot(TargetAttr::get(&context, "host", "x86_64-unknown-linux-gnu", "x86-64-v4", features, 512));
  };
  EXPECT_TRUE(with("+avx512bf16,+avx512bw,+avx512vl"));
  EXPECT_FALSE(with("+avx512bf16,+avx512bw"));
  EXPECT_FALSE(with("+avx512bf16,+avx512vl"));
  EXPECT_FALSE(with("+avx512bw,+avx512vl"));
}

TEST_F(TargetTest, HostNamesOnlyFeaturesOfThisMachine) {
  llvm::StringMap<bool> present = llvm::sys::getHostCPUFeatures();
  TargetAttr host = target("host");
  std::vector<std::string> features = featuresOf(host);
  EXPECT_FALSE(features.empty());
  for (const std::string &feature : features)
    EXPECT_TRUE(present.lookup(feature)) << feature;
  // The level names what LLVM may use without being asked: all of it has to be here too.
  for (const std::string &feature : featuresOf(target(host.getCpu().str())))
    EXPECT_TRUE(host.has(feature)) << host.getCpu().str() << " without " << feature;
  EXPECT_EQ(vectorLanes(host), host.getCpu() == "x86-64-v4" ? 16 : 8);
}

TEST_F(TargetTest, UnknownChipIsExplainedWithTheNearest) {
  EXPECT_EQ(explainUnknownChip("host"), std::nullopt);
  EXPECT_EQ(explainUnknownChip("sm_120a"), std::nullopt);
  auto expectNearest = [](llvm::StringRef name, const std::string &nearest) {
    EXPECT_EQ(explainUnknownChip(name).value_or("a chip"), "--target: chip must be one of --list-targets, but found " +
                                                               name.str() + " (did you mean " + nearest + "?)");
  };
  expectNearest("native", "host");
  expectNearest("sm_120", "sm_120a");
  expectNearest("sm_100", "sm_100a");
  expectNearest("x86-64-v5", "x86-64-v3");
  expectNearest("hots", "host");
  EXPECT_EQ(refusal("native"), *explainUnknownChip("native"));
}

} // namespace
} // namespace glm::test
