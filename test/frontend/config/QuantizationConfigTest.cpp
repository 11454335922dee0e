#include "test/frontend/config/SmallModel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace glm;
using namespace glm::test;

namespace {

class QuantizationConfigTest : public testing::Test {
protected:
  /// Both files as text; an empty one is not written. config.json gets `entry` as its quantization_config.
  Result<QuantizationConfig> read(const std::string &side, const std::string &entry) {
    std::filesystem::remove(folder.path() / "hf_quant_config.json");
    if (!side.empty())
      folder.write("hf_quant_config.json", side);
    folder.write("config.json", entry.empty() ? "{}" : "{\"quantization_config\":\n" + entry + "}");
    return readQuantizationConfig(folder.path());
  }
  std::string refusal(const std::string &side, const std::string &entry) { return messageOf(read(side, entry)); }

  static std::vector<std::string> described(const QuantizationConfig &config) {
    std::vector<std::string> list;
    for (const PrecisionRule &rule : config.excludes)
      list.push_back(fmt::format("{}{} = {} ({})", rule.spelling == PrecisionRule::Spelling::Regex ? "re:" : "",
                                 rule.pattern, rule.type, rule.source));
    return list;
  }

  TemporaryFolder folder;
};

constexpr const char *kSide = R"({"producer": {"name": "modelopt"},
 "quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8", "group_size": 16,
 "exclude_modules": ["lm_head",
  "model.layers.0*"]}})";
constexpr const char *kGroups =
    R"("config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "float", "group_size": 16}, "targets": ["Linear"]}})";

std::string modelOpt(const std::string &more) {
  return fmt::format(R"({{"quant_method": "modelopt", "quant_algo": "NVFP4"{}}})", more);
}
std::string compressed(const std::string &more) {
  return fmt::format(R"({{"quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized"{}}})", more);
}

TEST_F(QuantizationConfigTest, neitherFileSaysNothing) {
  auto config = read("", "");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_FALSE(config->present);
  EXPECT_FALSE(read("", "null")->present);
}

TEST_F(QuantizationConfigTest, readsModelOptsOwnFile) {
  auto config = read(kSide, "");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(std::tuple(config->present, config->method, config->algorithm, config->place),
            std::tuple(true, "modelopt", "NVFP4", "hf_quant_config.json"));
  EXPECT_EQ(described(*config), (std::vector<std::string>{"lm_head = wide (hf_quant_config.json:3)",
                                                          "model.layers.0* = wide (hf_quant_config.json:4)"}));
}

