// The kernel phase: what one launch computes, on buffers. Weights stay values: a name and a type.
//
// Every op reads and writes its memrefs as declared (`MemRead`, `MemWrite`); planning memory and outlining ask for these
// effects instead of knowing the ops. The leading dimension of a buffer is the number of rows that the step was planned for; a
// kernel computes the live rows that the runtime passes. Two discardable attributes are carried through to the launch:
// `glm.tap = "index.6"` (the first written buffer may be traced under that name) and `glm.output_rows` (live rows are those
// of the output, not of the step). `glm.schedule` is written by select-schedule.
#ifndef GLM_KERNEL_OPS
#define GLM_KERNEL_OPS

include "dialect/ModelOps.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Glm_KernelOpInterface : OpInterface<"KernelOpInterface"> {
  let cppNamespace = "::glm";
  let description = "One launch.";
  let methods = [
    InterfaceMethod<"Whether its work is worth more than one thread.", "bool", "isParallel", (ins), [{}], [{ return true; }]>,
    InterfaceMethod<"The buffers and weights that the launch passes, in their order.", "::llvm::SmallVector<::mlir::Value>", "launchOperands",
                    (ins), [{}], [{ return ::llvm::to_vector($_op->getOperands()); }]>
  ];
}

class Glm_KernelOp<string mnemonic, list<Trait> traits = []>
    : Op<Glm_Dialect, "kernel." # mnemonic, !listconcat([DeclareOpInterfaceMethods<Glm_KernelOpInterface>], traits)>;

def Glm_RowBuffer : StaticShapeMemRefOf<[F32, BF16]>;
def Glm_IntBuffer : StaticShapeMemRefOf<[I32]>;
def Glm_FloatBuffer : StaticShapeMemRefOf<[F32]>;

class Glm_In<Type type, string text = ""> : Arg<type, text, [MemRead]>;
class Glm_Out<Type type, string text = ""> : Arg<type, text, [MemWrite]>;
class Glm_InOut<Type type, string text = ""> : Arg<type, text, [MemRead, MemWrite]>;

def Glm_Epilogue : I32EnumAttr<"Epilogue", "what a product does with its sums", [
  I32EnumAttrCase<"Store", 0, "store">,
  I32EnumAttrCase<"SiluMul", 1, "silu_mul">
]> {
  let cppNamespace = "::glm";
  let genSpecializedAttr = 0;
}
def Glm_EpilogueAttr : EnumAttr<Glm_Dialect, Glm_Epilogue, "epilogue"> { let assemblyFormat = "`<` $value `>`"; }

def KernelEmbedOp : Glm_KernelOp<"embed"> {
  let summary = "glm.embed";
  let description = [{
    With `sampled` (see glm.kernel.sample) an entry t < 0 of `tokens` stands for `max(0, sampled[-1 - t])`: the token that the step before chose for its
    output row -1 - t, which the runtime need not have read yet.
  }];
  let arguments = (ins Glm_In<Glm_IntBuffer>:$tokens, Arg<Optional<Glm_IntBuffer>, "", [MemRead]>:$sampled,
                       Glm_Weight:$table, Glm_Out<Glm_RowBuffer>:$output);
  let assemblyFormat = [{
    `tokens` $tokens (`or` $sampled^)? `table` $table `to` $output attr-dict `:`
    type($tokens) (`or` type($sampled)^)? `,` type($table) `,` type($output)
  }];
  let hasVerifier = 1;
}

def KernelGatherRowsOp : Glm_KernelOp<"gather_rows"> {
  let summary = "glm.select_rows";
  let arguments = (ins Glm_In<Glm_RowBuffer>:$input, Glm_In<Glm_IntBuffer>:$rows, Glm_Out<Glm_RowBuffer>:$output);
  let assemblyFormat = "$input `at` $rows `to` $output attr-dict `:` type($input) `,` type($rows) `,` type($output)";
  let hasVerifier = 1;
}

