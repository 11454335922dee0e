#include "test/codegen/x86/Company.h"

#include "test/codegen/harness/Kernel.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace glm::test {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes rowOf(const Operand &operand, int64_t rows, int64_t row) {
  Bytes all = operand.bytes();
  int64_t size = static_cast<int64_t>(all.size()) / rows;
  return Bytes(all.begin() + row * size, all.begin() + (row + 1) * size);
}

void exchangeRows(Operand &operand, int64_t rows, int64_t first, int64_t second) {
  Bytes all = operand.bytes();
  int64_t size = static_cast<int64_t>(all.size()) / rows;
  if (first != second)
    std::swap_ranges(all.begin() + first * size, all.begin() + (first + 1) * size, all.begin() + second * size);
  operand.setBytes(all);
}

/// The results of rows first .. last-1 when no others take part.
using Run = std::function<std::vector<Bytes>(int64_t first, int64_t last, int64_t threads)>;

void expectSame(const Case &test, const Run &run) {
  std::vector<Bytes> alone;
  for (int64_t row = 0; row < test.rows; ++row) {
    alone.push_back(run(row, row + 1, 1).front());
    for (int64_t threads : {2, 3})
      EXPECT_EQ(run(row, row + 1, threads).front(), alone.back())
          << test.name << ": row " << row << " alone on " << threads << " threads";
  }
  for (int64_t company : {2, 3, 4, 5, 8, 9, 17})
    for (int64_t threads : {1, 2, 3}) {
      // From the other end as well: a row has another place in its tile.
      for (int64_t first : {int64_t(0), test.rows - company}) {
        std::vector<Bytes> found = run(first, first + company, threads);
        for (int64_t row = 0; row < company; ++row)
          EXPECT_EQ(found[row], alone[first + row]) << test.name << ": row " << first + row << " of " << first << " .. "
                                                    << first + company - 1 << " on " << threads << " threads";
      }
    }
}

/// The lists with the entries of rows first .. last-1 alone.
void keepRows(std::vector<Operand> &operands, int64_t topK, int64_t first, int64_t last) {
  std::vector<double> offsets = operands[1].values(), entries = operands[2].values(), newOffsets, kept;
  for (size_t expert = 0; expert + 1 < offsets.size(); ++expert) {
    newOffsets.push_back(static_cast<double>(kept.size()));
    for (auto at = static_cast<size_t>(offsets[expert]); at < static_cast<size_t>(offsets[expert + 1]); ++at)
      if (auto row = static_cast<int64_t>(entries[at]) / topK; row >= first && row < last)
        kept.push_back(entries[at]);
  }
  newOffsets.push_back(static_cast<double>(kept.size()));
  kept.resize(entries.size(), -1.0);
  operands[1].assign(newOffsets);
  operands[2].assign(kept);
}

} // namespace

void expectSameAlone(const KernelFamily &family, const Case &test, const RowOperands &rows, const std::string &chip) {
  auto kernel = Kernel::compile(family, test.text, test.operands, chip);
  ASSERT_TRUE(kernel) << test.name << ": " << kernel.error().message;
  std::vector<size_t> moved = rows.read;
  moved.push_back(rows.written);
  expectSame(test, [&](int64_t first, int64_t last, int64_t threads) {
    std::vector<Operand> operands = test.operands;
    for (size_t operand : moved)
      for (int64_t row = first; row < last; ++row)
        exchangeRows(operands[operand], test.rows, row, row - first);
    kernel->run(operands, last - first, threads);
    std::vector<Bytes> results;
    for (int64_t row = 0; row < last - first; ++row)
      results.push_back(rowOf(operands[rows.written], test.rows, row));
    return results;
  });
}

void expectSameAloneAmongExperts(const KernelFamily &family, const Case &test, int64_t topK, size_t written,
                                 const std::string &chip) {
  auto kernel = Kernel::compile(family, test.text, test.operands, chip);
  ASSERT_TRUE(kernel) << test.name << ": " << kernel.error().message;
  std::vector<Operand> prepared = test.operands;
  test.prepare(prepared, test.rows);
  expectSame(test, [&](int64_t first, int64_t last, int64_t threads) {
    std::vector<Operand> operands = prepared;
    keepRows(operands, topK, first, last);
    kernel->run(operands, last - first, threads);
    std::vector<Bytes> results;
    for (int64_t row = first; row < last; ++row)
      results.push_back(rowOf(operands[written], test.rows, row));
    return results;
  });
}

} // namespace glm::test
