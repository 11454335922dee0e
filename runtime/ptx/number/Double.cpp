#include "runtime/ptx/number/Double.h"

#include <bit>
#include <cmath>

namespace glm::ptx {
namespace {

// Wide enough for a product (106 bits) beside an addend that is shifted until no bit of either touches the other.
using Wide = unsigned _BitInt(256);

/// (-1)^negative * magnitude * 2^exponent; `sticky` adds something less than one unit to the magnitude.
struct Number {
  bool negative = false;
  Wide magnitude = 0;
  int exponent = 0;
  bool sticky = false;
};

int lengthOf(Wide value) {
  int length = 0;
  for (int part = 3; part >= 0; --part) {
    const uint64_t word = static_cast<uint64_t>(value >> (64 * part));
    if (word != 0) {
      length = 64 * part + std::bit_width(word);
      break;
    }
  }
  return length;
}

Number numberOf(double value) {
  const uint64_t bits = std::bit_cast<uint64_t>(value);
  const int field = static_cast<int>(bits >> 52 & 0x7ff);
  const uint64_t fraction = bits & 0xfffffffffffffu;
  return {(bits >> 63) != 0, field == 0 ? fraction : fraction | 1ull << 52, (field == 0 ? 1 : field) - 1075, false};
}

/// To `mantissaBits` stored bits, the least exponent of a unit in the last place being `least`; returns the code.
uint64_t roundNumber(const Number &number, Rounding rounding, int mantissaBits, int exponentBits) {
  const int bias = (1 << (exponentBits - 1)) - 1;
  const int least = 1 - bias - mantissaBits;
  const uint64_t sign = static_cast<uint64_t>(number.negative) << (mantissaBits + exponentBits);
  if (number.magnitude == 0 && !number.sticky)
    return sign;

  // The unit in the last place of the result, and what lies below it.
  const int length = lengthOf(number.magnitude);
  int unit = number.exponent + length - (mantissaBits + 1);
  if (unit < least)
    unit = least;
  const int shift = unit - number.exponent;
  uint64_t kept = 0;
  int compared = -1; // the dropped part against half a unit: -1, 0, 1
  bool dropped = number.sticky;
  if (shift <= 0) {
    kept = static_cast<uint64_t>(number.magnitude << -shift);
  } else if (shift > length) {
    dropped = true;
  } else {
    kept = static_cast<uint64_t>(number.magnitude >> shift);
    const Wide rest = number.magnitude - (static_cast<Wide>(kept) << shift);
    const Wide half = static_cast<Wide>(1) << (shift - 1);
    dropped = dropped || rest != 0;
    compared = rest > half || (rest == half && number.sticky) ? 1 : rest == half ? 0 : -1;
  }

  bool up = false;
  switch (rounding) {
  case Rounding::Nearest:
    up = compared > 0 || (compared == 0 && (kept & 1) != 0);
    break;
  case Rounding::NearestAway:
    up = compared >= 0;
    break;
  case Rounding::Down:
    up = dropped && number.negative;
    break;
  case Rounding::Up:
    up = dropped && !number.negative;
    break;
  default:
    break;
  }
  kept += up;
  // The leading bit of a normal value adds one to the exponent field, and so does a carry out of the mantissa.
  const auto field = static_cast<uint64_t>(unit - least);
  const uint64_t code = (field << mantissaBits) + kept;
  const uint64_t highest = (1ull << exponentBits) - 1;
  const uint64_t infinity = highest << mantissaBits;
  const bool overflow = field + 1 >= highest || code >= infinity;
  if (!overflow)
    return sign | code;
  const bool toInfinity = rounding == Rounding::Nearest || rounding == Rounding::NearestAway ||
                          (rounding == Rounding::Up && !number.negative) ||
                          (rounding == Rounding::Down && number.negative);
  return sign | (toInfinity ? infinity : infinity - 1);
}

double toDouble(const Number &number, Rounding rounding) {
  return std::bit_cast<double>(roundNumber(number, rounding, 52, 11));
}

/// a + b, both not zero.
Number addNumbers(Number a, Number b) {
  if (a.exponent < b.exponent) {
    const Number swapped = a;
    a = b;
    b = swapped;
  }
  // a is moved up to b's exponent; where that does not fit, b is far below a's last bit and only its being there counts.
  constexpr int kMost = 140;
  if (a.exponent - b.exponent > kMost) {
    // Two zero bits below a, so that subtracting the sticky rest keeps the result on the right side.
    const bool differ = a.negative != b.negative;
    a.magnitude = (a.magnitude << 2) - (differ ? 1 : 0);
    a.exponent -= 2;
    a.sticky = true;
    return a;
  }
  a.magnitude <<= a.exponent - b.exponent;
  a.exponent = b.exponent;
  if (a.negative == b.negative) {
    a.magnitude += b.magnitude;
    return a;
  }
  if (a.magnitude >= b.magnitude) {
    a.magnitude -= b.magnitude;
    return a;
  }
  b.magnitude -= a.magnitude;
  return b;
}

bool isOrdinary(double value) { return std::isfinite(value) && value != 0; }

} // namespace

double fusedMultiplyAddDouble(double a, double b, double c, Rounding rounding) {
  // Infinities, NaN and exact zeros do not depend on the rounding, but for the sign of a sum that is exactly zero.
  if (!std::isfinite(a) || !std::isfinite(b) || !std::isfinite(c))
    return std::fma(a, b, c);
  const bool zeroProduct = a == 0 || b == 0;
  if (zeroProduct && c != 0)
    return c;
  Number product = numberOf(a);
  const Number factor = numberOf(b);
  product.negative ^= factor.negative;
  product.magnitude *= factor.magnitude;
  product.exponent += factor.exponent;
  const Number addend = numberOf(c);
  if (c == 0) {
    if (!zeroProduct)
      return toDouble(product, rounding);
    return product.negative == addend.negative ? c : rounding == Rounding::Down ? -0.0 : 0.0;
  }
  Number sum = addNumbers(product, addend);
  if (sum.magnitude == 0 && !sum.sticky)
    sum.negative = rounding == Rounding::Down;
  return toDouble(sum, rounding);
}

double addDouble(double a, double b, Rounding rounding) { return fusedMultiplyAddDouble(a, 1.0, b, rounding); }

double multiplyDouble(double a, double b, Rounding rounding) {
  if (!isOrdinary(a) || !isOrdinary(b))
    return a * b;
  return fusedMultiplyAddDouble(a, b, std::signbit(a) == std::signbit(b) ? 0.0 : -0.0, rounding);
}

double divideDouble(double a, double b, Rounding rounding) {
  if (!isOrdinary(a) || !isOrdinary(b))
    return a / b;
  const Number dividend = numberOf(a);
  const Number divisor = numberOf(b);
  // At least 128 - 53 bits of quotient, more than the 54 that decide.
  constexpr int kScale = 128;
  const Wide scaled = dividend.magnitude << kScale;
  Number quotient{dividend.negative != divisor.negative, scaled / divisor.magnitude,
                  dividend.exponent - divisor.exponent - kScale, false};
  quotient.sticky = quotient.magnitude * divisor.magnitude != scaled;
  return toDouble(quotient, rounding);
}

double squareRootDouble(double a, Rounding rounding) {
  if (!isOrdinary(a) || a < 0)
    return std::sqrt(a);
  Number value = numberOf(a);
  // An even exponent, and 120 more bits: 60 more bits of root.
  constexpr int kScale = 120;
  if (value.exponent % 2 != 0) {
    value.magnitude <<= 1;
    --value.exponent;
  }
  const Wide scaled = value.magnitude << kScale;
  // Bit by bit, from the highest that can be set in the root of less than 176 bits.
  Wide root = 0;
  for (int bit = 88; bit >= 0; --bit) {
    const Wide trial = root | static_cast<Wide>(1) << bit;
    if (trial * trial <= scaled)
      root = trial;
  }
  return toDouble({false, root, (value.exponent - kScale) / 2, root * root != scaled}, rounding);
}

double doubleOf(uint64_t magnitude, bool negative, Rounding rounding) {
  return magnitude == 0 ? 0.0 : toDouble({negative, magnitude, 0, false}, rounding);
}

float floatOf(uint64_t magnitude, bool negative, Rounding rounding) {
  if (magnitude == 0)
    return 0.0f;
  return std::bit_cast<float>(static_cast<uint32_t>(roundNumber({negative, magnitude, 0, false}, rounding, 23, 8)));
}

} // namespace glm::ptx
