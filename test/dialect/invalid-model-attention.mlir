// RUN: glm-opt %s --split-input-file --verify-diagnostics

// What the verifiers of rotation, caches and attention in the model phase refuse, a case per question.

func.func @cache_name() {
  // expected-error @+1 {{name must be that of a cache, but found none}}
  %c = glm.cache "" : !glm.cache<20 x bf16>
  return
}

// -----

func.func @rope_angles_positions(%p: tensor<?x1xi32>) {
  // expected-error @+1 {{positions rank must be 1, but found 2}}
  %y = glm.rope_angles %p {inverse_frequencies = array<f32: 1.0, 0.25>} : tensor<?x1xi32> -> tensor<?x4xf32>
  return
}

// -----

func.func @rope_angles_frequencies(%p: tensor<?xi32>) {
  // expected-error @+1 {{number of inverse_frequencies must be positive, but found 0}}
  %y = glm.rope_angles %p {inverse_frequencies = array<f32>} : tensor<?xi32> -> tensor<?x4xf32>
  return
}

// -----

func.func @rope_angles_result(%p: tensor<?xi32>) {
  // expected-error @+1 {{result rank must be 2, but found 1}}
  %y = glm.rope_angles %p {inverse_frequencies = array<f32: 1.0, 0.25>} : tensor<?xi32> -> tensor<?xf32>
  return
}

// -----

func.func @rope_angles_rows(%p: tensor<?xi32>) {
  // expected-error @+1 {{result rows must be ? (rows of positions), but found 3}}
  %y = glm.rope_angles %p {inverse_frequencies = array<f32: 1.0, 0.25>} : tensor<?xi32> -> tensor<3x4xf32>
  return
}

// -----

func.func @rope_angles_width(%p: tensor<?xi32>) {
  // expected-error @+1 {{result width must be 4 (a cosine and a sine per frequency), but found 2}}
  %y = glm.rope_angles %p {inverse_frequencies = array<f32: 1.0, 0.25>} : tensor<?xi32> -> tensor<?x2xf32>
  return
}

// -----

func.func @rope_input(%x: tensor<?x3x10xf32>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{input rank must be 2, but found 3}}
  %y = glm.rope %x, %a heads 3 columns 6 plus 4 : tensor<?x3x10xf32>, tensor<?x4xf32> -> tensor<?x3x10xf32>
  return
}

// -----

func.func @rope_result(%x: tensor<?x30xf32>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{result shape must be ?x30 (shape of input), but found ?x12}}
  %y = glm.rope %x, %a heads 3 columns 6 plus 4 : tensor<?x30xf32>, tensor<?x4xf32> -> tensor<?x12xf32>
  return
}

// -----

func.func @rope_heads(%x: tensor<?x30xf32>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{heads must be positive, but found -3}}
  %y = glm.rope %x, %a heads -3 columns 6 plus 4 : tensor<?x30xf32>, tensor<?x4xf32> -> tensor<?x30xf32>
  return
}

// -----

func.func @rope_head_width(%x: tensor<?x30xf32>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{input width must be a multiple of 4 (heads), but found 30}}
  %y = glm.rope %x, %a heads 4 columns 6 plus 4 : tensor<?x30xf32>, tensor<?x4xf32> -> tensor<?x30xf32>
  return
}

// -----

func.func @rope_width(%x: tensor<?x30xf32>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{rope width must be positive, but found 0}}
  %y = glm.rope %x, %a heads 3 columns 6 plus 0 : tensor<?x30xf32>, tensor<?x4xf32> -> tensor<?x30xf32>
  return
}

// -----

func.func @rope_pairs(%x: tensor<?x30xf32>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{rope width must be a multiple of 2 (pairs), but found 3}}
  %y = glm.rope %x, %a heads 3 columns 6 plus 3 : tensor<?x30xf32>, tensor<?x4xf32> -> tensor<?x30xf32>
  return
}

// -----

func.func @rope_offset(%x: tensor<?x30xf32>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{rope offset must be 0 or more, but found -2}}
  %y = glm.rope %x, %a heads 3 columns -2 plus 4 : tensor<?x30xf32>, tensor<?x4xf32> -> tensor<?x30xf32>
  return
}

// -----

