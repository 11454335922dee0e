// Row-major float32 matrices, and the one product the reference needs.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace glm::test {

struct Matrix {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<float> values; ///< [rows, columns]

  Matrix() = default;
  Matrix(int64_t rows, int64_t columns) : rows(rows), columns(columns), values(rows * columns) {}

  std::span<float> row(int64_t index) { return {values.data() + index * columns, static_cast<size_t>(columns)}; }
  std::span<const float> row(int64_t index) const {
    return {values.data() + index * columns, static_cast<size_t>(columns)};
  }
};

/// Sum of products in double.
double dot(std::span<const float> a, std::span<const float> b);

/// y = W x for every row x of `inputs`: [T, in] and weight [out, in] give [T, out]; each value is rounded once.
Matrix linear(const Matrix &inputs, const Matrix &weight);

/// Call body(i) for i in [0, count), on all cores.
void forEach(int64_t count, const std::function<void(int64_t)> &body);

} // namespace glm::test
