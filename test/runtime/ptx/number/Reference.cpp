#include "test/runtime/ptx/number/Reference.h"

#include <algorithm>
#include <bit>
#include <cfenv>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

namespace glm::ptx::reference {

double valueOf(const Format &format, uint32_t code) {
  const int bits = format.exponentBits + format.mantissaBits;
  const bool negative = (code >> bits & 1) != 0;
  const uint32_t exponent = code >> format.mantissaBits & ((1u << format.exponentBits) - 1);
  const uint32_t mantissa = code & ((1u << format.mantissaBits) - 1);
  const bool highest = exponent == (1u << format.exponentBits) - 1;
  double value = 0;
  if (highest && format.infinity)
    value = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  else if (highest && format.nan && mantissa == (1u << format.mantissaBits) - 1)
    value = std::numeric_limits<double>::quiet_NaN();
  else if (exponent == 0)
    value = std::ldexp(mantissa, 1 - format.bias - format.mantissaBits);
  else
    value = std::ldexp(mantissa + std::ldexp(1.0, format.mantissaBits),
                       static_cast<int>(exponent) - format.bias - format.mantissaBits);
  return negative ? -value : value;
}

const std::vector<double> &valuesOf(const Format &format) {
  static std::map<std::tuple<int, int>, std::vector<double>> known;
  std::vector<double> &values = known[{format.exponentBits, format.mantissaBits}];
  if (values.empty())
    for (uint32_t code = 0;
         std::isfinite(valueOf(format, code)) && code < 1u << (format.exponentBits + format.mantissaBits); ++code)
      values.push_back(valueOf(format, code));
  return values;
}

uint32_t codeOf(const Format &format, double value, How how) { return codeOf(format, value, 0.0, how); }

uint32_t codeOf(const Format &format, double value, double rest, How how) {
  const std::vector<double> &values = valuesOf(format);
  const auto largest = static_cast<uint32_t>(values.size() - 1);
  const int bits = format.exponentBits + format.mantissaBits;
  if (std::isnan(value))
    return format.nan ? (1u << bits) - 1 : largest;
  const bool negative = std::signbit(value);
  if (how.relu && negative)
    return 0;
  const uint32_t sign = negative ? 1u << bits : 0;
  const double magnitude = std::fabs(value);
  const double beyond = negative ? -rest : rest; // of the magnitude
  const bool saturates = how.satfinite || !format.infinity;
  if (std::isinf(value))
    return sign | (saturates ? largest : largest + 1);

  // The neighbours: below <= exact magnitude < above, the one above the largest value being where the next would lie.
  auto next = std::upper_bound(values.begin(), values.end(), magnitude);
  auto below = static_cast<uint32_t>(next - values.begin() - 1);
  if (values[below] == magnitude && beyond < 0 && below > 0)
    --below;
  if (values[below] == magnitude && beyond == 0)
    return sign | below;
  const double low = values[below];
  const double high = below < largest ? values[below + 1] : low + (low - values[below - 1]);
  const double middle = low + (high - low) / 2;
  bool up = false;
  switch (how.rounding) {
  case Rounding::Nearest:
    up = magnitude > middle || (magnitude == middle && (beyond > 0 || (beyond == 0 && (below & 1) != 0)));
    break;
  case Rounding::NearestAway:
    up = magnitude > middle || (magnitude == middle && beyond >= 0);
    break;
  case Rounding::Down:
    up = negative;
    break;
  case Rounding::Up:
    up = !negative;
    break;
  default:
    break;
  }
  const uint32_t code = below + (up ? 1 : 0);
  return sign | (code > largest && saturates ? largest : code);
}

namespace {

int modeOf(Rounding rounding) {
  switch (rounding) {
  case Rounding::Zero:
    return FE_TOWARDZERO;
  case Rounding::Down:
    return FE_DOWNWARD;
  case Rounding::Up:
    return FE_UPWARD;
  default:
    return FE_TONEAREST;
  }
}

template <typename T>
T runInRounding(Rounding rounding, const std::function<T()> &compute) {
  const int old = std::fegetround();
  std::fesetround(modeOf(rounding));
  const T result = compute();
  std::fesetround(old);
  return result;
}

} // namespace

float singleIn(Rounding rounding, const std::function<float()> &compute) { return runInRounding(rounding, compute); }
double doubleIn(Rounding rounding, const std::function<double()> &compute) { return runInRounding(rounding, compute); }

uint32_t interestingFloat(std::mt19937_64 &random) {
  static constexpr uint32_t kSpecial[] = {0,          0x80000000, 1,          0x80000001, 0x007fffff, 0x00800000,
                                          0x807fffff, 0x80800000, 0x3f800000, 0xbf800000, 0x7f7fffff, 0xff7fffff,
                                          0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001, 0x7fffffff,
                                          0x3f000000, 0x3fc00000, 0x40200000, 0x4f000000, 0xcf000000, 0x5f000000};
  const uint64_t bits = random();
  switch (bits % 4) {
  case 0:
    return kSpecial[bits / 4 % std::size(kSpecial)];
  case 1: // around one, so that sums cancel and halves tie
    return static_cast<uint32_t>((bits >> 8 & 0x80ffffff) + 0x3f000000) &
           ~static_cast<uint32_t>((bits >> 40 & 1) * 0xffff);
  case 2: // few bits, any exponent
    return static_cast<uint32_t>(bits >> 16 & 0xff800000) | static_cast<uint32_t>(bits >> 10 & 0x700000);
  default:
    return static_cast<uint32_t>(bits >> 32);
  }
}

uint64_t interestingDouble(std::mt19937_64 &random) {
  static constexpr uint64_t kSpecial[] = {0,
                                          0x8000000000000000,
                                          1,
                                          0x8000000000000001,
                                          0x000fffffffffffff,
                                          0x0010000000000000,
                                          0x3ff0000000000000,
                                          0xbff0000000000000,
                                          0x7fefffffffffffff,
                                          0xffefffffffffffff,
                                          0x7ff0000000000000,
                                          0xfff0000000000000,
                                          0x7ff8000000000000,
                                          0xfff8000000000123,
                                          0x7ff0000000000001,
                                          0x41dfffffffc00000,
                                          0x43e0000000000000,
                                          0xc3e0000000000000,
                                          0x36a0000000000000, // half of the least subnormal float
                                          0x47efffffefffffff,
                                          0x3fe0000000000000};
  const uint64_t bits = random();
  switch (bits % 4) {
  case 0:
    return kSpecial[bits / 4 % std::size(kSpecial)];
  case 1:
    return ((random() & 0x800fffffffffffff) + 0x3fe0000000000000) & ~((bits >> 8 & 1) * 0x3fffffff);
  case 2: // the range of floats
    return std::bit_cast<uint64_t>(static_cast<double>(std::bit_cast<float>(interestingFloat(random))));
  default:
    return random();
  }
}

uint64_t interestingInteger(std::mt19937_64 &random, int bits) {
  const uint64_t value = random();
  const uint64_t mask = bits == 64 ? ~0ull : (1ull << bits) - 1;
  switch (value % 8) {
  case 0:
    return value >> 8 & 3;
  case 1:
    return (0 - (value >> 8 & 3)) & mask;
  case 2:
    return ((1ull << (bits - 1)) - (value >> 8 & 3)) & mask;
  case 3:
    return ((1ull << (bits - 1)) + (value >> 8 & 3)) & mask;
  case 4:
    return value >> 8 & 0x7f & mask;
  case 5:
    return (random() >> (value >> 8 & 63)) & mask;
  default:
    return random() & mask;
  }
}

float floatOf(uint64_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits)); }
double doubleOf(uint64_t bits) { return std::bit_cast<double>(bits); }
uint64_t bitsOf(float value) { return std::bit_cast<uint32_t>(value); }
uint64_t bitsOf(double value) { return std::bit_cast<uint64_t>(value); }

} // namespace glm::ptx::reference
