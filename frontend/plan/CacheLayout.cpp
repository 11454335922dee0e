#include "frontend/plan/CacheLayout.h"

#include <algorithm>

namespace glm {
namespace {

constexpr int64_t kScaled = 128; ///< values that share a float32 scale in an fp8 record

/// E4M3 values with their scales.
int64_t scaledBytes(int64_t width) { return width + (width + kScaled - 1) / kScaled * 4; }

} // namespace

CacheBytes layerCacheBytes(const std::string &type, const ModelConfig &config) {
  if (type == "fp8")
    return {scaledBytes(config.kvLoraRank) + 2 * config.qkRopeHeadDim, scaledBytes(config.indexHeadDim)};
  int64_t element = type == "f32" ? 4 : 2;
  return {config.latentWidth() * element, config.indexHeadDim * element};
}

CacheBytes cacheBytes(const std::string &type, const ModelConfig &config) {
  CacheBytes one = layerCacheBytes(type, config);
  return {config.layers * one.latent, indexerLayers(config) * one.indexKeys};
}

int64_t cacheBytesRead(const std::string &type, const ModelConfig &config, int64_t context) {
  CacheBytes row = cacheBytes(type, config);
  return std::min(context, config.indexTopk) * row.latent + context * row.indexKeys;
}

int64_t indexerLayers(const ModelConfig &config) {
  return std::count(config.ownsIndexer.begin(), config.ownsIndexer.end(), true);
}

int64_t pagedLength(int64_t length) { return (length + kPageSize - 1) / kPageSize * kPageSize; }

} // namespace glm
