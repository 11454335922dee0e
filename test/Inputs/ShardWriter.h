// Safetensors shards whose tensors are written in any order, by several threads, without ever being in memory together.
#pragma once

#include "runtime/artifact/Result.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace glm::test {

class ShardWriter {
public:
  ShardWriter() = default;
  ShardWriter(const ShardWriter &) = delete;
  ShardWriter &operator=(const ShardWriter &) = delete;
  ~ShardWriter();

  /// Announce a tensor; the number is for write().
  size_t add(std::string name, std::string dtype, std::vector<int64_t> shape);

  /// Lay out what was announced over `shards` files of about equal bytes, write their headers (and the index, if more
  /// than one).
  Result<void> create(const std::filesystem::path &folder, int64_t shards);

  /// Bytes of a tensor, from `offset` within it. Different ranges may be written at the same time.
  Result<void> write(size_t tensor, uint64_t offset, const void *data, uint64_t bytes) const;

  uint64_t totalBytes() const { return total; }

private:
  struct Tensor {
    std::string name, dtype;
    std::vector<int64_t> shape;
    uint64_t bytes = 0;
    size_t shard = 0;
    uint64_t offset = 0; ///< from the start of the file
  };

  Result<void> createShard(const std::filesystem::path &path, std::span<Tensor> announced);
  Result<void> writeIndex(const std::filesystem::path &folder) const;

  std::vector<Tensor> tensors;
  std::vector<std::string> fileNames;
  std::vector<int> files;
  uint64_t total = 0;
};

} // namespace glm::test
