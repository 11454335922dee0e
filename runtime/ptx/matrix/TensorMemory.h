// Tensor memory of one block (tcgen05): 128 lanes of 512 columns of 32 bits.
//
// Source: PTX ISA, "tcgen05: Tensor Memory". An address is lane << 16 | column. Blocks that share a multiprocessor share its
// tensor memory on a chip; here every block has its own, so that what waits for another block to give columns back does not
// wait here.
#pragma once

#include "runtime/ptx/machine/Address.h"

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace glm::ptx {

struct TensorAddress {
  uint32_t lane = 0, column = 0;

  /// The two top bits are the programmer's (CUTLASS keeps a scale's id there).
  static TensorAddress of(uint32_t bits) { return {bits >> 16 & 0x3fff, bits & 0xffff}; }
  std::string describe() const;
};

class TensorMemory {
public:
  static constexpr uint32_t kUnit = 32; ///< columns

  /// `columns` columns side by side, a power of two from 32 to 512: the first one, or nothing if there is no room now.
  std::optional<uint32_t> allocate(uint32_t columns);
  /// Give back exactly what was allocated at `column`; false if that was not so.
  bool release(uint32_t column, uint32_t columns);
  /// Columns that are allocated.
  uint32_t used() const;
  /// The column where the first allocation begins that was not given back.
  std::optional<uint32_t> kept() const;

  bool mayAllocate() const { return !relinquished; }
  void relinquish() { relinquished = true; }

  /// What is wrong with touching `lanes` lanes by `columns` columns from `at` on, as "<rule>, but found <found>".
  std::optional<std::string> check(TensorAddress at, uint32_t lanes, uint32_t columns) const;

  /// Cells; check first. Never null.
  uint32_t *cell(uint32_t lane, uint32_t column) {
    return cells.data() + static_cast<size_t>(lane) * kTensorColumns + column;
  }
  void setKnown(uint32_t lane, uint32_t column, uint32_t columns);
  /// The first of these columns that nobody wrote since it was allocated.
  std::optional<uint32_t> unknown(uint32_t lane, uint32_t column, uint32_t columns) const;

private:
  std::array<uint16_t, kTensorColumns / kUnit> sizes{}; ///< columns of the allocation that begins here; 0: none begins
  std::bitset<kTensorColumns / kUnit> taken;
  bool relinquished = false;
  std::vector<uint32_t> cells;
  std::vector<std::bitset<kTensorColumns>> known; ///< by lane
};

} // namespace glm::ptx
