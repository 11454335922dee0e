// Which of the two accumulations of CoreMatrix.h a product of floats takes.
#pragma once

#include "runtime/ptx/machine/Warp.h"
#include "runtime/ptx/matrix/CoreMatrix.h"

namespace glm::ptx {

/// The least exponent of a multiplicand for which an H100's sums were measured, or 0.
constexpr int measuredLeastExponent(Element element) {
  switch (element) {
  case Element::F16:
    return -14;
  case Element::BF16:
  case Element::TF32:
    return -126;
  default:
    return 0;
  }
}

/// D += A * B of one instruction, as Options::alignedSums says; all of its k are in A and B.
inline void accumulate(const Grid &grid, Element element, float *d, const float *a, const float *b, int mBlocks,
                       int nBlocks, int kBlocks, int perRow) {
  int least = measuredLeastExponent(element);
  if (least && grid.options->alignedSums)
    multiplyAddAligned(d, a, b, mBlocks, nBlocks, kBlocks, perRow, least);
  else
    multiplyAdd(d, a, b, mBlocks, nBlocks, kBlocks, perRow);
}

} // namespace glm::ptx
