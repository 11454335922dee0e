#include "test/codegen/harness/Case.h"

#include "test/codegen/harness/Kernel.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>

namespace glm::test {

const double kUntouched = std::numeric_limits<double>::quiet_NaN();

namespace {

std::vector<Operand> preparedOperands(const Case &test, int64_t rows) {
  std::vector<Operand> operands = test.operands;
  if (test.prepare)
    test.prepare(operands, rows);
  return operands;
}

/// The first few wrong numbers; one is seldom enough to see a pattern.
void expectNear(const std::vector<double> &found, const std::vector<double> &before, const Expected &expected,
                const std::string &where) {
  int shown = 0;
  ASSERT_EQ(found.size(), expected.values.size()) << where;
  for (size_t i = 0; i < found.size() && shown < 5; ++i) {
    double wanted = expected.values[i];
    bool untouched = std::isnan(wanted);
    double bound = expected.absolute + expected.relative * std::fabs(wanted);
    bool isExact = untouched || std::isinf(wanted);
    bool right = isExact ? found[i] == (untouched ? before[i] : wanted) : std::fabs(found[i] - wanted) <= bound;
    if (!right) {
      ++shown;
      if (untouched)
        ADD_FAILURE() << where << ": element " << i << " may not be written, but found " << found[i] << " for "
                      << before[i];
      else
        ADD_FAILURE() << where << ": element " << i << " must be " << wanted << " within " << bound << ", but found "
                      << found[i];
    }
  }
}

/// Elements that `expected` says are written, the same in both.
void expectSameBits(const std::vector<double> &found, const std::vector<double> &other, const Expected &expected,
                    const std::string &where) {
  for (size_t i = 0; i < found.size(); ++i)
    if (!std::isnan(expected.values[i]) && std::memcmp(&found[i], &other[i], sizeof(double)) != 0) {
      ADD_FAILURE() << where << ": element " << i << " must be " << other[i] << " as before, but found " << found[i];
      return;
    }
}

std::vector<int64_t> rowCounts(int64_t rows) {
  std::vector<int64_t> counts = {rows, 0, 1, rows / 2};
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  return counts;
}

} // namespace

std::string testedChip(const std::string &other) {
  const char *name = std::getenv("GLM_TEST_CHIP");
  return name ? name : other;
}

void verify(const KernelFamily &family, const Case &test, const std::string &chip) {
  auto kernel = Kernel::compile(family, test.text, test.operands, chip);
  ASSERT_TRUE(kernel) << test.name << ": " << kernel.error().message;
  std::vector<std::vector<double>> allRows;
  for (int64_t rows : rowCounts(test.rows)) {
    std::vector<Operand> before = preparedOperands(test, rows);
    std::vector<Expected> expected = test.expect(before, rows);
    std::vector<std::vector<double>> first;
    for (int64_t threads : kernel->threadCounts()) {
      std::string where = test.name + ", " + std::to_string(rows) + " rows, " + std::to_string(threads) + " threads";
      std::vector<Operand> operands = before;
      kernel->run(operands, rows, threads);
      for (size_t i = 0; i < expected.size(); ++i) {
        std::vector<double> found = operands[expected[i].operand].values();
        std::string place = where + ", operand " + std::to_string(expected[i].operand);
        expectNear(found, before[expected[i].operand].values(), expected[i], place);
        if (first.size() == i)
          first.push_back(found);
        expectSameBits(found, first[i], expected[i], place + " against the first number of threads");
        if (test.rowwise && rows != test.rows)
          expectSameBits(found, allRows[i], expected[i], place + " against all rows");
      }
    }
    if (rows == test.rows)
      allRows = first;
  }
}

void compare(const KernelFamily &first, const KernelFamily &second, const Case &test, const std::string &chip) {
  auto firstKernel = Kernel::compile(first, test.text, test.operands, chip),
       secondKernel = Kernel::compile(second, test.text, test.operands, chip);
  ASSERT_TRUE(firstKernel) << test.name << ": " << firstKernel.error().message;
  ASSERT_TRUE(secondKernel) << test.name << ": " << secondKernel.error().message;
  std::vector<Operand> before = preparedOperands(test, test.rows), firstOperands = before, secondOperands = before;
  firstKernel->run(firstOperands, test.rows, firstKernel->threadCounts().back());
  secondKernel->run(secondOperands, test.rows, secondKernel->threadCounts().back());
  for (Expected expected : test.expect(before, test.rows)) {
    expected.values = secondOperands[expected.operand].values();
    // Either may be as far from the formula as the case allows, in opposite directions.
    expected.relative *= 2.0;
    expected.absolute *= 2.0;
    expectNear(firstOperands[expected.operand].values(), before[expected.operand].values(), expected,
               test.name + ": " + first.name().str() + " against " + second.name().str());
  }
}

void sameBits(const KernelFamily &family, const Case &test, const std::string &chip, const std::string &otherChip) {
  auto kernel = Kernel::compile(family, test.text, test.operands, chip),
       otherKernel = Kernel::compile(family, test.text, test.operands, otherChip);
  ASSERT_TRUE(kernel) << test.name << ": " << kernel.error().message;
  ASSERT_TRUE(otherKernel) << test.name << ": " << otherKernel.error().message;
  std::vector<Operand> before = preparedOperands(test, test.rows), operands = before, otherOperands = before;
  kernel->run(operands, test.rows, 1);
  otherKernel->run(otherOperands, test.rows, 1);
  for (const Expected &expected : test.expect(before, test.rows))
    expectSameBits(operands[expected.operand].values(), otherOperands[expected.operand].values(), expected,
                   test.name + ": " + chip + " against " + otherChip);
}

} // namespace glm::test
