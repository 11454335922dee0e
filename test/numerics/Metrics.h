// How far two sets of logits, or two lists of choices, are from each other.
#pragma once

#include "test/numerics/Matrix.h"
#include "test/numerics/Reference.h"
#include "test/numerics/TensorFile.h"

#include <optional>
#include <string>

namespace glm::test {

struct LogitDifference {
  int64_t rows = 0;
  double spread = 0;             ///< standard deviation of all reference values
  double largest = 0;            ///< largest |difference|; infinite where one side is not finite
  int64_t row = 0, column = 0;   ///< where it is
  float expected = 0, found = 0; ///< the values there
  double meanDivergence = 0;     ///< KL(softmax(reference) || softmax(ours)), nats a row
  double maxDivergence = 0;
  double sameTop = 0; ///< share of rows whose largest logit is at the same token

  /// The largest difference in units of the spread.
  double relative() const { return largest / spread; }
  /// One line for people.
  std::string summary() const;
  /// Index, both values and the bound; for a failure.
  std::string failure(const std::string &name, double bound) const;
};

/// Both [rows, columns]; throws std::runtime_error if the shapes differ.
LogitDifference compareLogits(const Matrix &reference, const Matrix &ours);

/// Rows as sets: negative entries are filler (ours), and if `causal` so are those beyond the row's own position
/// (transformers').
ChosenRows toSets(const IntMatrix &choices, bool causal);

/// The first row where two lists of sets differ, with both sets; nothing where they agree.
std::optional<std::string> differingRow(const ChosenRows &expected, const ChosenRows &found);

} // namespace glm::test