func.func @rope_range(%x: tensor<?x30xf32>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{rope offset + width must be at most 10 (width of input / heads), but found 11}}
  %y = glm.rope %x, %a heads 3 columns 7 plus 4 : tensor<?x30xf32>, tensor<?x4xf32> -> tensor<?x30xf32>
  return
}

// -----

func.func @rope_angles(%x: tensor<?x30xf32>, %a: tensor<4xf32>) {
  // expected-error @+1 {{angles rank must be 2, but found 1}}
  %y = glm.rope %x, %a heads 3 columns 6 plus 4 : tensor<?x30xf32>, tensor<4xf32> -> tensor<?x30xf32>
  return
}

// -----

func.func @rope_rows(%x: tensor<?x30xf32>, %a: tensor<3x4xf32>) {
  // expected-error @+1 {{angles rows must be ? (rows of input), but found 3}}
  %y = glm.rope %x, %a heads 3 columns 6 plus 4 : tensor<?x30xf32>, tensor<3x4xf32> -> tensor<?x30xf32>
  return
}

// -----

func.func @rope_angles_width(%x: tensor<?x30xf32>, %a: tensor<?x2xf32>) {
  // expected-error @+1 {{angles width must be 4 (rope width), but found 2}}
  %y = glm.rope %x, %a heads 3 columns 6 plus 4 : tensor<?x30xf32>, tensor<?x2xf32> -> tensor<?x30xf32>
  return
}

// -----

func.func @cache_write_input(%x: tensor<20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %w: tensor<16xbf16>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{input rank must be 2, but found 1}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {norm = #glm.norm<rms>, eps = 1.0e-5 : f32, rope_offset = 16, rope_width = 4} : tensor<20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_width(%x: tensor<?x19xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %w: tensor<16xbf16>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{input width must be 20 (width of the cache), but found 19}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {norm = #glm.norm<rms>, eps = 1.0e-5 : f32, rope_offset = 16, rope_width = 4} : tensor<?x19xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_positions(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?x1xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %w: tensor<16xbf16>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{positions rank must be 1, but found 2}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {norm = #glm.norm<rms>, eps = 1.0e-5 : f32, rope_offset = 16, rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?x1xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_positions_rows(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<3xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %w: tensor<16xbf16>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{positions rows must be ? (rows of input), but found 3}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {norm = #glm.norm<rms>, eps = 1.0e-5 : f32, rope_offset = 16, rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<3xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_slots(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?x1xi32>, %g: tensor<2x3xi32>, %w: tensor<16xbf16>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{slots rank must be 1, but found 2}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {norm = #glm.norm<rms>, eps = 1.0e-5 : f32, rope_offset = 16, rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?x1xi32>, tensor<2x3xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_slots_rows(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<3xi32>, %g: tensor<2x3xi32>, %w: tensor<16xbf16>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{slots rows must be ? (rows of input), but found 3}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {norm = #glm.norm<rms>, eps = 1.0e-5 : f32, rope_offset = 16, rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<3xi32>, tensor<2x3xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_pages(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<6xi32>, %w: tensor<16xbf16>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{pages rank must be 2, but found 1}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {norm = #glm.norm<rms>, eps = 1.0e-5 : f32, rope_offset = 16, rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<6xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_norm(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %w: tensor<16xbf16>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{norm must be there with norm_weight, but found none}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {eps = 1.0e-5 : f32, rope_offset = 16, rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_eps(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %w: tensor<16xbf16>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{eps must be there with norm_weight, but found none}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {norm = #glm.norm<rms>, rope_offset = 16, rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_eps_range(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %w: tensor<16xbf16>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{eps must be positive, but found 0}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {norm = #glm.norm<rms>, eps = 0.0 : f32, rope_offset = 16, rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_norm_width(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %w: tensor<21xf32>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{norm_weight width must be at most 20 (width of input), but found 21}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {norm = #glm.norm<rms>, eps = 1.0e-5 : f32, rope_offset = 16, rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<21xf32> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_norm_packed(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %w: tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{norm_weight must be wide, but found tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {norm = #glm.norm<rms>, eps = 1.0e-5 : f32, rope_offset = 16, rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_layer_bias(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %w: tensor<16xbf16>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{norm_bias must be there with norm layer, but found none}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {norm = #glm.norm<layer>, eps = 1.0e-5 : f32, rope_offset = 16, rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_rms_bias(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %w: tensor<16xbf16>, %b: tensor<16xbf16>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{norm_bias must be absent without norm layer, but found it}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w bias %b rope %a {norm = #glm.norm<rms>, eps = 1.0e-5 : f32, rope_offset = 16, rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<16xbf16> bias tensor<16xbf16> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_norm_alone(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{norm must be absent without norm_weight, but found it}}
  %y = glm.cache_write %x into %c at %p, %s, %g {norm = #glm.norm<rms>} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32>
  return
}

// -----

func.func @cache_write_eps_alone(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{eps must be absent without norm_weight, but found it}}
  %y = glm.cache_write %x into %c at %p, %s, %g {eps = 1.0e-5 : f32} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32>
  return
}

// -----

func.func @cache_write_bias_alone(%c: !glm.cache<20 x bf16>, %x: tensor<?x20xf32>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %b: tensor<16xbf16>) {
  // expected-error @+1 {{norm_bias must be absent without norm_weight, but found it}}
  %y = "glm.cache_write"(%c, %x, %p, %s, %g, %b) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 1, 0, 0>}> : (!glm.cache<20 x bf16>, tensor<?x20xf32>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32>, tensor<16xbf16>) -> !glm.cache<20 x bf16>
  return
}

