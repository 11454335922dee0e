// RUN: glm-opt %s --split-input-file --verify-diagnostics

// What the verifiers of the kernel phase refuse. Where a kernel shares a rule with its op of the model phase, one case shows that it asks, and
// invalid-model-*.mlir has the rest.

func.func @kernel_embed_static(%t: memref<?xi32>, %w: tensor<100x40xbf16>, %y: memref<3x40xf32>) {
  // expected-error @+1 {{operand #0 must be statically shaped memref}}
  glm.kernel.embed tokens %t table %w to %y : memref<?xi32>, tensor<100x40xbf16>, memref<3x40xf32>
  return
}

// -----

func.func @kernel_embed_width(%t: memref<3xi32>, %w: tensor<100x40xbf16>, %y: memref<3x39xf32>) {
  // expected-error @+1 {{output width must be 40 (width of table), but found 39}}
  glm.kernel.embed tokens %t table %w to %y : memref<3xi32>, tensor<100x40xbf16>, memref<3x39xf32>
  return
}

// -----

func.func @kernel_embed_packed(%t: memref<3xi32>, %w: tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>, %y: memref<3x32xf32>) {
  // expected-error @+1 {{table must be wide, but found tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>}}
  glm.kernel.embed tokens %t table %w to %y : memref<3xi32>, tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>, memref<3x32xf32>
  return
}

// -----

func.func @kernel_embed_sampled(%t: memref<3xi32>, %s: memref<3x1xi32>, %w: tensor<100x40xbf16>, %y: memref<3x40xf32>) {
  // expected-error @+1 {{sampled rank must be 1, but found 2}}
  glm.kernel.embed tokens %t or %s table %w to %y : memref<3xi32> or memref<3x1xi32>, tensor<100x40xbf16>, memref<3x40xf32>
  return
}

// -----

func.func @kernel_sample_type(%x: memref<3x100xbf16>, %w: memref<3x5xi32>, %y: memref<3xi32>) {
  // expected-error @+1 {{operand #0 must be statically shaped memref of 32-bit float values, but got 'memref<3x100xbf16>'}}
  glm.kernel.sample %x by %w to %y : memref<3x100xbf16>, memref<3x5xi32>, memref<3xi32>
  return
}

// -----

func.func @kernel_sample_logits(%x: memref<100xf32>, %w: memref<3x5xi32>, %y: memref<3xi32>) {
  // expected-error @+1 {{logits rank must be 2, but found 1}}
  glm.kernel.sample %x by %w to %y : memref<100xf32>, memref<3x5xi32>, memref<3xi32>
  return
}

// -----

func.func @kernel_sample_sampling(%x: memref<3x100xf32>, %w: memref<15xi32>, %y: memref<3xi32>) {
  // expected-error @+1 {{sampling rank must be 2, but found 1}}
  glm.kernel.sample %x by %w to %y : memref<3x100xf32>, memref<15xi32>, memref<3xi32>
  return
}

// -----

func.func @kernel_sample_rows(%x: memref<3x100xf32>, %w: memref<2x5xi32>, %y: memref<3xi32>) {
  // expected-error @+1 {{sampling rows must be 3 (rows of logits), but found 2}}
  glm.kernel.sample %x by %w to %y : memref<3x100xf32>, memref<2x5xi32>, memref<3xi32>
  return
}

// -----

func.func @kernel_sample_words(%x: memref<3x100xf32>, %w: memref<3x4xi32>, %y: memref<3xi32>) {
  // expected-error @+1 {{sampling width must be 5 (words of a draw), but found 4}}
  glm.kernel.sample %x by %w to %y : memref<3x100xf32>, memref<3x4xi32>, memref<3xi32>
  return
}

// -----

func.func @kernel_sample_sampled(%x: memref<3x100xf32>, %w: memref<3x5xi32>, %y: memref<3x1xi32>) {
  // expected-error @+1 {{sampled rank must be 1, but found 2}}
  glm.kernel.sample %x by %w to %y : memref<3x100xf32>, memref<3x5xi32>, memref<3x1xi32>
  return
}

// -----

func.func @kernel_sample_room(%x: memref<3x100xf32>, %w: memref<3x5xi32>, %y: memref<2xi32>) {
  // expected-error @+1 {{logits rows must be at most 2 (rows of sampled), but found 3}}
  glm.kernel.sample %x by %w to %y : memref<3x100xf32>, memref<3x5xi32>, memref<2xi32>
  return
}

// -----

func.func @kernel_gather_rows_rows(%x: memref<3x40xf32>, %i: memref<2xi32>, %y: memref<3x40xf32>) {
  // expected-error @+1 {{output rows must be 2 (rows of rows), but found 3}}
  glm.kernel.gather_rows %x at %i to %y : memref<3x40xf32>, memref<2xi32>, memref<3x40xf32>
  return
}

// -----

func.func @kernel_rope_angles_width(%p: memref<3xi32>, %y: memref<3x2xf32>) {
  // expected-error @+1 {{output width must be 4 (a cosine and a sine per frequency), but found 2}}
  glm.kernel.rope_angles %p to %y {inverse_frequencies = array<f32: 1.0, 0.25>} : memref<3xi32>, memref<3x2xf32>
  return
}

// -----

