// From lowered kernel modules to what LLVM makes of them, one file per kernel.
#pragma once

#include "dialect/GlmDialect.h"
#include "runtime/artifact/Result.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/CodeGen.h"

#include <filesystem>
#include <utility>
#include <vector>

namespace glm {

struct CodeOptions {
  unsigned threads = 1;             ///< kernels compiled at once
  std::filesystem::path dumpFolder; ///< if set, `<kernel>.ll` (optimized) and `<kernel>.s` are left there
  std::filesystem::path
      reproducer; ///< if set, a kernel on which LLVM crashes is left there, for mlir-translate and llc
};

/// Objects or assembly of a plan's kernels in a folder of their own, which goes with this object.
class KernelFiles {
public:
  /// Compile the nested modules of `plan` (in the LLVM dialect) for `target`, into the folder `<output>.objects`. What no module
  /// of ours should do to LLVM, such as an instruction that the target lacks, is an error like any other.
  static Result<KernelFiles> compile(mlir::ModuleOp plan, TargetAttr target, const CodeOptions &options,
                                     llvm::CodeGenFileType type, const std::filesystem::path &output);
  KernelFiles(KernelFiles &&other) noexcept : folder(std::exchange(other.folder, {})), all(std::move(other.all)) {}
  KernelFiles &operator=(KernelFiles &&) = delete;
  ~KernelFiles();

  /// In the order of the modules.
  const std::vector<std::filesystem::path> &paths() const { return all; }

private:
  explicit KernelFiles(std::filesystem::path folder) : folder(std::move(folder)) {}

  std::filesystem::path folder;
  std::vector<std::filesystem::path> all;
};

} // namespace glm
