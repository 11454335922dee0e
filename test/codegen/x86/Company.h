// A row's result may not depend on the rows beside it: how many they are, which they are, how many threads compute them.
#pragma once

#include "codegen/schedule/KernelFamily.h"
#include "test/codegen/harness/Case.h"

namespace glm::test {

/// Operands that have a row for each row of the step.
struct RowOperands {
  std::vector<size_t> read;
  size_t written = 0;
};

/// Each row of the case, alone and as the first, has the same bytes as among 2, 3, 4, 5, 8, 9 and 17 rows, on 1, 2 and 3 threads.
void expectSameAlone(const KernelFamily &family, const Case &test, const RowOperands &rows, const std::string &chip);

/// The same of a case whose operands 1 and 2 are group_rows' lists, `topK` entries for a row.
void expectSameAloneAmongExperts(const KernelFamily &family, const Case &test, int64_t topK, size_t written,
                                 const std::string &chip);

} // namespace glm::test
