// Which token a row of embed is.
#pragma once

#include "codegen/builder/KernelBuilder.h"
#include "dialect/GlmDialect.h"

namespace glm {

/// The token of `row` (index), one that was sampled on the device included.
mlir::Value tokenOf(KernelBuilder &builder, KernelEmbedOp op, mlir::Value row);

} // namespace glm
