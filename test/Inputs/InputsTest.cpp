// The generator writes what it promises: the bits of make_golden.py, ModelOpt's packing, and folders that can be read.
#include "runtime/artifact/Checkpoint.h"
#include "test/Inputs/Nvfp4.h"
#include "test/Inputs/Presets.h"
#include "test/Inputs/WeightStream.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <set>

namespace glm::test {
namespace {

class Inputs : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "glm-inputs-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root); }

  Checkpoint make(const CheckpointRequest &request, const std::string &name = "model") {
    Result<void> done = makeCheckpoint(request, root / name);
    EXPECT_TRUE(done) << done.error().message;
    auto checkpoint = Checkpoint::open(root / name);
    if (!checkpoint)
      throw std::runtime_error(checkpoint.error().message);
    return std::move(*checkpoint);
  }

  std::filesystem::path root;
};

std::string bytesOf(const Checkpoint::Entry &entry) {
  return {reinterpret_cast<const char *>(entry.data()),
          reinterpret_cast<const char *>(entry.data()) + entry.info->bytes};
}

TEST(WeightStream, writesThePublishedValues) {
  // The first values of stream(13004, "model.norm.weight") as numpy prints them.
  Stream stream(13004, "model.norm.weight");
  const double expected[] = {-0.13423288, 0.94798173, -1.77079573, -0.655122};
  for (int i = 0; i < 4; ++i)
    EXPECT_NEAR(stream.normal(i), expected[i], 5e-9);
}

TEST(WeightStream, startsAnywhere) {
  LogicalTensor tensor{"model.layers.0.self_attn.o_proj.weight", {7, 33}, true};
  for (auto fill : {fillWeights, fillWeightsFast}) {
    std::vector<float> whole(231), part(50);
    fill(5, tensor, 0, 231, whole.data());
    fill(5, tensor, 101, 50, part.data());
    EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + 101));
  }
}

TEST(WeightStream, fastValuesHaveTheSameSpread) {
  LogicalTensor tensor{"model.layers.0.mlp.gate_proj.weight", {400, 100}, true};
  for (auto fill : {fillWeights, fillWeightsFast}) {
    std::vector<float> values(40000);
    fill(1, tensor, 0, 40000, values.data());
    double squares = 0;
    for (float value : values)
      squares += static_cast<double>(value) * value;
    // 40000 draws leave a standard error below 0.5 %.
    EXPECT_NEAR(std::sqrt(squares / 40000), 0.12, 0.12 * 0.02);
  }
}

TEST(WeightStream, roundsToNearestEven) {
  EXPECT_EQ(toBfloat16(1.00390625f), 0x3F80); // halfway between 1 and the next: to even
  EXPECT_EQ(toBfloat16(1.01171875f), 0x3F82);
  EXPECT_EQ(toBfloat16(-1.0040f), 0xBF81);
  EXPECT_EQ(fromFloat16(toFloat16(1.0004883f)), 1.0f);
  EXPECT_EQ(fromBfloat16(0x4049), 3.140625f);
}

TEST(Nvfp4, e2m1TiesGoToTheEvenCode) {
  // Boundary and the value it becomes (ModelOpt's and compressed-tensors' rule).
  const float ties[][2] = {{0.25f, 0}, {0.75f, 1}, {1.25f, 1}, {1.75f, 2}, {2.5f, 2}, {3.5f, 4}, {5, 4}, {100, 6}};
  for (auto [value, expected] : ties) {
    EXPECT_EQ(decodeE2m1(encodeE2m1(value)), expected) << value;
    EXPECT_EQ(decodeE2m1(encodeE2m1(-value)), -expected) << -value;
  }
  EXPECT_EQ(encodeE2m1(-0.0f), 0);
  EXPECT_EQ(encodeE2m1(-1e-9f), 8);
}