// -----

func.func @cache_write_rope_alone(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{rope columns must be absent without angles, but found it}}
  %y = glm.cache_write %x into %c at %p, %s, %g {rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32>
  return
}

// -----

func.func @cache_write_rope_offset_alone(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{rope columns must be absent without angles, but found it}}
  %y = glm.cache_write %x into %c at %p, %s, %g {rope_offset = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32>
  return
}

// -----

func.func @cache_write_rope_columns(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %w: tensor<16xbf16>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{rope columns must be there with angles, but found none}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {norm = #glm.norm<rms>, eps = 1.0e-5 : f32, rope_offset = 0, rope_width = 0} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  return
}

// -----

func.func @cache_write_rope_range(%x: tensor<?x20xf32>, %c: !glm.cache<20 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %w: tensor<16xbf16>, %a: tensor<?x4xf32>) {
  // expected-error @+1 {{rope offset + width must be at most 20 (width of input / heads), but found 22}}
  %y = glm.cache_write %x into %c at %p, %s, %g norm %w rope %a {norm = #glm.norm<rms>, eps = 1.0e-5 : f32, rope_offset = 18, rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  return
}

// -----

func.func @indexer_query(%q: tensor<?x5x8xf32>, %w: tensor<?x5xf32>, %k: !glm.cache<8 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{query rank must be 2, but found 3}}
  %y = glm.indexer %q, %w in %k at %p, %s, %g scale 0.125 top_k 7 : tensor<?x5x8xf32>, tensor<?x5xf32>, !glm.cache<8 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x7xi32>
  return
}

// -----

func.func @indexer_weights(%q: tensor<?x40xf32>, %w: tensor<5xf32>, %k: !glm.cache<8 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{weights rank must be 2, but found 1}}
  %y = glm.indexer %q, %w in %k at %p, %s, %g scale 0.125 top_k 7 : tensor<?x40xf32>, tensor<5xf32>, !glm.cache<8 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x7xi32>
  return
}

// -----

func.func @indexer_weights_rows(%q: tensor<?x40xf32>, %w: tensor<3x5xf32>, %k: !glm.cache<8 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{weights rows must be ? (rows of query), but found 3}}
  %y = glm.indexer %q, %w in %k at %p, %s, %g scale 0.125 top_k 7 : tensor<?x40xf32>, tensor<3x5xf32>, !glm.cache<8 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x7xi32>
  return
}

// -----

func.func @indexer_key_width(%q: tensor<?x40xf32>, %w: tensor<?x5xf32>, %k: !glm.cache<9 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{query width must be 45 (width of weights * width of keys), but found 40}}
  %y = glm.indexer %q, %w in %k at %p, %s, %g scale 0.125 top_k 7 : tensor<?x40xf32>, tensor<?x5xf32>, !glm.cache<9 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x7xi32>
  return
}

// -----

