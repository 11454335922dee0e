// RUN: glm-opt %s | glm-opt | FileCheck %s
// RUN: glm-opt --mlir-print-op-generic %s | glm-opt | FileCheck %s

// A function per op; 3 rows, 3 heads, pages of 4 positions.

#packed = #glm.nvfp4<block = 16, source = compressed_tensors>

// CHECK-LABEL: func.func @embed
func.func @embed(%tokens: memref<3xi32>, %table: tensor<100x40xbf16>, %x: memref<3x40xbf16>) {
  // CHECK: glm.kernel.embed tokens %{{.*}} table %{{.*}} to %{{.*}} : memref<3xi32>, tensor<100x40xbf16>, memref<3x40xbf16>
  glm.kernel.embed tokens %tokens table %table to %x : memref<3xi32>, tensor<100x40xbf16>, memref<3x40xbf16>
  return
}

// CHECK-LABEL: func.func @embed_sampled
func.func @embed_sampled(%tokens: memref<3xi32>, %sampled: memref<8xi32>, %table: tensor<100x40xbf16>, %x: memref<3x40xbf16>) {
  // CHECK: glm.kernel.embed tokens %{{.*}} or %arg1 table %{{.*}} to %{{.*}} : memref<3xi32> or memref<8xi32>, tensor<100x40xbf16>, memref<3x40xbf16>
  glm.kernel.embed tokens %tokens or %sampled table %table to %x : memref<3xi32> or memref<8xi32>, tensor<100x40xbf16>, memref<3x40xbf16>
  return
}

// CHECK-LABEL: func.func @sample
func.func @sample(%logits: memref<3x100xf32>, %sampling: memref<3x5xi32>, %sampled: memref<8xi32>) {
  // CHECK: glm.kernel.sample %{{.*}} by %{{.*}} to %{{.*}} {glm.output_rows} : memref<3x100xf32>, memref<3x5xi32>, memref<8xi32>
  glm.kernel.sample %logits by %sampling to %sampled {glm.output_rows} : memref<3x100xf32>, memref<3x5xi32>, memref<8xi32>
  return
}

// CHECK-LABEL: func.func @gather_rows
func.func @gather_rows(%x: memref<3x40xbf16>, %rows: memref<2xi32>, %y: memref<2x40xf32>) {
  // CHECK: glm.kernel.gather_rows %{{.*}} at %{{.*}} to %{{.*}} {glm.output_rows} : memref<3x40xbf16>, memref<2xi32>, memref<2x40xf32>
  glm.kernel.gather_rows %x at %rows to %y {glm.output_rows} : memref<3x40xbf16>, memref<2xi32>, memref<2x40xf32>
  return
}

// CHECK-LABEL: func.func @rope_angles
func.func @rope_angles(%positions: memref<3xi32>, %angles: memref<3x4xf32>) {
  // CHECK: glm.kernel.rope_angles %{{.*}} to %{{.*}} {inverse_frequencies = array<f32: 1.000000e+00, 2.500000e-01>} : memref<3xi32>, memref<3x4xf32>
  glm.kernel.rope_angles %positions to %angles {inverse_frequencies = array<f32: 1.0, 0.25>} : memref<3xi32>, memref<3x4xf32>
  return
}

