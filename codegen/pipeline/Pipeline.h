// The order of everything: from naive model IR to launches and lowered kernels, in named phases.
#pragma once

#include "codegen/schedule/KernelFamily.h"

#include "mlir/Pass/PassManager.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace glm {

/// Every family of every target, from the most special to `plain`.
std::shared_ptr<const KernelFamilies> allFamilies();

/// A part of the way, with the name that --stop-after, --dump and glm-opt (`glm-<name>-phase`) give it.
struct Phase {
  int number; ///< from 1: dumps are sorted by it
  std::string name;
  std::function<void(mlir::OpPassManager &)> add;
};

/// The first two phases, the same for every chip of a kind:
///   model     from the importer's naive program to fused ops on tensors of static shape;
///   kernel    buffers, and a place in memory for each; on a GPU several kernels a launch, but for `plain` ones.
std::vector<Phase> programPhases(bool plain = false);

/// The last two, for one target:
///   plan      schedules, launches, and a module with a body per distinct kernel; `plain`: the meaning of every kernel instead of its
///             fast form, to compare with;
///   lowering  kernel bodies to the LLVM dialect.
std::vector<Phase> codePhases(bool plain = false);

/// All dialects that any phase may hold, with their translation to LLVM IR.
void registerAllDialects(mlir::DialectRegistry &registry);

/// All passes, by flag, and the phases as pipelines.
void registerAllPasses();

} // namespace glm
