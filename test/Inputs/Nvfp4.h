// NVFP4 values: E2M1 codes, two to a byte, an E4M3 scale for every 16 of a row, one float32 scale for the matrix.
//   w[o, i] = E2M1[code(o, i)] * (E4M3[scale(o, i / 16)] * global)       low nibble = even i
#pragma once

#include <cstdint>

namespace glm::test {

inline constexpr int64_t kBlock = 16;

/// 0 0.5 1 1.5 2 3 4 6, negative from code 8 on.
float decodeE2m1(uint8_t code);
/// Nearest, ties to the even code, saturating at 6; the sign bit is `value < 0`.
uint8_t encodeE2m1(float value);

/// OCP E4M3 without infinities: bias 7, 0x7F and 0xFF are NaN.
float decodeE4m3(uint8_t byte);
/// Nearest, ties to even, saturating at 448.
uint8_t encodeE4m3(float value);

/// What a zero block's scale becomes.
enum class ZeroBlock {
  One,   ///< ModelOpt: 1.0
  Eighth ///< compressed-tensors: 0.125
};

/// The max rule for one row of `columns` values (a multiple of 16):
/// scale = E4M3(clamp(max |block| / (6 * global), 2^-9, 448)), code = E2M1(w / (scale * global)).
/// codes [columns / 2], scales [columns / 16].
void quantizeRow(const float *values, int64_t columns, float global, ZeroBlock zero, uint8_t *codes, uint8_t *scales);

/// The global scale of a matrix whose largest magnitude is `amax`; 1 for a matrix of zeros.
float globalScale(float amax);

} // namespace glm::test
