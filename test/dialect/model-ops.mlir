// RUN: glm-opt %s | glm-opt | FileCheck %s
// RUN: glm-opt --mlir-print-op-generic %s | glm-opt | FileCheck %s

// A function per op: what the importer writes, and what the fusions make of it.

#modelopt = #glm.nvfp4<block = 16, source = modelopt>

// CHECK-LABEL: func.func @weight
func.func @weight() {
  // CHECK: glm.weight "model.norm.weight" : tensor<40xbf16>
  %norm = glm.weight "model.norm.weight" : tensor<40xbf16>
  // CHECK: glm.weight "model.layers.0.self_attn.o_proj.weight" : tensor<40x15xf16>
  %wide = glm.weight "model.layers.0.self_attn.o_proj.weight" : tensor<40x15xf16>
  // CHECK: glm.weight "model.layers.3.mlp.experts.{}.up_proj.weight" : tensor<256x2048x6144xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
  %w = glm.weight "model.layers.3.mlp.experts.{}.up_proj.weight" : tensor<256x2048x6144xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
  return
}

// CHECK-LABEL: func.func @dequant
func.func @dequant(%w: tensor<48x32xf4E2M1FN, #modelopt>, %experts: tensor<5x48x32xf4E2M1FN, #modelopt>) {
  // CHECK: glm.dequant %{{.*}} : tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<48x32xf32>
  %wide = glm.dequant %w : tensor<48x32xf4E2M1FN, #modelopt> -> tensor<48x32xf32>
  // CHECK: glm.dequant %{{.*}} : tensor<5x48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<5x48x32xf32>
  %stack = glm.dequant %experts : tensor<5x48x32xf4E2M1FN, #modelopt> -> tensor<5x48x32xf32>
  return
}

// CHECK-LABEL: func.func @embed
func.func @embed(%tokens: tensor<?xi32>, %table: tensor<100x40xbf16>) {
  // CHECK: glm.embed %{{.*}} in %{{.*}} : tensor<?xi32>, tensor<100x40xbf16> -> tensor<?x40xf32>
  %x = glm.embed %tokens in %table : tensor<?xi32>, tensor<100x40xbf16> -> tensor<?x40xf32>
  return
}

// CHECK-LABEL: func.func @select_rows
func.func @select_rows(%x: tensor<?x40xf32>, %rows: tensor<?xi32>) {
  // CHECK: glm.select_rows %{{.*}} at %{{.*}} : tensor<?x40xf32>, tensor<?xi32> -> tensor<?x40xbf16>
  %y = glm.select_rows %x at %rows : tensor<?x40xf32>, tensor<?xi32> -> tensor<?x40xbf16>
  return
}

// CHECK-LABEL: func.func @rms_norm
func.func @rms_norm(%x: tensor<3x20xf32>, %all: tensor<20xbf16>, %first: tensor<16xf32>) {
  // CHECK: glm.rms_norm %{{.*}}, %{{.*}} eps 9.99999974E-6 : tensor<3x20xf32>, tensor<20xbf16> -> tensor<3x20xf32>
  %y = glm.rms_norm %x, %all eps 1.0e-5 : tensor<3x20xf32>, tensor<20xbf16> -> tensor<3x20xf32>
  // The last four columns pass.
  // CHECK: glm.rms_norm {{.*}} : tensor<3x20xf32>, tensor<16xf32> -> tensor<3x20xbf16>
  %z = glm.rms_norm %x, %first eps 1.0e-5 : tensor<3x20xf32>, tensor<16xf32> -> tensor<3x20xbf16>
  return
}

// CHECK-LABEL: func.func @layer_norm
func.func @layer_norm(%x: tensor<?x8xf32>, %weight: tensor<8xbf16>, %bias: tensor<8xbf16>) {
  // CHECK: glm.layer_norm %{{.*}}, %{{.*}}, %{{.*}} eps 9.99999997E-7 : tensor<?x8xf32>, tensor<8xbf16>, tensor<8xbf16> -> tensor<?x8xbf16>
  %y = glm.layer_norm %x, %weight, %bias eps 1.0e-6 : tensor<?x8xf32>, tensor<8xbf16>, tensor<8xbf16> -> tensor<?x8xbf16>
  return
}

