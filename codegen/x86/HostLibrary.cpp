#include "codegen/x86/HostLibrary.h"

#include "lld/Common/CommonLinkerContext.h"
#include "lld/Common/Driver.h"
#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>

LLD_HAS_DRIVER(elf)

using namespace mlir;

namespace glm {
namespace {

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

Result<void> writeHostLibrary(ModuleOp plan, TargetAttr target, const CodeOptions &options,
                              const std::filesystem::path &output) {
  Result<KernelFiles> objects = KernelFiles::compile(plan, target, options, llvm::CodeGenFileType::ObjectFile, output);
  if (!objects)
    return objects.error();
  return link(objects->paths(), output);
}

} // namespace glm