func.func @kernel_norm_input(%x: memref<20xf32>, %d: memref<3x20xf32>, %w: tensor<16xbf16>, %s: memref<3x20xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{input rank must be 2, but found 1}}
  glm.kernel.norm <rms> %x plus %d weight %w sum %s to %y eps 1.0e-5 : memref<20xf32> plus memref<3x20xf32>, tensor<16xbf16> sum memref<3x20xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_norm_delta_alone(%x: memref<3x20xf32>, %d: memref<3x20xf32>, %w: tensor<16xbf16>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{sum must be there with delta, but found none}}
  glm.kernel.norm <rms> %x plus %d weight %w to %y eps 1.0e-5 : memref<3x20xf32> plus memref<3x20xf32>, tensor<16xbf16>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_norm_sum_alone(%x: memref<3x20xf32>, %w: tensor<16xbf16>, %s: memref<3x20xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{sum must be absent without delta, but found it}}
  glm.kernel.norm <rms> %x weight %w sum %s to %y eps 1.0e-5 : memref<3x20xf32>, tensor<16xbf16> sum memref<3x20xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_norm_delta(%x: memref<3x20xf32>, %d: memref<3x19xf32>, %w: tensor<16xbf16>, %s: memref<3x20xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{delta shape must be 3x20 (shape of input), but found 3x19}}
  glm.kernel.norm <rms> %x plus %d weight %w sum %s to %y eps 1.0e-5 : memref<3x20xf32> plus memref<3x19xf32>, tensor<16xbf16> sum memref<3x20xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_norm_sum(%x: memref<3x20xf32>, %d: memref<3x20xf32>, %w: tensor<16xbf16>, %s: memref<4x20xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{sum shape must be 3x20 (shape of input), but found 4x20}}
  glm.kernel.norm <rms> %x plus %d weight %w sum %s to %y eps 1.0e-5 : memref<3x20xf32> plus memref<3x20xf32>, tensor<16xbf16> sum memref<4x20xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_norm_output(%x: memref<3x20xf32>, %d: memref<3x20xf32>, %w: tensor<16xbf16>, %s: memref<3x20xf32>, %y: memref<3x16xf32>) {
  // expected-error @+1 {{output shape must be 3x20 (shape of input), but found 3x16}}
  glm.kernel.norm <rms> %x plus %d weight %w sum %s to %y eps 1.0e-5 : memref<3x20xf32> plus memref<3x20xf32>, tensor<16xbf16> sum memref<3x20xf32>, memref<3x16xf32>
  return
}

// -----

func.func @kernel_norm_width(%x: memref<3x20xf32>, %d: memref<3x20xf32>, %w: tensor<21xf32>, %s: memref<3x20xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{weight width must be at most 20 (width of input), but found 21}}
  glm.kernel.norm <rms> %x plus %d weight %w sum %s to %y eps 1.0e-5 : memref<3x20xf32> plus memref<3x20xf32>, tensor<21xf32> sum memref<3x20xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_norm_layer_bias(%x: memref<3x20xf32>, %d: memref<3x20xf32>, %w: tensor<16xbf16>, %s: memref<3x20xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{bias must be there with norm layer, but found none}}
  glm.kernel.norm <layer> %x plus %d weight %w sum %s to %y eps 1.0e-5 : memref<3x20xf32> plus memref<3x20xf32>, tensor<16xbf16> sum memref<3x20xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_norm_rms_bias(%x: memref<3x20xf32>, %w: tensor<16xbf16>, %b: tensor<16xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{bias must be absent without norm layer, but found it}}
  glm.kernel.norm <rms> %x weight %w bias %b to %y eps 1.0e-5 : memref<3x20xf32>, tensor<16xbf16> bias tensor<16xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_add_lhs(%x: memref<60xf32>, %d: memref<3x20xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{lhs rank must be 2, but found 1}}
  glm.kernel.add %x, %d to %y : memref<60xf32>, memref<3x20xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_add_rhs(%x: memref<3x20xf32>, %d: memref<3x19xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{rhs shape must be 3x20 (shape of lhs), but found 3x19}}
  glm.kernel.add %x, %d to %y : memref<3x20xf32>, memref<3x19xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_add_output(%x: memref<3x20xf32>, %d: memref<3x20xf32>, %y: memref<2x20xf32>) {
  // expected-error @+1 {{output shape must be 3x20 (shape of lhs), but found 2x20}}
  glm.kernel.add %x, %d to %y : memref<3x20xf32>, memref<3x20xf32>, memref<2x20xf32>
  return
}

// -----

func.func @kernel_gemm_outputs(%x: memref<3x32xf32>, %v: tensor<48x32xf32>, %w: tensor<48x32xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{number of results must be 2 (number of weights), but found 1}}
  glm.kernel.gemm <store> %x by %v, %w to %y : memref<3x32xf32> by tensor<48x32xf32>, tensor<48x32xf32> to memref<3x48xf32>
  return
}

// -----

func.func @kernel_gemm_input(%x: memref<32xf32>, %v: tensor<48x32xf32>, %w: tensor<48x32xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{input rank must be 2, but found 1}}
  glm.kernel.gemm <silu_mul> %x by %v, %w to %y : memref<32xf32> by tensor<48x32xf32>, tensor<48x32xf32> to memref<3x48xf32>
  return
}

// -----