// CHECK-LABEL: func.func @add_rms_norm
func.func @add_rms_norm(%x: tensor<?x40xbf16>, %delta: tensor<?x40xf32>, %weight: tensor<40xbf16>) {
  // CHECK: %sum, %result = glm.add_rms_norm %{{.*}} plus %{{.*}}, %{{.*}} eps 9.99999974E-6 {glm.tap = "hidden.0"}
  // CHECK-SAME: : tensor<?x40xbf16>, tensor<?x40xf32>, tensor<40xbf16> -> tensor<?x40xbf16>, tensor<?x40xf32>
  %sum, %y = glm.add_rms_norm %x plus %delta, %weight eps 1.0e-5 {glm.tap = "hidden.0"} : tensor<?x40xbf16>, tensor<?x40xf32>, tensor<40xbf16> -> tensor<?x40xbf16>, tensor<?x40xf32>
  return
}

// CHECK-LABEL: func.func @linear
func.func @linear(%x: tensor<?x32xbf16>, %wide: tensor<7x32xf32>, %packed: tensor<48x32xf4E2M1FN, #modelopt>) {
  // CHECK: glm.linear %{{.*}}, %{{.*}} : tensor<?x32xbf16>, tensor<7x32xf32> -> tensor<?x7xf32>
  %y = glm.linear %x, %wide : tensor<?x32xbf16>, tensor<7x32xf32> -> tensor<?x7xf32>
  // CHECK: glm.linear {{.*}}#glm.nvfp4{{.*}} -> tensor<?x48xbf16>
  %z = glm.linear %x, %packed : tensor<?x32xbf16>, tensor<48x32xf4E2M1FN, #modelopt> -> tensor<?x48xbf16>
  return
}

// CHECK-LABEL: func.func @projections
func.func @projections(%x: tensor<?x40xbf16>, %a: tensor<24x40xbf16>, %b: tensor<20x40xf32>) {
  // CHECK: %{{.*}}:2 = glm.projections %{{.*}} by %{{.*}}, %{{.*}} : tensor<?x40xbf16>, tensor<24x40xbf16>, tensor<20x40xf32> -> tensor<?x24xbf16>, tensor<?x20xf32>
  %y, %z = glm.projections %x by %a, %b : tensor<?x40xbf16>, tensor<24x40xbf16>, tensor<20x40xf32> -> tensor<?x24xbf16>, tensor<?x20xf32>
  return
}

// The two halves of absorbed attention with 3 heads: key parts of 6 and values of 5 in a latent space of 16.
// CHECK-LABEL: func.func @head_linear
func.func @head_linear(%query: tensor<?x30xbf16>, %attended: tensor<?x48xbf16>, %kv_b: tensor<33x16xbf16>) {
  // CHECK: glm.head_linear %{{.*}}, %{{.*}} heads 3 rows 0 plus 6 of 11 transposed : tensor<?x30xbf16>, tensor<33x16xbf16> -> tensor<?x48xbf16>
  %latent = glm.head_linear %query, %kv_b heads 3 rows 0 plus 6 of 11 transposed : tensor<?x30xbf16>, tensor<33x16xbf16> -> tensor<?x48xbf16>
  // CHECK: glm.head_linear %{{.*}}, %{{.*}} heads 3 rows 6 plus 5 of 11 : tensor<?x48xbf16>, tensor<33x16xbf16> -> tensor<?x15xbf16>
  %values = glm.head_linear %attended, %kv_b heads 3 rows 6 plus 5 of 11 : tensor<?x48xbf16>, tensor<33x16xbf16> -> tensor<?x15xbf16>
  return
}

// CHECK-LABEL: func.func @gated_mlp
func.func @gated_mlp(%x: tensor<?x32xbf16>, %gate: tensor<48x32xf4E2M1FN, #modelopt>, %up: tensor<48x32xbf16>, %down: tensor<32x48xbf16>) {
  // CHECK: glm.gated_mlp %{{.*}} gate %{{.*}} up %{{.*}} down %{{.*}} : {{.*}} -> tensor<?x32xf32>
  %y = glm.gated_mlp %x gate %gate up %up down %down : tensor<?x32xbf16>, tensor<48x32xf4E2M1FN, #modelopt>, tensor<48x32xbf16>, tensor<32x48xbf16> -> tensor<?x32xf32>
  return
}