func.func @indexer_scale(%q: tensor<?x40xf32>, %w: tensor<?x5xf32>, %k: !glm.cache<8 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{scale must be positive, but found 0}}
  %y = glm.indexer %q, %w in %k at %p, %s, %g scale 0.0 top_k 7 : tensor<?x40xf32>, tensor<?x5xf32>, !glm.cache<8 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x7xi32>
  return
}

// -----

func.func @indexer_positions(%q: tensor<?x40xf32>, %w: tensor<?x5xf32>, %k: !glm.cache<8 x bf16>, %p: tensor<3xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{positions rows must be ? (rows of query), but found 3}}
  %y = glm.indexer %q, %w in %k at %p, %s, %g scale 0.125 top_k 7 : tensor<?x40xf32>, tensor<?x5xf32>, !glm.cache<8 x bf16>, tensor<3xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x7xi32>
  return
}

// -----

func.func @indexer_slots(%q: tensor<?x40xf32>, %w: tensor<?x5xf32>, %k: !glm.cache<8 x bf16>, %p: tensor<?xi32>, %s: tensor<3xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{slots rows must be ? (rows of query), but found 3}}
  %y = glm.indexer %q, %w in %k at %p, %s, %g scale 0.125 top_k 7 : tensor<?x40xf32>, tensor<?x5xf32>, !glm.cache<8 x bf16>, tensor<?xi32>, tensor<3xi32>, tensor<2x3xi32> -> tensor<?x7xi32>
  return
}

// -----

func.func @indexer_pages(%q: tensor<?x40xf32>, %w: tensor<?x5xf32>, %k: !glm.cache<8 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<6xi32>) {
  // expected-error @+1 {{pages rank must be 2, but found 1}}
  %y = glm.indexer %q, %w in %k at %p, %s, %g scale 0.125 top_k 7 : tensor<?x40xf32>, tensor<?x5xf32>, !glm.cache<8 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<6xi32> -> tensor<?x7xi32>
  return
}

// -----

func.func @indexer_top_k(%q: tensor<?x40xf32>, %w: tensor<?x5xf32>, %k: !glm.cache<8 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{top_k must be positive, but found 0}}
  %y = glm.indexer %q, %w in %k at %p, %s, %g scale 0.125 top_k 0 : tensor<?x40xf32>, tensor<?x5xf32>, !glm.cache<8 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x7xi32>
  return
}

// -----

func.func @indexer_result(%q: tensor<?x40xf32>, %w: tensor<?x5xf32>, %k: !glm.cache<8 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{result rank must be 2, but found 1}}
  %y = glm.indexer %q, %w in %k at %p, %s, %g scale 0.125 top_k 7 : tensor<?x40xf32>, tensor<?x5xf32>, !glm.cache<8 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<7xi32>
  return
}

// -----

func.func @indexer_rows(%q: tensor<?x40xf32>, %w: tensor<?x5xf32>, %k: !glm.cache<8 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{result rows must be ? (rows of query), but found 3}}
  %y = glm.indexer %q, %w in %k at %p, %s, %g scale 0.125 top_k 7 : tensor<?x40xf32>, tensor<?x5xf32>, !glm.cache<8 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<3x7xi32>
  return
}

// -----

func.func @indexer_result_width(%q: tensor<?x40xf32>, %w: tensor<?x5xf32>, %k: !glm.cache<8 x bf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{result width must be 7 (top_k), but found 8}}
  %y = glm.indexer %q, %w in %k at %p, %s, %g scale 0.125 top_k 7 : tensor<?x40xf32>, tensor<?x5xf32>, !glm.cache<8 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x8xi32>
  return
}

// -----

func.func @mla_attention_query(%q: tensor<?x3x10xf32>, %w: tensor<33x16xbf16>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{query rank must be 2, but found 3}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x3x10xf32>, tensor<33x16xbf16>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x15xf32>
  return
}

// -----

func.func @mla_attention_kv_b(%q: tensor<?x30xf32>, %w: tensor<3x11x16xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{kv_b rank must be 2, but found 3}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x30xf32>, tensor<3x11x16xf32>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x15xf32>
  return
}

// -----

func.func @mla_attention_indices(%q: tensor<?x30xf32>, %w: tensor<33x16xbf16>, %c: !glm.cache<20 x bf16>, %i: tensor<7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{indices rank must be 2, but found 1}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x30xf32>, tensor<33x16xbf16>, !glm.cache<20 x bf16>, tensor<7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x15xf32>
  return
}

