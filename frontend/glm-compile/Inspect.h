// What people ask about a folder without compiling it: answers on stdout, and an error after them if it cannot be done as asked.
#pragma once

#include "frontend/glm-compile/Model.h"
#include "frontend/glm-compile/Options.h"
#include "runtime/artifact/Result.h"

namespace glm {

/// --plan: sizes and what fits. Fails if what is asked for does not fit, or a rule cannot be followed.
Result<void> printPlan(const CompileOptions &options, const Model &model);

/// --print-precision: what is stored and computed. Fails if a rule cannot be followed.
Result<void> printPrecision(const CompileOptions &options, const Model &model);

} // namespace glm
