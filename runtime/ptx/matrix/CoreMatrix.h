// Matrices as grids of core matrices, and their products: what every matrix instruction of this room computes with.
//
// A core matrix is 8 rows of 16 bytes (PTX ISA, "Matrix Shared Memory Layout": 8 x 128 bits; 8 x 32 bytes for .f64). A
// 32-bit register of a warp-level fragment is one: lane 4 * row + t holds bytes 4t to 4t + 3 of its row, so a register's
// 128 bytes are its rows one after the other (PTX ISA, the figures "mma.m16n8k16 fragment layout", "m16n8k32", "m16n8k64",
// "m16n8k256" and so on are all this one rule). ldmatrix loads them, shared-memory descriptors point to them.
//
// A (m x k) is a grid of mBlocks x kBlocks core matrices, B as its transpose (n x k), row blocks outermost: block
// (r, k) is number r * kBlocks + k. A block holds 8 x e elements, e = 16 bytes / element width.
#pragma once

#include "runtime/ptx/matrix/CoreLanes.h"

#include <cstddef>
#include <cstdint>

namespace glm::ptx {

/// Rows of a core matrix, and columns of the accumulator that one such block of B stands for.
inline constexpr int kCoreRows = 8;
inline constexpr size_t kCoreBytes = 128;

/// The loops for this machine.
const CoreLanes &coreLanes();

using DecodeInts = void (*)(const std::byte *source, size_t count, int32_t *values);
inline DecodeFloats floatDecoder(Element element) { return coreLanes().decode[static_cast<size_t>(element)]; }
DecodeInts intDecoder(Element element); ///< null for those that are no integers

/// D += A * B on decoded blocks: `a` as above, `b` with every block transposed (element (k, n) at k * 8 + n within its
/// block), `d` in blocks of 8 x 8 (block (m, n) is number m * nBlocks + n). `perRow` is e, a multiple of 4.
///
/// Floats: each element of D is fma(a, b, d) over ascending k: products are exact, every addition rounds to nearest even
/// in the accumulator's format. Integers wrap.
inline void multiplyAdd(float *d, const float *a, const float *b, int mBlocks, int nBlocks, int kBlocks, int perRow) {
  coreLanes().multiplyFloats(d, a, b, mBlocks, nBlocks, kBlocks, perRow);
}
inline void multiplyAdd(double *d, const double *a, const double *b, int mBlocks, int nBlocks, int kBlocks,
                        int perRow) {
  coreLanes().multiplyDoubles(d, a, b, mBlocks, nBlocks, kBlocks, perRow);
}
inline void multiplyAdd(int32_t *d, const int32_t *a, const int32_t *b, int mBlocks, int nBlocks, int kBlocks,
                        int perRow) {
  coreLanes().multiplyInts(d, a, b, mBlocks, nBlocks, kBlocks, perRow);
}

/// The same for floats as an H100 accumulates them: each element of D is one sum of its products and the accumulator, cut
/// towards zero to multiples of 2^-25 of the largest of their exponents (the product's is the sum of its factors', the least
/// that their format has is `leastExponent`), added exactly, and cut to a float. Infinities and NaN: as above.
inline void multiplyAddAligned(float *d, const float *a, const float *b, int mBlocks, int nBlocks, int kBlocks,
                               int perRow, int leastExponent) {
  coreLanes().multiplyAligned(d, a, b, mBlocks, nBlocks, kBlocks, perRow, leastExponent);
}

/// Transpose `blocks` blocks of 8 x perRow, as multiplyAdd wants B.
inline void transposeBlocks(float *to, const float *from, size_t blocks, int perRow) {
  coreLanes().transposeFloats(to, from, blocks, perRow);
}
template <typename T>
void transposeBlocks(T *to, const T *from, size_t blocks, int perRow) {
  for (size_t block = 0; block < blocks; ++block, to += kCoreRows * perRow, from += kCoreRows * perRow)
    for (int k = 0; k < perRow; ++k)
      for (int row = 0; row < kCoreRows; ++row)
        to[k * kCoreRows + row] = from[row * perRow + k];
}

} // namespace glm::ptx
