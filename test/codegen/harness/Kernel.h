// A kernel op, compiled as the product compiles it (family, lowering, object, host.so) and loaded into this process.
#pragma once

#include "codegen/schedule/KernelFamily.h"
#include "runtime/artifact/KernelAbi.h"
#include "runtime/artifact/Result.h"
#include "test/codegen/harness/Operand.h"

#include <memory>
#include <string>
#include <vector>

namespace glm::test {

class Kernel {
public:
  /// Compile the op that `text` spells with `family` for `chip`. In `text`, `%0` is the first of `operands` and `$0` its type:
  /// "glm.kernel.add %0, %1 to %2 : $0, $1, $2".
  static Result<Kernel> compile(const KernelFamily &family, const std::string &text,
                                const std::vector<Operand> &operands, const std::string &chip = "host");
  /// Call it on all threads, one after the other from the last: what one writes may not matter to another.
  void run(std::vector<Operand> &operands, int64_t rows, int64_t threads) const;

private:
  std::shared_ptr<void> library;
  HostKernel function = nullptr;
  std::vector<size_t> order; ///< operand of the test for each operand of the op
};

} // namespace glm::test
