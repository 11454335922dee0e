// From the plan to the artifact: a folder NAME.glm with manifest.json and the code.
#pragma once

#include "dialect/GlmDialect.h"
#include "runtime/artifact/Manifest.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"

#include <filesystem>

namespace glm {

/// The manifest of `plan`, which satisfies glm-verify-plan. `facts` holds what the plan does not know: producer, activations, numbers
/// of the model, checkpoint with its files, precision table, code. The rest is filled in: weights, buffers, kernels and programs from
/// plan ops, in their order; rows, sequences, positions and pages from glm.limits; chip from glm.target; the arena's size.
Manifest toManifest(mlir::ModuleOp plan, Manifest facts);

/// What ptxas says of a kernel (Manifest.h).
struct KernelUse {
  int64_t registers = 0;
  int64_t spillBytes = 0;
};

/// The code of one plan: files of the artifact's folder, best first, and, by name, what its kernels use where that is known.
struct WrittenCode {
  std::vector<std::string> files;
  llvm::StringMap<KernelUse> uses;
};

/// Writes the code of a plan's kernels into the folder. `variant` is what the plan's target adds to the name of the last plan's:
/// "+avx512bf16", or nothing.
using CodeWriter = llvm::function_ref<Result<WrittenCode>(mlir::ModuleOp plan, const std::filesystem::path &folder,
                                                          llvm::StringRef variant)>;

/// Write the artifact `output`, all of it or nothing: in a folder beside it that takes its name at the end. An artifact of that name is
/// replaced; anything else there is refused (ArtifactFolder.h). There is code for each of `plans`, best first, which differ in target,
/// schedules and bodies only.
Result<void> emitArtifact(llvm::ArrayRef<mlir::ModuleOp> plans, Manifest facts, CodeWriter writeCode,
                          const std::filesystem::path &output);

} // namespace glm
