// Choosing schedules and cutting kernels out.
#ifndef GLM_CODEGEN_SCHEDULE_PASSES
#define GLM_CODEGEN_SCHEDULE_PASSES

include "mlir/Pass/PassBase.td"

def SelectSchedule : Pass<"glm-select-schedule", "::mlir::ModuleOp"> {
  let summary = "write #glm.schedule into every kernel op";
  let description = [{
    Asks the families in order; the first that matches wins, and no later pass chooses anything. An op that already has a schedule keeps it, so that a
    test or a person can override one.
  }];
  // The families are no option of a command line: codegen/pipeline hands them over.
  let constructor = "nullptr";
  let options = [Option<"plain", "plain", "bool", /*default=*/"false", "take the plain body of every op: the meaning that fast ones are compared with">];
}

def OutlineKernels : Pass<"glm-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "turn kernel ops into launches and bodies";
  let description = [{
    Every step function becomes a `glm.plan.program` of launches; buffers, caches and weights become symbols; each distinct kernel becomes a nested module
    with one function, built by the family of its schedule. Kernels are distinct by op, attributes and types without leading dimensions: the programs of all
    buckets share them.
  }];
  let constructor = "nullptr";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

#endif // GLM_CODEGEN_SCHEDULE_PASSES
