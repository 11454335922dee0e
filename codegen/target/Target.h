// The chips by name: the only hardware facts in the tree.
#pragma once

#include "dialect/GlmDialect.h"
#include "runtime/artifact/Result.h"

#include <string>
#include <vector>

namespace glm {

/// A chip that `--target` names.
struct Chip {
  std::string name;
  std::string description;
};

/// All names, in the order of `--list-targets`.
const std::vector<Chip> &knownChips();

/// Why `name` is no chip's name, with the nearest that is; nothing if it is one.
std::optional<std::string> explainUnknownChip(llvm::StringRef name);

/// The targets that code for a chip is made for, best first: a machine takes the first whose features it has. The last one needs nothing
/// beyond what the chip's name says. `host` is the machine that this runs on, by its own features.
Result<std::vector<TargetAttr>> makeTargets(mlir::MLIRContext *context, llvm::StringRef chip);

/// The one among them that is called `name`: a chip, or such as `x86-64-v4+avx512bf16`.
Result<TargetAttr> makeTarget(mlir::MLIRContext *context, llvm::StringRef name);

/// Whether kernels run as grids of a GPU (PTX) and not as functions on threads of the host.
bool isGpu(TargetAttr target);

/// Whether mma.sync multiplies E2M1 with scales of its own for each block (PTX ISA, "mma with block scaling": kind::mxf4nvf4).
bool hasBlockScaledMma(TargetAttr target);
/// The names of the chips with it, for messages.
std::string chipsWithBlockScaledMma();

/// Whether cvt reads E2M1 (PTX ISA, "cvt": .e2m1x2), into pairs of f16.
bool hasE2m1Conversion(TargetAttr target);

/// Whether products of bf16 pairs accumulate in float32 (vdpbf16ps) and 16-bit lanes are permuted by a register (vpermw).
bool hasBf16Dot(TargetAttr target);

/// Float32 lanes of one vector register.
int64_t vectorLanes(TargetAttr target);

} // namespace glm
