// Running the phases of codegen/pipeline one after the other, with dumps, reproducers and an early stop.
#pragma once

#include "codegen/pipeline/Pipeline.h"
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
  std::string culprit; ///< the pass that failed or crashed, as MLIR says it
  mlir::ScopedDiagnosticHandler handler;
};

class PhaseRunner {
public:
  PhaseRunner(mlir::ModuleOp module, const CompileOptions &options, const ErrorCollector &errors, Progress &progress)
      : module(module), options(options), errors(errors), progress(progress) {}

  /// Run the phases up to the one that --stop-after names. A pass that fails or crashes leaves a reproducer, which the error names.
  Result<void> run(llvm::ArrayRef<Phase> phases);

  /// Whether --stop-after printed the IR and ended the work.
  bool stopped() const { return isStopped; }

private:
  Result<void> prepareDump() const;
  Result<void> enableRemarks();
  Result<void> runPhase(const Phase &phase);
  Result<void> dump(int number, const std::string &name) const;

  mlir::ModuleOp module;
  const CompileOptions &options;
  const ErrorCollector &errors;
  Progress &progress;
  bool isStopped = false;
};

} // namespace glm