func.func @kernel_gemm_store_width(%x: memref<3x32xf32>, %v: tensor<48x31xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{weight width must be 32 (width of input), but found 31}}
  glm.kernel.gemm <store> %x by %v to %y : memref<3x32xf32> by tensor<48x31xf32> to memref<3x48xf32>
  return
}

// -----

func.func @kernel_gemm_gate_and_up(%x: memref<3x32xf32>, %v: tensor<48x32xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{number of weights must be 2 (gate and up), but found 1}}
  glm.kernel.gemm <silu_mul> %x by %v to %y : memref<3x32xf32> by tensor<48x32xf32> to memref<3x48xf32>
  return
}

// -----

func.func @kernel_gemm_product(%x: memref<3x32xf32>, %v: tensor<48x32xf32>, %w: tensor<48x32xf32>, %y: memref<3x48xf32>, %z: memref<3x48xf32>) {
  // expected-error @+1 {{number of outputs must be 1 (their product), but found 2}}
  glm.kernel.gemm <silu_mul> %x by %v, %w to %y, %z : memref<3x32xf32> by tensor<48x32xf32>, tensor<48x32xf32> to memref<3x48xf32>, memref<3x48xf32>
  return
}

// -----

func.func @kernel_gemm_gate_width(%x: memref<3x32xf32>, %v: tensor<48x33xf32>, %w: tensor<48x32xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{gate width must be 32 (width of input), but found 33}}
  glm.kernel.gemm <silu_mul> %x by %v, %w to %y : memref<3x32xf32> by tensor<48x33xf32>, tensor<48x32xf32> to memref<3x48xf32>
  return
}

// -----

func.func @kernel_gemm_up(%x: memref<3x32xf32>, %v: tensor<48x32xf32>, %w: tensor<47x32xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{up shape must be 48x32 (shape of gate), but found 47x32}}
  glm.kernel.gemm <silu_mul> %x by %v, %w to %y : memref<3x32xf32> by tensor<48x32xf32>, tensor<47x32xf32> to memref<3x48xf32>
  return
}

// -----

func.func @kernel_gemm_output(%x: memref<3x32xf32>, %v: tensor<48x32xf32>, %w: tensor<48x32xf32>, %y: memref<3x32xf32>) {
  // expected-error @+1 {{output width must be 48 (rows of gate), but found 32}}
  glm.kernel.gemm <silu_mul> %x by %v, %w to %y : memref<3x32xf32> by tensor<48x32xf32>, tensor<48x32xf32> to memref<3x32xf32>
  return
}

// -----

func.func @kernel_head_gemm_width(%x: memref<3x30xf32>, %w: tensor<33x16xf32>, %y: memref<3x18xf32>) {
  // expected-error @+1 {{result width must be 48 (heads * width of weight), but found 18}}
  glm.kernel.head_gemm %x, %w to %y heads 3 rows 0 plus 6 of 11 transposed : memref<3x30xf32>, tensor<33x16xf32>, memref<3x18xf32>
  return
}

// -----

func.func @kernel_rope_input(%x: memref<3x3x10xf32>, %a: memref<3x4xf32>, %y: memref<3x30xf32>) {
  // expected-error @+1 {{input rank must be 2, but found 3}}
  glm.kernel.rope %x, %a to %y heads 3 columns 6 plus 4 : memref<3x3x10xf32>, memref<3x4xf32>, memref<3x30xf32>
  return
}

// -----

func.func @kernel_rope_output(%x: memref<3x30xf32>, %a: memref<3x4xf32>, %y: memref<3x12xf32>) {
  // expected-error @+1 {{output shape must be 3x30 (shape of input), but found 3x12}}
  glm.kernel.rope %x, %a to %y heads 3 columns 6 plus 4 : memref<3x30xf32>, memref<3x4xf32>, memref<3x12xf32>
  return
}

// -----

func.func @kernel_rope_range(%x: memref<3x30xf32>, %a: memref<3x4xf32>, %y: memref<3x30xf32>) {
  // expected-error @+1 {{rope offset + width must be at most 10 (width of input / heads), but found 11}}
  glm.kernel.rope %x, %a to %y heads 3 columns 7 plus 4 : memref<3x30xf32>, memref<3x4xf32>, memref<3x30xf32>
  return
}

// -----

func.func @kernel_rope_cache_write_cache(%x: memref<3x20xf32>, %c: memref<6x4x20xf32>, %p: memref<3xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>) {
  // expected-error @+1 {{cache rank must be 2, but found 3}}
  glm.kernel.rope_cache_write %x into %c at %p, %s, %g {page_size = 4, rope_offset = 0, rope_width = 0} : memref<3x20xf32>, memref<6x4x20xf32>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>
  return
}

// -----

func.func @kernel_rope_cache_write_page_size(%x: memref<3x20xf32>, %c: memref<24x20xbf16>, %p: memref<3xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>) {
  // expected-error @+1 {{page_size must be positive, but found 0}}
  glm.kernel.rope_cache_write %x into %c at %p, %s, %g {page_size = 0, rope_offset = 0, rope_width = 0} : memref<3x20xf32>, memref<24x20xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>
  return
}

// -----

func.func @kernel_rope_cache_write_pages(%x: memref<3x20xf32>, %c: memref<24x20xbf16>, %p: memref<3xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>) {
  // expected-error @+1 {{cache rows must be a multiple of 5 (page_size), but found 24}}
  glm.kernel.rope_cache_write %x into %c at %p, %s, %g {page_size = 5, rope_offset = 0, rope_width = 0} : memref<3x20xf32>, memref<24x20xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>
  return
}