// -----

func.func @mla_attention_indices_rows(%q: tensor<?x30xf32>, %w: tensor<33x16xbf16>, %c: !glm.cache<20 x bf16>, %i: tensor<3x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{indices rows must be ? (rows of query), but found 3}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x30xf32>, tensor<33x16xbf16>, !glm.cache<20 x bf16>, tensor<3x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x15xf32>
  return
}

// -----

func.func @mla_attention_result(%q: tensor<?x30xf32>, %w: tensor<33x16xbf16>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{result rank must be 2, but found 3}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x30xf32>, tensor<33x16xbf16>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x3x5xf32>
  return
}

// -----

func.func @mla_attention_rows(%q: tensor<?x30xf32>, %w: tensor<33x16xbf16>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{result rows must be ? (rows of query), but found 3}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x30xf32>, tensor<33x16xbf16>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<3x15xf32>
  return
}

// -----

func.func @mla_attention_slots(%q: tensor<?x30xf32>, %w: tensor<33x16xbf16>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<3xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{slots rows must be ? (rows of query), but found 3}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x30xf32>, tensor<33x16xbf16>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<3xi32>, tensor<2x3xi32> -> tensor<?x15xf32>
  return
}

// -----

func.func @mla_attention_pages(%q: tensor<?x30xf32>, %w: tensor<33x16xbf16>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3x1xi32>) {
  // expected-error @+1 {{pages rank must be 2, but found 3}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x30xf32>, tensor<33x16xbf16>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3x1xi32> -> tensor<?x15xf32>
  return
}

// -----

func.func @mla_attention_heads(%q: tensor<?x30xf32>, %w: tensor<33x16xbf16>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{heads must be positive, but found 0}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 0 rope 4 scale 0.5 : tensor<?x30xf32>, tensor<33x16xbf16>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x15xf32>
  return
}

// -----

func.func @mla_attention_query_heads(%q: tensor<?x31xf32>, %w: tensor<33x16xbf16>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{query width must be a multiple of 3 (heads), but found 31}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x31xf32>, tensor<33x16xbf16>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x15xf32>
  return
}

// -----

func.func @mla_attention_result_heads(%q: tensor<?x30xf32>, %w: tensor<33x16xbf16>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{result width must be a multiple of 3 (heads), but found 16}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x30xf32>, tensor<33x16xbf16>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x16xf32>
  return
}

// -----

func.func @mla_attention_rope_width(%q: tensor<?x30xf32>, %w: tensor<33x16xbf16>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{rope_width must be positive, but found 0}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 0 scale 0.5 : tensor<?x30xf32>, tensor<33x16xbf16>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x15xf32>
  return
}

// -----

func.func @mla_attention_rope_bound(%q: tensor<?x30xf32>, %w: tensor<33x16xbf16>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{rope_width must be at most 10 (width of query / heads), but found 12}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 12 scale 0.5 : tensor<?x30xf32>, tensor<33x16xbf16>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x15xf32>
  return
}

// -----

func.func @mla_attention_scale(%q: tensor<?x30xf32>, %w: tensor<33x16xbf16>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{scale must be positive, but found -0.5}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 4 scale -0.5 : tensor<?x30xf32>, tensor<33x16xbf16>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x15xf32>
  return
}

// -----

func.func @mla_attention_kv_b_rows(%q: tensor<?x30xf32>, %w: tensor<36x16xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{kv_b rows must be 33 (heads * (nope + value)), but found 36}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x30xf32>, tensor<36x16xf32>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x15xf32>
  return
}

// -----

func.func @mla_attention_cache_width(%q: tensor<?x30xf32>, %w: tensor<33x16xbf16>, %c: !glm.cache<16 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{cache width must be 20 (width of kv_b + rope_width), but found 16}}
  %y = glm.mla_attention %q, %w in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x30xf32>, tensor<33x16xbf16>, !glm.cache<16 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x15xf32>
  return
}

// -----

func.func @latent_attention_query_latent(%l: tensor<?x3x16xf32>, %q: tensor<?x30xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{query_latent rank must be 2, but found 3}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x3x16xf32>, tensor<?x30xf32>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x3x16xf32>
  return
}

