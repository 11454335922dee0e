// One compilation, from folder to artifact.
#pragma once

#include "frontend/glm-compile/Options.h"
#include "runtime/artifact/Result.h"

namespace glm {

/// Do what the options ask for: results on stdout, warnings and progress on stderr.
Result<void> compile(const CompileOptions &options);

} // namespace glm