def KernelRopeAnglesOp : Glm_KernelOp<"rope_angles"> {
  let summary = "glm.rope_angles";
  let arguments = (ins Glm_In<Glm_IntBuffer>:$positions, DenseF32ArrayAttr:$inverse_frequencies,
                       Glm_Out<Glm_FloatBuffer>:$output);
  let assemblyFormat = "$positions `to` $output attr-dict `:` type($positions) `,` type($output)";
  let hasVerifier = 1;
  let extraClassDeclaration = "bool isParallel() { return false; }";
}

def KernelNormOp : Glm_KernelOp<"norm", [AttrSizedOperandSegments]> {
  let summary = "glm.rms_norm, glm.layer_norm or glm.add_rms_norm";
  let description = [{
    `x = input`, or `x = sum = input + delta` rounded to the type of `sum`; then `output = norm(x)` over the first
    columns, as many as `weight` has; the others pass. `sum` may be the same buffer as `input` or `delta`.
  }];
  let arguments = (ins Glm_In<Glm_RowBuffer>:$input, Arg<Optional<Glm_RowBuffer>, "", [MemRead]>:$delta,
                       Glm_Weight:$weight, Optional<Glm_Weight>:$bias,
                       Arg<Optional<Glm_RowBuffer>, "", [MemWrite]>:$sum, Glm_Out<Glm_RowBuffer>:$output,
                       Glm_NormKindAttr:$norm, F32Attr:$eps);
  let assemblyFormat = [{
    $norm $input (`plus` $delta^)? `weight` $weight (`bias` $bias^)? (`sum` $sum^)? `to` $output `eps` $eps attr-dict
    `:`
    type($input) (`plus` type($delta)^)? `,` type($weight) (`bias` type($bias)^)? (`sum` type($sum)^)? `,` type($output)
  }];
  let hasVerifier = 1;
}

def KernelAddOp : Glm_KernelOp<"add"> {
  let summary = "add rows";
  let arguments = (ins Glm_In<Glm_RowBuffer>:$lhs, Glm_In<Glm_RowBuffer>:$rhs, Glm_Out<Glm_RowBuffer>:$output);
  let assemblyFormat = "$lhs `,` $rhs `to` $output attr-dict `:` type($lhs) `,` type($rhs) `,` type($output)";
  let hasVerifier = 1;
}

def KernelGemmOp : Glm_KernelOp<"gemm", [AttrSizedOperandSegments]> {
  let summary = "multiply rows by weights";
  let description = [{
    `store`: output i = input * weight_i^T. `silu_mul`: two weights (gate, up), one output = silu(input * gate^T) *
    (input * up^T), rounded once. A packed weight is unpacked in registers. With `residual` (one weight) the output is `residual` plus the
    product; it may be the same buffer.
  }];
  let arguments = (ins Glm_In<Glm_RowBuffer>:$input, Variadic<Glm_Weight>:$weights,
                       Arg<Optional<Glm_FloatBuffer>, "", [MemRead]>:$residual,
                       Arg<Variadic<Glm_RowBuffer>, "", [MemWrite]>:$outputs, Glm_EpilogueAttr:$epilogue);
  let assemblyFormat = [{
    $epilogue $input `by` $weights (`residual` $residual^)? `to` $outputs attr-dict `:`
    type($input) `by` type($weights) (`residual` type($residual)^)? `to` type($outputs)
  }];
  let hasVerifier = 1;
}

def KernelHeadGemmOp : Glm_KernelOp<"head_gemm"> {
  let summary = "glm.head_linear";
  let arguments = (ins Glm_In<Glm_RowBuffer>:$input, Glm_Weight:$weight, Glm_Out<Glm_RowBuffer>:$output, I64Attr:$heads,
                       I64Attr:$head_rows, I64Attr:$row_begin, I64Attr:$row_count, UnitAttr:$transposed);
  let assemblyFormat = [{
    $input `,` $weight `to` $output `heads` $heads `rows` $row_begin `plus` $row_count `of` $head_rows
    (`transposed` $transposed^)? attr-dict `:`
    type($input) `,` type($weight) `,` type($output)
  }];
  let hasVerifier = 1;
}

