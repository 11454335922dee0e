// The passes of the model phase: tensors in, tensors out, no chip.
//
// All of them work on the module, though most look at one function at a time: there are two functions of some thousand ops,
// and remarks come out in the order of the program.
#ifndef GLM_PASSES_MODEL
#define GLM_PASSES_MODEL

include "mlir/Pass/PassBase.td"

def ApplyPrecision : Pass<"glm-apply-precision", "mlir::ModuleOp"> {
  let summary = "give activations and caches the type that the precision rules demand";
  let description = [{
    Reads the module's `glm.precision`. The last rule about activations names their type, `f32` (as imported) or `bf16`: then every
    activation and cache of type f32 becomes bf16, except what decides something or leaves the program (rope angles, router
    logits and route weights, the indexer's head weights, the logits) and the residual stream with what is added to it, whose
    roundings would pile up over the layers. Weights stay as they are stored; that each agrees with the last
    rule that matches it is checked.

    There are no conversions: every op of the model phase reads and writes any float type.

    Runs first, on the naive program, so that no later pass has to know what a rule is.
  }];
}

def AbsorbMla : Pass<"glm-absorb-mla", "mlir::ModuleOp"> {
  let summary = "attend in the latent space instead of expanding keys and values";
  let description = [{
    `glm.mla_attention` becomes three ops (DeepSeek-V2, arXiv 2405.04434, section 2.1.2), so that the cache is read as it is stored:

        query . (K c)  =  (K^T query) . c       a transposed glm.head_linear before
        sum p (V c)    =  V (sum p c)           a glm.head_linear after

    The sums are the same up to their order and rounding.
  }];
}

def FuseCacheWrite : Pass<"glm-fuse-cache-write", "mlir::ModuleOp"> {
  let summary = "let a cache write normalise and rotate what it stores";
  let description = [{
    `glm.rms_norm` or `glm.layer_norm`, then `glm.rope`, then `glm.cache_write` become one `glm.cache_write`, where each
    intermediate row has no other use and the type of the cache.
  }];
}

def FuseNorm : Pass<"glm-fuse-norm", "mlir::ModuleOp"> {
  let summary = "let a norm add to the residual stream";
  let description = [{
    `arith.addf` and the `glm.rms_norm` of its sum become `glm.add_rms_norm`. The sum keeps its other uses and its tap.
  }];
}

def FuseProjections : Pass<"glm-fuse-projections", "mlir::ModuleOp"> {
  let summary = "multiply the same rows by several weights in one op";
  let description = [{
    The `glm.linear` ops of one input become one `glm.projections`, at the place of the first. Weights of one op are stored alike, so
    that a kernel has one way to read them; result types may differ.
  }];
}

def FuseDequant : Pass<"glm-fuse-dequant", "mlir::ModuleOp"> {
  let summary = "read packed weights where they are used";
  let description = [{
    A `glm.dequant` disappears into its users: linear, projections, head_linear, gated_mlp and moe read packed weights as well as wide
    ones. One that stays is a wide copy of a packed weight; glm-verify-model refuses it.
  }];
}

def SpecializeSteps : Pass<"glm-specialize-steps", "mlir::ModuleOp"> {
  let summary = "clone @step for each bucket of rows";
  let description = [{
    `@step` with a dynamic number of rows becomes `@step_r1`, `@step_r16`, ... with the static row counts of the module's `glm.limits`.
    Deferred functions stay dynamic.

    Runs after the fusions, which are then done once instead of once per bucket.
  }];
}

def VerifyModel : Pass<"glm-verify-model", "mlir::ModuleOp"> {
  let summary = "check the contract at the end of the model phase";
  let description = [{
    What the kernel phase relies on:

    - limits are present, and there is a step function with named arguments and the result `logits`;
    - no `glm.dequant` (a wide copy of a packed weight) and no `glm.mla_attention` is left, and the embedding is wide;
    - every shape is static, except in deferred functions;
    - a weight or a cache has one type throughout the module;
    - a cache is written once in a step, and readers use the result of the write.
  }];
}

#endif // GLM_PASSES_MODEL
