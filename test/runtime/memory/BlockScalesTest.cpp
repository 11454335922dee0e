#include "runtime/memory/BlockScales.h"
#include "test/runtime/memory/Checkpoints.h"

#include <gtest/gtest.h>
#include <random>

using namespace glm;

namespace {

// Odd, and beyond one piece of the scan.
constexpr int64_t kRows = 1027, kColumns = 2051;

std::vector<uint8_t> legalScales(uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::vector<uint8_t> scales(kRows * kColumns);
  for (uint8_t &scale : scales)
    scale = static_cast<uint8_t>(generator() % 0x7f); // 0 .. 0x7e, both ends legal
  return scales;
}

struct Scan {
  explicit Scan(std::vector<std::vector<uint8_t>> tensors) {
    for (size_t i = 0; i < tensors.size(); ++i)
      folder.add<uint8_t>("layer." + std::to_string(i) + ".weight_scale", "F8_E4M3", {kRows, kColumns}, tensors[i]);
    folder.add<uint8_t>("other", "U8", {2}, {0xff, 0x7f}); // packed values, not scales
    checkpoint.emplace(folder.open());
    manifest.weights = {weight("other", WeightForm::Data, 1, "U8", {2}),
                        weight("layer.{}.weight_scale", WeightForm::Table, static_cast<int64_t>(tensors.size()),
                               "F8_E4M3", {kRows, kColumns})};
    Result<Weights> resolved = Weights::resolve(manifest, *checkpoint);
    if (!resolved)
      throw std::runtime_error(resolved.error().message);
    weights = std::move(*resolved);
  }

  std::string message(int64_t threads) const {
    ThreadPool pool(threads);
    Result<void> checked = checkBlockScales(manifest, weights, pool);
    return checked ? "" : checked.error().message;
  }

  CheckpointFolder folder;
  Manifest manifest;
  std::optional<Checkpoint> checkpoint;
  Weights weights;
};

TEST(BlockScales, acceptsAllLegalOnes) {
  Scan scan({legalScales(1), legalScales(2)});
  EXPECT_EQ(scan.message(3), "");
  EXPECT_EQ(blockScaleBytes(scan.manifest, scan.weights), 2u * kRows * kColumns);
}

class IllegalScaleTest : public testing::TestWithParam<std::pair<uint8_t, std::string>> {};

TEST_P(IllegalScaleTest, isNamed) {
  std::vector<uint8_t> scales = legalScales(3);
  scales[1020 * kColumns + 2050] = GetParam().first;
  Scan scan({legalScales(4), scales});
  for (int64_t threads : {1, 4})
    EXPECT_EQ(scan.message(threads),
              "layer.1.weight_scale: block scales must be e4m3 numbers of at least 0, but found " + GetParam().second +
                  " at [1020, 2050]");
}

INSTANTIATE_TEST_SUITE_P(Bytes, IllegalScaleTest,
                         testing::Values(std::pair{0x7f, "0x7f (nan)"}, std::pair{0xff, "0xff (nan)"},
                                         std::pair{0x80, "0x80 (negative)"}, std::pair{0xb8, "0xb8 (negative)"}));

TEST(BlockScales, namesTheFirst) {
  std::vector<uint8_t> scales = legalScales(5);
  scales[3 * kColumns + 7] = 0x81;
  scales[900 * kColumns] = 0x7f;
  scales[3 * kColumns + 9] = 0x7f;
  Scan scan({scales, scales});
  for (int64_t threads : {1, 2, 5})
    EXPECT_EQ(
        scan.message(threads),
        "layer.0.weight_scale: block scales must be e4m3 numbers of at least 0, but found 0x81 (negative) at [3, 7]");
}

} // namespace
