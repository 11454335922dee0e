// What one position costs in the caches: the one place that says which layout is counted.
#pragma once

#include "frontend/config/ModelConfig.h"

#include <cstdint>
#include <string>

namespace glm {

/// Positions of one page; a sequence holds whole pages.
inline constexpr int64_t kPageSize = 64;

/// Bytes of one position, over all target layers or of one.
struct CacheBytes {
  int64_t latent = 0;    ///< the normalised latent and the rotated key, of every layer
  int64_t indexKeys = 0; ///< of layers that own an indexer

  int64_t total() const { return latent + indexKeys; }
};

/// One layer that owns an indexer, such as the MTP layer. `type` is one of
///   bf16  every element 2 bytes
///   f32   every element 4 bytes
///   fp8   latent row: E4M3 values and a float32 scale per 128 of them, then the rotated key as bf16 (656 bytes for 512 + 64);
///         index key: E4M3 values and a float32 scale per 128 (132 bytes for 128). FlashMLA's and DeepGEMM's records.
CacheBytes layerCacheBytes(const std::string &type, const ModelConfig &config);

/// All target layers, without MTP. A rank of tensor parallelism holds all of it: one latent serves all heads.
CacheBytes cacheBytes(const std::string &type, const ModelConfig &config);

/// What one token at position `context` - 1 reads of them: the chosen rows of every layer, and every index key.
int64_t cacheBytesRead(const std::string &type, const ModelConfig &config, int64_t context);

/// Layers that own an indexer, without MTP.
int64_t indexerLayers(const ModelConfig &config);

/// Positions that `length` takes, in whole pages.
int64_t pagedLength(int64_t length);

} // namespace glm
