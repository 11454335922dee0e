// The passes of the model phase, in the order in which codegen/pipeline runs them. Each is described in Passes.td.
#pragma once

#include "dialect/GlmDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace glm {

#define GEN_PASS_DECL
#include "passes/model/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/model/Passes.h.inc"

} // namespace glm
