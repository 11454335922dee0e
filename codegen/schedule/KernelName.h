// Names of kernels: what a profile line tells.
#pragma once

#include "dialect/GlmDialect.h"

#include <string>

namespace glm {

/// Operation, types and shape: `moe_gate_up_bf16_nvfp4_n2048k6144`. Distinct kernels may share one; outlining numbers them.
std::string kernelName(mlir::Operation *op);

/// Everything that makes a kernel distinct: op, attributes but for taps and rows, types without the numbers of rows, and which
/// operands are the same.
std::string kernelKey(mlir::Operation *op);

/// The type of a buffer with its leading dimension forgotten.
mlir::MemRefType withoutRows(mlir::MemRefType type);

} // namespace glm
