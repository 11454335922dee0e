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

class KernelFamily {
public:
  virtual ~KernelFamily() = default;

  /// The name in #glm.schedule.
  virtual llvm::StringRef name() const = 0;

  /// The schedule under which this family executes `op` on `target`, or nothing. Depends on weights, types and chip, never
  /// on the number of rows: a row's result may not depend on how many others share its step.
  virtual std::optional<ScheduleAttr> match(mlir::Operation *op, TargetAttr target) const = 0;

  /// Build the body of `op` at the builder's insertion point, inside the kernel's function.
  virtual mlir::LogicalResult build(mlir::Operation *op, ScheduleAttr schedule, KernelBuilder &builder) const = 0;
};

/// Families in the order in which they are asked.
using KernelFamilies = std::vector<std::unique_ptr<KernelFamily>>;

} // namespace glm
