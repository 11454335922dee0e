// The paths through a function's instructions.
#pragma once

#include "runtime/ptx/text/Module.h"

#include <cstdint>
#include <vector>

namespace glm::ptx {

/// Registers of one instruction, by index, in any order.
struct RegisterUses {
  std::vector<uint32_t> reads, writes;
  bool late = false; ///< Op::late
};

/// Instructions [first, last) that are entered at the first and left after the last.
struct BasicBlock {
  uint32_t first = 0, last = 0;
  std::vector<uint32_t> successors; ///< blocks; leaving the function is none
};

/// In the order of the text; none for a function without instructions.
std::vector<BasicBlock> findBlocks(const Function &function);

/// A set of small numbers.
using Bits = std::vector<uint64_t>;
inline bool hasBit(const Bits &bits, uint64_t index) { return bits[index / 64] >> index % 64 & 1; }
inline void addBit(Bits &bits, uint64_t index) { bits[index / 64] |= uint64_t(1) << index % 64; }

/// Analyses over more bits than this (blocks times registers) are given up, so that memory stays bounded.
inline constexpr uint64_t kMaxFlowBits = uint64_t(1) << 28;

/// A read within a block that no certain write of the same block precedes. A guarded write is not certain.
struct OpenRead {
  uint32_t block, instruction, reg;
};

std::vector<OpenRead> findOpenReads(const Function &function, const std::vector<BasicBlock> &blocks,
                                    const std::vector<RegisterUses> &uses, uint32_t registers);

/// The registers that are read open somewhere, numbered: only those matter between blocks.
struct Candidates {
  static constexpr uint32_t kNone = UINT32_MAX;

  std::vector<uint32_t> numbers;   ///< by register
  std::vector<uint32_t> registers; ///< by number
  uint64_t words = 0;              ///< of a set of them

  Candidates(const std::vector<OpenRead> &open, uint32_t registers);
  /// Those that a block writes for certain, as a set.
  std::vector<Bits> certainWrites(const Function &function, const std::vector<BasicBlock> &blocks,
                                  const std::vector<RegisterUses> &uses) const;
  bool fits(const std::vector<BasicBlock> &blocks) const { return words * 64 * blocks.size() <= kMaxFlowBits; }
};

} // namespace glm::ptx
