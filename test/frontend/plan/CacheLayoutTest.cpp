#include "frontend/plan/CacheLayout.h"

#include <gtest/gtest.h>

using namespace glm;

namespace {

ModelConfig published() {
  ModelConfig config;
  config.layers = 78;
  config.kvLoraRank = 512;
  config.qkRopeHeadDim = 64;
  config.indexHeadDim = 128;
  for (int64_t layer = 0; layer < config.layers; ++layer)
    config.ownsIndexer.push_back(layer < 3 || (layer - 2) % 4 == 0);
  return config;
}

// The records of FlashMLA (656 bytes) and DeepGEMM (132 bytes), and the figure of the card's serving command.
TEST(CacheLayout, countsPublishedRecords) {
  ModelConfig config = published();
  EXPECT_EQ(indexerLayers(config), 21);
  EXPECT_EQ(layerCacheBytes("fp8", config).latent, 656);
  EXPECT_EQ(layerCacheBytes("fp8", config).indexKeys, 132);
  EXPECT_EQ(cacheBytes("fp8", config).total(), 78 * 656 + 21 * 132);
  EXPECT_NEAR(static_cast<double>(cacheBytes("fp8", config).total()) * 1'000'000 / (1 << 30), 50.2, 0.05);
  EXPECT_EQ(cacheBytes("bf16", config).latent, 78 * 576 * 2);
  EXPECT_EQ(cacheBytes("bf16", config).indexKeys, 21 * 128 * 2);
  EXPECT_EQ(cacheBytes("f32", config).total(), 2 * cacheBytes("bf16", config).total());
}

TEST(CacheLayout, scalesCoverUnevenWidths) {
  ModelConfig config = published();
  config.kvLoraRank = 130;
  config.qkRopeHeadDim = 10;
  config.indexHeadDim = 1;
  EXPECT_EQ(layerCacheBytes("fp8", config).latent, 130 + 2 * 4 + 20);
  EXPECT_EQ(layerCacheBytes("fp8", config).indexKeys, 1 + 4);
}

// The floors of published kernels: 2048 rows of 656 bytes in 78 layers, and at 64K positions 132 bytes of each in 21 layers.
TEST(CacheLayout, aTokenReadsChosenRowsAndAllKeys) {
  ModelConfig config = published();
  config.indexTopk = 2048;
  EXPECT_EQ(cacheBytesRead("fp8", config, 65536), 2048 * 656 * 78 + 65536 * 132 * 21);
  EXPECT_EQ(cacheBytesRead("fp8", config, 2049), 2048 * 656 * 78 + 2049 * 132 * 21);
  EXPECT_EQ(cacheBytesRead("bf16", config, 5), 5 * cacheBytes("bf16", config).total()); // all are chosen
}

TEST(CacheLayout, sequencesTakeWholePages) {
  EXPECT_EQ(pagedLength(0), 0);
  EXPECT_EQ(pagedLength(1), 64);
  EXPECT_EQ(pagedLength(64), 64);
  EXPECT_EQ(pagedLength(65), 128);
}

} // namespace