TEST(Nvfp4, e4m3IsNearestAndInvertible) {
  for (int byte = 0; byte < 0x7F; ++byte) {
    float value = decodeE4m3(byte);
    EXPECT_EQ(encodeE4m3(value), byte);
    if (byte == 0x7E)
      break;
    float next = decodeE4m3(byte + 1), middle = (value + next) / 2;
    EXPECT_EQ(encodeE4m3(middle), byte % 2 == 0 ? byte : byte + 1) << "tie above " << value;
    EXPECT_EQ(encodeE4m3(std::nextafter(middle, 0.0f)), byte);
    EXPECT_EQ(encodeE4m3(std::nextafter(middle, 1000.0f)), byte + 1);
  }
  EXPECT_EQ(encodeE4m3(1e9f), 0x7E);
  EXPECT_TRUE(std::isnan(decodeE4m3(0x7F)));
  EXPECT_EQ(decodeE4m3(0x38), 1);
  EXPECT_EQ(decodeE4m3(0x01), 0x1p-9f);
}

TEST(Nvfp4, zeroBlocksAreLegal) {
  std::vector<float> zeros(32);
  std::vector<uint8_t> codes(16, 0xFF), scales(2, 0xFF);
  quantizeRow(zeros.data(), 32, globalScale(0), ZeroBlock::One, codes.data(), scales.data());
  EXPECT_EQ(codes, std::vector<uint8_t>(16, 0));
  EXPECT_EQ(decodeE4m3(scales[0]), 1);
}

/// share-card was packed by ModelOpt from the weights of share: our packing has to give the same codes everywhere.
/// (Its scales were shifted by powers of two afterwards, which changes no code.)
TEST_F(Inputs, packsLikeModelOpt) {
  std::filesystem::path golden = std::filesystem::path(GLM_TEST_INPUTS) / "golden";
  CheckpointRequest request;
  std::ifstream config(golden / "share" / "config.json");
  request.config = nlohmann::ordered_json::parse(config);
  request.seed = 11000;
  request.format = CheckpointFormat::ModelOpt;
  request.packed = {"card"};
  Checkpoint ours = make(request);
  auto theirs = Checkpoint::open(golden / "share-card");
  ASSERT_TRUE(theirs) << theirs.error().message;
  EXPECT_EQ(ours.names(), theirs->names());
  int codes = 0, wide = 0;
  for (const std::string &name : theirs->names()) {
    Checkpoint::Entry expected = theirs->find(name), found = ours.find(name);
    ASSERT_NE(found.info, nullptr) << name;
    EXPECT_EQ(found.info->dtype, expected.info->dtype) << name;
    EXPECT_EQ(found.info->shape, expected.info->shape) << name;
    if (expected.info->dtype != "U8" && expected.info->dtype != "BF16")
      continue;
    EXPECT_EQ(bytesOf(found), bytesOf(expected)) << name;
    ++(expected.info->dtype == "U8" ? codes : wide);
  }
  EXPECT_EQ(codes, 7 * 9 * 3 + 3);
  EXPECT_GT(wide, 100);
}

TEST_F(Inputs, shardsHoldWhatOneFileHolds) {
  CheckpointRequest request = *preset("tiny");
  Checkpoint one = make(request, "one");
  request.shards = 5;
  Checkpoint five = make(request, "five");
  EXPECT_EQ(five.files().size(), 5u);
  ASSERT_EQ(one.names(), five.names());
  for (const std::string &name : one.names())
    EXPECT_EQ(bytesOf(one.find(name)), bytesOf(five.find(name))) << name;
}

TEST_F(Inputs, compressedTensorsStoresTheInverse) {
  CheckpointRequest request = *preset("tiny");
  request.packed = {"*.experts.*", "*indexer.wk"};
  request.inputScales = true;
  request.format = CheckpointFormat::ModelOpt;
  Checkpoint modelOpt = make(request, "modelopt");
  request.format = CheckpointFormat::CompressedTensors;
  Checkpoint compressed = make(request, "compressed");
  std::string module = "model.layers.6.mlp.experts.7.down_proj";
  EXPECT_EQ(bytesOf(modelOpt.find(module + ".weight")), bytesOf(compressed.find(module + ".weight_packed")));
  EXPECT_EQ(bytesOf(modelOpt.find(module + ".weight_scale")), bytesOf(compressed.find(module + ".weight_scale")));
  float scale, inverse;
  std::memcpy(&scale, modelOpt.find(module + ".weight_scale_2").data(), 4);
  std::memcpy(&inverse, compressed.find(module + ".weight_global_scale").data(), 4);
  EXPECT_EQ(inverse, 1 / scale);
  EXPECT_EQ(modelOpt.find(module + ".weight_scale_2").info->shape, std::vector<int64_t>{});
  EXPECT_EQ(compressed.find(module + ".weight_global_scale").info->shape, std::vector<int64_t>{1});
  EXPECT_TRUE(compressed.contains(module + ".input_global_scale"));
  EXPECT_TRUE(compressed.contains("model.layers.2.self_attn.indexer.wk.weight_packed"));
}

