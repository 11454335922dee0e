// How top_k compares scores.
#pragma once

#include "codegen/builder/KernelBuilder.h"

namespace glm {

/// Scores (f32, a scalar for one lane) as unsigned numbers in the same order: negative ones with all bits turned, others above them.
mlir::Value scoreKeys(KernelBuilder &builder, mlir::Value scores, int64_t lanes);

} // namespace glm
