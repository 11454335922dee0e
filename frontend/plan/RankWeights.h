// What one rank of tensor parallelism holds of each weight, by the table of dialect/Sharding.h.
#pragma once

#include "frontend/config/StoredTensors.h"
#include "runtime/artifact/Result.h"

#include <cstdint>

namespace glm {

/// Refuses a number of ranks that does not divide what must not be cut: heads, intermediate columns, blocks of a scale.
Result<void> checkRanks(const StoredTensors &stored, const ModelConfig &config, int64_t ranks);

/// Bytes that rank `rank` of `ranks` (which checkRanks allows) holds of a weight, all of its `count`, with block scales and
/// global scales, which every rank needs; without input scales.
uint64_t rankBytes(const StoredWeight &weight, int64_t rank, int64_t ranks);

} // namespace glm
