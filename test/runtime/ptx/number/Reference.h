// What formats and roundings mean, written for tests: values by ldexp, rounding by looking for the neighbours of a value
// among all values of a format, wide formats by the processor's own rounding mode. Shares nothing with the code under test.
#pragma once

#include "runtime/ptx/number/Format.h"

#include <cstdint>
#include <functional>
#include <random>
#include <vector>

namespace glm::ptx::reference {

/// Fields of a format, told again here on purpose.
struct Format {
  int exponentBits, mantissaBits, bias;
  bool infinity, nan;
};
inline constexpr Format kHalf{5, 10, 15, true, true}, kBrain{8, 7, 127, true, true}, kTensor{8, 10, 127, true, true},
    kFourThree{4, 3, 7, false, true}, kFiveTwo{5, 2, 15, true, true}, kThreeTwo{3, 2, 3, false, false},
    kTwoThree{2, 3, 1, false, false}, kTwoOne{2, 1, 1, false, false};

/// The value of a code, sign included; NaN where the format has one.
double valueOf(const Format &format, uint32_t code);

/// All values >= 0 that are finite, ascending: index is the code.
const std::vector<double> &valuesOf(const Format &format);

struct How {
  Rounding rounding = Rounding::Nearest;
  bool satfinite = false, relu = false;
};

/// `value` rounded into the format, as PTX defines cvt.
uint32_t codeOf(const Format &format, double value, How how = {});

/// The same of an exact value that is `value` plus something of the sign of `rest` that is too small to be seen.
uint32_t codeOf(const Format &format, double value, double rest, How how);

/// `compute` in the processor's rounding mode for `rounding`.
float singleIn(Rounding rounding, const std::function<float()> &compute);
double doubleIn(Rounding rounding, const std::function<double()> &compute);

/// Bits of floats that matter: zeros, subnormals, limits, infinities, NaN, and random ones of every size.
uint32_t interestingFloat(std::mt19937_64 &random);
uint64_t interestingDouble(std::mt19937_64 &random);
uint64_t interestingInteger(std::mt19937_64 &random, int bits);

float floatOf(uint64_t bits);
double doubleOf(uint64_t bits);
uint64_t bitsOf(float value);
uint64_t bitsOf(double value);

} // namespace glm::ptx::reference
