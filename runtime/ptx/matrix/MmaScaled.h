// mma.sync with block scaling.
#pragma once

#include "runtime/ptx/isa/Form.h"
#include "runtime/ptx/matrix/Element.h"

namespace glm::ptx {

std::span<const Form> mmaScaledForms();

/// Formats of scale factors: 2^(code - 127), or e4m3 without a sign (the top bit of the byte is ignored).
enum class ScaleFormat : uint8_t { UE8M0, UE4M3 };
double scaleOf(ScaleFormat format, uint8_t code);

/// D += sum over blocks of `perScale` elements of K of (A's block * B's block) * scaleA * scaleB, as every block-scaled
/// instruction of this room does it: the products of a block are added up in float (exact for e2m1), the sum times both
/// scales is rounded once to float, and added to D in float; blocks in ascending order. `a`, `b`, `d` as for multiplyAdd
/// with a "row" of perScale elements, so that kBlocks is the number of scales; scales[row * kBlocks + block].
void multiplyAddScaled(float *d, const float *a, const float *b, const double *scalesA, const double *scalesB,
                       int mBlocks, int nBlocks, int kBlocks, int perScale);

/// Blocks of 8 x perRow, kBlocks to a row block, as blocks of 8 x perScale, k / perScale to a row block.
void splitByScale(const float *blocks, int rowBlocks, int kBlocks, int perRow, int perScale, float *split);

} // namespace glm::ptx
