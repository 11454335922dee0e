// RUN: glm-opt %s --glm-absorb-mla | FileCheck %s
// RUN: glm-opt %s --glm-absorb-mla --glm-absorb-mla | FileCheck %s

// Three heads: keys of 10 + 4 columns, values of 14, a latent of 20.
// CHECK-LABEL: func @attends_in_the_latent_space
// CHECK-SAME: %[[Q:.*]]: tensor<?x42xbf16>, %[[C:.*]]: !glm.cache<24 x bf16>, %[[I:.*]]: tensor<?x7xi32>, %[[S:.*]]: tensor<?xi32>, %[[P:.*]]: tensor<2x8xi32>
func.func @attends_in_the_latent_space(%q: tensor<?x42xbf16>, %c: !glm.cache<24 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> tensor<?x42xbf16> {
  // CHECK: %[[W:.*]] = glm.weight
  // CHECK: %[[QL:.*]] = glm.head_linear %[[Q]], %[[W]] heads 3 rows 0 plus 10 of 24 transposed : {{.*}} -> tensor<?x60xbf16>
  // CHECK: %[[L:.*]] = glm.latent_attention %[[QL]], %[[Q]] in %[[C]] over %[[I]] at %[[S]], %[[P]] heads 3 rope 4 scale 2.500000e-01 : {{.*}} -> tensor<?x60xbf16>
  // CHECK: %[[V:.*]] = glm.head_linear %[[L]], %[[W]] heads 3 rows 10 plus 14 of 24 : {{.*}} -> tensor<?x42xbf16>
  // CHECK: return %[[V]]
  %w = glm.weight "model.layers.0.self_attn.kv_b_proj.weight" : tensor<72x20xbf16>
  %v = glm.mla_attention %q, %w in %c over %i at %s, %p heads 3 rope 4 scale 0.25 : tensor<?x42xbf16>, tensor<72x20xbf16>, !glm.cache<24 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x8xi32> -> tensor<?x42xbf16>
  return %v : tensor<?x42xbf16>
}

// A packed weight is used twice, behind its dequant.
// CHECK-LABEL: func @absorbs_a_packed_weight
func.func @absorbs_a_packed_weight(%q: tensor<?x42xf32>, %c: !glm.cache<20 x f32>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> tensor<?x42xf32> {
  // CHECK: %[[W:.*]] = glm.dequant
  // CHECK: glm.head_linear %{{.*}}, %[[W]] heads 3 rows 0 plus 10 of 24 transposed : {{.*}} -> tensor<?x48xf32>
  // CHECK: glm.head_linear %{{.*}}, %[[W]] heads 3 rows 10 plus 14 of 24
  %p4 = glm.weight "model.layers.0.self_attn.kv_b_proj.weight" : tensor<72x16xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
  %w = glm.dequant %p4 : tensor<72x16xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<72x16xf32>
  %v = glm.mla_attention %q, %w in %c over %i at %s, %p heads 3 rope 4 scale 0.25 : tensor<?x42xf32>, tensor<72x16xf32>, !glm.cache<20 x f32>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x8xi32> -> tensor<?x42xf32>
  return %v : tensor<?x42xf32>
}

// What a packed weight rounds (W4A4) is the latent, where it is stored; the weight is named before that.
// CHECK-LABEL: func @rounds_the_latent
func.func @rounds_the_latent(%x: tensor<?x20xf32>, %q: tensor<?x42xf32>, %i: tensor<?x7xi32>, %t: tensor<?xi32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> tensor<?x42xf32> {
  // CHECK: %[[P:.*]] = glm.weight "model.layers.0.self_attn.kv_b_proj.weight"
  // CHECK: %[[C:.*]] = glm.cache_write %arg0 into %{{.*}} at %{{.*}}, %{{.*}}, %{{.*}} for %[[P]] :
  // CHECK: %[[W:.*]] = glm.dequant %[[P]]
  // CHECK: glm.head_linear %{{.*}}, %[[W]] {{.*}} transposed
  // CHECK: glm.latent_attention %{{.*}} in %[[C]]
  // CHECK: glm.head_linear %{{.*}}, %[[W]]
  %empty = glm.cache "layers.0.latent" : !glm.cache<20 x f32>
  %c = glm.cache_write %x into %empty at %t, %s, %p : tensor<?x20xf32>, !glm.cache<20 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32>
  %p4 = glm.weight "model.layers.0.self_attn.kv_b_proj.weight" : tensor<72x16xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, quantized_inputs = true>>
  %w = glm.dequant %p4 : tensor<72x16xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, quantized_inputs = true>> -> tensor<72x16xf32>
  %v = glm.mla_attention %q, %w in %c over %i at %s, %p heads 3 rope 4 scale 0.25 : tensor<?x42xf32>, tensor<72x16xf32>, !glm.cache<20 x f32>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x8xi32> -> tensor<?x42xf32>
  return %v : tensor<?x42xf32>
}