def KernelRopeOp : Glm_KernelOp<"rope"> {
  let summary = "glm.rope";
  let description = "`output` may be the same buffer as `input`.";
  let arguments = (ins Glm_In<Glm_RowBuffer>:$input, Glm_In<Glm_FloatBuffer>:$angles, Glm_Out<Glm_RowBuffer>:$output,
                       I64Attr:$heads, I64Attr:$offset, I64Attr:$width);
  let assemblyFormat = [{
    $input `,` $angles `to` $output `heads` $heads `columns` $offset `plus` $width attr-dict `:`
    type($input) `,` type($angles) `,` type($output)
  }];
  let hasVerifier = 1;
}

def KernelRopeCacheWriteOp : Glm_KernelOp<"rope_cache_write", [AttrSizedOperandSegments]> {
  let summary = "glm.cache_write";
  let description = [{
    The cache is [pages * page_size, width]; position p of slot s is row
    `pages[s, p / page_size] * page_size + p mod page_size`.
  }];
  let arguments = (ins Glm_In<Glm_RowBuffer>:$input, Glm_InOut<Glm_RowBuffer>:$cache, Glm_In<Glm_IntBuffer>:$positions,
                       Glm_In<Glm_IntBuffer>:$slots, Glm_In<Glm_IntBuffer>:$pages, Optional<Glm_Weight>:$norm_weight,
                       Optional<Glm_Weight>:$norm_bias, Arg<Optional<Glm_FloatBuffer>, "", [MemRead]>:$angles,
                       Optional<Glm_Weight>:$consumer, I64Attr:$page_size, OptionalAttr<Glm_NormKindAttr>:$norm, OptionalAttr<F32Attr>:$eps,
                       I64Attr:$rope_offset, I64Attr:$rope_width);
  let assemblyFormat = [{
    $input `into` $cache `at` $positions `,` $slots `,` $pages (`norm` $norm_weight^ (`bias` $norm_bias^)?)?
    (`rope` $angles^)? (`for` $consumer^)? attr-dict `:`
    type($input) `,` type($cache) `,` type($positions) `,` type($slots) `,` type($pages)
    (`norm` type($norm_weight)^ (`bias` type($norm_bias)^)?)? (`rope` type($angles)^)? (`for` type($consumer)^)?
  }];
  let hasVerifier = 1;
}

def KernelIndexScoreOp : Glm_KernelOp<"index_score"> {
  let summary = "scores of glm.indexer";
  let description = "`scores` is [rows, max positions]; columns beyond a row's own position are not written.";
  let arguments = (ins Glm_In<Glm_RowBuffer>:$query, Glm_In<Glm_FloatBuffer>:$weights, Glm_In<Glm_RowBuffer>:$keys,
                       Glm_In<Glm_IntBuffer>:$positions, Glm_In<Glm_IntBuffer>:$slots, Glm_In<Glm_IntBuffer>:$pages,
                       Glm_Out<Glm_FloatBuffer>:$scores, I64Attr:$page_size, F32Attr:$scale);
  let assemblyFormat = [{
    $query `,` $weights `in` $keys `at` $positions `,` $slots `,` $pages `to` $scores `scale` $scale attr-dict `:`
    type($query) `,` type($weights) `,` type($keys) `,` type($positions) `,` type($slots) `,` type($pages) `,`
    type($scores)
  }];
  let hasVerifier = 1;
}

def KernelTopKOp : Glm_KernelOp<"top_k"> {
  let summary = "the choice of glm.indexer";
  let description = "Exact; of equal scores the lower position wins; ascending, -1 behind.";
  let arguments = (ins Glm_In<Glm_FloatBuffer>:$scores, Glm_In<Glm_IntBuffer>:$positions,
                       Glm_Out<Glm_IntBuffer>:$indices);
  let assemblyFormat = [{
    $scores `at` $positions `to` $indices attr-dict `:`
    type($scores) `,` type($positions) `,` type($indices)
  }];
  let hasVerifier = 1;
}

