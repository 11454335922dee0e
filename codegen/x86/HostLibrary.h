// From lowered kernel modules to host.so: one object per kernel, one shared library, no linker on the user's machine.
#pragma once

#include "codegen/llvm/KernelCode.h"

namespace glm {

/// Compile the nested modules of `plan` (in the LLVM dialect) for `target` and link them into `output`. The library asks the process
/// for nothing but what LLVM makes of copies of memory (memcpy, memset).
Result<void> writeHostLibrary(mlir::ModuleOp plan, TargetAttr target, const CodeOptions &options,
                              const std::filesystem::path &output);

} // namespace glm
