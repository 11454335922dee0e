// The plan phase: what the runtime replays. One op per runtime verb or manifest entry; codegen/emit is a loop over them.
#ifndef GLM_PLAN_OPS
#define GLM_PLAN_OPS

include "dialect/GlmDialect.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Glm_PlanOp<string mnemonic, list<Trait> traits = []> : Op<Glm_Dialect, "plan." # mnemonic, traits>;

def Glm_BufferSpace : I32EnumAttr<"Space", "where a buffer lives (runtime/artifact/Manifest.h)", [
  I32EnumAttrCase<"Arena", 0, "arena">,
  I32EnumAttrCase<"Cache", 1, "cache">,
  I32EnumAttrCase<"Input", 2, "input">,
  I32EnumAttrCase<"Output", 3, "output">
]> {
  let cppNamespace = "::glm";
  let genSpecializedAttr = 0;
}
def Glm_BufferSpaceAttr : EnumAttr<Glm_Dialect, Glm_BufferSpace, "space"> { let assemblyFormat = "$value"; }

def Glm_WeightForm : I32EnumAttr<"Form", "what a weight argument points to (runtime/artifact/Manifest.h)", [
  I32EnumAttrCase<"Data", 0, "data">,
  I32EnumAttrCase<"Table", 1, "table">,
  I32EnumAttrCase<"Scalars", 2, "scalars">
]> {
  let cppNamespace = "::glm";
  let genSpecializedAttr = 0;
}
def Glm_WeightFormAttr : EnumAttr<Glm_Dialect, Glm_WeightForm, "form"> { let assemblyFormat = "$value"; }

def PlanWeightOp : Glm_PlanOp<"weight", [Symbol]> {
  let summary = "declare what a weight argument points to";
  let description = [{
    One or three of these per `glm.weight`: codes, block scales, global scales of a packed one. `checkpoint_name` is a
    tensor of the checkpoint, or a pattern with `{}` for `count` of them. `filled`: nothing of the checkpoint, but memory for each of them that `glm.plan.load`
    fills.

    Example: `glm.plan.weight @w3 table "model.layers.3.mlp.experts.{}.up_proj.weight" count 256 dtype "U8" shape [2048, 3072]`
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Glm_WeightFormAttr:$form, StrAttr:$checkpoint_name, I64Attr:$count,
                       StrAttr:$dtype, DenseI64ArrayAttr:$shape, UnitAttr:$reciprocal, UnitAttr:$filled);
  let assemblyFormat = [{
    $sym_name $form $checkpoint_name `count` $count `dtype` $dtype `shape` $shape (`reciprocal` $reciprocal^)?
    (`filled` $filled^)? attr-dict
  }];
  let hasVerifier = 1;
}

def PlanBufferOp : Glm_PlanOp<"buffer", [Symbol]> {
  let summary = "declare a piece of memory";
  let description = [{
    Example: `glm.plan.buffer @x arena offset 4096 bytes 786432`. Caches have offset 0 and memory of their own.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Glm_BufferSpaceAttr:$space, I64Attr:$offset, I64Attr:$bytes);
  let assemblyFormat = "$sym_name $space `offset` $offset `bytes` $bytes attr-dict";
  let hasVerifier = 1;
}

def PlanProgramOp : Glm_PlanOp<"program", [Symbol, NoTerminator, SingleBlock, NoRegionArguments, IsolatedFromAbove]> {
  let summary = "the launches of one step, in order";
  let description = "A step of at most `rows` rows replays it.";
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$rows);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `rows` $rows attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def PlanLoadOp : Glm_PlanOp<"load", [NoTerminator, SingleBlock, NoRegionArguments]> {
  let summary = "the launches that fill weights, once";
  let description = [{
    Each is repeated for every tensor of its weights: a table stands for the address of the tensor at hand. Weights that no program uses
    need be there only while they are read.
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def PlanLaunchOp : Glm_PlanOp<"launch", [ParentOneOf<["PlanProgramOp", "PlanLoadOp"]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "run one kernel";
  let description = [{
    `kernel` is a nested `builtin.module` of that name, which holds the function of the same name; `arguments` are
    buffers and weights of the enclosing module. `blocks` is the grid of a GPU; a host has none. `output_rows`: the live
    rows are those of the output. `tap` names what
    is in buffer `tapped` afterwards, rows of `tap_width` elements of `tap_type` (I32, F32, BF16).

    Example: `glm.plan.launch @gemm_bf16_nvfp4_n2048k6144 [@x, @w3, @w4, @w5, @logits]`
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, TypedArrayAttrBase<FlatSymbolRefAttr, "symbols">:$arguments,
                       OptionalAttr<I64Attr>:$blocks, UnitAttr:$output_rows, OptionalAttr<StrAttr>:$tap, OptionalAttr<FlatSymbolRefAttr>:$tapped,
                       OptionalAttr<StrAttr>:$tap_type, OptionalAttr<I64Attr>:$tap_width);
  let assemblyFormat = "$kernel $arguments (`blocks` $blocks^)? (`output_rows` $output_rows^)? attr-dict";
  let hasVerifier = 1;
}

#endif // GLM_PLAN_OPS
