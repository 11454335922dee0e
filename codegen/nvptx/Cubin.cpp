// Of GpuCode.h: machine code by NVIDIA's assembler.
#include "codegen/nvptx/GpuCode.h"

#include "runtime/artifact/WholeFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"

#include <fmt/format.h>

using namespace mlir;

namespace glm {
namespace {

/// Where the toolkit's packages install.
constexpr StringLiteral kToolkit = "/usr/local/cuda/bin";

std::string contents(StringRef path) {
  auto read = llvm::MemoryBuffer::getFile(path);
  return read ? (*read)->getBuffer().str() : "";
}

/// The number in front of `unit` in "0 bytes stack frame, 16 bytes spill stores, 8 bytes spill loads".
int64_t numberBefore(StringRef line, StringRef unit) {
  for (StringRef part : llvm::split(line, ',')) {
    int64_t number = 0;
    if (part.contains(unit) && !part.trim().consumeInteger(10, number))
      return number;
  }
  return 0;
}

} // namespace

Result<std::string> findPtxas() {
  std::optional<std::string> home = llvm::sys::Process::GetEnv("CUDA_HOME");
  std::string folder = home ? *home + "/bin" : kToolkit.str();
  StringRef folders[] = {folder};
  for (ArrayRef<StringRef> places : {ArrayRef<StringRef>(), ArrayRef<StringRef>(folders)}) // none: PATH
    if (llvm::ErrorOr<std::string> found = llvm::sys::findProgramByName("ptxas", places))
      return *found;
  return Error{
      fmt::format("ptxas: program must be on PATH or in {}, but found none (--no-cubin leaves machine code out: "
                  "the GPU's driver then compiles when it loads)",
                  folder)};
}

std::vector<KernelReport> parsePtxasReport(StringRef text) {
  std::vector<KernelReport> reports;
  for (StringRef line : llvm::split(text, '\n')) {
    StringRef name = line, registers = line;
    if (name.consume_front("ptxas info    : Function properties for "))
      reports.push_back({name.trim().str()});
    else if (reports.empty())
      continue;
    else if (registers.consume_front("ptxas info    : Used "))
      registers.consumeInteger(10, reports.back().registers);
    else if (line.contains("bytes spill stores"))
      reports.back().spillBytes = numberBefore(line, "spill stores") + numberBefore(line, "spill loads");
  }
  return reports;
}

std::string withOneBlock(StringRef ptx, ArrayRef<std::string> names) {
  std::string text;
  bool inside = false;
  for (StringRef line : llvm::split(ptx.rtrim('\n'), '\n')) {
    if (line.contains(".entry "))
      inside = llvm::is_contained(names, line.split(".entry ").second.split('(').first.trim().str());
    text += line.str() + '\n';
    if (inside && line.starts_with(".reqntid"))
      text += ".minnctapersm 1\n";
  }
  return text;
}

namespace {

Result<std::vector<KernelReport>> assemble(const std::string &ptxas, const std::filesystem::path &ptx,
                                           TargetAttr target, const std::filesystem::path &output) {
  std::string log = output.string() + ".log", architecture = "-arch=" + target.getCpu().str();
  std::string input = ptx.string(), cubin = output.string();
  // All processors: kernels are independent of each other.
  StringRef arguments[] = {ptxas, "-O3", "-v", "--split-compile=0", architecture, input, "-o", cubin};
  std::optional<StringRef> streams[] = {StringRef(), StringRef(log), StringRef(log)};
  std::string problem;
  int status = llvm::sys::ExecuteAndWait(ptxas, arguments, std::nullopt, streams, 0, 0, &problem);
  std::string text = contents(log);
  llvm::sys::fs::remove(log);
  if (status == 0)
    return parsePtxasReport(text);
  if (problem.empty())
    problem = StringRef(text).trim().split('\n').first.str();
  return Error{fmt::format("{}: ptxas must assemble it for {}, but found {}", ptx.filename().string(),
                           target.getChip().str(), problem)};
}

} // namespace

Result<std::vector<KernelReport>> writeCubin(const std::string &ptxas, const std::filesystem::path &ptx,
                                             TargetAttr target, const std::filesystem::path &output) {
  Result<std::vector<KernelReport>> reports = assemble(ptxas, ptx, target, output);
  if (!reports)
    return reports;
  std::vector<std::string> spilled;
  for (const KernelReport &report : *reports)
    if (report.spillBytes > 0)
      spilled.push_back(report.name);
  if (spilled.empty())
    return reports;
  std::string text = withOneBlock(contents(ptx.string()), spilled);
  std::string_view piece = text;
  if (auto written = writeWholeFile(ptx, {&piece, 1}); !written)
    return written.error();
  return assemble(ptxas, ptx, target, output);
}

} // namespace glm
