#include "codegen/x86/HostLibrary.h"

#include "lld/Common/CommonLinkerContext.h"
#include "lld/Common/Driver.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <fmt/format.h>

LLD_HAS_DRIVER(elf)

using namespace mlir;

namespace glm {
namespace {

std::unique_ptr<llvm::TargetMachine> makeMachine(TargetAttr target) {
  std::string message;
  llvm::Triple triple(target.getTriple());
  const llvm::Target *found = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!found)
    return nullptr;
  llvm::TargetOptions options;
  // a * b + c is one rounding only where a body says fma: the same numbers on every chip.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return std::unique_ptr<llvm::TargetMachine>(found->createTargetMachine(triple, target.getCpu(), target.getFeatures(),
                                                                         options, llvm::Reloc::PIC_, std::nullopt,
                                                                         llvm::CodeGenOptLevel::Aggressive));
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

/// A file with what `write` puts into it, whole or not at all.
Result<void> writeFile(const std::string &path, llvm::function_ref<Result<void>(llvm::raw_pwrite_stream &)> write) {
  std::error_code code;
  llvm::ToolOutputFile file(path, code, llvm::sys::fs::OF_None);
  if (code)
    return Error{fmt::format("{}: file must be writable, but found {}", path, code.message())};
  if (auto written = write(file.os()); !written)
    return written;
  file.os().flush();
  if (file.os().has_error()) {
    std::string reason = file.os().error().message();
    file.os().clear_error();
    return Error{fmt::format("{}: file must be written whole, but found {}", path, reason)};
  }
  file.keep();
  return {};
}

Result<void> emitFile(llvm::Module &module, llvm::TargetMachine &machine, llvm::CodeGenFileType type,
                      const std::filesystem::path &path) {
  return writeFile(path.string(), [&](llvm::raw_pwrite_stream &stream) -> Result<void> {
    llvm::legacy::PassManager passes;
    if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
      return Error{fmt::format("{}: target must emit objects, but found none", machine.getTargetTriple().str())};
    passes.run(module);
    return {};
  });
}

/// `<stem>.ll` and `<stem>.s`.
Result<void> dumpKernel(llvm::Module &module, llvm::TargetMachine &machine, const std::filesystem::path &stem) {
  auto printed = writeFile(stem.string() + ".ll", [&](llvm::raw_pwrite_stream &stream) -> Result<void> {
    module.print(stream, nullptr);
    return {};
  });
  if (!printed)
    return printed;
  // Emitting code changes a module: the object must be made of the one that was printed.
  return emitFile(*llvm::CloneModule(module), machine, llvm::CodeGenFileType::AssemblyFile, stem.string() + ".s");
}

Result<void> compileKernel(ModuleOp kernel, TargetAttr target, const HostLibraryOptions &options,
                           const std::filesystem::path &object) {
  llvm::LLVMContext context;
  std::string name = kernel.getSymName().value_or("kernel").str();
  std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(kernel, context, name);
  std::unique_ptr<llvm::TargetMachine> machine = makeMachine(target);
  if (!module || !machine)
    return Error{
        fmt::format("{}: kernel must translate to LLVM IR for {}, but found no way", name, target.getTriple().str())};
  module->setDataLayout(machine->createDataLayout());
  module->setTargetTriple(machine->getTargetTriple());
  // Vectors of the widest registers: LLVM prefers 256 bits on many chips, for the sake of clocks that these products do not touch.
  for (llvm::Function &function : *module)
    if (!function.isDeclaration())
      function.addFnAttr("prefer-vector-width", std::to_string(target.getVectorBits()));
  optimize(*module, *machine);
  if (!options.dumpFolder.empty())
    if (auto dumped = dumpKernel(*module, *machine, options.dumpFolder / name); !dumped)
      return dumped;
  return emitFile(*module, *machine, llvm::CodeGenFileType::ObjectFile, object);
}

