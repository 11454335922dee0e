#include "frontend/glm-compile/Phases.h"

#include "codegen/pipeline/Pipeline.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>

using namespace mlir;

namespace glm {

ErrorCollector::ErrorCollector(MLIRContext &context)
    : handler(&context, [this](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Error) {
          if (message.empty())
            message = diagnostic.str();
          return success();
        }
        llvm::errs() << (diagnostic.getSeverity() == DiagnosticSeverity::Warning ? "warning: " : "remark: ") << diagnostic.str() << '\n';
        return success();
      }) {}

Error ErrorCollector::first(const std::string &what) const {
  return Error{message.empty() ? fmt::format("{}: it must succeed, but found a failure without a message", what) : message};
}

Result<void> PhaseRunner::run() {
  if (!options.dump.empty()) {
    std::error_code code;
    std::filesystem::create_directories(options.dump, code);
    if (code)
      return Error{fmt::format("--dump: folder {} must be writable, but found {}", options.dump.string(), code.message())};
    if (auto written = dump("import"); !written)
      return written;
  }
  if (!options.remarks.empty()) {
    remark::RemarkCategories categories{std::nullopt, std::nullopt, options.remarks, std::nullopt, std::nullopt};
    if (failed(remark::enableOptimizationRemarks(*module.getContext(), /*streamer=*/nullptr, std::make_unique<remark::RemarkEmittingPolicyAll>(),
                                                 categories, /*printAsEmitRemarks=*/true)))
      return errors.first("--remarks-missed");
  }
  const std::pair<const char *, void (*)(OpPassManager &)> phases[] = {
      {"model", addModelPhase},
      {"kernel", addKernelPhase},
  };
  for (auto [name, add] : phases)
    if (auto result = runPhase(name, add); !result || isStopped)
      return result;
  auto addPlan = [&](OpPassManager &passes) { addPlanPhase(passes, options.kernels == "plain"); };
  if (auto result = runPhase("plan", addPlan); !result || isStopped)
    return result;
  return runPhase("lowering", addLoweringPhase);
}

Result<void> PhaseRunner::runPhase(const std::string &name, llvm::function_ref<void(OpPassManager &)> add) {
  PassManager passes(module.getContext(), ModuleOp::getOperationName());
  // A crash or a failing pass leaves what it takes to see it again with glm-opt --run-reproducer.
  std::string reproducer = (options.output.empty() ? std::string("glm-compile") : options.output) + ".reproducer.mlir";
  passes.enableCrashReproducerGeneration(reproducer);
  add(passes);
  if (failed(passes.run(module)))
    return Error{fmt::format("{} (phase {}, reproducer {})", errors.first(name).message, name, reproducer)};
  if (auto written = options.dump.empty() ? Result<void>() : dump(name); !written)
    return written;
  if (options.stopAfter == name) {
    module.print(llvm::outs());
    llvm::outs() << '\n';
    isStopped = true;
  }
  ++number;
  return {};
}

Result<void> PhaseRunner::dump(const std::string &name) const {
  std::filesystem::path path = options.dump / fmt::format("{:02}-{}.mlir", name == "import" ? 0 : number + 1, name);
  std::error_code code;
  llvm::raw_fd_ostream stream(path.string(), code);
  if (code)
    return Error{fmt::format("--dump: file {} must be writable, but found {}", path.string(), code.message())};
  ModuleOp(module).print(stream);
  return {};
}

} // namespace glm
