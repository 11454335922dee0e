// Operands of wgmma and tcgen05 in shared memory: descriptors, and where the elements lie.
//
// Source: PTX ISA, "Asynchronous Warpgroup Level Matrix Shared Memory Layout" and "tcgen05: Shared memory descriptor",
// with the strides as CUTLASS states them (make_gmma_desc, make_umma_desc), in chunks of 16 bytes, W chunks to a swizzled
// row (1 without a swizzle, 2, 4 or 8):
//
//   k-major   row r, chunk c of k:  (r % 8) * W + c + (r / 8) * stride; without a swizzle c * leading instead of c
//   mn-major  chunk j of m or n, line k:  swizzled  j % W + (j / W) * leading + (k % 8) * W + (k / 8) * stride
//                                         without   j * stride + k % 8 + (k / 8) * leading
//
// A swizzle then exchanges chunks within their row: bits 4 to 6 of the address are combined by exclusive or with bits 7 to 9
// (128 bytes), 4 and 5 with 7 and 8 (64 bytes), 4 with 7 (32 bytes), or in chunks of 32 bytes 5 and 6 with 7 and 8.
#pragma once

#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/matrix/CoreMatrix.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace glm::ptx {

enum class MatrixSwizzle : uint8_t { None, Bytes32, Bytes64, Bytes128, Bytes128In32 };

/// A shared-memory matrix descriptor, decoded. All in bytes.
struct SharedMatrix {
  uint32_t start = 0;   ///< within the block's shared memory
  uint32_t leading = 0; ///< leading dimension byte offset
  uint32_t stride = 0;  ///< stride dimension byte offset
  MatrixSwizzle swizzle = MatrixSwizzle::None;
  uint32_t baseOffset = 0; ///< bits 7 to 9 of the address where the swizzle's pattern starts

  uint32_t chunksPerRow() const;
  /// The address of chunk `chunk` (16 bytes along k) of row `row`.
  uint32_t kMajor(uint32_t row, uint32_t chunk) const;
  /// The address of chunk `chunk` (16 bytes along m or n) of line `k`.
  uint32_t mnMajor(uint32_t chunk, uint32_t k) const;

private:
  uint32_t swizzled(uint32_t offset) const;
};

/// Fields that must be zero or fixed are checked: the rule that is broken, as "<subject> <rule>, but found <value>".
std::optional<std::string> decodeWgmmaDescriptor(uint64_t bits, SharedMatrix &matrix);
std::optional<std::string> decodeTcgen05Descriptor(uint64_t bits, SharedMatrix &matrix);

/// A rectangle of an operand: rows (of A, or columns of B), and k blocks of one core matrix width.
struct OperandTile {
  uint32_t firstRow = 0, rowBlocks = 0;
  uint32_t kBlocks = 2; ///< 16 bytes each
  bool isMnMajor = false;
  uint32_t elementBits = 16; ///< mn-major: 8, 16 or 32
};

/// What a tile touches, neighbours joined.
std::vector<SharedRange> rangesOf(const SharedMatrix &matrix, const OperandTile &tile);

/// The tile's core matrices: block (r, k) at (r * kBlocks + k) * 128 bytes, its rows of 16 bytes one after the other, k along
/// them. `shared` is the block's memory, `bytes` long; false if the tile leaves it.
bool gatherBlocks(const SharedMatrix &matrix, const OperandTile &tile, const std::byte *shared, size_t bytes,
                  std::byte *blocks);

} // namespace glm::ptx