/// Why LLVM gave up on this thread, while it is being caught.
thread_local std::string fatalReason;

void keepFatalReason(void *, const char *reason, bool) {
  fatalReason = llvm::StringRef(reason).split('\n').first.str();
}

/// How the compilation of one kernel ended.
struct Outcome {
  Result<void> result;
  bool crashed = false;
};

/// What no module of ours should do to LLVM, such as an instruction that the target lacks, ends in a crash: it becomes an error like
/// any other.
Outcome compileSafely(ModuleOp kernel, TargetAttr target, const HostLibraryOptions &options,
                      const std::filesystem::path &object) {
  Outcome outcome;
  fatalReason = "a crash";
  outcome.crashed =
      !llvm::CrashRecoveryContext().RunSafely([&] { outcome.result = compileKernel(kernel, target, options, object); });
  if (outcome.crashed)
    outcome.result = Error{fmt::format("{}: code generation must end, but found {}",
                                       kernel.getSymName().value_or("kernel").str(), fatalReason)};
  return outcome;
}

/// The error of a crash, with the name of the file that now holds the kernel.
Error keepReproducer(ModuleOp kernel, const Error &error, const std::filesystem::path &path) {
  if (path.empty())
    return error;
  auto printed = writeFile(path.string(), [&](llvm::raw_pwrite_stream &stream) -> Result<void> {
    kernel.print(stream);
    return {};
  });
  return Error{
      fmt::format("{} ({})", error.message, printed ? "reproducer " + path.string() : printed.error().message)};
}

Result<void> link(const std::vector<std::filesystem::path> &objects, const std::filesystem::path &output) {
  std::vector<std::string> words = {"ld.lld", "-shared", "--gc-sections", "--strip-debug", "-o", output.string()};
  for (const std::filesystem::path &object : objects)
    words.push_back(object.string());
  std::vector<const char *> arguments;
  for (const std::string &word : words)
    arguments.push_back(word.c_str());
  std::string text;
  llvm::raw_string_ostream stream(text);
  lld::Result result = lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return Error{
        fmt::format("{}: kernels must link, but found {}", output.string(), llvm::StringRef(text).trim().str())};
  return {};
}

} // namespace

Result<void> writeHostLibrary(ModuleOp plan, TargetAttr target, const HostLibraryOptions &options,
                              const std::filesystem::path &output) {
  llvm::InitializeAllTargets();
  llvm::InitializeAllTargetMCs();
  llvm::InitializeAllAsmPrinters();
  std::vector<ModuleOp> kernels(plan.getOps<ModuleOp>().begin(), plan.getOps<ModuleOp>().end());

  std::filesystem::path folder = output;
  folder += ".objects";
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code)
    return Error{fmt::format("{}: folder must be writable, but found {}", folder.string(), code.message())};
  std::vector<std::filesystem::path> objects;
  std::vector<Outcome> outcomes(kernels.size());
  {
    llvm::ScopedFatalErrorHandler keepReason(keepFatalReason);
    llvm::CrashRecoveryContext::Enable();
    llvm::DefaultThreadPool pool(llvm::hardware_concurrency(options.threads));
    for (size_t i = 0; i < kernels.size(); ++i) {
      objects.push_back(folder / fmt::format("{}.o", i));
      pool.async([&, i, object = objects.back()] { outcomes[i] = compileSafely(kernels[i], target, options, object); });
    }
    pool.wait();
    llvm::CrashRecoveryContext::Disable();
  }
  Result<void> result;
  auto failed = llvm::find_if(outcomes, [](const Outcome &outcome) { return !outcome.result; });
  if (failed != outcomes.end())
    result = failed->crashed
                 ? keepReproducer(kernels[failed - outcomes.begin()], failed->result.error(), options.reproducer)
                 : failed->result.error();
  if (result)
    result = link(objects, output);
  std::filesystem::remove_all(folder, code);
  return result;
}

} // namespace glm
