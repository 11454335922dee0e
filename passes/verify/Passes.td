// Checking the contract at the end of a phase. A failure is a fault of a pass before, caught where it was left.
#ifndef GLM_PASSES_VERIFY
#define GLM_PASSES_VERIFY

include "mlir/Pass/PassBase.td"

def VerifyKernelPass : Pass<"glm-verify-kernel", "::mlir::ModuleOp"> {
  let summary = "check the contract at the end of the kernel phase";
  let description = [{
    What outlining relies on, after glm-plan-memory:

    - the module holds caches and step functions; a step holds kernel ops, buffers, caches and weights, and nothing of the model phase;
    - nothing but a weight is a tensor, and every buffer has a static shape and a float32, bfloat16 or int32 element;
    - every temporary and every argument has a place in the arena, aligned to 64 bytes; arguments have the same place in every step;
    - no two buffers that are alive at the same launch share a byte, and none is read before it is written. Lifetimes are found anew
      here, not taken from the planner.
  }];
}

def VerifyPlanPass : Pass<"glm-verify-plan", "::mlir::ModuleOp"> {
  let summary = "check the contract at the end of the plan phase";
  let description = [{
    What the emitter and the runtime rely on, beyond what the plan ops verify of themselves (symbols, alignment, taps):

    - the module has `glm.arena_bytes`, `glm.limits` and `glm.target`, and holds plan ops and one nested module per kernel, with a
      function of its name;
    - every buffer but a cache lies within the arena;
    - there is one program for each bucket of `glm.limits`, in their ascending order.
  }];
}

#endif // GLM_PASSES_VERIFY
