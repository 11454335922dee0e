#include "test/Inputs/Nvfp4.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace glm::test {

float decodeE2m1(uint8_t code) {
  static constexpr float magnitudes[8] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
  return code & 8 ? -magnitudes[code & 7] : magnitudes[code & 7];
}

uint8_t encodeE2m1(float value) {
  float magnitude = std::fabs(value);
  // Midpoints between neighbours; `<=` where the lower code is the even one.
  uint8_t code = magnitude <= 0.25f   ? 0
                 : magnitude < 0.75f  ? 1
                 : magnitude <= 1.25f ? 2
                 : magnitude < 1.75f  ? 3
                 : magnitude <= 2.5f  ? 4
                 : magnitude < 3.5f   ? 5
                 : magnitude <= 5     ? 6
                                      : 7;
  return value < 0 ? code | 8 : code;
}

float decodeE4m3(uint8_t byte) {
  int exponent = byte >> 3 & 15, mantissa = byte & 7;
  if ((byte & 0x7F) == 0x7F)
    return std::nanf("");
  float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -9)
                                  : std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
  return byte & 0x80 ? -magnitude : magnitude;
}

uint8_t encodeE4m3(float value) {
  uint8_t sign = std::signbit(value) ? 0x80 : 0;
  float magnitude = std::min(std::fabs(value), 448.0f);
  if (magnitude < 0x1p-6f)
    // Subnormal: multiples of 2^-9. Rounding up to 8 of them is the byte of the smallest normal number.
    return sign | static_cast<uint8_t>(std::nearbyint(magnitude * 512));
  int exponent;
  float fraction = std::frexp(magnitude, &exponent);             // [0.5, 1)
  int rounded = static_cast<int>(std::nearbyint(fraction * 16)); // 8 .. 16; 16 carries into the exponent by itself
  return sign | static_cast<uint8_t>(((exponent + 6) << 3) + rounded - 8);
}

void quantizeRow(const float *values, int64_t columns, float global, ZeroBlock zero, uint8_t *codes, uint8_t *scales) {
  for (int64_t block = 0; block < columns / kBlock; ++block) {
    const float *from = values + block * kBlock;
    float amax = 0;
    for (int64_t i = 0; i < kBlock; ++i)
      amax = std::max(amax, std::fabs(from[i]));
    float wanted = amax / (6 * global);
    if (wanted == 0)
      wanted = zero == ZeroBlock::One ? 1 : 0.125f;
    scales[block] = encodeE4m3(std::clamp(wanted, 0x1p-9f, 448.0f));
    float scale = decodeE4m3(scales[block]) * global;
    for (int64_t i = 0; i < kBlock; i += 2)
      codes[(block * kBlock + i) / 2] =
          static_cast<uint8_t>(encodeE2m1(from[i] / scale) | encodeE2m1(from[i + 1] / scale) << 4);
  }
}

float globalScale(float amax) { return amax > 0 ? amax / 2688 : 1; }

} // namespace glm::test
