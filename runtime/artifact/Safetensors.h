// One safetensors file, mapped read-only and never copied.
// Format: 8 bytes little-endian header length, JSON header, tensor bytes (github.com/huggingface/safetensors, README).
#pragma once

#include "runtime/artifact/Result.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace glm {

/// A tensor as a header declares it.
struct TensorInfo {
  std::string dtype; ///< as spelled in the file: BF16, F32, U8, F8_E4M3, I32, ...
  std::vector<int64_t> shape;
  uint64_t offset = 0; ///< from the start of the file
  uint64_t bytes = 0;

  int64_t elements() const;
};

/// Bytes of one element of a safetensors dtype; 0 if unknown.
uint64_t dtypeBytes(const std::string &dtype);

struct SafetensorsHeader {
  std::map<std::string, TensorInfo> tensors;
  std::map<std::string, std::string> metadata;
  uint64_t hash = 0; ///< FNV-1a 64 of the first 8 + header-length bytes
};

/// Read and check the header of a file of `fileBytes` bytes: lengths, dtypes, shapes against bytes, no overlap, no hole,
/// nothing beyond the file. `start` is how the file begins, at least to the end of the header; tensor bytes are not looked at.
Result<SafetensorsHeader> readSafetensorsHeader(const std::string &place, std::string_view start, uint64_t fileBytes);

class SafetensorsFile {
public:
  /// Map a file and check its header.
  static Result<SafetensorsFile> open(const std::filesystem::path &path);

  SafetensorsFile(SafetensorsFile &&) noexcept;
  SafetensorsFile &operator=(SafetensorsFile &&) noexcept;
  ~SafetensorsFile();

  const std::filesystem::path &path() const { return filePath; }
  uint64_t bytes() const { return mappedBytes; }
  uint64_t headerHash() const { return header.hash; }
  const std::map<std::string, TensorInfo> &tensors() const { return header.tensors; }
  const std::map<std::string, std::string> &metadata() const { return header.metadata; }
  /// First byte of a tensor; valid as long as this object lives.
  const uint8_t *data(const TensorInfo &tensor) const { return base + tensor.offset; }

private:
  SafetensorsFile() = default;

  std::filesystem::path filePath;
  const uint8_t *base = nullptr;
  uint64_t mappedBytes = 0;
  SafetensorsHeader header;
};

/// Writes a safetensors file of tensors whose bytes are at hand; through a temporary name, then renamed. Refuses bytes that
/// are not those of dtype and shape, and a name that is taken: such a file could not be read back.
class SafetensorsWriter {
public:
  void add(std::string name, std::string dtype, std::vector<int64_t> shape, std::vector<uint8_t> bytes);
  void setMetadata(std::string key, std::string value);
  /// Whole or not at all: a file of that name is replaced when all of it is on disk.
  Result<void> write(const std::filesystem::path &path) const;

private:
  Result<void> check() const;

  struct Entry {
    std::string name, dtype;
    std::vector<int64_t> shape;
    std::vector<uint8_t> bytes;
  };
  std::vector<Entry> entries;
  std::map<std::string, std::string> meta;
};

} // namespace glm