// -----

func.func @kernel_rope_cache_write_width(%x: memref<3x20xf32>, %c: memref<24x19xf32>, %p: memref<3xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>) {
  // expected-error @+1 {{input width must be 19 (width of the cache), but found 20}}
  glm.kernel.rope_cache_write %x into %c at %p, %s, %g {page_size = 4, rope_offset = 0, rope_width = 0} : memref<3x20xf32>, memref<24x19xf32>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>
  return
}

// -----

func.func @kernel_rope_cache_write_rope_alone(%x: memref<3x20xf32>, %c: memref<24x20xbf16>, %p: memref<3xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>) {
  // expected-error @+1 {{rope columns must be absent without angles, but found it}}
  glm.kernel.rope_cache_write %x into %c at %p, %s, %g {page_size = 4, rope_offset = 0, rope_width = 4} : memref<3x20xf32>, memref<24x20xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>
  return
}

// -----

func.func @kernel_index_score_pages(%q: memref<3x40xf32>, %w: memref<3x5xf32>, %k: memref<24x8xbf16>, %p: memref<3xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<3x11xf32>) {
  // expected-error @+1 {{keys rows must be a multiple of 7 (page_size), but found 24}}
  glm.kernel.index_score %q, %w in %k at %p, %s, %g to %y scale 0.125 {page_size = 7} : memref<3x40xf32>, memref<3x5xf32>, memref<24x8xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x11xf32>
  return
}

// -----

func.func @kernel_index_score_key_width(%q: memref<3x40xf32>, %w: memref<3x5xf32>, %k: memref<24x9xf32>, %p: memref<3xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<3x11xf32>) {
  // expected-error @+1 {{query width must be 45 (width of weights * width of keys), but found 40}}
  glm.kernel.index_score %q, %w in %k at %p, %s, %g to %y scale 0.125 {page_size = 4} : memref<3x40xf32>, memref<3x5xf32>, memref<24x9xf32>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x11xf32>
  return
}

// -----

func.func @kernel_index_score_slots(%q: memref<3x40xf32>, %w: memref<3x5xf32>, %k: memref<24x8xbf16>, %p: memref<3xi32>, %s: memref<2xi32>, %g: memref<2x3xi32>, %y: memref<3x11xf32>) {
  // expected-error @+1 {{slots rows must be 3 (rows of query), but found 2}}
  glm.kernel.index_score %q, %w in %k at %p, %s, %g to %y scale 0.125 {page_size = 4} : memref<3x40xf32>, memref<3x5xf32>, memref<24x8xbf16>, memref<3xi32>, memref<2xi32>, memref<2x3xi32>, memref<3x11xf32>
  return
}

// -----

func.func @kernel_index_score_scores(%q: memref<3x40xf32>, %w: memref<3x5xf32>, %k: memref<24x8xbf16>, %p: memref<3xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<11xf32>) {
  // expected-error @+1 {{scores rank must be 2, but found 1}}
  glm.kernel.index_score %q, %w in %k at %p, %s, %g to %y scale 0.125 {page_size = 4} : memref<3x40xf32>, memref<3x5xf32>, memref<24x8xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>, memref<11xf32>
  return
}

// -----

func.func @kernel_index_score_rows(%q: memref<3x40xf32>, %w: memref<3x5xf32>, %k: memref<24x8xbf16>, %p: memref<3xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<2x11xf32>) {
  // expected-error @+1 {{scores rows must be 3 (rows of query), but found 2}}
  glm.kernel.index_score %q, %w in %k at %p, %s, %g to %y scale 0.125 {page_size = 4} : memref<3x40xf32>, memref<3x5xf32>, memref<24x8xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>, memref<2x11xf32>
  return
}

// -----

func.func @kernel_index_score_positions(%q: memref<3x40xf32>, %w: memref<3x5xf32>, %k: memref<24x8xbf16>, %p: memref<3xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<3x13xf32>) {
  // expected-error @+1 {{scores width must be at most 12 (width of pages * page_size), but found 13}}
  glm.kernel.index_score %q, %w in %k at %p, %s, %g to %y scale 0.125 {page_size = 4} : memref<3x40xf32>, memref<3x5xf32>, memref<24x8xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x13xf32>
  return
}

// -----

func.func @kernel_top_k_scores(%x: memref<11xf32>, %p: memref<3xi32>, %y: memref<3x7xi32>) {
  // expected-error @+1 {{scores rank must be 2, but found 1}}
  glm.kernel.top_k %x at %p to %y : memref<11xf32>, memref<3xi32>, memref<3x7xi32>
  return
}

// -----

func.func @kernel_top_k_positions(%x: memref<3x11xf32>, %p: memref<3x1xi32>, %y: memref<3x7xi32>) {
  // expected-error @+1 {{positions rank must be 1, but found 2}}
  glm.kernel.top_k %x at %p to %y : memref<3x11xf32>, memref<3x1xi32>, memref<3x7xi32>
  return
}

// -----

func.func @kernel_top_k_positions_rows(%x: memref<3x11xf32>, %p: memref<2xi32>, %y: memref<3x7xi32>) {
  // expected-error @+1 {{positions rows must be 3 (rows of scores), but found 2}}
  glm.kernel.top_k %x at %p to %y : memref<3x11xf32>, memref<2xi32>, memref<3x7xi32>
  return
}

