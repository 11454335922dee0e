#include "test/codegen/harness/Kernel.h"

#include "codegen/llvm/Lowering.h"
#include "codegen/nvptx/GpuCode.h"
#include "codegen/target/Target.h"
#include "codegen/x86/HostLibrary.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <fmt/format.h>
#include <stdexcept>

using namespace mlir;

namespace glm::test {
namespace {

constexpr const char *kName = "kernel_under_test";

/// Everything that one compilation needs; diagnostics become the message.
struct Compilation {
  Compilation() : context(MLIRContext::Threading::DISABLED) {
    context.loadDialect<GlmDialect, arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect, LLVM::LLVMDialect,
                        math::MathDialect, memref::MemRefDialect, NVVM::NVVMDialect, scf::SCFDialect,
                        vector::VectorDialect, x86vector::X86VectorDialect>();
    registerBuiltinDialectTranslation(context);
    registerLLVMDialectTranslation(context);
    registerNVVMDialectTranslation(context);
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) { message += diagnostic.str() + "; "; });
  }
  Error error(const std::string &what) const { return Error{what + " must succeed, but found " + message}; }

  MLIRContext context;
  std::string message;
};

std::string operandName(size_t number) { return fmt::format("%operand{}", number); }

std::string substitute(const std::string &text, const std::vector<Operand> &operands) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' && text[i] != '$') {
      result += text[i];
      continue;
    }
    size_t digits = 0, number = std::stoul(text.substr(i + 1), &digits);
    result += text[i] == '%' ? operandName(number) : operands.at(number).type();
    i += digits;
  }
  return result;
}

std::string moduleText(const std::string &body, const std::vector<Operand> &operands) {
  std::string arguments, weights;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].isWeight())
      weights += fmt::format("  {} = glm.weight \"module{}.{}weight\" : {}\n", operandName(i), i,
                             operands[i].isTable() ? "{}." : "", operands[i].type());
    else
      arguments += fmt::format("{}{}: {}", arguments.empty() ? "" : ", ", operandName(i), operands[i].type());
  }
  return fmt::format("func.func @step({}) {{\n{}  {}\n  return\n}}\n", arguments, weights, body);
}

/// Which operand of the test a value is.
size_t numberOf(Value value, const std::vector<Operand> &operands) {
  auto argument = dyn_cast<BlockArgument>(value);
  size_t buffers = 0;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (argument && !operands[i].isWeight() && buffers++ == argument.getArgNumber())
      return i;
    if (auto weight = value.getDefiningOp<WeightOp>();
        weight && operands[i].isWeight() && weight.getName().starts_with(fmt::format("module{}.", i)))
      return i;
  }
  llvm_unreachable("every operand of the op is one of the test");
}

/// A folder for the files of one compilation.
class Scratch {
public:
  Scratch() : path((std::filesystem::temp_directory_path() / "kernel-XXXXXX").string()) {
    if (!mkdtemp(path.data()))
      throw std::runtime_error(path + ": temporary folder must be writable, but found none");
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::filesystem::path file(const char *name) const { return std::filesystem::path(path) / name; }

private:
  std::string path;
};

Result<std::shared_ptr<void>> loadHost(ModuleOp plan, TargetAttr target) {
  Scratch scratch;
  std::filesystem::path path = scratch.file("host.so");
  if (auto written = writeHostLibrary(plan, target, {}, path); !written)
    return written.error();
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return Error{fmt::format("{}: library must load, but found {}", path.string(), dlerror())};
  return std::shared_ptr<void>(handle, [](void *open) { dlclose(open); });
}

Result<std::shared_ptr<GpuKernel>> loadGpu(ModuleOp plan, TargetAttr target) {
  Scratch scratch;
  std::filesystem::path path = scratch.file("kernels.ptx");
  if (auto written = writePtx(plan, target, {}, path); !written)
    return written.error();
  glm::Kernel kernel;
  kernel.name = kName;
  auto module = *plan.getOps<ModuleOp>().begin();
  kernel.threads = module->getAttrOfType<IntegerAttr>(kThreadsAttr).getInt();
  kernel.sharedBytes = module->getAttrOfType<IntegerAttr>(kSharedBytesAttr).getInt();
  return GpuKernel::load(path, kernel);
}

} // namespace

Result<Kernel> Kernel::compile(const KernelFamily &family, const std::string &text,
                               const std::vector<Operand> &operands, const std::string &chip) {
  Compilation compilation;
  auto target = makeTarget(&compilation.context, chip);
  if (!target)
    return target.error();
  std::string source = moduleText(substitute(text, operands), operands);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(source, &compilation.context);
  if (!module)
    return compilation.error(source);
  (*module)->setAttr(kTargetAttr, *target);
  KernelOpInterface op;
  module->walk([&](KernelOpInterface found) { op = found; });
  if (!op)
    return Error{source + ": text must hold a kernel op, but found none"};
  Kernel kernel;
  kernel.inTiles = family.takesTiles(op, *target);
  if (kernel.inTiles)
    module->walk([](WeightOp weight) {
      if (isPacked(weight.getType()))
        weight.getResult().setType(glm::inTiles(cast<RankedTensorType>(weight.getType())));
    });
  std::optional<ScheduleAttr> schedule = family.match(op, *target);
  if (!schedule)
    return Error{fmt::format("{}: family must take the op, but found no match", family.name().str())};
  OwningOpRef<ModuleOp> plan = ModuleOp::create(op.getLoc());
  OpBuilder inside = OpBuilder::atBlockEnd(plan->getBody());
  auto kernelModule = ModuleOp::create(inside, op.getLoc(), kName);
  LaunchShape shape = family.launchShape(op, *schedule);
  if (isGpu(*target))
    kernelModule->setAttr(kThreadsAttr, inside.getI64IntegerAttr(shape.threads));
  KernelBuilder builder(op, kernelModule, kName, shape.threads);
  if (failed(family.build(op, *schedule, builder)))
    return compilation.error("body");
  builder.finish();
  if (failed(mlir::verify(kernelModule)) || failed(lowerToLlvmDialect(kernelModule)))
    return compilation.error("lowering");
  for (Value operand : op->getOperands())
    kernel.order.push_back(numberOf(operand, operands));
  if (isGpu(*target)) {
    kernel.blocks = family.name() == "plain" ? 0 : shape.blocks;
    auto loaded = loadGpu(*plan, *target);
    if (!loaded)
      return loaded.error();
    kernel.gpu = *loaded;
    return kernel;
  }
  auto loaded = loadHost(*plan, *target);
  if (!loaded)
    return loaded.error();
  kernel.library = *loaded;
  kernel.function = reinterpret_cast<HostKernel>(dlsym(kernel.library.get(), kName));
  return kernel;
}

std::vector<int64_t> Kernel::threadCounts() const {
  return blocks == 0 ? std::vector<int64_t>{1, 2, 3, 7} : std::vector<int64_t>{blocks};
}

void Kernel::run(std::vector<Operand> &operands, int64_t rows, int64_t threads) const {
  if (gpu)
    return gpu->run(operands, order, inTiles, rows, threads);
  std::vector<void *> arguments;
  for (size_t number : order)
    for (void *pointer : operands[number].pointers())
      arguments.push_back(pointer);
  for (int64_t thread = threads - 1; thread >= 0; --thread)
    function(arguments.data(), rows, thread, threads);
}

} // namespace glm::test