def KernelSparseMlaOp : Glm_KernelOp<"sparse_mla"> {
  let summary = "glm.latent_attention";
  let description = [{
    With `part_size` the numbers are, to the last bit, those of sparse_mla_part and sparse_mla_join.
  }];
  let arguments = (ins Glm_In<Glm_RowBuffer>:$query_latent, Glm_In<Glm_RowBuffer>:$query, Glm_In<Glm_RowBuffer>:$latent,
                       Glm_In<Glm_IntBuffer>:$indices, Glm_In<Glm_IntBuffer>:$slots, Glm_In<Glm_IntBuffer>:$pages,
                       Glm_Out<Glm_RowBuffer>:$output, I64Attr:$page_size, I64Attr:$heads, I64Attr:$rope_width,
                       F32Attr:$scale, OptionalAttr<I64Attr>:$part_size);
  let assemblyFormat = [{
    $query_latent `,` $query `in` $latent `over` $indices `at` $slots `,` $pages `to` $output `heads` $heads `rope`
    $rope_width `scale` $scale attr-dict `:`
    type($query_latent) `,` type($query) `,` type($latent) `,` type($indices) `,` type($slots) `,` type($pages) `,`
    type($output)
  }];
  let hasVerifier = 1;
}

def KernelSparseMlaPartOp : Glm_KernelOp<"sparse_mla_part"> {
  let summary = "first half of glm.latent_attention: each part of a row's positions alone";
  let description = [{
    Part p of a row has the entries from p * part_size on of `indices`, `part_size` of them; the last of the P parts has those that are left. With
    i = head * P + p: `stats[t, 2 i]` is the largest logit of the part, `stats[t, 2 i + 1]` the sum of its powers e^(logit - largest), and
    `sums[t, i * rank ..]` the sum of its values times their powers, as many numbers as a value has. Of a part without positions
    they are -inf and 0, and its sums are not written.
  }];
  let arguments = (ins Glm_In<Glm_RowBuffer>:$query_latent, Glm_In<Glm_RowBuffer>:$query, Glm_In<Glm_RowBuffer>:$latent,
                       Glm_In<Glm_IntBuffer>:$indices, Glm_In<Glm_IntBuffer>:$slots, Glm_In<Glm_IntBuffer>:$pages,
                       Glm_Out<Glm_FloatBuffer>:$sums, Glm_Out<Glm_FloatBuffer>:$stats, I64Attr:$page_size,
                       I64Attr:$heads, I64Attr:$rope_width, F32Attr:$scale, I64Attr:$part_size);
  let assemblyFormat = [{
    $query_latent `,` $query `in` $latent `over` $indices `at` $slots `,` $pages `to` $sums `,` $stats `heads` $heads
    `rope` $rope_width `scale` $scale attr-dict `:`
    type($query_latent) `,` type($query) `,` type($latent) `,` type($indices) `,` type($slots) `,` type($pages) `,`
    type($sums) `,` type($stats)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Parts of a row.
    int64_t countParts();
  }];
}

def KernelSparseMlaJoinOp : Glm_KernelOp<"sparse_mla_join"> {
  let summary = "second half of glm.latent_attention: the parts of sparse_mla_part become one";
  let description = [{
    For each head, parts in ascending order, those without positions left out. (m, l, s) are largest logit, sum of powers and sum of values so far, at
    first (-inf, 0, 0), and (m', l', s') those of the next part:

        (f, f') = (e^(m - m'), 1) if m < m', else (1, e^(m' - m))
        (m, l, s) = (max(m, m'), l * f + l' * f', s * f + s' * f')

    `output` is s / l of the last, rounded once.
  }];
  let arguments = (ins Glm_In<Glm_FloatBuffer>:$sums, Glm_In<Glm_FloatBuffer>:$stats, Glm_Out<Glm_RowBuffer>:$output,
                       I64Attr:$heads);
  let assemblyFormat = [{
    $sums `,` $stats `to` $output `heads` $heads attr-dict `:` type($sums) `,` type($stats) `,` type($output)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Parts of a row.
    int64_t countParts();
  }];
}

