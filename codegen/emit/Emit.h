// From the plan to the artifact: a folder NAME.glm with manifest.json and host.so.
#pragma once

#include "dialect/GlmDialect.h"
#include "runtime/artifact/Manifest.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <filesystem>

namespace glm {

/// The manifest of `plan`, which satisfies glm-verify-plan. `facts` holds what the plan does not know: producer, activations, numbers
/// of the model, checkpoint with its files, precision table, code. The rest is filled in: weights, buffers, kernels and programs from
/// plan ops, in their order; rows, sequences, positions and pages from glm.limits; chip from glm.target; the arena's size.
Manifest toManifest(mlir::ModuleOp plan, Manifest facts);

/// Writes the library of a plan's kernels to a path that does not exist yet.
using LibraryWriter = llvm::function_ref<Result<void>(mlir::ModuleOp plan, const std::filesystem::path &)>;

/// Write the artifact `output`, all of it or nothing: in a folder beside it that takes its name at the end. An artifact of that name is
/// replaced; anything else there is refused (ArtifactFolder.h). There is a library for each of `plans`, best first, which differ in
/// target, schedules and bodies only: that of the last is `host.so`, others carry what their target's name adds to that of the last.
Result<void> emitArtifact(llvm::ArrayRef<mlir::ModuleOp> plans, Manifest facts, LibraryWriter writeLibrary,
                          const std::filesystem::path &output);

} // namespace glm
