#include "frontend/import/InverseFrequencies.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>

using namespace glm;

namespace {

/// The distance of two floats in units of the last place.
int64_t ulps(float left, float right) {
  return std::abs(static_cast<int64_t>(std::bit_cast<int32_t>(left)) -
                  static_cast<int64_t>(std::bit_cast<int32_t>(right)));
}

TEST(InverseFrequencies, followsTheFormula) {
  std::vector<float> values = inverseFrequencies(10000, 12);
  ASSERT_EQ(values.size(), 6u);
  // An exponent rounded to float32 is off by 2^-24 of itself, which the power multiplies by ln 10000 = 9.2; power and quotient
  // are rounded once each.
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_LE(ulps(values[i], static_cast<float>(1 / std::pow(10000.0, 2.0 * i / 12))), 12) << "at " << i;
}

TEST(InverseFrequencies, hasCudasBitsForThePublishedModel) {
  std::vector<float> values = inverseFrequencies(8e6, 64);
  ASSERT_EQ(values.size(), 32u);
  // Exponents i / 32 are exact here: only the power and the quotient are rounded.
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_LE(ulps(values[i], static_cast<float>(1 / std::pow(8e6, 2.0 * i / 64))), 3) << "at " << i;
  // The last bit at i = 6 and 17 is where CUDA's pow and a rounded double one part, in opposite directions.
  EXPECT_EQ(std::bit_cast<uint32_t>(values[6]), 0x3d4ffbfbu);
  EXPECT_EQ(std::bit_cast<uint32_t>(values[17]), 0x396198d7u);
}

TEST(InverseFrequencies, computesOtherWidthsOfTheSameTheta) { EXPECT_EQ(inverseFrequencies(8e6, 32).size(), 16u); }

} // namespace
