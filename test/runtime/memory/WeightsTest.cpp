#include "runtime/memory/Weights.h"
#include "runtime/device/HostDevice.h"
#include "test/runtime/memory/Checkpoints.h"

#include <gtest/gtest.h>
#include <limits>

using namespace glm;

namespace {

class WeightsTest : public testing::Test {
protected:
  WeightsTest() {
    folder.add<float>("norm.weight", "F32", {3}, {0.5f, -2, 7});
    for (int i = 0; i < 4; ++i) {
      std::string name = "experts." + std::to_string(i);
      folder.add<uint8_t>(name + ".weight", "U8", {2, 3}, std::vector<uint8_t>(6, static_cast<uint8_t>(i + 17)));
      folder.add<uint8_t>(name + ".weight_scale", i == 2 ? "U8" : "F8_E4M3", {2, 1}, {0x38, 0x40});
      folder.add<float>(name + ".scale", "F32", i % 2 ? std::vector<int64_t>{1} : std::vector<int64_t>{},
                        {0.125f * static_cast<float>(i + 1)});
    }
    folder.add<uint16_t>("half.0", "BF16", {}, {0x4049}); // 3.140625
    folder.add<uint16_t>("half.1", "F16", {}, {0x4248});  // 3.140625
    folder.add<uint16_t>("half.2", "F16", {}, {0x0003});  // 3 * 2^-24, below the smallest normal
  }

  Result<Weights> resolve(std::vector<Weight> weights) {
    manifest.weights = std::move(weights);
    checkpoint.emplace(folder.open());
    return Weights::resolve(manifest, *checkpoint);
  }

  void expectRefused(Weight weight, const std::string &message) {
    Result<Weights> weights = resolve({std::move(weight)});
    ASSERT_FALSE(weights);
    EXPECT_EQ(weights.error().message, message);
  }

  CheckpointFolder folder;
  Manifest manifest;
  std::optional<Checkpoint> checkpoint;
  HostDevice device{1};
};

TEST_F(WeightsTest, pointsByForm) {
  Weight reciprocal = weight("experts.{}.scale", WeightForm::Scalars, 4, "F32", {});
  reciprocal.reciprocal = true;
  Result<Weights> weights = resolve({weight("norm.weight", WeightForm::Data, 1, "F32", {3}),
                                     weight("experts.{}.weight", WeightForm::Table, 4, "U8", {2, 3}),
                                     weight("experts.{}.scale", WeightForm::Scalars, 4, "F32", {}), reciprocal});
  ASSERT_TRUE(weights) << weights.error().message;
  ASSERT_TRUE(weights->place(device));

  EXPECT_EQ(weights->address(0), checkpoint->find("norm.weight").data()); // where the file is mapped
  const uint8_t *const *table = static_cast<const uint8_t *const *>(weights->address(1));
  const float *scalars = static_cast<const float *>(weights->address(2));
  const float *inverses = static_cast<const float *>(weights->address(3));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(table[i][5], i + 17);
    EXPECT_EQ(scalars[i], 0.125f * static_cast<float>(i + 1));
    EXPECT_EQ(inverses[i], 1.0f / (0.125f * static_cast<float>(i + 1)));
  }
  EXPECT_EQ(weights->bytes(0), 12u);
  EXPECT_EQ(weights->bytes(1), 24u);
  EXPECT_EQ(weights->bytes(2), 16u);
  EXPECT_EQ(residentBytes(manifest, *weights), 12u + 24u + 16u); // the scalars are named twice
}

/// Its one kernel puts the bytes of codes and scales side by side.
class JoiningDevice final : public HostDevice {
public:
  JoiningDevice() : HostDevice(1) {}
  void launch(const Call &call) override {
    calls.push_back(call);
    auto *to = static_cast<uint8_t *>(call.arguments[3]);
    to = std::copy_n(static_cast<const uint8_t *>(call.arguments[0]), 6, to);
    std::copy_n(static_cast<const uint8_t *>(call.arguments[1]), 2, to);
  }
  std::vector<Call> calls;
};