// CHECK-LABEL: func.func @rope
func.func @rope(%positions: tensor<?xi32>, %x: tensor<?x30xbf16>) {
  // CHECK: %[[ANGLES:.*]] = glm.rope_angles %{{.*}} {inverse_frequencies = array<f32: 1.000000e+00, 2.500000e-01>} : tensor<?xi32> -> tensor<?x4xf32>
  %angles = glm.rope_angles %positions {inverse_frequencies = array<f32: 1.0, 0.25>} : tensor<?xi32> -> tensor<?x4xf32>
  // CHECK: glm.rope %{{.*}}, %[[ANGLES]] heads 3 columns 6 plus 4 : tensor<?x30xbf16>, tensor<?x4xf32> -> tensor<?x30xf32>
  %y = glm.rope %x, %angles heads 3 columns 6 plus 4 : tensor<?x30xbf16>, tensor<?x4xf32> -> tensor<?x30xf32>
  return
}

// CHECK-LABEL: func.func @cache
func.func @cache(%x: tensor<?x20xf32>, %key: tensor<?x8xbf16>, %positions: tensor<?xi32>, %slots: tensor<?xi32>, %pages: tensor<2x3xi32>,
                 %latent_norm: tensor<16xbf16>, %weight: tensor<8xbf16>, %bias: tensor<8xbf16>, %angles: tensor<?x4xf32>) {
  // CHECK: %[[GLM:.*]] = glm.cache "layers.3.latent" : <576 x bf16>
  %c = glm.cache "layers.3.latent" : !glm.cache<576 x bf16>
  // CHECK: %[[LATENT:.*]] = glm.cache "layers.0.latent"
  %latent = glm.cache "layers.0.latent" : !glm.cache<20 x bf16>
  %index = glm.cache "layers.0.index" : !glm.cache<8 x f32>
  // CHECK: glm.cache_write %{{.*}} into %[[LATENT]] at %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x20xf32>, <20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32>
  %plain = glm.cache_write %x into %latent at %positions, %slots, %pages : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32>
  // CHECK: glm.cache_write {{.*}} norm %{{.*}} rope %{{.*}} {eps = 9.99999974E-6 : f32, norm = #glm.norm<rms>, rope_offset = 16 : i64, rope_width = 4 : i64}
  // CHECK-SAME: tensor<2x3xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  %fused = glm.cache_write %x into %latent at %positions, %slots, %pages norm %latent_norm rope %angles {eps = 1.0e-5 : f32, norm = #glm<norm<rms>>, rope_offset = 16, rope_width = 4} : tensor<?x20xf32>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<16xbf16> rope tensor<?x4xf32>
  // CHECK: glm.cache_write {{.*}} norm %{{.*}} bias %{{.*}} rope %{{.*}} {eps = {{.*}}, norm = #glm.norm<layer>, rope_width = 4 : i64}
  // CHECK-SAME: norm tensor<8xbf16> bias tensor<8xbf16> rope tensor<?x4xf32>
  %keys = glm.cache_write %key into %index at %positions, %slots, %pages norm %weight bias %bias rope %angles {eps = 1.0e-6 : f32, norm = #glm<norm<layer>>, rope_width = 4} : tensor<?x8xbf16>, !glm.cache<8 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> norm tensor<8xbf16> bias tensor<8xbf16> rope tensor<?x4xf32>
  return
}

// IndexShare: two layers attend to what one indexer chose.
// CHECK-LABEL: func.func @indexer
func.func @indexer(%query: tensor<?x40xbf16>, %weights: tensor<?x5xf32>, %keys: !glm.cache<8 x bf16>, %positions: tensor<?xi32>, %slots: tensor<?xi32>, %pages: tensor<2x3xi32>,
                   %q: tensor<?x30xbf16>, %q_latent: tensor<?x48xbf16>, %kv_b: tensor<33x16xbf16>, %first: !glm.cache<20 x bf16>, %second: !glm.cache<20 x bf16>) {
  // CHECK: %[[CHOSEN:.*]] = glm.indexer %{{.*}}, %{{.*}} in %{{.*}} at %{{.*}}, %{{.*}}, %{{.*}} scale 1.250000e-01 top_k 7 {glm.tap = "index.0"}
  // CHECK-SAME: : tensor<?x40xbf16>, tensor<?x5xf32>, <8 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x7xi32>
  %chosen = glm.indexer %query, %weights in %keys at %positions, %slots, %pages scale 0.125 top_k 7 {glm.tap = "index.0"} : tensor<?x40xbf16>, tensor<?x5xf32>, !glm.cache<8 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x7xi32>
  // CHECK: glm.mla_attention %{{.*}}, %{{.*}} in %{{.*}} over %[[CHOSEN]] at %{{.*}}, %{{.*}} heads 3 rope 4 scale 5.000000e-01
  // CHECK-SAME: : tensor<?x30xbf16>, tensor<33x16xbf16>, <20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x15xbf16>
  %naive = glm.mla_attention %q, %kv_b in %first over %chosen at %slots, %pages heads 3 rope 4 scale 0.5 : tensor<?x30xbf16>, tensor<33x16xbf16>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x15xbf16>
  // CHECK: glm.latent_attention %{{.*}}, %{{.*}} in %{{.*}} over %[[CHOSEN]] at %{{.*}}, %{{.*}} heads 3 rope 4 scale 5.000000e-01
  // CHECK-SAME: : tensor<?x48xbf16>, tensor<?x30xbf16>, <20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x48xbf16>
  %absorbed = glm.latent_attention %q_latent, %q in %second over %chosen at %slots, %pages heads 3 rope 4 scale 0.5 : tensor<?x48xbf16>, tensor<?x30xbf16>, !glm.cache<20 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x3xi32> -> tensor<?x48xbf16>
  return
}

// CHECK-LABEL: func.func @route
func.func @route(%logits: tensor<?x6xf32>, %bias: tensor<6xf32>) {
  // CHECK: %experts, %weights = glm.route %{{.*}}, %{{.*}} top_k 2 groups 2 of 3 normalize scaling 2.500000e+00 {glm.tap = "experts.3"} : tensor<?x6xf32>, tensor<6xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %experts, %weights = glm.route %logits, %bias top_k 2 groups 2 of 3 normalize scaling 2.5 {glm.tap = "experts.3"} : tensor<?x6xf32>, tensor<6xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  // CHECK: glm.route %{{.*}}, %{{.*}} top_k 6 groups 1 of 1 scaling 1.000000e+00 :
  %all, %plain = glm.route %logits, %bias top_k 6 groups 1 of 1 scaling 1.0 : tensor<?x6xf32>, tensor<6xf32> -> tensor<?x6xi32>, tensor<?x6xf32>
  return
}

// CHECK-LABEL: func.func @moe
func.func @moe(%x: tensor<?x32xbf16>, %experts: tensor<?x2xi32>, %weights: tensor<?x2xf32>, %gate: tensor<5x48x32xf4E2M1FN, #modelopt>, %up: tensor<5x48x32xf4E2M1FN, #modelopt>,
               %down: tensor<5x32x48xbf16>, %shared: tensor<?x32xf32>) {
  // CHECK: glm.moe %{{.*}} to %{{.*}}, %{{.*}} gate %{{.*}} up %{{.*}} down %{{.*}} plus %{{.*}} : {{.*}}, plus tensor<?x32xf32> -> tensor<?x32xbf16>
  %y = glm.moe %x to %experts, %weights gate %gate up %up down %down plus %shared : tensor<?x32xbf16>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x48x32xf4E2M1FN, #modelopt>, tensor<5x48x32xf4E2M1FN, #modelopt>, tensor<5x32x48xbf16>, plus tensor<?x32xf32> -> tensor<?x32xbf16>
  // CHECK: glm.moe %{{.*}} to %{{.*}}, %{{.*}} gate %{{.*}} up %{{.*}} down %{{[^ ]*}} : {{.*}}, tensor<5x32x48xbf16> -> tensor<?x32xf32>
  %z = glm.moe %x to %experts, %weights gate %gate up %up down %down : tensor<?x32xbf16>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x48x32xf4E2M1FN, #modelopt>, tensor<5x48x32xf4E2M1FN, #modelopt>, tensor<5x32x48xbf16> -> tensor<?x32xf32>
  return
}

// CHECK-LABEL: func @rotates_without_a_norm
func.func @rotates_without_a_norm(%c: !glm.cache<20 x bf16>, %x: tensor<?x20xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %g: tensor<2x3xi32>, %a: tensor<?x4xf32>) {
  // CHECK: glm.cache_write %{{.*}} into %{{.*}} at %{{.*}}, %{{.*}}, %{{.*}} rope %{{.*}} {rope_offset = 16 : i64, rope_width = 4 : i64} : {{.*}} rope tensor<?x4xf32>
  %y = glm.cache_write %x into %c at %p, %s, %g rope %a {rope_offset = 16, rope_width = 4} : tensor<?x20xbf16>, !glm.cache<20 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x3xi32> rope tensor<?x4xf32>
  return
}
