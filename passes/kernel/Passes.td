// Forming kernels and planning their memory.
#ifndef GLM_PASSES_KERNEL
#define GLM_PASSES_KERNEL

include "mlir/Pass/PassBase.td"

def FormKernelsPass : Pass<"glm-form-kernels", "::mlir::ModuleOp"> {
  let summary = "turn each step from tensors into launches on buffers";
  let description = [{
    Every model op becomes the one to four kernel ops that compute it, in the order of the program; every tensor becomes a
    `memref.alloc`, every cache a `memref.global`, and the result of a step (its logits) an argument that is written in place. Weights
    stay values: a name and a type.

        model op                                          kernel ops
        embed, rope_angles, rope                          embed, rope_angles, rope
        rms_norm, layer_norm, add_rms_norm                norm
        arith.addf                                        add
        linear, projections                               gemm <store>
        gated_mlp                                         gemm <silu_mul>, gemm <store>
        head_linear                                       head_gemm
        cache_write                                       rope_cache_write
        indexer                                           index_score, top_k
        latent_attention                                  sparse_mla
        route                                             route
        moe                                               group_rows (once per route), moe_gate_up, moe_down, moe_combine
        select_rows                                       gather_rows

    `rope` writes over its input, and `add_rms_norm` puts the sum over the residual stream, where nothing reads the old value
    afterwards. What is computed from selected rows carries `glm.output_rows`. A `glm.tap` moves to the kernel op that writes the value.

    A cache has no versions in memory. So a use of an older value than the last write is an error: it would read rows that the model
    says are not there yet.

    Functions with `glm.deferred` are erased: what they compute is imported and optimized, but no launch runs it yet.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"];
}

def PlanMemoryPass : Pass<"glm-plan-memory", "::mlir::ModuleOp"> {
  let summary = "give every buffer of a step its offset in the arena";
  let description = [{
    Inputs and logits come first, at the same offsets in every program and as large as the largest program needs them: the runtime
    writes and reads them without asking which program runs. Temporaries follow, placed per program: two of them share bytes only if the
    launches that touch the one all come before the launches that touch the other (the memory effects of the ops say who touches what).
    All programs share one arena, whose size is `glm.arena_bytes` of the module.

    Buffers are placed in decreasing order of size, each into the smallest gap that holds it between those placed before that live at
    the same time ("greedy by size for offset calculation", Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net
    Inference, arXiv 2001.03288). A step is long and narrow: the same few large buffers (index scores, expert activations) come back at
    every layer. Placed first, they fall on the same bytes, and the small ones fill the gaps.

    Offsets are multiples of 64 bytes: a cache line, and the widest vector. An analysis remark per program gives its bytes and the most
    that live at once, a lower bound.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"];
}

#endif // GLM_PASSES_KERNEL
