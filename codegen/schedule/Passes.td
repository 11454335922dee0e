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

def SampleOnGpu : Pass<"glm-sample-on-gpu", "::mlir::ModuleOp"> {
  let summary = "on a GPU: each step draws the tokens that its logits ask for";
  let description = [{
    The next step can be enqueued before a token of this one was read, if the token stays where the next step finds it.

    - Every step gets an argument `sampling`, the words of a draw for each row of its logits, and ends with `glm.kernel.sample`.
    - The module gets `@sampled`, memory that outlives a step as caches do: an entry for each row of logits of the largest program.
    - `embed` takes tokens from there where the runtime says so.

    Does nothing on a host, where the runtime samples.
  }];
  let constructor = "nullptr";
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def TileWeights : Pass<"glm-tile-weights", "::mlir::ModuleOp"> {
  let summary = "on a GPU: packed weights in the order in which tensor cores take them";
  let description = [{
    A packed weight gets a type in tiles (#glm.nvfp4, `tiled`) if the families of all kernels that use it, in every program, say that they take it so. One
    that they do not take stays as the checkpoint has it, with a missed remark that names the kernel.

    Does nothing on a host.
  }];
  let constructor = "nullptr";
}

def FormLoad : Pass<"glm-form-load", "::mlir::ModuleOp"> {
  let summary = "form the load program: what is launched once, before the first step";
  let description = "`@load`, with `glm.kernel.pack_weight` for each weight that a program wants in tiles; none where there is no such weight.";
  let constructor = "nullptr";
}

def SplitAttention : Pass<"glm-split-attention", "::mlir::ModuleOp"> {
  let summary = "on a GPU: a row's attention over several blocks";
  let description = [{
    Few rows times few tiles of heads are not enough blocks for a chip, and each would walk all positions of its row. Where the family says so
    (`partSize`), `sparse_mla` becomes `sparse_mla_part`, whose blocks have a part of the positions each, and `sparse_mla_join`.

    In programs of more than 16 rows there are blocks enough, and the sums of all parts would be large: there one block takes the parts one after the
    other (`part_size` of `sparse_mla`) and joins them as `sparse_mla_join` does. A row has the same bits in every program.

    Does nothing on a host.
  }];
  let constructor = "nullptr";
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def FuseLaunches : Pass<"glm-fuse-launches", "::mlir::ModuleOp"> {
  let summary = "on a GPU: fewer launches that wait for each other";
  let description = [{
    What a launch costs between two others is more than what a norm of one row computes. No number changes.

    - `norm` of `input + delta`: the product (`gemm <store>`, `moe_combine`) that makes delta adds the input itself, and the norm has nothing to add.
    - `rope` in place, whose old value a `head_gemm` reads in other columns: rope gets a buffer of its own, and they wait for each other no more.
    - `norm` before products, in programs of one row: each block of the products computes it for itself (`fused <prologue>`).
    - `route` before `group_rows`, in programs of up to 8 rows: one launch (`fused <prologue>`).
    - `sparse_mla_join` before the `head_gemm` of values, in programs of one row: `sparse_mla_values`.
    - `moe_down` before `moe_combine`, in programs of one row: `moe_down_combine`, whose counters are memory that outlives a step as caches do.

    Does nothing on a host, whose launches are cheap.
  }];
  let constructor = "nullptr";
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def GroupLaunches : Pass<"glm-group-launches", "::mlir::ModuleOp"> {
  let summary = "on a GPU: kernels that do not wait for each other, in one launch";
  let description = [{
    A kernel's level is one more than the highest of those that it waits for: whoever wrote what it reads, and whoever read or wrote what it
    writes. Kernels of one level become one launch (`fused <side_by_side>`), in the order of their blocks, the fewest first, so that nobody waits
    for a short kernel behind a long one. Programs become the launches of level 0, then of level 1, and so on.

    Grids follow from schedules, so that kernels get theirs here (as glm-select-schedule chooses them). Does nothing on a host.
  }];
  let constructor = "nullptr";
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