TEST_F(QuantizationConfigTest, joinsBothFiles) {
  auto config =
      read(kSide, modelOpt(std::string(", ") + kGroups + ",\n\"ignore\": [\"lm_head\",\n\"model.layers.3*\"]"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->place, "config.json");
  EXPECT_EQ(described(*config),
            (std::vector<std::string>{"lm_head = wide (hf_quant_config.json:3)",
                                      "model.layers.0* = wide (hf_quant_config.json:4)",
                                      "lm_head = wide (config.json:3)", "model.layers.3* = wide (config.json:4)"}));
}

TEST_F(QuantizationConfigTest, readsCompressedTensors) {
  auto config =
      read("", compressed(std::string(", ") + kGroups + ",\n\"ignore\": [\"re:.*mlp\\\\.gate$\", \"lm_head\"]"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(std::tuple(config->method, config->algorithm), std::tuple("compressed-tensors", "nvfp4-pack-quantized"));
  EXPECT_EQ(described(*config),
            (std::vector<std::string>{"re:.*mlp\\.gate$ = wide (config.json:3)", "lm_head = wide (config.json:3)"}));
}

TEST_F(QuantizationConfigTest, refusesOtherMethods) {
  EXPECT_EQ(refusal("", R"({"quant_method": "fp8"})"),
            "config.json:2: quant_method must be modelopt or compressed-tensors, but found \"fp8\"");
  EXPECT_EQ(refusal("", "{}"), "config.json: quant_method must be modelopt or compressed-tensors, but found null");
  EXPECT_EQ(refusal("", R"({"quant_method": "modelopt", "quant_algo": "FP8"})"),
            "config.json:2: quant_algo must be NVFP4 or W4A16_NVFP4, but found \"FP8\"");
  EXPECT_EQ(refusal("", R"({"quant_method": "compressed-tensors", "format": "int-quantized"})"),
            "config.json:2: format must be nvfp4-pack-quantized, but found \"int-quantized\"");
  EXPECT_EQ(refusal(R"({"quantization": {"quant_algo": "MIXED_PRECISION"}})", ""),
            "hf_quant_config.json:1: quant_algo must be NVFP4 or W4A16_NVFP4, but found \"MIXED_PRECISION\"");
}

TEST_F(QuantizationConfigTest, refusesOtherBlocks) {
  EXPECT_EQ(refusal(R"({"quantization": {"quant_algo": "NVFP4", "group_size": 32}})", ""),
            "hf_quant_config.json:1: group_size must be 16, but found 32");
  auto groups = [&](const std::string &value) { return refusal("", modelOpt(", \"config_groups\": " + value)); };
  EXPECT_EQ(groups(R"({"g": {"weights": {"num_bits": 4, "type": "float", "group_size": 32}}})"),
            "config.json:2: group_size must be 16, but found 32");
  EXPECT_EQ(groups(R"({"g": {"weights": {"num_bits": 8, "type": "float"}}})"),
            R"(config.json:2: weights of g must be 4-bit floats, but found {"num_bits":8,"type":"float"})");
  EXPECT_EQ(groups(R"({"g": {"weights": {"num_bits": 4, "type": "int"}}})"),
            R"(config.json:2: weights of g must be 4-bit floats, but found {"num_bits":4,"type":"int"})");
  EXPECT_EQ(groups(R"({"g": {}})"), "config.json:2: weights of g must be 4-bit floats, but found null");
  EXPECT_EQ(groups(R"({"g": 3})"), "config.json:2: weights of g must be 4-bit floats, but found null");
  EXPECT_EQ(groups("[3]"), "config.json:2: config_groups must be an object, but found array");
}

TEST_F(QuantizationConfigTest, refusesWhatChangesTheMeaningOfCodes) {
  auto weights = [&](const std::string &more) {
    return refusal(
        "", compressed(R"(, "config_groups": {"g": {"weights": {"num_bits": 4, "type": "float", )" + more + "}}}"));
  };
  EXPECT_EQ(weights(R"("symmetric": true, "dynamic": false, "actorder": null, "strategy": "tensor_group",
                      "group_size": null)"),
            "");
  EXPECT_EQ(weights(R"("symmetric": false)"), "config.json:2: symmetric must be true, but found false");
  EXPECT_EQ(weights(R"("dynamic": true)"), "config.json:2: dynamic must be false, but found true");
  EXPECT_EQ(weights(R"("actorder": "group")"), "config.json:2: actorder must be null, but found \"group\"");
  EXPECT_EQ(weights(R"("strategy": "channel")"),
            "config.json:2: strategy must be \"tensor_group\", but found \"channel\"");
  EXPECT_EQ(refusal(R"({"quantization": {"quant_algo": "NVFP4", "pre_quant_scale": true}})", ""),
            "hf_quant_config.json:1: pre_quant_scale must be false, but found true");
  EXPECT_EQ(refusal(R"({"quantization": {"quant_algo": "NVFP4", "has_zero_point": true}})", ""),
            "hf_quant_config.json:1: has_zero_point must be false, but found true");
  for (const char *empty : {"{}", "null", R"({"format": "dense"})"})
    EXPECT_EQ(refusal("", compressed(fmt::format(R"(, "transform_config": {0}, "sparsity_config": {0})", empty))), "");
  EXPECT_EQ(refusal("", compressed(R"(, "transform_config": {"R1": 1})")),
            "config.json:2: transform_config must be empty, the only one implemented, but found {\"R1\":1}");
  EXPECT_EQ(refusal("", compressed(R"(, "sparsity_config": {"format": "sparse-24"})")),
            "config.json:2: sparsity_config must be empty, the only one implemented, but found "
            "{\"format\":\"sparse-24\"}");
}

TEST_F(QuantizationConfigTest, warnsOfWhatNobodyFollows) {
  auto config = read(kSide, modelOpt(R"(, "kv_cache_scheme": {"num_bits": 8}, "smooth": 3)"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->warnings,
            (std::vector<std::string>{"hf_quant_config.json:2: kv_cache_quant_algo was not followed (--kv-cache "
                                      "chooses the type of the cache): \"FP8\"",
                                      "config.json:2: kv_cache_scheme was not followed (--kv-cache chooses the type of "
                                      "the cache): {\"num_bits\":8}",
                                      "config.json:2: key smooth is unknown and was not used: 3"}));
  EXPECT_TRUE(read("", modelOpt(R"(, "kv_cache_scheme": null)"))->warnings.empty());
}

TEST_F(QuantizationConfigTest, refusesWrongShapes) {
  EXPECT_EQ(refusal("{}", ""), "hf_quant_config.json: quantization must be an object, but found none");
  EXPECT_EQ(refusal(R"({"quantization": 3})", ""),
            "hf_quant_config.json:1: quantization must be an object, but found number");
  EXPECT_EQ(refusal("", "3"), "config.json:1: quantization_config must be an object, but found number");
  EXPECT_EQ(refusal("", modelOpt(", \"ignore\": \"lm_head\"")),
            "config.json:2: ignore must be a list of module names, but found string");
  EXPECT_EQ(refusal("", modelOpt(", \"ignore\": [3]")), "config.json:2: ignore must hold strings, but found 3");
}

TEST_F(QuantizationConfigTest, refusesFilesThatDisagree) {
  EXPECT_EQ(refusal(kSide, compressed("")),
            "config.json:2: quant_method must agree with hf_quant_config.json, modelopt, but found compressed-tensors");
  EXPECT_EQ(refusal(kSide, R"({"quant_method": "modelopt", "quant_algo": "W4A16_NVFP4"})"),
            "config.json:2: quant_algo must agree with hf_quant_config.json, NVFP4, but found W4A16_NVFP4");
}

} // namespace
