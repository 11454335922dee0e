// The measures themselves, on numbers worked out by hand.
#include "test/numerics/Metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace glm::test {
namespace {

Matrix matrix(int64_t rows, std::vector<float> values) {
  Matrix result(rows, static_cast<int64_t>(values.size()) / rows);
  result.values = std::move(values);
  return result;
}

TEST(Metrics, differenceInUnitsOfTheSpread) {
  // Values -1, 1, 3, 5: mean 2, standard deviation sqrt(5).
  LogitDifference difference = compareLogits(matrix(2, {-1, 1, 3, 5}), matrix(2, {-1, 1, 4, 5}));
  EXPECT_NEAR(difference.relative(), 1 / std::sqrt(5.0), 1e-12);
  EXPECT_EQ(difference.row, 1);
  EXPECT_EQ(difference.column, 0);
  EXPECT_EQ(difference.failure("0.logits", 0.25),
            "0.logits[1, 0]: value must be within 0.559017 (that is 0.25 of the spread 2.2361) of 3, but found 4");
}

TEST(Metrics, divergence) {
  // Probabilities (1/4, 3/4) against (1/2, 1/2), then the same row twice.
  float odds = std::log(3.0f);
  LogitDifference difference = compareLogits(matrix(2, {0, odds, 7, 8}), matrix(2, {2, 2, 7, 8}));
  double expected = 0.25 * std::log(0.5) + 0.75 * std::log(1.5);
  EXPECT_NEAR(difference.maxDivergence, expected, 1e-7);
  EXPECT_NEAR(difference.meanDivergence, expected / 2, 1e-7);
}

TEST(Metrics, sameTop) { EXPECT_EQ(compareLogits(matrix(2, {0, 1, 2, 0}), matrix(2, {3, 1, 2, 0})).sameTop, 0.5); }

TEST(Metrics, notANumberIsInfinitelyFar) {
  LogitDifference difference =
      compareLogits(matrix(1, {0, 1}), matrix(1, {0, std::numeric_limits<float>::quiet_NaN()}));
  EXPECT_TRUE(std::isinf(difference.relative()));
  EXPECT_TRUE(std::isinf(difference.meanDivergence));
}

TEST(Metrics, shapesMustAgree) {
  EXPECT_THROW((void)compareLogits(matrix(1, {0, 1}), matrix(2, {0, 1})), std::runtime_error);
}

TEST(Metrics, setsIgnoreOrderAndFiller) {
  IntMatrix golden{2, 2, {0, 1, 1, 0}}, ours{2, 3, {0, -1, -1, 0, 1, -1}};
  EXPECT_FALSE(differingRow(toSets(golden, true), toSets(ours, false)));
  EXPECT_EQ(differingRow(toSets(golden, true), {{0}, {1}}), "row 1: choice must be [0, 1], but found [1]");
  // Our own entries beyond the row are no filler.
  EXPECT_EQ(differingRow(toSets(golden, true), toSets({2, 2, {0, 1, 1, 0}}, false)),
            "row 0: choice must be [0], but found [0, 1]");
}

} // namespace
} // namespace glm::test
