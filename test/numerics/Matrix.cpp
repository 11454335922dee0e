#include "test/numerics/Matrix.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace glm::test {

double dot(std::span<const float> a, std::span<const float> b) {
  // Eight sums, so that the additions need not wait for each other.
  double sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= a.size(); i += 8)
    for (size_t lane = 0; lane < 8; ++lane)
      sums[lane] += static_cast<double>(a[i + lane]) * b[i + lane];
  double total = 0;
  for (; i < a.size(); ++i)
    total += static_cast<double>(a[i]) * b[i];
  for (double sum : sums)
    total += sum;
  return total;
}

Matrix linear(const Matrix &inputs, const Matrix &weight) {
  Matrix outputs(inputs.rows, weight.rows);
  auto column = [&](int64_t out) {
    for (int64_t t = 0; t < inputs.rows; ++t)
      outputs.row(t)[out] = static_cast<float>(dot(inputs.row(t), weight.row(out)));
  };
  // Below this a thread costs more than it saves.
  constexpr int64_t kWorthThreads = 1 << 20;
  if (inputs.rows * weight.rows * weight.columns >= kWorthThreads) {
    forEach(weight.rows, column);
  } else {
    for (int64_t out = 0; out < weight.rows; ++out)
      column(out);
  }
  return outputs;
}

void forEach(int64_t count, const std::function<void(int64_t)> &body) {
  std::atomic<int64_t> next = 0;
  auto work = [&] {
    for (int64_t i = next++; i < count; i = next++)
      body(i);
  };
  std::vector<std::thread> threads;
  int64_t helpers = std::min<int64_t>(count, std::thread::hardware_concurrency());
  for (int64_t i = 1; i < helpers; ++i)
    threads.emplace_back(work);
  work();
  for (std::thread &thread : threads)
    thread.join();
}

} // namespace glm::test