// CHECK-LABEL: func.func @norm
func.func @norm(%x: memref<3x20xbf16>, %delta: memref<3x20xf32>, %y: memref<3x20xf32>, %weight: tensor<16xbf16>, %bias: tensor<16xf32>) {
  // CHECK: glm.kernel.norm <rms> %{{.*}} weight %{{.*}} to %{{.*}} eps 9.99999974E-6 : memref<3x20xbf16>, tensor<16xbf16>, memref<3x20xf32>
  glm.kernel.norm <rms> %x weight %weight to %y eps 1.0e-5 : memref<3x20xbf16>, tensor<16xbf16>, memref<3x20xf32>
  // CHECK: glm.kernel.norm <layer> %{{.*}} weight %{{.*}} bias %{{.*}} to %{{.*}} eps 9.99999997E-7 : memref<3x20xbf16>, tensor<16xbf16> bias tensor<16xf32>, memref<3x20xf32>
  glm.kernel.norm <layer> %x weight %weight bias %bias to %y eps 1.0e-6 : memref<3x20xbf16>, tensor<16xbf16> bias tensor<16xf32>, memref<3x20xf32>
  // The sum takes the place of the input.
  // CHECK: glm.kernel.norm <rms> %[[X:.*]] plus %{{.*}} weight %{{.*}} sum %[[X]] to %{{.*}} eps 9.99999974E-6 : memref<3x20xbf16> plus memref<3x20xf32>, tensor<16xbf16> sum memref<3x20xbf16>, memref<3x20xf32>
  glm.kernel.norm <rms> %x plus %delta weight %weight sum %x to %y eps 1.0e-5 : memref<3x20xbf16> plus memref<3x20xf32>, tensor<16xbf16> sum memref<3x20xbf16>, memref<3x20xf32>
  return
}

// CHECK-LABEL: func.func @add
func.func @add(%x: memref<3x40xbf16>, %y: memref<3x40xf32>, %sum: memref<3x40xbf16>) {
  // CHECK: glm.kernel.add %{{.*}}, %{{.*}} to %{{.*}} {glm.tap = "hidden.0"} : memref<3x40xbf16>, memref<3x40xf32>, memref<3x40xbf16>
  glm.kernel.add %x, %y to %sum {glm.tap = "hidden.0"} : memref<3x40xbf16>, memref<3x40xf32>, memref<3x40xbf16>
  return
}