// -----

func.func @latent_attention_query(%l: tensor<?x48xf32>, %q: tensor<?x3x10xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{query rank must be 2, but found 3}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x48xf32>, tensor<?x3x10xf32>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x48xf32>
  return
}

// -----

func.func @latent_attention_query_rows(%l: tensor<?x48xf32>, %q: tensor<3x30xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{query rows must be ? (rows of query_latent), but found 3}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x48xf32>, tensor<3x30xf32>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x48xf32>
  return
}

// -----

func.func @latent_attention_indices(%l: tensor<?x48xf32>, %q: tensor<?x30xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{indices rank must be 2, but found 1}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x48xf32>, tensor<?x30xf32>, !glm.cache<20 x bf16>, tensor<7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x48xf32>
  return
}

// -----

func.func @latent_attention_indices_rows(%l: tensor<?x48xf32>, %q: tensor<?x30xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<3x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{indices rows must be ? (rows of query_latent), but found 3}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x48xf32>, tensor<?x30xf32>, !glm.cache<20 x bf16>, tensor<3x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x48xf32>
  return
}

// -----

func.func @latent_attention_result(%l: tensor<?x48xf32>, %q: tensor<?x30xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{result shape must be ?x48 (shape of query_latent), but found ?x60}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x48xf32>, tensor<?x30xf32>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x60xf32>
  return
}

// -----

func.func @latent_attention_slots(%l: tensor<?x48xf32>, %q: tensor<?x30xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<3xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{slots rows must be ? (rows of query_latent), but found 3}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x48xf32>, tensor<?x30xf32>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<3xi32>, tensor<2x3xi32> -> tensor<?x48xf32>
  return
}

// -----

func.func @latent_attention_pages(%l: tensor<?x48xf32>, %q: tensor<?x30xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<3xi32>) {
  // expected-error @+1 {{pages rank must be 2, but found 1}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x48xf32>, tensor<?x30xf32>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<3xi32> -> tensor<?x48xf32>
  return
}

// -----

func.func @latent_attention_heads(%l: tensor<?x48xf32>, %q: tensor<?x30xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{heads must be positive, but found 0}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 0 rope 4 scale 0.5 : tensor<?x48xf32>, tensor<?x30xf32>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x48xf32>
  return
}

// -----

func.func @latent_attention_latent_heads(%l: tensor<?x48xf32>, %q: tensor<?x30xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{query_latent width must be a multiple of 5 (heads), but found 48}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 5 rope 4 scale 0.5 : tensor<?x48xf32>, tensor<?x30xf32>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x48xf32>
  return
}

// -----

func.func @latent_attention_query_heads(%l: tensor<?x48xf32>, %q: tensor<?x31xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{query width must be a multiple of 3 (heads), but found 31}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x48xf32>, tensor<?x31xf32>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x48xf32>
  return
}

// -----

func.func @latent_attention_rope_width(%l: tensor<?x48xf32>, %q: tensor<?x30xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{rope_width must be positive, but found 0}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 3 rope 0 scale 0.5 : tensor<?x48xf32>, tensor<?x30xf32>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x48xf32>
  return
}

// -----

func.func @latent_attention_rope_bound(%l: tensor<?x48xf32>, %q: tensor<?x30xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{rope_width must be at most 10 (width of query / heads), but found 12}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 3 rope 12 scale 0.5 : tensor<?x48xf32>, tensor<?x30xf32>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x48xf32>
  return
}

// -----

func.func @latent_attention_scale(%l: tensor<?x48xf32>, %q: tensor<?x30xf32>, %c: !glm.cache<20 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{scale must be positive, but found 0}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 3 rope 4 scale 0.0 : tensor<?x48xf32>, tensor<?x30xf32>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x48xf32>
  return
}

// -----

func.func @latent_attention_cache_width(%l: tensor<?x48xf32>, %q: tensor<?x30xf32>, %c: !glm.cache<21 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>) {
  // expected-error @+1 {{cache width must be 20 (width of query_latent / heads + rope_width), but found 21}}
  %y = glm.latent_attention %l, %q in %c over %i at %s, %g heads 3 rope 4 scale 0.5 : tensor<?x48xf32>, tensor<?x30xf32>, !glm.cache<21 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x48xf32>
  return
}
