// A kernel op, compiled as the product compiles it (family, lowering, code) and loaded: host.so into this process, PTX into the driver that
// interprets it.
#pragma once

#include "codegen/schedule/KernelFamily.h"
#include "runtime/artifact/KernelAbi.h"
#include "runtime/artifact/Result.h"
#include "test/codegen/harness/GpuKernel.h"
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
  /// Numbers of threads that it may be called on; of blocks, on a GPU. Plain bodies share their work among any number, the grid of others
  /// is the family's.
  std::vector<int64_t> threadCounts() const;
  /// Call it on all threads, one after the other from the last: what one writes may not matter to another. On a GPU launch a grid of
  /// `threads` blocks.
  void run(std::vector<Operand> &operands, int64_t rows, int64_t threads) const;

private:
  std::shared_ptr<void> library;
  HostKernel function = nullptr;
  std::shared_ptr<GpuKernel> gpu; ///< instead of the function
  int64_t blocks = 0;             ///< that the family wants; 0: any
  std::vector<size_t> order;      ///< operand of the test for each operand of the op
  bool inTiles = false;           ///< what its packed weights are
};

} // namespace glm::test
