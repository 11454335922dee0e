// Double precision with any rounding, one value at a time, on integers: what the processor's own rounding mode would
// give, without touching it.
#pragma once

#include "runtime/ptx/number/Format.h"

namespace glm::ptx {

double addDouble(double a, double b, Rounding rounding);
double multiplyDouble(double a, double b, Rounding rounding);
double fusedMultiplyAddDouble(double a, double b, double c, Rounding rounding);
double divideDouble(double a, double b, Rounding rounding);
double squareRootDouble(double a, Rounding rounding);

/// A 64-bit integer as a double or a float.
double doubleOf(uint64_t magnitude, bool negative, Rounding rounding);
float floatOf(uint64_t magnitude, bool negative, Rounding rounding);

} // namespace glm::ptx
