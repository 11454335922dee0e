// One kernel op with its data and what has to come out; and the checks that every family has to pass.
#pragma once

#include "codegen/schedule/KernelFamily.h"
#include "test/codegen/harness/Operand.h"

#include <functional>
#include <string>
#include <vector>

namespace glm::test {

/// What an operand holds after the kernel ran. |found - wanted| may be at most absolute + relative * |wanted|.
struct Expected {
  size_t operand = 0;
  std::vector<double> values; ///< row-major; kUntouched where the kernel may not write
  double relative = 0.0;
  double absolute = 0.0;
};

/// Not a number, and no kernel writes it: the bytes have to be those from before.
extern const double kUntouched;

struct Case {
  std::string name;
  std::string text;              ///< of the op, as Kernel::compile takes it
  std::vector<Operand> operands; ///< as they are before the kernel runs
  int64_t rows = 0;              ///< most live rows
  /// The formula of the op in double, written without a look at the bodies.
  std::function<std::vector<Expected>(const std::vector<Operand> &operands, int64_t rows)> expect;
  /// Sets operands that depend on the number of live rows.
  std::function<void(std::vector<Operand> &operands, int64_t rows)> prepare;
  /// Whether a row's results are those of the same row among fewer rows. Not of lists over all rows (group_rows).
  bool rowwise = true;
};

/// The chip that GLM_TEST_CHIP names for this process (a GPU's PTX is interpreted), or `other`.
std::string testedChip(const std::string &other);

/// Compile the case with `family` and run it with all, no, one and some rows on 1, 2, 3 and 7 threads: numbers within the
/// bounds, the same bits for any number of threads and rows, nothing written elsewhere.
void verify(const KernelFamily &family, const Case &test, const std::string &chip = "host");

/// Run the case with two families: numbers within twice the case's bounds of each other.
void compare(const KernelFamily &first, const KernelFamily &second, const Case &test, const std::string &chip = "host");

/// Run the case for two chips: the same bits.
void sameBits(const KernelFamily &family, const Case &test, const std::string &chip, const std::string &otherChip);

} // namespace glm::test
