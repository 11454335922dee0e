// From lowered kernel modules to host.so: LLVM IR, optimized code, one object per kernel, one shared library.
#pragma once

#include "dialect/GlmDialect.h"
#include "runtime/artifact/Result.h"

#include "mlir/IR/BuiltinOps.h"

#include <filesystem>

namespace glm {

struct HostLibraryOptions {
  unsigned threads = 1;             ///< kernels compiled at once
  std::filesystem::path dumpFolder; ///< if set, `<kernel>.ll` (optimized) and `<kernel>.s` are left there
  std::filesystem::path
      reproducer; ///< if set, a kernel on which LLVM crashes is left there, for mlir-translate and llc
};

/// Compile the nested modules of `plan` (in the LLVM dialect) for `target` and link them into `output`. The library asks
/// the process for libm's functions and for nothing else.
Result<void> writeHostLibrary(mlir::ModuleOp plan, TargetAttr target, const HostLibraryOptions &options,
                              const std::filesystem::path &output);

} // namespace glm
