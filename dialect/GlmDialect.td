// The glm dialect: one language, three phases. `glm.*` computes on tensors, `glm.kernel.*` on buffers, `glm.plan.*` launches.
#ifndef GLM_DIALECT
#define GLM_DIALECT

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/TensorEncoding.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Glm_Dialect : Dialect {
  let name = "glm";
  let cppNamespace = "::glm";
  let summary = "GLM-5.2 from model to launches";
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

class Glm_Attr<string name, string attrMnemonic, list<Trait> traits = []> : AttrDef<Glm_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
  let genVerifyDecl = 1;
}

class Glm_Type<string name, string typeMnemonic> : TypeDef<Glm_Dialect, name> {
  let mnemonic = typeMnemonic;
  let genVerifyDecl = 1;
}

//===-- Attributes -----------------------------------------------------------------------------------------------===//

def Glm_PackedSource : I32EnumAttr<"PackedSource", "who wrote the packed tensors", [
  I32EnumAttrCase<"ModelOpt", 0, "modelopt">,
  I32EnumAttrCase<"CompressedTensors", 1, "compressed_tensors">
]> {
  let cppNamespace = "::glm";
}

def Glm_Nvfp4Attr : Glm_Attr<"Nvfp4", "nvfp4", [DeclareAttrInterfaceMethods<VerifiableTensorEncoding, ["verifyEncoding"]>]> {
  let summary = "packed E2M1 values with an E4M3 scale per block and one float32 scale per matrix";
  let description = [{
    The encoding of a packed weight, a `tensor<NxKxf4E2M1FN>` or, for the experts of a layer, a
    `tensor<ExNxKxf4E2M1FN>`:

        w[n, k] = E2M1[code[n, k]] * (float(scale[n, k / block]) * global)

    `source` says under which names the checkpoint stores codes, scales and the global scale: ModelOpt (`X.weight`,
    `X.weight_scale`, `X.weight_scale_2`) or compressed-tensors (`X.weight_packed`, `X.weight_scale` and the inverse
    `X.weight_global_scale`). K is a multiple of `block`.

    `quantized_inputs`: a product with it rounds its input rows to NVFP4 too, by `X.input_scale` of the checkpoint (or the inverse
    `X.input_global_scale`):

        s = E4M3(max |x| of the block / 6 / input_scale) * input_scale,   x' = E2M1(x / s) * s

    `tiled` (block 16): codes and scales of a matrix lie as tensor cores take them, in tiles of 16 rows and 256 columns, rows of tiles one after the
    other, zeros where the matrix ends. glm.kernel.pack_weight writes them. With lane 4 g + q for g < 8, q < 4, a tile has

        512 u + 16 lane        for u < 4, of columns 64 u ..: eight codes of rows g and g + 8 from column 8 q on, then from column 32 + 8 q on,
                               4 bytes each, low nibble first
        2048 + 16 r + 8 h + 2 u   of row r, h < 2: scales of blocks h and 2 + h of columns 64 u ..

    Example: `tensor<2048x6144xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>`
  }];
  let parameters = (ins "int64_t":$block, EnumParameter<Glm_PackedSource>:$source, DefaultValuedParameter<"bool", "false">:$quantized_inputs,
                        DefaultValuedParameter<"bool", "false">:$tiled);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Glm_RuleSubject : I32EnumAttr<"RuleSubject", "what a precision rule is about", [
  I32EnumAttrCase<"Weights", 0, "weights">,
  I32EnumAttrCase<"Activations", 1, "activations">
]> {
  let cppNamespace = "::glm";
}

def Glm_RuleAttr : Glm_Attr<"Rule", "rule"> {
  let summary = "one precision rule: what matches a pattern is computed in a type";
  let description = [{
    An entry of the module's `glm.precision` list; later entries win. `subject` is `weights` (a pattern over module
    names) or `activations` (the type in which every activation and cache is kept). `source` is the place that the rule
    came from.

    Example: `#glm.rule<subject = activations, pattern = "*", type = "bf16", source = "--activations">`
  }];
  let parameters = (ins EnumParameter<Glm_RuleSubject>:$subject, StringRefParameter<>:$pattern,
                        StringRefParameter<>:$type, StringRefParameter<>:$source);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Glm_LimitsAttr : Glm_Attr<"Limits", "limits"> {
  let summary = "how much one artifact serves: rows of a step, sequences, positions, page size";
  let description = [{
    The module's `glm.limits`. `rows` lists the buckets: a step of T rows runs the program of the first bucket that
    holds T. A page holds `page_size` positions of one sequence; the pool has enough pages for `sequences` full
    sequences.

    Example: `#glm.limits<rows = [1, 16, 64], sequences = 8, positions = 32768, page_size = 64>`
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$rows, "int64_t":$sequences, "int64_t":$positions,
                        "int64_t":$page_size);
  let assemblyFormat = "`<` `rows` `=` `[` $rows `]` `,` struct($sequences, $positions, $page_size) `>`";
  let extraClassDeclaration = [{
    int64_t getMaxRows() const { return getRows().back(); }
    int64_t getPagesPerSequence() const { return (getPositions() + getPageSize() - 1) / getPageSize(); }
    int64_t getPages() const { return getPagesPerSequence() * getSequences(); }
  }];
}

def Glm_TargetAttr : Glm_Attr<"Target", "target"> {
  let summary = "the chip that the program is for";
  let description = [{
    The module's `glm.target`, made by codegen/target from a chip's name. `features` are LLVM's names, written
    `+one,+two`. Everything else asks it a question (codegen/target/Target.h) instead of comparing names.

    Example: `#glm.target<chip = "x86-64-v4", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx512bf16", vector_bits = 512>`
  }];
  let parameters = (ins StringRefParameter<>:$chip, StringRefParameter<>:$triple, StringRefParameter<>:$cpu,
                        StringRefParameter<>:$features, "int64_t":$vector_bits);
  let assemblyFormat = "`<` struct(params) `>`";
  let extraClassDeclaration = [{
    /// Whether LLVM's feature `name` (without the plus) is on.
    bool has(::llvm::StringRef name) const;
  }];
}

def Glm_ScheduleAttr : Glm_Attr<"Schedule", "schedule"> {
  let summary = "how a kernel op is executed: a family and its tile";
  let description = [{
    `family` names the file of codegen that builds the body; `plain` is the meaning itself (codegen/linalg). Tile sizes
    are free: a schedule never changes what a row's result depends on.

    Example: `#glm.schedule<family = "dot_bf16", tile_m = 8, tile_n = 1>`
  }];
  let parameters = (ins StringRefParameter<>:$family, "int64_t":$tile_m, "int64_t":$tile_n);
  let assemblyFormat = "`<` struct(params) `>`";
}

//===-- Types ----------------------------------------------------------------------------------------------------===//

def Glm_CacheType : Glm_Type<"Cache", "cache"> {
  let summary = "rows that outlive a step, one per position of every sequence, paged";
  let description = [{
    A row of `width` elements for every position of every sequence slot, reached through the page table. A value of this
    type is the cache after some writes: `glm.cache_write` returns a new one, so that attending after writing is a use
    of its result.

    Example: `!glm.cache<576 x bf16>`
  }];
  let parameters = (ins "int64_t":$width, "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $width `x` $elementType `>`";
}

#endif // GLM_DIALECT
