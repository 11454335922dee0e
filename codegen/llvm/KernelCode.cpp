#include "codegen/llvm/KernelCode.h"

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
      return Error{fmt::format("{}: target must emit code, but found none", machine.getTargetTriple().str())};
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

/// An entry of PTX, for blocks of so many threads.
void markGpuKernel(llvm::Function &function, int64_t threads) {
  function.setCallingConv(llvm::CallingConv::PTX_Kernel);
  function.addFnAttr("nvvm.reqntid", std::to_string(threads));
}

Result<void> compileKernel(ModuleOp kernel, TargetAttr target, const CodeOptions &options, llvm::CodeGenFileType type,
                           const std::filesystem::path &file) {
  llvm::LLVMContext context;
  std::string name = kernel.getSymName().value_or("kernel").str();
  std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(kernel, context, name);
  std::unique_ptr<llvm::TargetMachine> machine = makeMachine(target);
  if (!module || !machine)
    return Error{
        fmt::format("{}: kernel must translate to LLVM IR for {}, but found no way", name, target.getTriple().str())};
  module->setDataLayout(machine->createDataLayout());
  module->setTargetTriple(machine->getTargetTriple());
  if (auto threads = kernel->getAttrOfType<IntegerAttr>(kThreadsAttr))
    markGpuKernel(*module->getFunction(name), threads.getInt());
  // Vectors of the widest registers: LLVM prefers 256 bits on many chips, for the sake of clocks that these products do not touch.
  for (llvm::Function &function : *module)
    if (!function.isDeclaration())
      function.addFnAttr("prefer-vector-width", std::to_string(target.getVectorBits()));
  optimize(*module, *machine);
  if (!options.dumpFolder.empty())
    if (auto dumped = dumpKernel(*module, *machine, options.dumpFolder / name); !dumped)
      return dumped;
  return emitFile(*module, *machine, type, file);
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
Outcome compileSafely(ModuleOp kernel, TargetAttr target, const CodeOptions &options, llvm::CodeGenFileType type,
                      const std::filesystem::path &file) {
  Outcome outcome;
  fatalReason = "a crash";
  outcome.crashed = !llvm::CrashRecoveryContext().RunSafely(
      [&] { outcome.result = compileKernel(kernel, target, options, type, file); });
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

} // namespace

Result<KernelFiles> KernelFiles::compile(ModuleOp plan, TargetAttr target, const CodeOptions &options,
                                         llvm::CodeGenFileType type, const std::filesystem::path &output) {
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
  KernelFiles files(folder);
  std::vector<Outcome> outcomes(kernels.size());
  {
    llvm::ScopedFatalErrorHandler keepReason(keepFatalReason);
    llvm::CrashRecoveryContext::Enable();
    llvm::DefaultThreadPool pool(llvm::hardware_concurrency(options.threads));
    for (size_t i = 0; i < kernels.size(); ++i) {
      files.all.push_back(folder / fmt::format("{}.{}", i, type == llvm::CodeGenFileType::ObjectFile ? "o" : "s"));
      pool.async(
          [&, i, file = files.all.back()] { outcomes[i] = compileSafely(kernels[i], target, options, type, file); });
    }
    pool.wait();
    llvm::CrashRecoveryContext::Disable();
  }
  auto failed = llvm::find_if(outcomes, [](const Outcome &outcome) { return !outcome.result; });
  if (failed == outcomes.end())
    return files;
  return failed->crashed
             ? keepReproducer(kernels[failed - outcomes.begin()], failed->result.error(), options.reproducer)
             : failed->result.error();
}

KernelFiles::~KernelFiles() {
  std::error_code ignored;
  if (!folder.empty())
    std::filesystem::remove_all(folder, ignored);
}

} // namespace glm
