#include "frontend/glm-compile/Phases.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>

using namespace mlir;

namespace glm {
namespace {

/// The first name in a location, such as layers.3.self_attn; empty if there is none.
std::string placeOf(Location location) {
  std::string place;
  location->walk([&](Location part) {
    auto named = dyn_cast<NameLoc>(part);
    if (!named)
      return WalkResult::advance();
    place = named.getName().str();
    return WalkResult::interrupt();
  });
  return place;
}

std::string toLine(const Diagnostic &diagnostic) {
  std::string place = placeOf(diagnostic.getLocation()), text = diagnostic.str();
  // Some messages begin with the name of a weight, which holds the place already.
  return place.empty() || llvm::StringRef(text).starts_with(place) ? text : place + ": " + text;
}

/// MLIR closes every failure with an error of its own, whose note names the pass that ran: "`FuseNorm` on 'builtin.module' operation".
std::optional<std::string> failedPass(Diagnostic &diagnostic) {
  for (Diagnostic &note : diagnostic.getNotes()) {
    std::string text = note.str();
    llvm::StringRef rest = text;
    if (rest.consume_front("Pipeline failed while executing ["))
      return rest.split("]: ").first.str();
  }
  return std::nullopt;
}

/// Prints as glm-opt does, so that its output and ours compare equal.
void printModule(ModuleOp module, llvm::raw_ostream &stream) {
  module.print(stream);
  stream << '\n';
}

/// Empties a stream, so that a full disk is an error instead of an abort when the stream dies.
Result<void> finish(llvm::raw_fd_ostream &stream, const std::string &place) {
  stream.flush();
  if (!stream.has_error())
    return {};
  std::string reason = stream.error().message();
  stream.clear_error();
  return Error{fmt::format("{}: output must be written whole, but found {}", place, reason)};
}

} // namespace

ErrorCollector::ErrorCollector(MLIRContext &context)
    : handler(&context, [this](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Error) {
          if (std::optional<std::string> pass = failedPass(diagnostic))
            culprit = *pass;
          else if (message.empty())
            message = toLine(diagnostic);
          return success();
        }
        llvm::errs() << (diagnostic.getSeverity() == DiagnosticSeverity::Warning ? "warning: " : "remark: ")
                     << toLine(diagnostic) << '\n';
        return success();
      }) {}

Error ErrorCollector::first(const std::string &what) const {
  if (!message.empty())
    return Error{message};
  return Error{fmt::format("{}: it must succeed, but found a crash or a failure without a message{}", what,
                           culprit.empty() ? "" : " in " + culprit)};
}

Result<void> PhaseRunner::run(llvm::ArrayRef<Phase> phases) {
  for (const Phase &phase : phases) {
    if (auto result = runPhase(phase); !result || isStopped)
      return result;
    progress.done(phase.name + variant);
  }
  return {};
}

Result<void> PhaseRunner::prepareDump() const {
  if (options.dump.empty())
    return {};
  std::error_code code;
  std::filesystem::create_directories(dumpFolder(), code);
  if (code)
    return Error{
        fmt::format("--dump: folder {} must be writable, but found {}", options.dump.string(), code.message())};
  return {};
}

Result<void> enableRemarks(MLIRContext &context, const CompileOptions &options, const ErrorCollector &errors) {
  if (options.remarks.empty())
    return {};
  remark::RemarkCategories categories{std::nullopt, std::nullopt, options.remarks, std::nullopt, std::nullopt};
  if (failed(remark::enableOptimizationRemarks(context, /*streamer=*/nullptr,
                                               std::make_unique<remark::RemarkEmittingPolicyAll>(), categories,
                                               /*printAsEmitRemarks=*/true)))
    return errors.first("--remarks-missed");
  return {};
}

Result<void> PhaseRunner::runPhase(const Phase &phase) {
  PassManager passes(module.getContext(), ModuleOp::getOperationName());
  TimingScope timing = progress.begin(phase.name);
  passes.enableTiming(timing);
  // A crash or a failing pass leaves what it takes to see it again with glm-opt --run-reproducer.
  passes.enableCrashReproducerGeneration(options.reproducer());
  phase.add(passes);
  if (failed(passes.run(module)))
    return Error{fmt::format("{} (phase {}, reproducer {})", errors.first(phase.name).message, phase.name,
                             options.reproducer())};
  if (auto written = dump(phase.number, phase.name); !written)
    return written;
  if (options.stopAfter != phase.name)
    return {};
  isStopped = true;
  printModule(module, llvm::outs());
  return finish(llvm::outs(), "stdout");
}

Result<void> PhaseRunner::dump(int number, const std::string &name) const {
  if (options.dump.empty())
    return {};
  if (auto prepared = prepareDump(); !prepared)
    return prepared;
  std::filesystem::path path = dumpFolder() / fmt::format("{:02}-{}.mlir", number, name);
  std::error_code code;
  llvm::ToolOutputFile file(path.string(), code, llvm::sys::fs::OF_None); // half of it never stays behind
  if (code)
    return Error{fmt::format("--dump: file {} must be writable, but found {}", path.string(), code.message())};
  printModule(module, file.os());
  if (auto finished = finish(file.os(), "--dump: " + path.string()); !finished)
    return finished;
  file.keep();
  return {};
}

} // namespace glm