// -----

func.func @kernel_top_k_indices(%x: memref<3x11xf32>, %p: memref<3xi32>, %y: memref<7xi32>) {
  // expected-error @+1 {{indices rank must be 2, but found 1}}
  glm.kernel.top_k %x at %p to %y : memref<3x11xf32>, memref<3xi32>, memref<7xi32>
  return
}

// -----

func.func @kernel_top_k_rows(%x: memref<3x11xf32>, %p: memref<3xi32>, %y: memref<2x7xi32>) {
  // expected-error @+1 {{indices rows must be 3 (rows of scores), but found 2}}
  glm.kernel.top_k %x at %p to %y : memref<3x11xf32>, memref<3xi32>, memref<2x7xi32>
  return
}

// -----

func.func @kernel_route_experts(%l: memref<3x6xf32>, %b: tensor<6xf32>, %e: memref<3x7xi32>, %w: memref<3x7xf32>) {
  // expected-error @+1 {{experts width must be at most 6 (experts of the kept groups), but found 7}}
  glm.kernel.route %l, %b to %e, %w groups 1 of 1 scaling 2.5 : memref<3x6xf32>, tensor<6xf32>, memref<3x7xi32>, memref<3x7xf32>
  return
}

// -----

func.func @kernel_group_rows_experts(%e: memref<6xi32>, %o: memref<6xi32>, %i: memref<6xi32>) {
  // expected-error @+1 {{experts rank must be 2, but found 1}}
  glm.kernel.group_rows %e to %o, %i : memref<6xi32>, memref<6xi32>, memref<6xi32>
  return
}

// -----

func.func @kernel_group_rows_offsets(%e: memref<3x2xi32>, %o: memref<6x1xi32>, %i: memref<6xi32>) {
  // expected-error @+1 {{offsets rank must be 1, but found 2}}
  glm.kernel.group_rows %e to %o, %i : memref<3x2xi32>, memref<6x1xi32>, memref<6xi32>
  return
}

// -----

func.func @kernel_group_rows_offsets_count(%e: memref<3x2xi32>, %o: memref<1xi32>, %i: memref<6xi32>) {
  // expected-error @+1 {{number of experts must be positive, but found 0}}
  glm.kernel.group_rows %e to %o, %i : memref<3x2xi32>, memref<1xi32>, memref<6xi32>
  return
}

// -----

func.func @kernel_group_rows_entries(%e: memref<3x2xi32>, %o: memref<6xi32>, %i: memref<3x2xi32>) {
  // expected-error @+1 {{entries rank must be 1, but found 2}}
  glm.kernel.group_rows %e to %o, %i : memref<3x2xi32>, memref<6xi32>, memref<3x2xi32>
  return
}

// -----

func.func @kernel_group_rows_entries_count(%e: memref<3x2xi32>, %o: memref<6xi32>, %i: memref<5xi32>) {
  // expected-error @+1 {{entries rows must be 6 (choices of all rows), but found 5}}
  glm.kernel.group_rows %e to %o, %i : memref<3x2xi32>, memref<6xi32>, memref<5xi32>
  return
}

// -----

func.func @kernel_moe_gate_up_input(%x: memref<32xf32>, %o: memref<6xi32>, %i: memref<6xi32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %y: memref<6x48xf32>) {
  // expected-error @+1 {{input rank must be 2, but found 1}}
  glm.kernel.moe_gate_up %x of %o, %i gate %g up %u to %y top_k 2 : memref<32xf32>, memref<6xi32>, memref<6xi32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, memref<6x48xf32>
  return
}

// -----

func.func @kernel_moe_gate_up_up(%x: memref<3x32xf32>, %o: memref<6xi32>, %i: memref<6xi32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x31xf32>, %y: memref<6x48xf32>) {
  // expected-error @+1 {{up shape must be 5x48x32 (shape of gate), but found 5x48x31}}
  glm.kernel.moe_gate_up %x of %o, %i gate %g up %u to %y top_k 2 : memref<3x32xf32>, memref<6xi32>, memref<6xi32>, tensor<5x48x32xf32>, tensor<5x48x31xf32>, memref<6x48xf32>
  return
}

// -----

func.func @kernel_moe_gate_up_offsets(%x: memref<3x32xf32>, %o: memref<6x1xi32>, %i: memref<6xi32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %y: memref<6x48xf32>) {
  // expected-error @+1 {{offsets rank must be 1, but found 2}}
  glm.kernel.moe_gate_up %x of %o, %i gate %g up %u to %y top_k 2 : memref<3x32xf32>, memref<6x1xi32>, memref<6xi32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, memref<6x48xf32>
  return
}

// -----

func.func @kernel_moe_gate_up_entries(%x: memref<3x32xf32>, %o: memref<6xi32>, %i: memref<3x2xi32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %y: memref<6x48xf32>) {
  // expected-error @+1 {{entries rank must be 1, but found 2}}
  glm.kernel.moe_gate_up %x of %o, %i gate %g up %u to %y top_k 2 : memref<3x32xf32>, memref<6xi32>, memref<3x2xi32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, memref<6x48xf32>
  return
}

// -----