TEST_F(Inputs, tiedPairsShareTheirGlobalScale) {
  CheckpointRequest request = *preset("tiny");
  request.format = CheckpointFormat::ModelOpt;
  request.packed = {"nvidia"};
  for (bool tied : {true, false}) {
    request.tieGateUp = tied;
    Checkpoint checkpoint = make(request, tied ? "tied" : "free");
    int equal = 0;
    for (int expert = 0; expert < 9; ++expert) {
      std::string prefix = "model.layers.5.mlp.experts." + std::to_string(expert);
      equal += bytesOf(checkpoint.find(prefix + ".gate_proj.weight_scale_2")) ==
               bytesOf(checkpoint.find(prefix + ".up_proj.weight_scale_2"));
    }
    // Two largest magnitudes of bfloat16 may be the same by chance; nine pairs will not.
    if (tied)
      EXPECT_EQ(equal, 9);
    else
      EXPECT_LT(equal, 4);
  }
}

TEST_F(Inputs, spreadScalesReachEveryExponent) {
  CheckpointRequest request = *preset("tiny");
  request.format = CheckpointFormat::ModelOpt;
  request.packed = {"all"};
  request.spreadScales = true;
  request.scaleDtype = "U8";
  Checkpoint checkpoint = make(request);
  std::set<int> exponents;
  for (const std::string &name : checkpoint.names())
    if (name.ends_with(".weight_scale")) {
      EXPECT_EQ(checkpoint.find(name).info->dtype, "U8");
      for (unsigned char byte : bytesOf(checkpoint.find(name))) {
        EXPECT_GT(byte, 0);
        EXPECT_LT(byte, 0x7F);
        exponents.insert(byte >> 3);
      }
    }
  EXPECT_EQ(exponents.size(), 16u);
}

TEST_F(Inputs, storedTypesFollowThePatterns) {
  CheckpointRequest request = *preset("tiny");
  request.float32 = {"*weights_proj"};
  request.float16 = {"*o_proj"};
  request.mtp = false;
  Checkpoint checkpoint = make(request);
  EXPECT_EQ(checkpoint.find("model.layers.2.self_attn.indexer.weights_proj.weight").info->dtype, "F32");
  EXPECT_EQ(checkpoint.find("model.layers.3.self_attn.o_proj.weight").info->dtype, "F16");
  EXPECT_EQ(checkpoint.find("model.layers.3.mlp.gate.e_score_correction_bias").info->dtype, "F32");
  EXPECT_EQ(checkpoint.find("model.layers.3.mlp.gate.weight").info->dtype, "BF16");
  EXPECT_FALSE(checkpoint.contains("model.layers.12.eh_proj.weight"));
}

TEST_F(Inputs, fastPackedWeightsAreReproducible) {
  CheckpointRequest request = *preset("tiny");
  request.format = CheckpointFormat::ModelOpt;
  request.packed = {"nvidia"};
  request.fastWeights = true;
  Checkpoint first = make(request, "first"), second = make(request, "second");
  for (const std::string &name : first.names())
    EXPECT_EQ(bytesOf(first.find(name)), bytesOf(second.find(name))) << name;
}

TEST_F(Inputs, refusalsLeaveNothingBehind) {
  CheckpointRequest request = *preset("tiny");
  request.format = CheckpointFormat::ModelOpt;
  request.packed = {"nothing.*"};
  Result<void> done = makeCheckpoint(request, root / "model");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "--packed: nothing.* must name a module of the model, but found none");
  request.packed = {"all"};
  ASSERT_TRUE(setKey(request.config, "kv_lora_rank=40"));
  done = makeCheckpoint(request, root / "model");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message,
            "model.layers.0.self_attn.kv_b_proj: inputs of a packed matrix must be a multiple of 16, but found 40");
  EXPECT_TRUE(std::filesystem::is_empty(root));
}

} // namespace
} // namespace glm::test
