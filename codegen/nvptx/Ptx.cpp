// Of GpuCode.h: one text for all kernels.
#include "codegen/nvptx/GpuCode.h"

#include "runtime/artifact/WholeFile.h"

#include "llvm/Support/MemoryBuffer.h"

#include <fmt/format.h>

using namespace mlir;

namespace glm {
namespace {

/// What stands once at the head of a module: PTX ISA, "PTX Module Directives".
bool isModuleDirective(StringRef line) {
  return line.starts_with(".version") || line.starts_with(".target") || line.starts_with(".address_size");
}

/// One module of several whose names do not meet: the directives of the first hold for all.
std::string join(const std::vector<std::unique_ptr<llvm::MemoryBuffer>> &modules) {
  std::string text;
  for (const std::unique_ptr<llvm::MemoryBuffer> &module : modules)
    for (StringRef line : llvm::split(module->getBuffer().rtrim('\n'), '\n'))
      // Comments tell of the assembler that made them, once per kernel.
      if (!line.starts_with("//") && (module == modules.front() || !isModuleDirective(line)))
        text += line.str() + '\n';
  return text;
}

} // namespace

Result<void> writePtx(ModuleOp plan, TargetAttr target, const CodeOptions &options,
                      const std::filesystem::path &output) {
  Result<KernelFiles> files = KernelFiles::compile(plan, target, options, llvm::CodeGenFileType::AssemblyFile, output);
  if (!files)
    return files.error();
  std::vector<std::unique_ptr<llvm::MemoryBuffer>> modules;
  for (const std::filesystem::path &path : files->paths()) {
    auto read = llvm::MemoryBuffer::getFile(path.string());
    if (!read)
      return Error{fmt::format("{}: file must be readable, but found {}", path.string(), read.getError().message())};
    modules.push_back(std::move(*read));
  }
  std::string text = join(modules);
  std::string_view piece = text;
  return writeWholeFile(output, {&piece, 1});
}

} // namespace glm
