// How lanes share a chunk of long packed rows (TensorProduct.h): whole sectors, and scales by the word.
//
//     k ->       0 ..              128 ..            256 ..            384 .. 511
//     codes   [ q0 | q1 | q2 | q3 ][ q0 | q1 | q2 | q3 ][ q0 | ...        16 bytes a lane: two blocks
//     scales  [       q0          ][       q1          ][  q2  ][  q3  ]  8 bytes a lane: eight blocks
//
// A lane has the scales of all of one unit of 128 codes and wants those of its two blocks of each: a transposition within the quad.
#pragma once

#include <cstdint>

namespace glm {

struct WideChunk {
  static constexpr int64_t kQuads = 4; ///< lanes that share a row
  static constexpr int64_t kUnits = 4;
  static constexpr int64_t kUnitColumns = 128;
  static constexpr int64_t kColumns = kUnits * kUnitColumns;
  static constexpr int64_t kBlock = 16; ///< codes that have one scale

  /// Whether rows of `columns` are made of whole units, and long enough that lanes without one do not matter.
  static constexpr bool fits(int64_t columns) { return columns % kUnitColumns == 0 && columns >= kColumns; }
};

} // namespace glm