TEST_F(WeightsTest, fillsTensorByTensor) {
  Weight joined = weight("experts.{}.joined", WeightForm::Table, 4, "U8", {8});
  joined.filled = true;
  auto arguments = [](std::initializer_list<int64_t> numbers) {
    std::vector<Argument> result;
    for (int64_t number : numbers)
      result.push_back({Argument::Kind::Weight, number});
    return result;
  };
  // Scales are used by a step too, codes are not.
  manifest.load = {{0, arguments({0, 1, 2, 3}), RowCount::Step, {}}};
  manifest.programs = {{"step_r1", 1, {{1, arguments({1, 2, 3}), RowCount::Step, {}}}}};
  Result<Weights> weights = resolve({weight("experts.{}.weight", WeightForm::Table, 4, "U8", {2, 3}),
                                     weight("experts.{}.weight_scale", WeightForm::Table, 4, "F8_E4M3", {2, 1}),
                                     weight("experts.{}.scale", WeightForm::Scalars, 4, "F32", {}), joined});
  ASSERT_TRUE(weights) << weights.error().message;
  JoiningDevice joining;
  std::vector<uint64_t> reported;
  Result<Allocation> memory = weights->place(joining, [&](uint64_t bytes) { reported.push_back(bytes); });
  ASSERT_TRUE(memory) << memory.error().message;

  EXPECT_EQ(weights->address(0), nullptr);
  const uint8_t *const *table = static_cast<const uint8_t *const *>(weights->address(3));
  for (int i = 0; i < 4; ++i) {
    auto code = static_cast<uint8_t>(i + 17);
    EXPECT_EQ(std::vector<uint8_t>(table[i], table[i] + 8),
              (std::vector<uint8_t>{code, code, code, code, code, code, 0x38, 0x40}));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(table[i]) % 256, reinterpret_cast<uintptr_t>(table[0]) % 256);
    EXPECT_EQ(joining.calls[i].arguments[1], static_cast<void *const *>(weights->address(1))[i]);
    EXPECT_EQ(joining.calls[i].arguments[2], weights->address(2));
  }
  EXPECT_EQ(joining.calls.size(), 4u);
  EXPECT_GE(memory->bytes(), 4u * 256);
  EXPECT_EQ(weights->bytes(3), 32u);
  EXPECT_EQ(reported, (std::vector<uint64_t>{2, 4, 6, 8, 14, 20, 26, 32}));
}

TEST_F(WeightsTest, readsHalfPrecisionScalars) {
  Result<Weights> weights = resolve({weight("half.0", WeightForm::Scalars, 1, "BF16", {}),
                                     weight("half.1", WeightForm::Scalars, 1, "F16", {}),
                                     weight("half.2", WeightForm::Scalars, 1, "F16", {})});
  ASSERT_TRUE(weights) << weights.error().message;
  ASSERT_TRUE(weights->place(device));
  EXPECT_EQ(*static_cast<const float *>(weights->address(0)), 3.140625f);
  EXPECT_EQ(*static_cast<const float *>(weights->address(1)), 3.140625f);
  EXPECT_EQ(*static_cast<const float *>(weights->address(2)), 3 * 0x1p-24f);
}

TEST_F(WeightsTest, acceptsU8BlockScales) {
  EXPECT_TRUE(resolve({weight("experts.{}.weight_scale", WeightForm::Table, 4, "F8_E4M3", {2, 1})}));
}

TEST_F(WeightsTest, refusesMissingTensor) {
  expectRefused(weight("experts.{}.weight", WeightForm::Table, 5, "U8", {2, 3}),
                "experts.4.weight: the program expects U8 [2, 3], but found no such tensor in the checkpoint");
}

TEST_F(WeightsTest, refusesOtherShape) {
  expectRefused(weight("experts.{}.weight", WeightForm::Table, 4, "U8", {3, 2}),
                "experts.0.weight: the program expects U8 [3, 2], but found U8 [2, 3]");
}

TEST_F(WeightsTest, refusesOtherDtype) {
  expectRefused(weight("norm.weight", WeightForm::Data, 1, "BF16", {3}),
                "norm.weight: the program expects BF16 [3], but found F32 [3]");
}

TEST_F(WeightsTest, refusesScalarWithShape) {
  expectRefused(weight("norm.weight", WeightForm::Scalars, 1, "F32", {}),
                "norm.weight: the program expects F32 [] or [1], but found F32 [3]");
}

class ScalarTest : public testing::TestWithParam<std::pair<float, std::string>> {};

TEST_P(ScalarTest, refusesUselessScales) {
  CheckpointFolder folder;
  folder.add<float>("scale", "F32", {}, {GetParam().first});
  Checkpoint checkpoint = folder.open();
  Manifest manifest;
  manifest.weights = {weight("scale", WeightForm::Scalars, 1, "F32", {})};
  Result<Weights> weights = Weights::resolve(manifest, checkpoint);
  ASSERT_FALSE(weights);
  EXPECT_EQ(weights.error().message,
            "scale: the scale must be finite and greater than 0, but found " + GetParam().second);
}

INSTANTIATE_TEST_SUITE_P(Scales, ScalarTest,
                         testing::Values(std::pair{0.0f, "0"}, std::pair{-0.5f, "-0.5"},
                                         std::pair{std::numeric_limits<float>::infinity(), "inf"},
                                         std::pair{std::numeric_limits<float>::quiet_NaN(), "nan"}));

TEST(Weights, refusesInverseThatOverflows) {
  CheckpointFolder folder;
  folder.add<float>("scale", "F32", {}, {1e-40f}); // its inverse is beyond float32
  Checkpoint checkpoint = folder.open();
  Manifest manifest;
  manifest.weights = {weight("scale", WeightForm::Scalars, 1, "F32", {})};
  manifest.weights[0].reciprocal = true;
  Result<Weights> weights = Weights::resolve(manifest, checkpoint);
  ASSERT_FALSE(weights);
  EXPECT_TRUE(weights.error().message.starts_with(
      "scale: the inverse of the scale must be finite and greater than 0, but found inf"))
      << weights.error().message;
}

} // namespace