// CHECK-LABEL: func.func @gemm
func.func @gemm(%x: memref<3x32xbf16>, %a: tensor<48x32xf4E2M1FN, #packed>, %b: tensor<7x32xbf16>, %up: tensor<48x32xbf16>, %y: memref<3x48xbf16>, %z: memref<3x7xf32>) {
  // CHECK: glm.kernel.gemm <store> %{{.*}} by %{{.*}}, %{{.*}} to %{{.*}}, %{{.*}} {glm.schedule = #glm.schedule<family = "plain", tile_m = 1, tile_n = 1>} : memref<3x32xbf16> by tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = compressed_tensors>>, tensor<7x32xbf16> to memref<3x48xbf16>, memref<3x7xf32>
  glm.kernel.gemm <store> %x by %a, %b to %y, %z {glm.schedule = #glm.schedule<family = "plain", tile_m = 1, tile_n = 1>} : memref<3x32xbf16> by tensor<48x32xf4E2M1FN, #packed>, tensor<7x32xbf16> to memref<3x48xbf16>, memref<3x7xf32>
  // CHECK: glm.kernel.gemm <silu_mul> %{{.*}} by %{{.*}}, %{{.*}} to %{{.*}} : {{.*}} to memref<3x48xbf16>
  glm.kernel.gemm <silu_mul> %x by %a, %up to %y : memref<3x32xbf16> by tensor<48x32xf4E2M1FN, #packed>, tensor<48x32xbf16> to memref<3x48xbf16>
  return
}

// CHECK-LABEL: func.func @head_gemm
func.func @head_gemm(%query: memref<3x30xbf16>, %kv_b: tensor<33x16xbf16>, %latent: memref<3x48xbf16>, %values: memref<3x15xf32>) {
  // CHECK: glm.kernel.head_gemm %{{.*}}, %{{.*}} to %{{.*}} heads 3 rows 0 plus 6 of 11 transposed : memref<3x30xbf16>, tensor<33x16xbf16>, memref<3x48xbf16>
  glm.kernel.head_gemm %query, %kv_b to %latent heads 3 rows 0 plus 6 of 11 transposed : memref<3x30xbf16>, tensor<33x16xbf16>, memref<3x48xbf16>
  // CHECK: glm.kernel.head_gemm %{{.*}}, %{{.*}} to %{{.*}} heads 3 rows 6 plus 5 of 11 : memref<3x48xbf16>, tensor<33x16xbf16>, memref<3x15xf32>
  glm.kernel.head_gemm %latent, %kv_b to %values heads 3 rows 6 plus 5 of 11 : memref<3x48xbf16>, tensor<33x16xbf16>, memref<3x15xf32>
  return
}

// CHECK-LABEL: func.func @rope
func.func @rope(%x: memref<3x30xbf16>, %angles: memref<3x4xf32>) {
  // CHECK: glm.kernel.rope %[[X:.*]], %{{.*}} to %[[X]] heads 3 columns 6 plus 4 : memref<3x30xbf16>, memref<3x4xf32>, memref<3x30xbf16>
  glm.kernel.rope %x, %angles to %x heads 3 columns 6 plus 4 : memref<3x30xbf16>, memref<3x4xf32>, memref<3x30xbf16>
  return
}

// CHECK-LABEL: func.func @rope_cache_write
func.func @rope_cache_write(%x: memref<3x20xbf16>, %latent: memref<24x20xbf16>, %key: memref<3x8xf32>, %keys: memref<24x8xbf16>, %positions: memref<3xi32>, %slots: memref<3xi32>, %pages: memref<2x3xi32>,
                            %latent_norm: tensor<16xbf16>, %weight: tensor<8xbf16>, %bias: tensor<8xbf16>, %angles: memref<3x4xf32>) {
  // CHECK: glm.kernel.rope_cache_write %{{.*}} into %{{.*}} at %{{.*}}, %{{.*}}, %{{.*}} {page_size = 4 : i64, rope_offset = 0 : i64, rope_width = 0 : i64} : memref<3x20xbf16>, memref<24x20xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>
  glm.kernel.rope_cache_write %x into %latent at %positions, %slots, %pages {page_size = 4, rope_offset = 0, rope_width = 0} : memref<3x20xbf16>, memref<24x20xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>
  // CHECK: glm.kernel.rope_cache_write {{.*}} norm %{{.*}} rope %{{.*}} {{.*}} norm = #glm.norm<rms>, {{.*}} norm tensor<16xbf16> rope memref<3x4xf32>
  glm.kernel.rope_cache_write %x into %latent at %positions, %slots, %pages norm %latent_norm rope %angles {eps = 1.0e-5 : f32, norm = #glm<norm<rms>>, page_size = 4, rope_offset = 16, rope_width = 4} : memref<3x20xbf16>, memref<24x20xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32> norm tensor<16xbf16> rope memref<3x4xf32>
  // CHECK: glm.kernel.rope_cache_write {{.*}} norm %{{.*}} bias %{{.*}} rope %{{.*}} {{.*}} norm = #glm.norm<layer>, {{.*}} norm tensor<8xbf16> bias tensor<8xbf16> rope memref<3x4xf32>
  glm.kernel.rope_cache_write %key into %keys at %positions, %slots, %pages norm %weight bias %bias rope %angles {eps = 1.0e-6 : f32, norm = #glm<norm<layer>>, page_size = 4, rope_offset = 0, rope_width = 4} : memref<3x8xf32>, memref<24x8xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32> norm tensor<8xbf16> bias tensor<8xbf16> rope memref<3x4xf32>
  return
}

// CHECK-LABEL: func.func @index
func.func @index(%query: memref<3x40xbf16>, %weights: memref<3x5xf32>, %keys: memref<24x8xbf16>, %positions: memref<3xi32>, %slots: memref<3xi32>, %pages: memref<2x3xi32>,
                 %scores: memref<3x11xf32>, %indices: memref<3x7xi32>) {
  // CHECK: glm.kernel.index_score %{{.*}}, %{{.*}} in %{{.*}} at %{{.*}}, %{{.*}}, %{{.*}} to %{{.*}} scale 1.250000e-01 {page_size = 4 : i64}
  // CHECK-SAME: : memref<3x40xbf16>, memref<3x5xf32>, memref<24x8xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x11xf32>
  glm.kernel.index_score %query, %weights in %keys at %positions, %slots, %pages to %scores scale 0.125 {page_size = 4} : memref<3x40xbf16>, memref<3x5xf32>, memref<24x8xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x11xf32>
  // CHECK: glm.kernel.top_k %{{.*}} at %{{.*}} to %{{.*}} {glm.tap = "index.0"} : memref<3x11xf32>, memref<3xi32>, memref<3x7xi32>
  glm.kernel.top_k %scores at %positions to %indices {glm.tap = "index.0"} : memref<3x11xf32>, memref<3xi32>, memref<3x7xi32>
  return
}

// CHECK-LABEL: func.func @sparse_mla
func.func @sparse_mla(%q_latent: memref<3x48xbf16>, %q: memref<3x30xbf16>, %latent: memref<24x20xbf16>, %indices: memref<3x7xi32>, %slots: memref<3xi32>, %pages: memref<2x3xi32>, %attended: memref<3x48xf32>) {
  // CHECK: glm.kernel.sparse_mla %{{.*}}, %{{.*}} in %{{.*}} over %{{.*}} at %{{.*}}, %{{.*}} to %{{.*}} heads 3 rope 4 scale 5.000000e-01 {page_size = 4 : i64}
  // CHECK-SAME: : memref<3x48xbf16>, memref<3x30xbf16>, memref<24x20xbf16>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x48xf32>
  glm.kernel.sparse_mla %q_latent, %q in %latent over %indices at %slots, %pages to %attended heads 3 rope 4 scale 0.5 {page_size = 4} : memref<3x48xbf16>, memref<3x30xbf16>, memref<24x20xbf16>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x48xf32>
  return
}

// CHECK-LABEL: func.func @sparse_mla_in_parts
func.func @sparse_mla_in_parts(%q_latent: memref<3x48xbf16>, %q: memref<3x30xbf16>, %latent: memref<24x20xbf16>, %indices: memref<3x7xi32>, %slots: memref<3xi32>, %pages: memref<2x3xi32>, %sums: memref<3x192xf32>, %stats: memref<3x24xf32>, %attended: memref<3x48xf32>) {
  // CHECK: glm.kernel.sparse_mla %{{.*}} heads 3 rope 4 scale 5.000000e-01 {page_size = 4 : i64, part_size = 2 : i64}
  glm.kernel.sparse_mla %q_latent, %q in %latent over %indices at %slots, %pages to %attended heads 3 rope 4 scale 0.5 {page_size = 4, part_size = 2} : memref<3x48xbf16>, memref<3x30xbf16>, memref<24x20xbf16>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x48xf32>
  // CHECK: glm.kernel.sparse_mla_part %{{.*}}, %{{.*}} in %{{.*}} over %{{.*}} at %{{.*}}, %{{.*}} to %{{.*}}, %{{.*}} heads 3 rope 4 scale 5.000000e-01 {page_size = 4 : i64, part_size = 2 : i64}
  // CHECK-SAME: : memref<3x48xbf16>, memref<3x30xbf16>, memref<24x20xbf16>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x192xf32>, memref<3x24xf32>
  glm.kernel.sparse_mla_part %q_latent, %q in %latent over %indices at %slots, %pages to %sums, %stats heads 3 rope 4 scale 0.5 {page_size = 4, part_size = 2} : memref<3x48xbf16>, memref<3x30xbf16>, memref<24x20xbf16>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x192xf32>, memref<3x24xf32>
  // CHECK: glm.kernel.sparse_mla_join %{{.*}}, %{{.*}} to %{{.*}} heads 3 : memref<3x192xf32>, memref<3x24xf32>, memref<3x48xf32>
  glm.kernel.sparse_mla_join %sums, %stats to %attended heads 3 : memref<3x192xf32>, memref<3x24xf32>, memref<3x48xf32>
  return
}

// CHECK-LABEL: func.func @route
func.func @route(%logits: memref<3x6xf32>, %bias: tensor<6xf32>, %experts: memref<3x2xi32>, %weights: memref<3x2xf32>) {
  // CHECK: glm.kernel.route %{{.*}}, %{{.*}} to %{{.*}}, %{{.*}} groups 2 of 3 normalize scaling 2.500000e+00 : memref<3x6xf32>, tensor<6xf32>, memref<3x2xi32>, memref<3x2xf32>
  glm.kernel.route %logits, %bias to %experts, %weights groups 2 of 3 normalize scaling 2.5 : memref<3x6xf32>, tensor<6xf32>, memref<3x2xi32>, memref<3x2xf32>
  return
}

// CHECK-LABEL: func.func @experts
func.func @experts(%x: memref<3x32xbf16>, %experts: memref<3x2xi32>, %weights: memref<3x2xf32>, %offsets: memref<6xi32>, %entries: memref<6xi32>, %gate: tensor<5x48x32xf4E2M1FN, #packed>,
                   %up: tensor<5x48x32xf4E2M1FN, #packed>, %down: tensor<5x32x48xbf16>, %inner: memref<6x48xbf16>, %parts: memref<6x32xf32>, %shared: memref<3x32xbf16>, %y: memref<3x32xbf16>) {
  // CHECK: glm.kernel.group_rows %{{.*}} to %{{.*}}, %{{.*}} : memref<3x2xi32>, memref<6xi32>, memref<6xi32>
  glm.kernel.group_rows %experts to %offsets, %entries : memref<3x2xi32>, memref<6xi32>, memref<6xi32>
  // CHECK: glm.kernel.moe_gate_up %{{.*}} of %{{.*}}, %{{.*}} gate %{{.*}} up %{{.*}} to %{{.*}} top_k 2 : memref<3x32xbf16>, {{.*}}, memref<6x48xbf16>
  glm.kernel.moe_gate_up %x of %offsets, %entries gate %gate up %up to %inner top_k 2 : memref<3x32xbf16>, memref<6xi32>, memref<6xi32>, tensor<5x48x32xf4E2M1FN, #packed>, tensor<5x48x32xf4E2M1FN, #packed>, memref<6x48xbf16>
  // CHECK: glm.kernel.moe_down %{{.*}} of %{{.*}}, %{{.*}} down %{{.*}} to %{{.*}} : memref<6x48xbf16>, memref<6xi32>, memref<6xi32>, tensor<5x32x48xbf16>, memref<6x32xf32>
  glm.kernel.moe_down %inner of %offsets, %entries down %down to %parts : memref<6x48xbf16>, memref<6xi32>, memref<6xi32>, tensor<5x32x48xbf16>, memref<6x32xf32>
  // CHECK: glm.kernel.moe_combine %{{.*}} by %{{.*}} plus %{{.*}} to %{{.*}} : memref<6x32xf32>, memref<3x2xf32> plus memref<3x32xbf16>, memref<3x32xbf16>
  glm.kernel.moe_combine %parts by %weights plus %shared to %y : memref<6x32xf32>, memref<3x2xf32> plus memref<3x32xbf16>, memref<3x32xbf16>
  // CHECK: glm.kernel.moe_combine %{{.*}} by %{{.*}} to %{{.*}} : memref<6x32xf32>, memref<3x2xf32>, memref<3x32xbf16>
  glm.kernel.moe_combine %parts by %weights to %y : memref<6x32xf32>, memref<3x2xf32>, memref<3x32xbf16>
  return
}

// CHECK-LABEL: func.func @residual
func.func @residual(%x: memref<3x32xbf16>, %w: tensor<48x32xbf16>, %sum: memref<3x48xf32>, %parts: memref<6x48xf32>, %weights: memref<3x2xf32>) {
  // CHECK: glm.kernel.gemm <store> %{{.*}} by %{{.*}} residual %[[SUM:.*]] to %[[SUM]] : memref<3x32xbf16> by tensor<48x32xbf16> residual memref<3x48xf32> to memref<3x48xf32>
  glm.kernel.gemm <store> %x by %w residual %sum to %sum : memref<3x32xbf16> by tensor<48x32xbf16> residual memref<3x48xf32> to memref<3x48xf32>
  // CHECK: glm.kernel.moe_combine %{{.*}} by %{{.*}} residual %[[SUM]] to %[[SUM]] : memref<6x48xf32>, memref<3x2xf32> residual memref<3x48xf32>, memref<3x48xf32>
  glm.kernel.moe_combine %parts by %weights residual %sum to %sum : memref<6x48xf32>, memref<3x2xf32> residual memref<3x48xf32>, memref<3x48xf32>
  return
}

// CHECK-LABEL: func.func @fused
func.func @fused(%x: memref<1x32xf32>, %w: tensor<32xbf16>, %router: tensor<8x32xbf16>, %logits: memref<1x8xf32>) {
  // CHECK: glm.kernel.fused <prologue> {
  // CHECK: %[[NORMED:.*]] = memref.alloc()
  // CHECK: glm.kernel.norm <rms> %{{.*}} weight %{{.*}} to %[[NORMED]]
  // CHECK: glm.kernel.gemm <store> %[[NORMED]]
  glm.kernel.fused <prologue> {
    %normed = memref.alloc() : memref<1x32xbf16>
    glm.kernel.norm <rms> %x weight %w to %normed eps 1.0e-5 : memref<1x32xf32>, tensor<32xbf16>, memref<1x32xbf16>
    glm.kernel.gemm <store> %normed by %router to %logits : memref<1x32xbf16> by tensor<8x32xbf16> to memref<1x8xf32>
  }
  return
}

// CHECK-LABEL: func.func @pack
func.func @pack(%w: tensor<5x48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>, %t: tensor<5x48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, tiled = true>>) {
  // CHECK: glm.kernel.pack_weight %{{.*}} to %{{.*}} : tensor<5x48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>, tensor<5x48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, tiled = true>>
  glm.kernel.pack_weight %w to %t : tensor<5x48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>, tensor<5x48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, tiled = true>>
  return
}

// CHECK-LABEL: func.func @two_in_one
func.func @two_in_one(%sums: memref<1x192xf32>, %stats: memref<1x12xf32>, %kv: tensor<84x32xbf16>, %y: memref<1x48xbf16>, %x: memref<2x48xbf16>, %offsets: memref<6xi32>, %entries: memref<2xi32>, %down: tensor<5x32x48xbf16>, %weights: memref<1x2xf32>, %shared: memref<1x32xf32>, %z: memref<1x32xf32>, %parts: memref<2x32xf32>, %arrivals: memref<4xi32>) {
  // CHECK: glm.kernel.sparse_mla_values %{{.*}}, %{{.*}}, %{{.*}} to %{{.*}} heads 3 rows 12 plus 16 of 28 : memref<1x192xf32>, memref<1x12xf32>, tensor<84x32xbf16>, memref<1x48xbf16>
  glm.kernel.sparse_mla_values %sums, %stats, %kv to %y heads 3 rows 12 plus 16 of 28 : memref<1x192xf32>, memref<1x12xf32>, tensor<84x32xbf16>, memref<1x48xbf16>
  // CHECK: glm.kernel.moe_down_combine %{{.*}} of %{{.*}}, %{{.*}} down %{{.*}} by %{{.*}} plus %{{.*}} residual %[[Z:.*]] to %[[Z]] through %{{.*}}, %{{.*}} : memref<2x48xbf16>, memref<6xi32>, memref<2xi32>, tensor<5x32x48xbf16>, memref<1x2xf32> plus memref<1x32xf32> residual memref<1x32xf32>, memref<1x32xf32>, memref<2x32xf32>, memref<4xi32>
  glm.kernel.moe_down_combine %x of %offsets, %entries down %down by %weights plus %shared residual %z to %z through %parts, %arrivals : memref<2x48xbf16>, memref<6xi32>, memref<2xi32>, tensor<5x32x48xbf16>, memref<1x2xf32> plus memref<1x32xf32> residual memref<1x32xf32>, memref<1x32xf32>, memref<2x32xf32>, memref<4xi32>
  return
}