func.func @kernel_moe_gate_up_experts(%x: memref<3x32xf32>, %o: memref<5xi32>, %i: memref<6xi32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %y: memref<6x48xf32>) {
  // expected-error @+1 {{offsets rows must be 6 (experts + 1), but found 5}}
  glm.kernel.moe_gate_up %x of %o, %i gate %g up %u to %y top_k 2 : memref<3x32xf32>, memref<5xi32>, memref<6xi32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, memref<6x48xf32>
  return
}

// -----

func.func @kernel_moe_gate_up_top_k(%x: memref<3x32xf32>, %o: memref<6xi32>, %i: memref<6xi32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %y: memref<6x48xf32>) {
  // expected-error @+1 {{top_k must be positive, but found 0}}
  glm.kernel.moe_gate_up %x of %o, %i gate %g up %u to %y top_k 0 : memref<3x32xf32>, memref<6xi32>, memref<6xi32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, memref<6x48xf32>
  return
}

// -----

func.func @kernel_moe_gate_up_entries_count(%x: memref<3x32xf32>, %o: memref<6xi32>, %i: memref<6xi32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %y: memref<6x48xf32>) {
  // expected-error @+1 {{entries rows must be 9 (rows of input * top_k), but found 6}}
  glm.kernel.moe_gate_up %x of %o, %i gate %g up %u to %y top_k 3 : memref<3x32xf32>, memref<6xi32>, memref<6xi32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, memref<6x48xf32>
  return
}

// -----

func.func @kernel_moe_gate_up_output(%x: memref<3x32xf32>, %o: memref<6xi32>, %i: memref<6xi32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %y: memref<48xf32>) {
  // expected-error @+1 {{output rank must be 2, but found 1}}
  glm.kernel.moe_gate_up %x of %o, %i gate %g up %u to %y top_k 2 : memref<3x32xf32>, memref<6xi32>, memref<6xi32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, memref<48xf32>
  return
}

// -----

func.func @kernel_moe_gate_up_rows(%x: memref<3x32xf32>, %o: memref<6xi32>, %i: memref<6xi32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{output rows must be 6 (rows of entries), but found 3}}
  glm.kernel.moe_gate_up %x of %o, %i gate %g up %u to %y top_k 2 : memref<3x32xf32>, memref<6xi32>, memref<6xi32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, memref<3x48xf32>
  return
}

// -----

func.func @kernel_moe_gate_up_width(%x: memref<3x32xf32>, %o: memref<6xi32>, %i: memref<6xi32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %y: memref<6x32xf32>) {
  // expected-error @+1 {{output width must be 48 (rows of gate), but found 32}}
  glm.kernel.moe_gate_up %x of %o, %i gate %g up %u to %y top_k 2 : memref<3x32xf32>, memref<6xi32>, memref<6xi32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, memref<6x32xf32>
  return
}

// -----

func.func @kernel_moe_down_input(%x: memref<48xf32>, %o: memref<6xi32>, %i: memref<6xi32>, %d: tensor<5x20x48xf32>, %y: memref<6x20xf32>) {
  // expected-error @+1 {{input rank must be 2, but found 1}}
  glm.kernel.moe_down %x of %o, %i down %d to %y : memref<48xf32>, memref<6xi32>, memref<6xi32>, tensor<5x20x48xf32>, memref<6x20xf32>
  return
}

// -----

func.func @kernel_moe_down_down(%x: memref<6x48xf32>, %o: memref<6xi32>, %i: memref<6xi32>, %d: tensor<20x48xf32>, %y: memref<6x20xf32>) {
  // expected-error @+1 {{down rank must be 3, but found 2}}
  glm.kernel.moe_down %x of %o, %i down %d to %y : memref<6x48xf32>, memref<6xi32>, memref<6xi32>, tensor<20x48xf32>, memref<6x20xf32>
  return
}

// -----

func.func @kernel_moe_down_down_width(%x: memref<6x48xf32>, %o: memref<6xi32>, %i: memref<6xi32>, %d: tensor<5x20x47xf32>, %y: memref<6x20xf32>) {
  // expected-error @+1 {{down width must be 48 (width of input), but found 47}}
  glm.kernel.moe_down %x of %o, %i down %d to %y : memref<6x48xf32>, memref<6xi32>, memref<6xi32>, tensor<5x20x47xf32>, memref<6x20xf32>
  return
}

// -----

func.func @kernel_moe_down_experts(%x: memref<6x48xf32>, %o: memref<7xi32>, %i: memref<6xi32>, %d: tensor<5x20x48xf32>, %y: memref<6x20xf32>) {
  // expected-error @+1 {{offsets rows must be 6 (experts + 1), but found 7}}
  glm.kernel.moe_down %x of %o, %i down %d to %y : memref<6x48xf32>, memref<7xi32>, memref<6xi32>, tensor<5x20x48xf32>, memref<6x20xf32>
  return
}

// -----

func.func @kernel_moe_down_entries(%x: memref<6x48xf32>, %o: memref<6xi32>, %i: memref<5xi32>, %d: tensor<5x20x48xf32>, %y: memref<6x20xf32>) {
  // expected-error @+1 {{entries rows must be 6 (rows of input), but found 5}}
  glm.kernel.moe_down %x of %o, %i down %d to %y : memref<6x48xf32>, memref<6xi32>, memref<5xi32>, tensor<5x20x48xf32>, memref<6x20xf32>
  return
}

// -----

