// A kernel family: which kernel ops it takes, on which chips, with which tile, and the body that it builds.
//
// A family is one file: a drawing of its tile, the rows that select it, its body. `codegen/pipeline` lists the families of a
// target from the most special to `plain`, which takes everything; select-schedule writes the first that matches into the op.
#pragma once

#include "codegen/builder/KernelBuilder.h"
#include "dialect/GlmDialect.h"

#include <memory>
#include <optional>
#include <vector>

namespace glm {

/// The grid of a launch on a GPU. Blocks may follow from the rows of the program; threads are the kernel's. (So is shared memory: the
/// builder counts it.)
struct LaunchShape {
  int64_t blocks = 1;
  int64_t threads = 1; ///< of a block
  int64_t blocksPerRow =
      0; ///< if each row has its own, so many; 0: a number that is the same for all rows of the program
};

class KernelFamily {
public:
  virtual ~KernelFamily() = default;

  /// The name in #glm.schedule.
  virtual llvm::StringRef name() const = 0;

  /// The schedule under which this family executes `op` on `target`, or nothing. Its order of sums depends on
  /// weights, types and chip, never on the number of rows: a row's result may not depend on how many others share its step.
  virtual std::optional<ScheduleAttr> match(mlir::Operation *op, TargetAttr target) const = 0;

  /// The launch of `op`, of at most as many rows as its buffers have, on a GPU.
  virtual LaunchShape launchShape(mlir::Operation *, ScheduleAttr) const { return {}; }

  /// Whether this family executes `op` with its packed weights in tiles (glm-tile-weights).
  virtual bool takesTiles(mlir::Operation *, TargetAttr) const { return false; }

  /// Whether blocks of another kernel can compute `op` for themselves: `build` heeds KernelBuilder::inPrologue().
  virtual bool fitsPrologue(mlir::Operation *) const { return false; }

  /// How many of the positions that `op` attends to a block should take, where parts of them may be joined afterwards (glm-split-attention);
  /// 0: all. Like `match`, never a question of rows.
  virtual int64_t partSize(mlir::Operation *) const { return 0; }

  /// Build the body of `op` at the builder's insertion point, inside the kernel's function.
  virtual mlir::LogicalResult build(mlir::Operation *op, ScheduleAttr schedule, KernelBuilder &builder) const = 0;
};

/// Families in the order in which they are asked.
using KernelFamilies = std::vector<std::unique_ptr<KernelFamily>>;

} // namespace glm
