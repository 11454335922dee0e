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
  /// Dumps go to the folder of --dump, or to one below it that is called `variant`.
  PhaseRunner(mlir::ModuleOp module, const CompileOptions &options, const ErrorCollector &errors, Progress &progress,
              std::string variant = "")
      : module(module), options(options), errors(errors), progress(progress), variant(std::move(variant)) {}

  /// Run the phases up to the one that --stop-after names. A pass that fails or crashes leaves a reproducer, which the error names.
  Result<void> run(llvm::ArrayRef<Phase> phases);

  /// Whether --stop-after printed the IR: later phases are not wanted.
  bool stopped() const { return isStopped; }

  /// Write the module as it is to the folder of dumps, if one is wanted, as `<number>-<name>.mlir`.
  Result<void> dump(int number, const std::string &name) const;

  /// The folder of dumps; empty: none.
  std::filesystem::path dumpFolder() const { return options.dump.empty() ? options.dump : options.dump / variant; }

private:
  Result<void> prepareDump() const;
  Result<void> runPhase(const Phase &phase);

  mlir::ModuleOp module;
  const CompileOptions &options;
  const ErrorCollector &errors;
  Progress &progress;
  std::string variant;
  bool isStopped = false;
};

/// Print the missed remarks that the options ask for, as they are made.
Result<void> enableRemarks(mlir::MLIRContext &context, const CompileOptions &options, const ErrorCollector &errors);

} // namespace glm
