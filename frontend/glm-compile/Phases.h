// Running the phases of codegen/pipeline one after the other, with dumps, reproducers and an early stop.
#pragma once

#include "frontend/glm-compile/Options.h"
#include "runtime/artifact/Result.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"

namespace glm {

/// Keeps the first error that MLIR reports, so that it can be the one line that the user reads; remarks and warnings go to stderr.
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
  PhaseRunner(mlir::ModuleOp module, const CompileOptions &options, const ErrorCollector &errors)
      : module(module), options(options), errors(errors) {}

  /// Model, kernel, plan, lowering.
  Result<void> run();

  /// Whether --stop-after printed the IR and ended the work.
  bool stopped() const { return isStopped; }

private:
  Result<void> runPhase(const std::string &name, llvm::function_ref<void(mlir::OpPassManager &)> add);
  Result<void> dump(const std::string &name) const;

  mlir::ModuleOp module;
  const CompileOptions &options;
  const ErrorCollector &errors;
  int number = 0;
  bool isStopped = false;
};

} // namespace glm
