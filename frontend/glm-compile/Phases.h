// Running the phases of codegen/pipeline one after the other, with dumps, reproducers and an early stop.
#pragma once

#include "frontend/glm-compile/Options.h"
#include "frontend/glm-compile/Progress.h"
#include "runtime/artifact/Result.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"

namespace glm {

/// Keeps the first error that MLIR reports, so that it can be the one line that the user reads; remarks and warnings go to stderr.
/// A location with a name, such as layers.3.self_attn, becomes the place in front.
class ErrorCollector {
public:
  explicit ErrorCollector(mlir::MLIRContext &context);

  /// The first error, or one that says that `what` failed without a word.
  Error first(const std::string &what) const;

private:
  std::string message;
  mlir::ScopedDiagnosticHandler handler;
};

class PhaseRunner {
public:
  PhaseRunner(mlir::ModuleOp module, const CompileOptions &options, const ErrorCollector &errors, Progress &progress)
      : module(module), options(options), errors(errors), progress(progress) {}

  /// Model, kernel, plan, lowering.
  Result<void> run();

  /// Whether --stop-after printed the IR and ended the work.
  bool stopped() const { return isStopped; }

private:
  Result<void> prepareDump() const;
  Result<void> enableRemarks();
  Result<void> runPhase(const std::string &name, llvm::function_ref<void(mlir::OpPassManager &)> add);
  Result<void> dump(const std::string &name) const;

  mlir::ModuleOp module;
  const CompileOptions &options;
  const ErrorCollector &errors;
  Progress &progress;
  int number = 0; ///< of the next dump; 0 is what the importer made
  bool isStopped = false;
};

} // namespace glm
