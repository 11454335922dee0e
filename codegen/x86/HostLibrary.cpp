#include "codegen/x86/HostLibrary.h"

#include "lld/Common/CommonLinkerContext.h"
#include "lld/Common/Driver.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <fmt/format.h>
#include <optional>

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

Result<void> emitFile(llvm::Module &module, llvm::TargetMachine &machine, llvm::CodeGenFileType type,
                      const std::filesystem::path &path) {
  std::error_code code;
  llvm::raw_fd_ostream stream(path.string(), code);
  if (code)
    return Error{fmt::format("{}: file must be writable, but found {}", path.string(), code.message())};
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
    return Error{fmt::format("{}: target must emit objects, but found none", machine.getTargetTriple().str())};
  passes.run(module);
  stream.flush();
  if (stream.has_error()) {
    std::string reason = stream.error().message();
    stream.clear_error();
    return Error{fmt::format("{}: file must be written whole, but found {}", path.string(), reason)};
  }
  return {};
}

/// `<stem>.ll` and `<stem>.s`.
Result<void> dumpKernel(llvm::Module &module, llvm::TargetMachine &machine, const std::filesystem::path &stem) {
  std::string path = stem.string() + ".ll";
  std::error_code code;
  llvm::raw_fd_ostream stream(path, code);
  if (code)
    return Error{fmt::format("{}: file must be writable, but found {}", path, code.message())};
  module.print(stream, nullptr);
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
  std::vector<std::optional<Error>> errors(kernels.size());
  {
    llvm::DefaultThreadPool pool(llvm::hardware_concurrency(options.threads));
    for (size_t i = 0; i < kernels.size(); ++i) {
      objects.push_back(folder / fmt::format("{}.o", i));
      pool.async([&, i, object = objects.back()] {
        if (auto result = compileKernel(kernels[i], target, options, object); !result)
          errors[i] = result.error();
      });
    }
  }
  Result<void> result;
  for (const std::optional<Error> &error : errors)
    if (error && result)
      result = *error;
  if (result)
    result = link(objects, output);
  std::filesystem::remove_all(folder, code);
  return result;
}

} // namespace glm
