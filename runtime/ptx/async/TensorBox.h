// The rows of a box: where each lies in global and in shared memory, and how its elements are laid out on both sides.
// Pure functions; TensorForms.cpp runs them against memory.
//
// Source: PTX ISA, "Tensors": "Tiled Mode", "tiled::scatter4 and tiled::gather4 modes", "Traversal-Strides",
// "Out of Boundary Access", "Sub-byte Types", "Interleave layout", "Swizzling Modes".
#pragma once

#include "runtime/ptx/async/TensorMap.h"

#include <algorithm>

namespace glm::ptx {

/// Which rows a copy takes: those of the box, or four of a matrix that are named one by one.
enum class BoxMode : uint8_t { Tile, Rows4 };

/// Where the copy starts: {c0, ... of the map's rank} or, with Rows4, {c0, row0, row1, row2, row3}.
using BoxCoordinates = std::array<int32_t, kMaxTensorRank>;

struct BoxRow {
  uint64_t address = 0;         ///< of element `first` in global memory
  uint32_t first = 0, last = 0; ///< elements of the row [first, last) that lie within the tensor; none: first == last
  uint32_t shared = 0;          ///< bytes from the box's start in shared memory, before swizzling
};

/// Rows of a copy: product of the counts of the outer dimensions, or four.
uint32_t rowCount(const TensorMap &map, BoxMode mode);

/// Bytes that a copy adds to a transaction count: those of all its elements as they lie in global memory, whether they
/// are within the tensor or filled. (CUTLASS counts the padded types so: sizeof_bits of float_e2m1_unpacksmem_t is 4.)
uint64_t transactionBytes(const TensorMap &map, BoxMode mode);

/// Bytes of a box in shared memory, from one multiple of its pitch to another.
uint64_t sharedBytes(const TensorMap &map, BoxMode mode);

enum class BoxDirection : uint8_t { Load, Store }; ///< reductions store

/// What a copy asks beyond the map itself: dimensions, and where it may start. Along the innermost dimension that is a multiple
/// of 16 bytes, and a store may start before the tensor in none: an H100 answers with CUDA_ERROR_ILLEGAL_INSTRUCTION, of which the PTX
/// ISA says nothing and the CUDA C++ Programming Guide only the second. An error is "<rule>, but <found>".
Result<void> checkBox(const TensorMap &map, BoxMode mode, BoxDirection direction, uint32_t rank,
                      const BoxCoordinates &coordinates);

/// Row `index` of a copy, counted from 0 with the innermost outer dimension first.
BoxRow boxRow(const TensorMap &map, BoxMode mode, const BoxCoordinates &coordinates, uint32_t index);

/// What a store writes of a row: it ends with a whole 16 bytes, beyond the tensor if its rows do not, as on an H100.
BoxRow storedRow(const TensorMap &map, BoxRow row);

/// Bytes that elements [row.first, row.last) take in global memory.
inline uint64_t globalBytes(const TensorMap &map, const BoxRow &row) {
  return uint64_t{row.last - row.first} * bitsOf(map.type) / 8;
}

/// The sharedRowBytes() bytes of a row as they lie in shared memory, before swizzling: what is within the tensor from
/// `global` (the bytes at row.address), the rest filled; packed elements spread, floats flushed or rounded as the type says.
/// Gaps are zero.
void expandRow(const TensorMap &map, const BoxRow &row, const std::byte *global, std::byte *expanded);

/// The other way: elements [row.first, row.last) as they lie in global memory.
void compressRow(const TensorMap &map, const BoxRow &row, const std::byte *expanded, std::byte *global);

/// Calls `move(sharedAddress, rowOffset, bytes)` for each piece of a row that starts at `address` before swizzling.
template <typename Move>
void forEachPiece(Swizzle swizzle, uint32_t address, uint32_t rowBytes, Move move) {
  if (swizzle == Swizzle::None) {
    move(address, 0u, rowBytes);
    return;
  }
  uint32_t piece = swizzlePiece(swizzle);
  for (uint32_t offset = 0; offset < rowBytes; offset += piece)
    move(swizzledAddress(swizzle, address + offset), offset, piece);
}

} // namespace glm::ptx
