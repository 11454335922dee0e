// Tensors of golden files and of what glm-run writes, as matrices.
#pragma once

#include "runtime/artifact/Safetensors.h"
#include "test/numerics/Matrix.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace glm::test {

struct IntMatrix {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<int32_t> values; ///< [rows, columns]

  std::span<const int32_t> row(int64_t index) const {
    return {values.data() + index * columns, static_cast<size_t>(columns)};
  }
};

class TensorFile {
public:
  static Result<TensorFile> open(const std::filesystem::path &path);

  bool has(const std::string &name) const { return file.tensors().count(name) > 0; }
  /// F32 of two dimensions. Throws std::runtime_error if the tensor is missing or otherwise.
  Matrix floats(const std::string &name) const;
  /// F32 [count, rows, columns], one matrix each.
  std::vector<Matrix> stack(const std::string &name) const;
  /// I32 of one (one row) or two dimensions.
  IntMatrix ints(const std::string &name) const;
  /// Numbers N for which `N.suffix` (or `N`, for an empty suffix) is in the file, ascending.
  std::vector<int64_t> sequences(const std::string &suffix) const;

  const SafetensorsFile &contents() const { return file; }

private:
  explicit TensorFile(SafetensorsFile file) : file(std::move(file)) {}
  const TensorInfo &need(const std::string &name, const char *dtype) const;

  SafetensorsFile file;
};

} // namespace glm::test
