#include "frontend/plan/RankWeights.h"

#include "dialect/Sharding.h"

#include <fmt/format.h>

namespace glm {
namespace {

constexpr int64_t kBlock = 16;      ///< columns of one NVFP4 block scale
constexpr int64_t kGlobalBytes = 4; ///< the global scale of a packed matrix

/// How many pieces a weight has that may go to different ranks, and what they are called.
struct Pieces {
  int64_t count = 0;
  std::string words;
};

Pieces piecesOf(const StoredWeight &weight, const ModelConfig &config) {
  ShardingRule rule = shardingOf(weight.module());
  if (rule.unit == ShardUnit::Heads)
    return {config.heads, "heads"};
  bool columns = rule.sharding == Sharding::Columns;
  if (columns && isPacked(weight.format))
    return {weight.shape[1] / kBlock, fmt::format("blocks of {} columns", kBlock)};
  return {weight.shape[columns ? 1 : 0], columns ? "columns" : "rows"};
}

/// The part of `extent` that one of `ranks` gets: parts differ by one at most, and the first is a largest one.
int64_t part(int64_t extent, int64_t rank, int64_t ranks) {
  auto end = [&](int64_t parts) { return (extent * parts + ranks - 1) / ranks; };
  return end(rank + 1) - end(rank);
}

/// Scales of activations are only mapped where activations are packed.
uint64_t inputScaleBytes(const StoredWeight &weight, const std::string &activations) {
  return activations == "nvfp4" ? weight.inputScaleBytes : 0;
}

} // namespace

Result<void> checkRanks(const StoredTensors &stored, const ModelConfig &config, int64_t ranks) {
  for (const StoredWeight &weight : stored.weights) {
    ShardUnit unit = shardingOf(weight.module()).unit;
    if (unit == ShardUnit::None || unit == ShardUnit::Vocabulary)
      continue;
    Pieces pieces = piecesOf(weight, config);
    if (pieces.count % ranks)
      return Error{fmt::format("--tensor-parallel: ranks must divide the {} {} of {}, but found {}", pieces.count,
                               pieces.words, weight.module(), ranks)};
  }
  return {};
}

uint64_t rankBytes(const StoredWeight &weight, int64_t rank, int64_t ranks) {
  Sharding sharding = shardingOf(weight.module()).sharding;
  if (sharding == Sharding::Replicated || ranks == 1)
    return weight.bytes;
  // Codes, block scales and wide elements are all spread evenly over rows and columns; global scales are not.
  uint64_t global = isPacked(weight.format) ? weight.count * kGlobalBytes : 0, divided = weight.bytes - global;
  int64_t extent = weight.shape[sharding == Sharding::Rows ? 0 : 1];
  if (sharding == Sharding::Columns && isPacked(weight.format))
    extent /= kBlock;
  return divided / extent * part(extent, rank, ranks) + global;
}

uint64_t rankBytes(const StoredTensors &stored, const std::string &activations, int64_t rank, int64_t ranks) {
  uint64_t bytes = 0;
  for (const StoredWeight &weight : stored.weights)
    bytes += rankBytes(weight, rank, ranks) + inputScaleBytes(weight, activations);
  return bytes;
}

uint64_t replicatedBytes(const StoredTensors &stored, const std::string &activations) {
  uint64_t bytes = 0;
  for (const StoredWeight &weight : stored.weights)
    if (shardingOf(weight.module()).sharding == Sharding::Replicated)
      bytes += weight.bytes + inputScaleBytes(weight, activations);
  return bytes;
}

} // namespace glm
