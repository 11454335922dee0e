// What the files of Cases.h share.
#pragma once

#include "test/codegen/harness/Cases.h"

namespace glm::test {

/// Bounds of a number that was summed in float32 and stored as `element`. bf16 has 8 bits of mantissa: half a unit is 2^-9 of the
/// value, and a sum that is off by its last bits can fall to the other side of a tie, hence 2^-8. The float32 sums here have at most a few
/// hundred terms around 1, each rounded to 2^-24.
Expected near(size_t operand, std::vector<double> values, const std::string &element);

/// `rows` live rows of `width` from a function of row and column, the others of `total` rows untouched.
std::vector<double> liveRows(int64_t rows, int64_t total, int64_t width,
                             const std::function<double(int64_t, int64_t)> &value);

double siluOf(double x);

/// Slots, positions and a page table of sequences whose pages lie in random order; (slot, position) pairs are distinct.
struct Paging {
  Paging(Random &random, int64_t rows, int64_t sequences, int64_t positions, int64_t pageSize);
  int64_t cacheRow(int64_t slot, int64_t position) const {
    return table[slot * pagesPerSequence + position / pageSize] * pageSize + position % pageSize;
  }
  Operand slotsOperand() const;
  Operand positionsOperand() const;
  Operand pagesOperand() const;
  int64_t cacheRows() const { return static_cast<int64_t>(table.size()) * pageSize; }

  int64_t sequences, pageSize, pagesPerSequence;
  std::vector<int64_t> slots, positions, table;
};

} // namespace glm::test