def KernelSparseMlaValuesOp : Glm_KernelOp<"sparse_mla_values"> {
  let summary = "sparse_mla_join and the head_gemm of what it makes, on a GPU";
  let description = [{
    With the output of sparse_mla_join as input, stored in the type of `output`, that of head_gemm (not transposed), to the last bit. Glm-fuse-launches makes it
    where a family has it: there is no plain body.
  }];
  let arguments = (ins Glm_In<Glm_FloatBuffer>:$sums, Glm_In<Glm_FloatBuffer>:$stats, Glm_Weight:$weight,
                       Glm_Out<Glm_RowBuffer>:$output, I64Attr:$heads, I64Attr:$head_rows, I64Attr:$row_begin, I64Attr:$row_count);
  let assemblyFormat = [{
    $sums `,` $stats `,` $weight `to` $output `heads` $heads `rows` $row_begin `plus` $row_count `of` $head_rows attr-dict `:`
    type($sums) `,` type($stats) `,` type($weight) `,` type($output)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Parts of a row.
    int64_t countParts();
  }];
}

def KernelRouteOp : Glm_KernelOp<"route"> {
  let summary = "glm.route";
  let arguments = (ins Glm_In<Glm_FloatBuffer>:$logits, Glm_Weight:$bias, Glm_Out<Glm_IntBuffer>:$experts,
                       Glm_Out<Glm_FloatBuffer>:$weights, I64Attr:$groups, I64Attr:$kept_groups, UnitAttr:$normalize,
                       F32Attr:$scaling);
  let assemblyFormat = [{
    $logits `,` $bias `to` $experts `,` $weights `groups` $kept_groups `of` $groups (`normalize` $normalize^)? `scaling`
    $scaling attr-dict `:`
    type($logits) `,` type($bias) `,` type($experts) `,` type($weights)
  }];
  let hasVerifier = 1;
}

