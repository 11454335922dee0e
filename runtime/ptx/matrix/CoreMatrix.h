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

#include "runtime/ptx/text/Type.h"

#include <cstddef>
#include <cstdint>

namespace glm::ptx {

/// Rows of a core matrix, and columns of the accumulator that one such block of B stands for.
inline constexpr int kCoreRows = 8;
inline constexpr size_t kCoreBytes = 128;

/// How the elements of an operand lie in the bytes of a core matrix.
enum class Element : uint8_t {
  F16,
  BF16,
  TF32, ///< 32 bits; the low 13 are ignored
  E4M3,
  E5M2,
  E3M2, ///< low 6 bits of a byte
  E2M3, ///< low 6 bits of a byte
  E2M1, ///< bits 2 to 5 of a byte
  E2M1Packed, ///< two per byte, the low nibble first
  S8,
  U8,
  S4, ///< two per byte, the low nibble first
  U4,
  B1,
  F64,
};

/// Bits that one element takes within its core matrix.
uint32_t storageBits(Element element);
/// Elements in a row of a core matrix.
inline uint32_t elementsPerRow(Element element) { return element == Element::F64 ? 4 : 128 / storageBits(element); }

/// The element that a type word names in an instruction without sub-byte containers: F16 ... S4.
Element elementOf(Type type);

/// Values of `count` elements that lie one after the other. Exact.
using DecodeFloats = void (*)(const std::byte *source, size_t count, float *values);
using DecodeInts = void (*)(const std::byte *source, size_t count, int32_t *values);
DecodeFloats floatDecoder(Element element); ///< F16 to E2M1Packed
DecodeInts intDecoder(Element element);     ///< S8 to U4

/// D += A * B on decoded blocks: `a` as above, `b` with every block transposed (element (k, n) at k * 8 + n within its
/// block), `d` in blocks of 8 x 8 (block (m, n) is number m * nBlocks + n). `perRow` is e, a multiple of 4.
///
/// Floats: each element of D is fma(a, b, d) over ascending k: products are exact, every addition rounds to nearest even
/// in the accumulator's format. Integers wrap.
void multiplyAdd(float *d, const float *a, const float *b, int mBlocks, int nBlocks, int kBlocks, int perRow);
void multiplyAdd(double *d, const double *a, const double *b, int mBlocks, int nBlocks, int kBlocks, int perRow);
void multiplyAdd(int32_t *d, const int32_t *a, const int32_t *b, int mBlocks, int nBlocks, int kBlocks, int perRow);

/// Transpose `blocks` blocks of 8 x perRow, as multiplyAdd wants B.
void transposeBlocks(float *to, const float *from, size_t blocks, int perRow);
void transposeBlocks(double *to, const double *from, size_t blocks, int perRow);
void transposeBlocks(int32_t *to, const int32_t *from, size_t blocks, int perRow);

/// What the hardware gives for any NaN of a float accumulator: 0x7fffffff. (CUDA C++ Programming Guide, "Floating-Point
/// Standard"; without it payloads would depend on the host.)
void canonicalizeNans(float *values, size_t count);

} // namespace glm::ptx