func.func @kernel_moe_down_output(%x: memref<6x48xf32>, %o: memref<6xi32>, %i: memref<6xi32>, %d: tensor<5x20x48xf32>, %y: memref<20xf32>) {
  // expected-error @+1 {{output rank must be 2, but found 1}}
  glm.kernel.moe_down %x of %o, %i down %d to %y : memref<6x48xf32>, memref<6xi32>, memref<6xi32>, tensor<5x20x48xf32>, memref<20xf32>
  return
}

// -----

func.func @kernel_moe_down_rows(%x: memref<6x48xf32>, %o: memref<6xi32>, %i: memref<6xi32>, %d: tensor<5x20x48xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{output rows must be 6 (rows of input), but found 3}}
  glm.kernel.moe_down %x of %o, %i down %d to %y : memref<6x48xf32>, memref<6xi32>, memref<6xi32>, tensor<5x20x48xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_moe_down_width(%x: memref<6x48xf32>, %o: memref<6xi32>, %i: memref<6xi32>, %d: tensor<5x20x48xf32>, %y: memref<6x48xf32>) {
  // expected-error @+1 {{output width must be 20 (rows of down), but found 48}}
  glm.kernel.moe_down %x of %o, %i down %d to %y : memref<6x48xf32>, memref<6xi32>, memref<6xi32>, tensor<5x20x48xf32>, memref<6x48xf32>
  return
}

// -----

func.func @kernel_moe_combine_input(%x: memref<20xf32>, %w: memref<3x2xf32>, %s: memref<3x20xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{input rank must be 2, but found 1}}
  glm.kernel.moe_combine %x by %w plus %s to %y : memref<20xf32>, memref<3x2xf32> plus memref<3x20xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_moe_combine_weights(%x: memref<6x20xf32>, %w: memref<6xf32>, %s: memref<3x20xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{weights rank must be 2, but found 1}}
  glm.kernel.moe_combine %x by %w plus %s to %y : memref<6x20xf32>, memref<6xf32> plus memref<3x20xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_moe_combine_choices(%x: memref<5x20xf32>, %w: memref<3x2xf32>, %s: memref<3x20xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{input rows must be 6 (choices of all rows), but found 5}}
  glm.kernel.moe_combine %x by %w plus %s to %y : memref<5x20xf32>, memref<3x2xf32> plus memref<3x20xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_moe_combine_output(%x: memref<6x20xf32>, %w: memref<3x2xf32>, %s: memref<3x20xf32>, %y: memref<20xf32>) {
  // expected-error @+1 {{output rank must be 2, but found 1}}
  glm.kernel.moe_combine %x by %w plus %s to %y : memref<6x20xf32>, memref<3x2xf32> plus memref<3x20xf32>, memref<20xf32>
  return
}

// -----

func.func @kernel_moe_combine_rows(%x: memref<6x20xf32>, %w: memref<3x2xf32>, %s: memref<3x20xf32>, %y: memref<6x20xf32>) {
  // expected-error @+1 {{output rows must be 3 (rows of weights), but found 6}}
  glm.kernel.moe_combine %x by %w plus %s to %y : memref<6x20xf32>, memref<3x2xf32> plus memref<3x20xf32>, memref<6x20xf32>
  return
}

// -----

func.func @kernel_moe_combine_width(%x: memref<6x20xf32>, %w: memref<3x2xf32>, %s: memref<3x20xf32>, %y: memref<3x19xf32>) {
  // expected-error @+1 {{output width must be 20 (width of input), but found 19}}
  glm.kernel.moe_combine %x by %w plus %s to %y : memref<6x20xf32>, memref<3x2xf32> plus memref<3x20xf32>, memref<3x19xf32>
  return
}

// -----

func.func @kernel_moe_combine_shared(%x: memref<6x20xf32>, %w: memref<3x2xf32>, %s: memref<3x19xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{shared shape must be 3x20 (shape of output), but found 3x19}}
  glm.kernel.moe_combine %x by %w plus %s to %y : memref<6x20xf32>, memref<3x2xf32> plus memref<3x19xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_moe_combine_residual(%x: memref<6x20xf32>, %w: memref<3x2xf32>, %s: memref<3x19xf32>, %y: memref<3x20xf32>) {
  // expected-error @+1 {{residual shape must be 3x20 (shape of output), but found 3x19}}
  glm.kernel.moe_combine %x by %w residual %s to %y : memref<6x20xf32>, memref<3x2xf32> residual memref<3x19xf32>, memref<3x20xf32>
  return
}

// -----

func.func @kernel_gemm_residual_gated(%x: memref<3x32xf32>, %a: tensor<48x32xf32>, %r: memref<3x48xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{epilogue must be store beside a residual, but found silu_mul}}
  glm.kernel.gemm <silu_mul> %x by %a, %a residual %r to %y : memref<3x32xf32> by tensor<48x32xf32>, tensor<48x32xf32> residual memref<3x48xf32> to memref<3x48xf32>
  return
}

// -----

func.func @kernel_gemm_residual_outputs(%x: memref<3x32xf32>, %a: tensor<48x32xf32>, %r: memref<3x48xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{number of outputs must be 1 (the residual), but found 2}}
  glm.kernel.gemm <store> %x by %a, %a residual %r to %y, %y : memref<3x32xf32> by tensor<48x32xf32>, tensor<48x32xf32> residual memref<3x48xf32> to memref<3x48xf32>, memref<3x48xf32>
  return
}

