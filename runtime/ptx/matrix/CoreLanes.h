// The inner loops of this room, compiled for every feature set (number/Vector.h); all give the same results.
#pragma once

#include "runtime/ptx/matrix/Element.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace glm::ptx {

/// Values of `count` elements that lie one after the other; `count` is a multiple of 32. Exact.
using DecodeFloats = void (*)(const std::byte *source, size_t count, float *values);

struct CoreLanes {
  std::array<DecodeFloats, kElements> decode; ///< by Element; null for those that are no floats
  void (*multiplyFloats)(float *d, const float *a, const float *b, int mBlocks, int nBlocks, int kBlocks, int perRow);
  void (*multiplyAligned)(float *d, const float *a, const float *b, int mBlocks, int nBlocks, int kBlocks, int perRow,
                          int leastExponent);
  void (*multiplyDoubles)(double *d, const double *a, const double *b, int mBlocks, int nBlocks, int kBlocks,
                          int perRow);
  void (*multiplyInts)(int32_t *d, const int32_t *a, const int32_t *b, int mBlocks, int nBlocks, int kBlocks,
                       int perRow);
  void (*transposeFloats)(float *to, const float *from, size_t blocks, int perRow);
  void (*canonicalizeNans)(float *values, size_t count);
  void (*roundToHalves)(const float *values, size_t count, std::byte *halves); ///< `count` a multiple of 8
};

extern const CoreLanes kCoreLanesBaseline, kCoreLanesAvx2, kCoreLanesAvx512;

} // namespace glm::ptx
