// Small checkpoints in folders that delete themselves.
#pragma once

#include "runtime/artifact/Checkpoint.h"
#include "runtime/artifact/Manifest.h"

#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <unistd.h>

namespace glm {

class CheckpointFolder {
public:
  CheckpointFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "glm-test-XXXXXX").string();
    if (!mkdtemp(pattern.data()))
      throw std::runtime_error("no temporary folder");
    folder = pattern;
  }
  ~CheckpointFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  CheckpointFolder(const CheckpointFolder &) = delete;
  CheckpointFolder &operator=(const CheckpointFolder &) = delete;

  template <typename T>
  void add(const std::string &name, const std::string &dtype, std::vector<int64_t> shape,
           const std::vector<T> &values) {
    std::vector<uint8_t> bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    writer.add(name, dtype, std::move(shape), std::move(bytes));
  }

  /// Write model.safetensors with all that was added, and open it.
  Checkpoint open() {
    if (Result<void> written = writer.write(file()); !written)
      throw std::runtime_error(written.error().message);
    Result<Checkpoint> checkpoint = Checkpoint::open(folder);
    if (!checkpoint)
      throw std::runtime_error(checkpoint.error().message);
    return std::move(*checkpoint);
  }

  std::filesystem::path file() const { return folder / "model.safetensors"; }
  const std::filesystem::path &path() const { return folder; }

private:
  std::filesystem::path folder;
  SafetensorsWriter writer;
};

inline Weight weight(std::string name, WeightForm form, int64_t count, std::string dtype, std::vector<int64_t> shape) {
  return {std::move(name), form, count, std::move(dtype), std::move(shape), false};
}

} // namespace glm