// -----

func.func @kernel_gemm_residual_shape(%x: memref<3x32xf32>, %a: tensor<48x32xf32>, %r: memref<3x47xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{residual shape must be 3x48 (shape of output), but found 3x47}}
  glm.kernel.gemm <store> %x by %a residual %r to %y : memref<3x32xf32> by tensor<48x32xf32> residual memref<3x47xf32> to memref<3x48xf32>
  return
}

// -----

func.func @kernel_fused_other(%x: memref<3x32xf32>, %y: memref<3x32xf32>) {
  glm.kernel.fused <side_by_side> {
    // expected-error @+1 {{must be a kernel or a buffer inside of glm.kernel.fused}}
    %zero = arith.constant 0 : index
    glm.kernel.add %x, %x to %y : memref<3x32xf32>, memref<3x32xf32>, memref<3x32xf32>
  }
  return
}

// -----

func.func @kernel_fused_one(%x: memref<3x32xf32>, %y: memref<3x32xf32>) {
  // expected-error @+1 {{number of kernels must be at least 2, but found 1}}
  glm.kernel.fused <side_by_side> {
    glm.kernel.add %x, %x to %y : memref<3x32xf32>, memref<3x32xf32>, memref<3x32xf32>
  }
  return
}

// -----

func.func @kernel_fused_prologue(%x: memref<3x32xf32>, %y: memref<3x32xf32>) {
  // expected-error @+1 {{number of kernels must be 2 (a prologue and what follows it), but found 1}}
  glm.kernel.fused <prologue> {
    glm.kernel.add %x, %x to %y : memref<3x32xf32>, memref<3x32xf32>, memref<3x32xf32>
  }
  return
}

// -----

func.func @kernel_fused_reads_written(%x: memref<3x32xf32>, %y: memref<3x32xf32>, %z: memref<3x32xf32>) {
  glm.kernel.fused <side_by_side> {
    glm.kernel.add %x, %x to %y : memref<3x32xf32>, memref<3x32xf32>, memref<3x32xf32>
    // expected-error @+1 {{must not touch what another kernel of the launch writes}}
    glm.kernel.add %y, %y to %z : memref<3x32xf32>, memref<3x32xf32>, memref<3x32xf32>
  }
  return
}

// -----

#tiled = #glm.nvfp4<block = 16, source = modelopt, tiled = true>
func.func @kernel_pack_weight_stored(%w: tensor<48x32xbf16>, %t: tensor<48x32xf4E2M1FN, #tiled>) {
  // expected-error @+1 {{stored must be packed and not in tiles, but found tensor<48x32xbf16>}}
  glm.kernel.pack_weight %w to %t : tensor<48x32xbf16>, tensor<48x32xf4E2M1FN, #tiled>
  return
}

// -----

#packed = #glm.nvfp4<block = 16, source = modelopt>
#tiled = #glm.nvfp4<block = 16, source = modelopt, tiled = true>
func.func @kernel_pack_weight_tiled(%w: tensor<48x32xf4E2M1FN, #packed>, %t: tensor<48x64xf4E2M1FN, #tiled>) {
  // expected-error @+1 {{tiled must be tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, tiled = true>>, but found tensor<48x64xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, tiled = true>>}}
  glm.kernel.pack_weight %w to %t : tensor<48x32xf4E2M1FN, #packed>, tensor<48x64xf4E2M1FN, #tiled>
  return
}

// -----

func.func @kernel_moe_down_combine_arrivals(%x: memref<2x48xbf16>, %offsets: memref<6xi32>, %entries: memref<2xi32>, %down: tensor<5x40x48xbf16>, %weights: memref<1x2xf32>, %z: memref<1x40xf32>, %parts: memref<2x40xf32>, %arrivals: memref<2xi32>) {
  // expected-error @+1 {{tiles of down must be at most 2 (entries of arrivals), but found 3}}
  glm.kernel.moe_down_combine %x of %offsets, %entries down %down by %weights to %z through %parts, %arrivals : memref<2x48xbf16>, memref<6xi32>, memref<2xi32>, tensor<5x40x48xbf16>, memref<1x2xf32>, memref<1x40xf32>, memref<2x40xf32>, memref<2xi32>
  return
}

// -----

func.func @kernel_rope_cache_write_consumer(%x: memref<3x20xf32>, %c: memref<24x20xbf16>, %p: memref<3xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %w: tensor<48x16xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>) {
  // expected-error @+1 {{consumer must be a weight with quantized_inputs, but found one without}}
  glm.kernel.rope_cache_write %x into %c at %p, %s, %g for %w {page_size = 4, rope_offset = 0, rope_width = 0} : memref<3x20xf32>, memref<24x20xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32> for tensor<48x16xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
  return
}

// -----

func.func @kernel_rope_cache_write_consumer_width(%x: memref<3x20xf32>, %c: memref<24x20xbf16>, %p: memref<3xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %w: tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, quantized_inputs = true>>) {
  // expected-error @+1 {{consumer width must be at most 20 (input width), but found 32}}
  glm.kernel.rope_cache_write %x into %c at %p, %s, %g for %w {page_size = 4, rope_offset = 0, rope_width = 0} : memref<3x20xf32>, memref<24x20xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32> for tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, quantized_inputs = true>>
  return
}
