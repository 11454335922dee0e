// What one rank of tensor parallelism holds of each weight, by the table of dialect/Sharding.h.
#pragma once

#include "frontend/config/StoredTensors.h"
#include "runtime/artifact/Result.h"

#include <cstdint>
#include <string>

namespace glm {

/// Refuses a number of ranks that does not divide what must not be cut: heads, intermediate columns, blocks of a scale.
Result<void> checkRanks(const StoredTensors &stored, const ModelConfig &config, int64_t ranks);

/// Bytes that rank `rank` of `ranks` (which checkRanks allows) holds of a weight, all of its `count`, with block scales and with
/// global scales, which every rank needs; without input scales. Rank 0 holds most.
uint64_t rankBytes(const StoredWeight &weight, int64_t rank, int64_t ranks);

/// The same of all weights; `activations` in nvfp4 need the input scales, every rank all of them.
uint64_t rankBytes(const StoredTensors &stored, const std::string &activations, int64_t rank, int64_t ranks);

/// Bytes that every rank holds whole.
uint64_t replicatedBytes(const StoredTensors &stored, const std::string &activations);

} // namespace glm
