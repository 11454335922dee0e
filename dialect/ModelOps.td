// The model phase: what the model computes, on tensors. A layer reads like the model card.
#ifndef GLM_MODEL_OPS
#define GLM_MODEL_OPS

include "dialect/GlmDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Glm_Op<string mnemonic, list<Trait> traits = [Pure]> : Op<Glm_Dialect, mnemonic, traits>;

// Rows of activations: [rows, width], rows dynamic until steps are specialized.
def Glm_Rows : RankedTensorOf<[F32, BF16]>;
def Glm_Ints : RankedTensorOf<[I32]>;
// A weight as stored: [N, K], [E, N, K] for a layer's experts, or [width].
def Glm_Weight : StaticShapeTensorOf<[F32, BF16, F16, F4E2M1FN]>;

def Glm_NormKind : I32EnumAttr<"NormKind", "which norm", [I32EnumAttrCase<"Rms", 0, "rms">, I32EnumAttrCase<"Layer", 1, "layer">]> {
  let cppNamespace = "::glm";
  let genSpecializedAttr = 0;
}
def Glm_NormKindAttr : EnumAttr<Glm_Dialect, Glm_NormKind, "norm"> { let assemblyFormat = "`<` $value `>`"; }

def WeightOp : Glm_Op<"weight"> {
  let summary = "name a tensor of the checkpoint";
  let description = [{
    A weight is a name and a type, never bytes. In a name, `{}` stands for the experts 0 .. E-1 of a stacked weight. The
    name always ends as transformers spells it (`X.weight`), also where the file stores it packed under several names.

    Example: `%w = glm.weight "model.layers.3.mlp.experts.{}.up_proj.weight" : tensor<256x2048x6144xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>`
  }];
  let arguments = (ins StrAttr:$name);
  let results = (outs Glm_Weight:$result);
  let assemblyFormat = "$name attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def DequantOp : Glm_Op<"dequant"> {
  let summary = "widen a packed weight";
  let description = [{
    `result[n, k] = E2M1[code[n, k]] * (float(scale[n, k / 16]) * global)` in float32. The importer emits one for each
    packed weight; fuse-dequant folds it into its consumer, and the model phase may not end with one left: that would be
    a wide copy of a packed weight.
  }];
  let arguments = (ins Glm_Weight:$input);
  let results = (outs Glm_Weight:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def EmbedOp : Glm_Op<"embed"> {
  let summary = "look up a row of the embedding for each token";
  let description = "`result[t] = table[tokens[t]]`";
  let arguments = (ins Glm_Ints:$tokens, Glm_Weight:$table);
  let results = (outs Glm_Rows:$result);
  let assemblyFormat = "$tokens `in` $table attr-dict `:` type($tokens) `,` type($table) `->` type($result)";
  let hasVerifier = 1;
}

def RmsNormOp : Glm_Op<"rms_norm"> {
  let summary = "normalise the first columns of each row by their root mean square";
  let description = [{
    For the first W columns, W being the width of `weight`: `y = x * rsqrt(mean(x^2) + eps) * weight` in float32,
    rounded once; the other columns pass (the latent norm covers 512 of 576 columns). transformers:
    GlmMoeDsaRMSNorm, without its rounding in between.
  }];
  let arguments = (ins Glm_Rows:$input, Glm_Weight:$weight, F32Attr:$eps);
  let results = (outs Glm_Rows:$result);
  let assemblyFormat = "$input `,` $weight `eps` $eps attr-dict `:` type($input) `,` type($weight) `->` type($result)";
  let hasVerifier = 1;
}

def LayerNormOp : Glm_Op<"layer_norm"> {
  let summary = "normalise the first columns of each row to mean 0 and variance 1, then scale and shift";
  let description = [{
    For the first W columns, W being the width of `weight`: `y = (x - mean) / sqrt(variance + eps) * weight + bias` in
    float32 with the biased variance, rounded once; the other columns pass. torch.nn.LayerNorm.
  }];
  let arguments = (ins Glm_Rows:$input, Glm_Weight:$weight, Glm_Weight:$bias, F32Attr:$eps);
  let results = (outs Glm_Rows:$result);
  let assemblyFormat = [{
    $input `,` $weight `,` $bias `eps` $eps attr-dict `:`
    type($input) `,` type($weight) `,` type($bias) `->` type($result)
  }];
  let hasVerifier = 1;
}

def AddRmsNormOp : Glm_Op<"add_rms_norm"> {
  let summary = "add to the residual stream and normalise the sum";
  let description = [{
    `sum = input + delta`, rounded to its type; `result = rms_norm(sum)`: the same numbers as `arith.addf` and
    `glm.rms_norm`.
  }];
  let arguments = (ins Glm_Rows:$input, Glm_Rows:$delta, Glm_Weight:$weight, F32Attr:$eps);
  let results = (outs Glm_Rows:$sum, Glm_Rows:$result);
  let assemblyFormat = [{
    $input `plus` $delta `,` $weight `eps` $eps attr-dict `:`
    type($input) `,` type($delta) `,` type($weight) `->` type($sum) `,` type($result)
  }];
  let hasVerifier = 1;
}

def LinearOp : Glm_Op<"linear"> {
  let summary = "multiply rows by a weight";
  let description = "`result[t, n] = sum_k input[t, k] * weight[n, k]`, accumulated in float32, rounded once.";
  let arguments = (ins Glm_Rows:$input, Glm_Weight:$weight);
  let results = (outs Glm_Rows:$result);
  let assemblyFormat = "$input `,` $weight attr-dict `:` type($input) `,` type($weight) `->` type($result)";
  let hasVerifier = 1;
}

def ProjectionsOp : Glm_Op<"projections"> {
  let summary = "multiply the same rows by several weights";
  let description = "One `glm.linear` per weight, in one launch.";
  let arguments = (ins Glm_Rows:$input, Variadic<Glm_Weight>:$weights);
  let results = (outs Variadic<Glm_Rows>:$outputs);
  let assemblyFormat = "$input `by` $weights attr-dict `:` type($input) `,` type($weights) `->` type($outputs)";
  let hasVerifier = 1;
}

def HeadLinearOp : Glm_Op<"head_linear"> {
  let summary = "multiply each head's part of a row by that head's rows of a weight";
  let description = [{
    The weight [heads * head_rows, K] has a block of `head_rows` rows per head, of which rows [row_begin, row_begin +
    row_count) take part; call them W_h. The row has `input` width / heads columns per head, of which the first
    `row_count` (transposed) or K (not transposed) take part.

        transposed:      result[t, h, :] = W_h^T input[t, h, 0:row_count]     (K columns per head; q_nope into the latent space)
        not transposed:  result[t, h, :] = W_h   input[t, h, 0:K]             (row_count columns per head; latent to values)

    These are the two halves of absorbed latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1.2). What they multiply is not the input of the
    weight, so that its `quantized_inputs` do not concern them (`consumer` of glm.cache_write).
  }];
  let arguments = (ins Glm_Rows:$input, Glm_Weight:$weight, I64Attr:$heads, I64Attr:$head_rows, I64Attr:$row_begin,
                       I64Attr:$row_count, UnitAttr:$transposed);
  let results = (outs Glm_Rows:$result);
  let assemblyFormat = [{
    $input `,` $weight `heads` $heads `rows` $row_begin `plus` $row_count `of` $head_rows (`transposed` $transposed^)?
    attr-dict `:`
    type($input) `,` type($weight) `->` type($result)
  }];
  let hasVerifier = 1;
}

def RopeAnglesOp : Glm_Op<"rope_angles"> {
  let summary = "cosine and sine of each row's rotation";
  let description = [{
    `a[i] = float(position) * inverse_frequencies[i]`, one float32 product; result columns are cos a[0 .. n-1], then sin
    a[0 .. n-1]. transformers: GlmMoeDsaRotaryEmbedding.
  }];
  let arguments = (ins Glm_Ints:$positions, DenseF32ArrayAttr:$inverse_frequencies);
  let results = (outs RankedTensorOf<[F32]>:$result);
  let assemblyFormat = "$positions attr-dict `:` type($positions) `->` type($result)";
  let hasVerifier = 1;
}

def RopeOp : Glm_Op<"rope"> {
  let summary = "rotate interleaved pairs of some columns of every head";
  let description = [{
    A row is `heads` heads of equal width; in each, the pairs (x[offset + 2i], x[offset + 2i + 1]) of `width` columns
    are rotated by angle i and stay in place; the other columns pass. Float32 arithmetic, rounded once.
  }];
  let arguments = (ins Glm_Rows:$input, RankedTensorOf<[F32]>:$angles, I64Attr:$heads, I64Attr:$offset, I64Attr:$width);
  let results = (outs Glm_Rows:$result);
  let assemblyFormat = [{
    $input `,` $angles `heads` $heads `columns` $offset `plus` $width attr-dict `:`
    type($input) `,` type($angles) `->` type($result)
  }];
  let hasVerifier = 1;
}

def CacheOp : Glm_Op<"cache"> {
  let summary = "name a cache as it is before the step";
  let description = "Example: `%c = glm.cache \"layers.3.latent\" : !glm.cache<576 x bf16>`";
  let arguments = (ins StrAttr:$name);
  let results = (outs Glm_CacheType:$result);
  let assemblyFormat = "$name attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def CacheWriteOp : Glm_Op<"cache_write", [Pure, AttrSizedOperandSegments, AllTypesMatch<["cache", "result"]>]> {
  let summary = "store each row at its position of its sequence";
  let description = [{
    With `norm_weight`, the first columns are normalised first (`norm` says how); with `angles`, the columns
    [rope_offset, rope_offset + rope_width) are rotated after that: the same numbers as `glm.rms_norm` or
    `glm.layer_norm`, then `glm.rope`, then a plain write. All rows of a step are written before any of them is read:
    readers use the result.

    With `consumer`, a weight of K columns that rounds its inputs to NVFP4 (`quantized_inputs`), the first K columns of a row are at last rounded as an input
    of it: what is cached has only that product before it.
  }];
  let arguments = (ins Glm_CacheType:$cache, Glm_Rows:$input, Glm_Ints:$positions, Glm_Ints:$slots, Glm_Ints:$pages,
                       Optional<Glm_Weight>:$norm_weight, Optional<Glm_Weight>:$norm_bias,
                       Optional<RankedTensorOf<[F32]>>:$angles, Optional<Glm_Weight>:$consumer, OptionalAttr<Glm_NormKindAttr>:$norm,
                       OptionalAttr<F32Attr>:$eps, DefaultValuedAttr<I64Attr, "0">:$rope_offset,
                       DefaultValuedAttr<I64Attr, "0">:$rope_width);
  let results = (outs Glm_CacheType:$result);
  let assemblyFormat = [{
    $input `into` $cache `at` $positions `,` $slots `,` $pages (`norm` $norm_weight^ (`bias` $norm_bias^)?)?
    (`rope` $angles^)? (`for` $consumer^)? attr-dict `:`
    type($input) `,` type($cache) `,` type($positions) `,` type($slots) `,` type($pages)
    (`norm` type($norm_weight)^ (`bias` type($norm_bias)^)?)? (`rope` type($angles)^)? (`for` type($consumer)^)?
  }];
  let hasVerifier = 1;
}

def IndexerOp : Glm_Op<"indexer"> {
  let summary = "choose the positions that a row attends to";
  let description = [{
    `score[t, s] = sum_j weights[t, j] * max(0, scale * dot(query[t, j], keys[s]))` over the heads j, for the positions
    s <= positions[t] of the row's sequence. The result holds the `top_k` best positions in ascending order, -1 behind
    them; all positions if there are no more than `top_k`. Of equal scores the lower position wins. `scale` holds both
    factors of transformers' GlmMoeDsaIndexer: head_dim^(-1/2) * heads^(-1/2). IndexShare is several uses of the result.
  }];
  let arguments = (ins Glm_Rows:$query, Glm_Rows:$weights, Glm_CacheType:$keys, Glm_Ints:$positions, Glm_Ints:$slots,
                       Glm_Ints:$pages, F32Attr:$scale, I64Attr:$top_k);
  let results = (outs Glm_Ints:$result);
  let assemblyFormat = [{
    $query `,` $weights `in` $keys `at` $positions `,` $slots `,` $pages `scale` $scale `top_k` $top_k attr-dict `:`
    type($query) `,` type($weights) `,` type($keys) `,` type($positions) `,` type($slots) `,` type($pages) `->`
    type($result)
  }];
  let hasVerifier = 1;
}

def MlaAttentionOp : Glm_Op<"mla_attention"> {
  let summary = "attend to chosen positions, keys and values expanded from the latent";
  let description = [{
    With `kv[s] = kv_b * latent[s]`, per head h a key part [qk - rope] and a value part:
    `logit = (q_nope . k_nope[s] + q_rope . k_rope[s]) * scale`, softmax over the chosen positions s <= positions[t],
    `result[t, h] = sum p v[s]`. A row of `latent` is the normalised latent, then the roped key. absorb-mla rewrites it;
    it has no kernel of its own. transformers: GlmMoeDsaAttention.
  }];
  let arguments = (ins Glm_Rows:$query, Glm_Weight:$kv_b, Glm_CacheType:$latent, Glm_Ints:$indices, Glm_Ints:$slots,
                       Glm_Ints:$pages, I64Attr:$heads, I64Attr:$rope_width, F32Attr:$scale);
  let results = (outs Glm_Rows:$result);
  let assemblyFormat = [{
    $query `,` $kv_b `in` $latent `over` $indices `at` $slots `,` $pages `heads` $heads `rope` $rope_width `scale`
    $scale attr-dict `:`
    type($query) `,` type($kv_b) `,` type($latent) `,` type($indices) `,` type($slots) `,` type($pages) `->`
    type($result)
  }];
  let hasVerifier = 1;
}

def LatentAttentionOp : Glm_Op<"latent_attention"> {
  let summary = "attend to chosen positions in the latent space";
  let description = [{
    Every head shares one key per position, a row of the cache, whose first R columns are the value:
    `logit = (q_latent[t, h] . c[s] + q_rope[t, h] . k_rope[s]) * scale`, softmax over the chosen positions (entries of
    `indices` that are not -1), `result[t, h] = sum p c[s]`. `q_rope` is the last `rope_width` columns of each head of
    `query`.
  }];
  let arguments = (ins Glm_Rows:$query_latent, Glm_Rows:$query, Glm_CacheType:$latent, Glm_Ints:$indices,
                       Glm_Ints:$slots, Glm_Ints:$pages, I64Attr:$heads, I64Attr:$rope_width, F32Attr:$scale);
  let results = (outs Glm_Rows:$result);
  let assemblyFormat = [{
    $query_latent `,` $query `in` $latent `over` $indices `at` $slots `,` $pages `heads` $heads `rope` $rope_width
    `scale` $scale attr-dict `:`
    type($query_latent) `,` type($query) `,` type($latent) `,` type($indices) `,` type($slots) `,` type($pages) `->`
    type($result)
  }];
  let hasVerifier = 1;
}

def RouteOp : Glm_Op<"route"> {
  let summary = "choose experts and their weights";
  let description = [{
    `s = sigmoid(logits)`; the choice is by `s + bias`, the weight is `s` alone. With groups > 1 only the `kept_groups`
    groups with the largest sum of their two best choices take part. Of the rest the `top_k` largest are chosen, the
    lower expert of equals, and returned in ascending order of expert; weights are divided by their sum + 1e-20 if
    `normalize`, then multiplied by `scaling`. All float32. transformers: GlmMoeDsaTopkRouter and
    GlmMoeDsaMoE.route_tokens_to_experts.
  }];
  let arguments = (ins RankedTensorOf<[F32]>:$logits, Glm_Weight:$bias, I64Attr:$top_k, I64Attr:$groups,
                       I64Attr:$kept_groups, UnitAttr:$normalize, F32Attr:$scaling);
  let results = (outs Glm_Ints:$experts, RankedTensorOf<[F32]>:$weights);
  let assemblyFormat = [{
    $logits `,` $bias `top_k` $top_k `groups` $kept_groups `of` $groups (`normalize` $normalize^)? `scaling` $scaling
    attr-dict `:`
    type($logits) `,` type($bias) `->` type($experts) `,` type($weights)
  }];
  let hasVerifier = 1;
}

def MoeOp : Glm_Op<"moe"> {
  let summary = "apply each row's experts and add the shared ones";
  let description = [{
    `result[t] = sum_j weights[t, j] * down_e (silu(gate_e x) * (up_e x)) + shared[t]` with e = experts[t, j], x =
    input[t]; the sum over j in order, in float32, rounded once.
  }];
  let arguments = (ins Glm_Rows:$input, Glm_Ints:$experts, RankedTensorOf<[F32]>:$weights, Glm_Weight:$gate,
                       Glm_Weight:$up, Glm_Weight:$down, Optional<Glm_Rows>:$shared);
  let results = (outs Glm_Rows:$result);
  let assemblyFormat = [{
    $input `to` $experts `,` $weights `gate` $gate `up` $up `down` $down (`plus` $shared^)? attr-dict `:`
    type($input) `,` type($experts) `,` type($weights) `,` type($gate) `,` type($up) `,` type($down)
    (`,` `plus` type($shared)^)? `->` type($result)
  }];
  let hasVerifier = 1;
}

def GatedMlpOp : Glm_Op<"gated_mlp"> {
  let summary = "the gated feed-forward of dense layers and shared experts";
  let description = [{
    `result = down (silu(gate x) * (up x))`; the product in between is rounded once to the type of `input`.
  }];
  let arguments = (ins Glm_Rows:$input, Glm_Weight:$gate, Glm_Weight:$up, Glm_Weight:$down);
  let results = (outs Glm_Rows:$result);
  let assemblyFormat = [{
    $input `gate` $gate `up` $up `down` $down attr-dict `:`
    type($input) `,` type($gate) `,` type($up) `,` type($down) `->` type($result)
  }];
  let hasVerifier = 1;
}

def SelectRowsOp : Glm_Op<"select_rows"> {
  let summary = "keep the rows whose logits are wanted";
  let description = [{
    `result[i] = input[rows[i]]`. What follows computes as many rows as `rows` has live entries (the runtime's count of
    output rows).
  }];
  let arguments = (ins Glm_Rows:$input, Glm_Ints:$rows);
  let results = (outs Glm_Rows:$result);
  let assemblyFormat = "$input `at` $rows attr-dict `:` type($input) `,` type($rows) `->` type($result)";
  let hasVerifier = 1;
}

#endif // GLM_MODEL_OPS
