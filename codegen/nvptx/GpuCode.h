// From lowered kernel modules to kernels.ptx and kernels.cubin.
#pragma once

#include "codegen/llvm/KernelCode.h"

#include <string>
#include <vector>

namespace glm {

/// What ptxas says of one kernel.
struct KernelReport {
  std::string name;
  int64_t registers = 0;  ///< of a thread
  int64_t spillBytes = 0; ///< stored and loaded by a thread
};

/// The ptxas to use: on PATH, else in the toolkit, which CUDA_HOME names or lies where NVIDIA's packages put it. An error if there is none.
Result<std::string> findPtxas();

/// Compile the nested modules of `plan` (in the LLVM dialect) for `target` and write them into one file of PTX.
Result<void> writePtx(mlir::ModuleOp plan, TargetAttr target, const CodeOptions &options,
                      const std::filesystem::path &output);

/// Assemble `ptx` for `target` with `ptxas -O3` into `output`; what it reports of each kernel. ptxas may spill registers so that more blocks fit
/// an SM; kernels that it does that to are told in `ptx` that one block is enough (`.minnctapersm`), and all is assembled again.
Result<std::vector<KernelReport>> writeCubin(const std::string &ptxas, const std::filesystem::path &ptx,
                                             TargetAttr target, const std::filesystem::path &output);

/// PTX with `.minnctapersm 1` in the entries of these names.
std::string withOneBlock(llvm::StringRef ptx, llvm::ArrayRef<std::string> names);

/// The lines of `ptxas -v`, read.
std::vector<KernelReport> parsePtxasReport(llvm::StringRef text);

} // namespace glm
