#include "test/numerics/Metrics.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace glm::test {
namespace {

/// log(sum(exp(row))).
double logSum(std::span<const float> row) {
  double highest = *std::ranges::max_element(row), total = 0;
  for (float value : row)
    total += std::exp(value - highest);
  return highest + std::log(total);
}

double divergence(std::span<const float> reference, std::span<const float> ours) {
  double referenceSum = logSum(reference), ourSum = logSum(ours), total = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    double logProbability = reference[i] - referenceSum;
    total += std::exp(logProbability) * (logProbability - (ours[i] - ourSum));
  }
  return total;
}

double standardDeviation(const std::vector<float> &values) {
  double mean = 0, squares = 0;
  for (float value : values)
    mean += value / static_cast<double>(values.size());
  for (float value : values)
    squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

} // namespace

std::string LogitDifference::summary() const {
  return fmt::format(
      "{:4} rows, max |difference| / spread {:.2e} (row {}, token {}), KL mean {:.3e} max {:.3e}, same top-1 {:.1f}%",
      rows, relative(), row, column, meanDivergence, maxDivergence, 100 * sameTop);
}

std::string LogitDifference::failure(const std::string &name, double bound) const {
  return fmt::format(
      "{}[{}, {}]: value must be within {:g} (that is {:g} of the spread {:.4f}) of {:.9g}, but found {:.9g}", name,
      row, column, bound * spread, bound, spread, expected, found);
}

LogitDifference compareLogits(const Matrix &reference, const Matrix &ours) {
  if (reference.rows != ours.rows || reference.columns != ours.columns || reference.values.empty())
    throw std::runtime_error(fmt::format("logits must be [{}, {}], but found [{}, {}]", reference.rows,
                                         reference.columns, ours.rows, ours.columns));
  LogitDifference result;
  result.rows = reference.rows;
  result.spread = standardDeviation(reference.values);
  for (int64_t row = 0; row < reference.rows; ++row) {
    std::span<const float> expected = reference.row(row), found = ours.row(row);
    for (int64_t column = 0; column < reference.columns; ++column) {
      double difference = std::fabs(static_cast<double>(expected[column]) - found[column]);
      if (!std::isfinite(difference))
        difference = std::numeric_limits<double>::infinity();
      if (difference <= result.largest)
        continue;
      result.largest = difference;
      result.row = row;
      result.column = column;
      result.expected = expected[column];
      result.found = found[column];
    }
    double rowDivergence = divergence(expected, found);
    if (std::isnan(rowDivergence))
      rowDivergence = std::numeric_limits<double>::infinity();
    result.meanDivergence += rowDivergence / static_cast<double>(reference.rows);
    result.maxDivergence = std::max(result.maxDivergence, rowDivergence);
    bool same =
        std::ranges::max_element(expected) - expected.begin() == std::ranges::max_element(found) - found.begin();
    result.sameTop += same ? 1 / static_cast<double>(reference.rows) : 0;
  }
  return result;
}

ChosenRows toSets(const IntMatrix &choices, bool causal) {
  ChosenRows sets;
  for (int64_t row = 0; row < choices.rows; ++row) {
    std::vector<int32_t> set(choices.row(row).begin(), choices.row(row).end());
    std::erase_if(set, [&](int32_t entry) { return entry < 0 || (causal && entry > row); });
    std::sort(set.begin(), set.end());
    sets.push_back(std::move(set));
  }
  return sets;
}

std::optional<std::string> differingRow(const ChosenRows &expected, const ChosenRows &found) {
  if (expected.size() != found.size())
    return fmt::format("choices must have {} rows, but found {}", expected.size(), found.size());
  for (size_t row = 0; row < expected.size(); ++row)
    if (expected[row] != found[row])
      return fmt::format("row {}: choice must be {}, but found {}", row, expected[row], found[row]);
  return std::nullopt;
}

} // namespace glm::test