def KernelGroupRowsOp : Glm_KernelOp<"group_rows"> {
  let summary = "sort the (row, choice) pairs of a step by expert";
  let description = [{
    With entry t * top_k + j for choice j of row t: `entries` [rows * top_k] lists the entries of expert 0, then of
    expert 1, ..., each in ascending order; those of expert e are entries[offsets[e] .. offsets[e + 1]), `offsets`
    [experts + 1].
  }];
  let arguments = (ins Glm_In<Glm_IntBuffer>:$experts, Glm_Out<Glm_IntBuffer>:$offsets,
                       Glm_Out<Glm_IntBuffer>:$entries);
  let assemblyFormat = [{
    $experts `to` $offsets `,` $entries attr-dict `:`
    type($experts) `,` type($offsets) `,` type($entries)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = "bool isParallel() { return false; }";
}

def KernelMoeGateUpOp : Glm_KernelOp<"moe_gate_up"> {
  let summary = "first half of glm.moe";
  let description = [{
    For each entry i of expert e, x = row i / top_k of `input`: `output[i] = silu(gate_e x) * (up_e x)`, rounded once.
    `output` is [rows * top_k, F].
  }];
  let arguments = (ins Glm_In<Glm_RowBuffer>:$input, Glm_In<Glm_IntBuffer>:$offsets, Glm_In<Glm_IntBuffer>:$entries,
                       Glm_Weight:$gate, Glm_Weight:$up, Glm_Out<Glm_RowBuffer>:$output, I64Attr:$top_k);
  let assemblyFormat = [{
    $input `of` $offsets `,` $entries `gate` $gate `up` $up `to` $output `top_k` $top_k attr-dict `:`
    type($input) `,` type($offsets) `,` type($entries) `,` type($gate) `,` type($up) `,` type($output)
  }];
  let hasVerifier = 1;
}

def KernelMoeDownOp : Glm_KernelOp<"moe_down"> {
  let summary = "second half of glm.moe, before the weighted sum";
  let description = [{
    For each entry i of expert e: `output[i] = down_e input[i]`, float32. Both are [rows * top_k, ...].
  }];
  let arguments = (ins Glm_In<Glm_RowBuffer>:$input, Glm_In<Glm_IntBuffer>:$offsets, Glm_In<Glm_IntBuffer>:$entries,
                       Glm_Weight:$down, Glm_Out<Glm_FloatBuffer>:$output);
  let assemblyFormat = [{
    $input `of` $offsets `,` $entries `down` $down `to` $output attr-dict `:`
    type($input) `,` type($offsets) `,` type($entries) `,` type($down) `,` type($output)
  }];
  let hasVerifier = 1;
}

def KernelMoeCombineOp : Glm_KernelOp<"moe_combine", [AttrSizedOperandSegments]> {
  let summary = "weighted sum of a row's experts";
  let description = [{
    `output[t] = sum_j weights[t, j] * input[t * top_k + j] + shared[t] + residual[t]`, j ascending, float32, rounded once. `residual` may be
    the same buffer as `output`.
  }];
  let arguments = (ins Glm_In<Glm_FloatBuffer>:$input, Glm_In<Glm_FloatBuffer>:$weights,
                       Arg<Optional<Glm_RowBuffer>, "", [MemRead]>:$shared,
                       Arg<Optional<Glm_FloatBuffer>, "", [MemRead]>:$residual, Glm_Out<Glm_RowBuffer>:$output);
  let assemblyFormat = [{
    $input `by` $weights (`plus` $shared^)? (`residual` $residual^)? `to` $output attr-dict `:`
    type($input) `,` type($weights) (`plus` type($shared)^)? (`residual` type($residual)^)? `,` type($output)
  }];
  let hasVerifier = 1;
}

def KernelMoeDownCombineOp : Glm_KernelOp<"moe_down_combine", [AttrSizedOperandSegments]> {
  let summary = "moe_down and the moe_combine of what it makes, on a GPU";
  let description = [{
    `parts` gets the output of moe_down, `output` that of moe_combine, to the last bit: of some columns once all blocks have left theirs. `arrivals` counts
    them: an entry for each 16 rows of `down`, 0 before and afterwards. Glm-fuse-launches makes it where a family has it: there is no plain body.
  }];
  let arguments = (ins Glm_In<Glm_RowBuffer>:$input, Glm_In<Glm_IntBuffer>:$offsets, Glm_In<Glm_IntBuffer>:$entries,
                       Glm_Weight:$down, Glm_In<Glm_FloatBuffer>:$weights,
                       Arg<Optional<Glm_RowBuffer>, "", [MemRead]>:$shared,
                       Arg<Optional<Glm_FloatBuffer>, "", [MemRead]>:$residual,
                       Glm_Out<Glm_RowBuffer>:$output, Glm_Out<Glm_FloatBuffer>:$parts, Glm_InOut<Glm_IntBuffer>:$arrivals);
  let assemblyFormat = [{
    $input `of` $offsets `,` $entries `down` $down `by` $weights (`plus` $shared^)? (`residual` $residual^)? `to` $output `through` $parts `,` $arrivals
    attr-dict `:`
    type($input) `,` type($offsets) `,` type($entries) `,` type($down) `,` type($weights) (`plus` type($shared)^)?
    (`residual` type($residual)^)? `,` type($output) `,` type($parts) `,` type($arrivals)
  }];
  let hasVerifier = 1;
}

def KernelSampleOp : Glm_KernelOp<"sample"> {
  let summary = "from the logits of a row to a token, on a GPU";
  let description = [{
    `sampled[i]` is the token that runtime/exec/Sampler.h draws from row i of `logits` with the words i of `sampling`: bits of the scale (0: the lowest id of
    the largest logit), top_k, top_p, high and low word of the random number. Where a logit is NaN or +inf it is `-1 - (2 * id + infinite)` of the first such
    id, `infinite` being 1 for +inf. There are at least as many entries as rows; those behind the live rows are not written.

    Hosts sample in the runtime: there is no plain body.
  }];
  let arguments = (ins Glm_In<Glm_FloatBuffer>:$logits, Glm_In<Glm_IntBuffer>:$sampling,
                       Glm_Out<Glm_IntBuffer>:$sampled);
  let assemblyFormat = [{
    $logits `by` $sampling `to` $sampled attr-dict `:`
    type($logits) `,` type($sampling) `,` type($sampled)
  }];
  let hasVerifier = 1;
}

def KernelPackWeightOp : Glm_KernelOp<"pack_weight"> {
  let summary = "a packed weight from the order of the checkpoint to tiles";
  let description = [{
    Of the load program. `stored` and `tiled` are one weight, which is memory here: codes and block scales are read from the one and written to the other.
    It is launched once for each matrix, with the addresses of that matrix instead of a table.

    Example:

        %w = glm.weight "mlp.up_proj.weight" : tensor<2048x6144xf4E2M1FN, #stored>
        %t = glm.weight "mlp.up_proj.weight" : tensor<2048x6144xf4E2M1FN, #tiled>
        glm.kernel.pack_weight %w to %t : tensor<2048x6144xf4E2M1FN, #stored>, tensor<2048x6144xf4E2M1FN, #tiled>
  }];
  let arguments = (ins Glm_Weight:$stored, Glm_Weight:$tiled);
  let assemblyFormat = "$stored `to` $tiled attr-dict `:` type($stored) `,` type($tiled)";
  let hasVerifier = 1;
}

//===-- Several kernels in one launch ---------------------------------------------------------------------------------===//

def Glm_Fusion : I32EnumAttr<"Fusion", "how kernels share a launch", [
  I32EnumAttrCase<"SideBySide", 0, "side_by_side">,
  I32EnumAttrCase<"Prologue", 1, "prologue">
]> {
  let cppNamespace = "::glm";
  let genSpecializedAttr = 0;
}
def Glm_FusionAttr : EnumAttr<Glm_Dialect, Glm_Fusion, "fusion"> { let assemblyFormat = "`<` $value `>`"; }

def KernelFusedOp : Glm_KernelOp<"fused", [NoTerminator, SingleBlock, NoRegionArguments,
                                           DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
                                           DeclareOpInterfaceMethods<Glm_KernelOpInterface, ["launchOperands"]>]> {
  let summary = "several kernels in one launch of a GPU";
  let description = [{
    Each kernel means what it means alone: its numbers do not change.

    `side_by_side`: no kernel reads or writes what another one writes; each has blocks of its own, one kernel's behind the other's.

    `prologue`: two kernels. Every block of the second one first computes all rows of the first by itself. The first kernel's output is
    read from the memory of the block; where it is a buffer from outside, one block writes it there too.

    Example:

        glm.kernel.fused <prologue> {
          %normed = memref.alloc() : memref<1x6144xbf16>
          glm.kernel.norm <rms> %x weight %w to %normed eps 1.0e-5 : memref<1x6144xf32>, tensor<6144xbf16>, memref<1x6144xbf16>
          glm.kernel.gemm <store> %normed by %router to %logits : memref<1x6144xbf16> by tensor<256x6144xbf16> to memref<1x256xf32>
        }
  }];
  let arguments = (ins Glm_FusionAttr:$fusion);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$fusion $body attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The kernels, in their order.
    ::llvm::SmallVector<::glm::KernelOpInterface> kernels();
  }];
}

#endif // GLM_KERNEL_OPS
