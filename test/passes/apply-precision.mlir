// RUN: glm-opt %s --glm-apply-precision --split-input-file | FileCheck %s
// RUN: glm-opt %s --glm-apply-precision --glm-apply-precision --split-input-file | FileCheck %s

module attributes {glm.precision = [#glm.rule<subject = activations, pattern = "*", type = "bf16", source = "--activations">]} {

// CHECK-LABEL: func @activations_and_caches_become_bf16
// CHECK-SAME: %{{.*}}: tensor<?xi32>, %{{.*}}: tensor<?x48xbf16>
func.func @activations_and_caches_become_bf16(%tokens: tensor<?xi32>, %hidden: tensor<?x48xf32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> tensor<?x7xi32> {
  // CHECK: glm.rms_norm {{.*}} -> tensor<?x48xbf16>
  // CHECK: glm.linear {{.*}} : tensor<?x48xbf16>, tensor<12x48xf32> -> tensor<?x12xbf16>
  // CHECK: glm.cache "c" : <12 x bf16>
  // CHECK: glm.cache_write {{.*}} : tensor<?x12xbf16>, <12 x bf16>
  %n = glm.weight "norm" : tensor<48xbf16>
  %y = glm.rms_norm %hidden, %n eps 1.0e-05 : tensor<?x48xf32>, tensor<48xbf16> -> tensor<?x48xf32>
  %w = glm.weight "w" : tensor<12x48xf32>
  %z = glm.linear %y, %w : tensor<?x48xf32>, tensor<12x48xf32> -> tensor<?x12xf32>
  %c = glm.cache "c" : !glm.cache<12 x f32>
  %d = glm.cache_write %z into %c at %tokens, %s, %p : tensor<?x12xf32>, !glm.cache<12 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32>
  %h = glm.weight "h" : tensor<4x48xbf16>
  %u = glm.linear %y, %h : tensor<?x48xf32>, tensor<4x48xbf16> -> tensor<?x4xf32>
  %i = glm.indexer %y, %u in %d at %tokens, %s, %p scale 0.125 top_k 7 : tensor<?x48xf32>, tensor<?x4xf32>, !glm.cache<12 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32> -> tensor<?x7xi32>
  return %i : tensor<?x7xi32>
}

// Sums, and what is added.
// CHECK-LABEL: func @residual_stream_stays_f32
func.func @residual_stream_stays_f32(%tokens: tensor<?xi32>, %x: tensor<?x48xf32>) -> tensor<?x7xf32> {
  // CHECK: glm.embed {{.*}} -> tensor<?x48xf32>
  // CHECK: glm.linear {{.*}} : tensor<?x48xbf16>, tensor<48x48xbf16> -> tensor<?x48xf32>
  // CHECK: arith.addf {{.*}} : tensor<?x48xf32>
  // CHECK: glm.rms_norm {{.*}} : tensor<?x48xf32>, tensor<48xbf16> -> tensor<?x48xbf16>
  %e = glm.weight "e" : tensor<97x48xbf16>
  %h = glm.embed %tokens in %e : tensor<?xi32>, tensor<97x48xbf16> -> tensor<?x48xf32>
  %w = glm.weight "o_proj" : tensor<48x48xbf16>
  %d = glm.linear %x, %w : tensor<?x48xf32>, tensor<48x48xbf16> -> tensor<?x48xf32>
  %sum = arith.addf %h, %d : tensor<?x48xf32>
  %n = glm.weight "norm" : tensor<48xbf16>
  %y = glm.rms_norm %sum, %n eps 1.0e-05 : tensor<?x48xf32>, tensor<48xbf16> -> tensor<?x48xf32>
  %v = glm.weight "lm_head" : tensor<7x48xbf16>
  %z = glm.linear %y, %v : tensor<?x48xf32>, tensor<7x48xbf16> -> tensor<?x7xf32>
  return %z : tensor<?x7xf32>
}

// CHECK-LABEL: func @weights_stay_as_stored
func.func @weights_stay_as_stored(%x: tensor<?x48xf32>) -> tensor<?x32xf32> {
  // CHECK: glm.weight "norm" : tensor<48xf32>
  // CHECK: glm.dequant {{.*}} -> tensor<32x48xf32>
  %n = glm.weight "norm" : tensor<48xf32>
  %y = glm.rms_norm %x, %n eps 1.0e-05 : tensor<?x48xf32>, tensor<48xf32> -> tensor<?x48xf32>
  %p = glm.weight "w" : tensor<32x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
  %w = glm.dequant %p : tensor<32x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<32x48xf32>
  %z = glm.linear %y, %w : tensor<?x48xf32>, tensor<32x48xf32> -> tensor<?x32xf32>
  return %z : tensor<?x32xf32>
}

// CHECK-LABEL: func @angles_stay_f32
func.func @angles_stay_f32(%t: tensor<?xi32>, %x: tensor<?x48xf32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> tensor<?x7xf32> {
  // CHECK: glm.rope_angles {{.*}} -> tensor<?x4xf32>
  // CHECK: glm.rope {{.*}} : tensor<?x48xbf16>, tensor<?x4xf32> -> tensor<?x48xbf16>
  %a = glm.rope_angles %t {inverse_frequencies = array<f32: 1.0, 0.5>} : tensor<?xi32> -> tensor<?x4xf32>
  %r = glm.rope %x, %a heads 3 columns 0 plus 4 : tensor<?x48xf32>, tensor<?x4xf32> -> tensor<?x48xf32>
  %w = glm.weight "w" : tensor<7x48xbf16>
  %y = glm.linear %r, %w : tensor<?x48xf32>, tensor<7x48xbf16> -> tensor<?x7xf32>
  return %y : tensor<?x7xf32>
}

// CHECK-LABEL: func @router_stays_f32
func.func @router_stays_f32(%x: tensor<?x48xf32>) -> tensor<?x2xi32> {
  // CHECK: glm.linear {{.*}} : tensor<?x48xbf16>, tensor<5x48xbf16> -> tensor<?x5xf32>
  // CHECK: glm.route {{.*}} -> tensor<?x2xi32>, tensor<?x2xf32>
  // CHECK: glm.moe {{.*}} -> tensor<?x48xbf16>
  %w = glm.weight "gate" : tensor<5x48xbf16>
  %l = glm.linear %x, %w : tensor<?x48xf32>, tensor<5x48xbf16> -> tensor<?x5xf32>
  %b = glm.weight "bias" : tensor<5xf32>
  %e, %r = glm.route %l, %b top_k 2 groups 1 of 1 normalize scaling 2.5 : tensor<?x5xf32>, tensor<5xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %g = glm.weight "experts.{}.gate" : tensor<5x32x48xbf16>
  %u = glm.weight "experts.{}.up" : tensor<5x32x48xbf16>
  %d = glm.weight "experts.{}.down" : tensor<5x48x32xbf16>
  %y = glm.moe %x to %e, %r gate %g up %u down %d : tensor<?x48xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x32x48xbf16>, tensor<5x32x48xbf16>, tensor<5x48x32xbf16> -> tensor<?x48xf32>
  return %e : tensor<?x2xi32>
}

// CHECK-LABEL: func @head_weights_stay_f32
func.func @head_weights_stay_f32(%t: tensor<?xi32>, %x: tensor<?x48xf32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> tensor<?x7xi32> {
  // CHECK: %[[Q:.*]] = glm.linear {{.*}} -> tensor<?x64xbf16>
  // CHECK: %[[H:.*]] = glm.linear {{.*}} -> tensor<?x4xf32>
  // CHECK: glm.indexer %[[Q]], %[[H]] {{.*}} : tensor<?x64xbf16>, tensor<?x4xf32>, <16 x bf16>
  %wq = glm.weight "wq_b" : tensor<64x48xbf16>
  %q = glm.linear %x, %wq : tensor<?x48xf32>, tensor<64x48xbf16> -> tensor<?x64xf32>
  %ww = glm.weight "weights_proj" : tensor<4x48xf32>
  %h = glm.linear %x, %ww : tensor<?x48xf32>, tensor<4x48xf32> -> tensor<?x4xf32>
  %wk = glm.weight "wk" : tensor<16x48xbf16>
  %k = glm.linear %x, %wk : tensor<?x48xf32>, tensor<16x48xbf16> -> tensor<?x16xf32>
  %c = glm.cache "c" : !glm.cache<16 x f32>
  %d = glm.cache_write %k into %c at %t, %s, %p : tensor<?x16xf32>, !glm.cache<16 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32>
  %i = glm.indexer %q, %h in %d at %t, %s, %p scale 0.125 top_k 7 : tensor<?x64xf32>, tensor<?x4xf32>, !glm.cache<16 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32> -> tensor<?x7xi32>
  return %i : tensor<?x7xi32>
}

// CHECK-LABEL: func @logits_stay_f32
// CHECK-SAME: -> tensor<?x97xf32>
func.func @logits_stay_f32(%x: tensor<?x48xf32>) -> tensor<?x97xf32> {
  // CHECK: glm.linear {{.*}} : tensor<?x48xbf16>, tensor<97x48xbf16> -> tensor<?x97xf32>
  %w = glm.weight "lm_head" : tensor<97x48xbf16>
  %y = glm.linear %x, %w : tensor<?x48xf32>, tensor<97x48xbf16> -> tensor<?x97xf32>
  return %y : tensor<?x97xf32>
}

}

// -----

// The last rule wins: f32 is as imported.
module attributes {glm.precision = [#glm.rule<subject = activations, pattern = "*", type = "bf16", source = "default">,
                                    #glm.rule<subject = activations, pattern = "*", type = "f32", source = "--activations">]} {
  // CHECK-LABEL: func @f32_stays
  func.func @f32_stays(%tokens: tensor<?xi32>) -> tensor<?x48xf32> {
    // CHECK: glm.embed {{.*}} -> tensor<?x48xf32>
    // CHECK: arith.addf {{.*}} : tensor<?x48xf32>
    %e = glm.weight "e" : tensor<97x48xbf16>
    %x = glm.embed %tokens in %e : tensor<?xi32>, tensor<97x48xbf16> -> tensor<?x48xf32>
    %y = arith.addf %x, %x : tensor<?x48xf32>
    return %y : tensor<?x48xf32>
  }
}

// -----

// Rules about weights hold as they are: experts packed, the rest wide, by the last rule that matches. They are for matrices
// that multiply rows: the embedding and the norms are none.
module attributes {glm.precision = [#glm.rule<subject = weights, pattern = "*", type = "nvfp4", source = "rules.json:1">,
                                    #glm.rule<subject = weights, pattern = "*self_attn*", type = "wide", source = "rules.json:2">,
                                    #glm.rule<subject = weights, pattern = "*.o_proj", type = "stored", source = "--set">]} {
  // CHECK-LABEL: func @weights_agree
  func.func @weights_agree(%tokens: tensor<?xi32>, %i: tensor<?x2xi32>, %r: tensor<?x2xf32>) -> tensor<?x48xf32> {
    // CHECK: glm.moe
    %e = glm.weight "model.embed_tokens.weight" : tensor<97x48xbf16>
    %x = glm.embed %tokens in %e : tensor<?xi32>, tensor<97x48xbf16> -> tensor<?x48xf32>
    %a = glm.weight "model.layers.0.self_attn.q_a_proj.weight" : tensor<48x48xbf16>
    %y = glm.linear %x, %a : tensor<?x48xf32>, tensor<48x48xbf16> -> tensor<?x48xf32>
    %p = glm.weight "model.layers.0.mlp.experts.{}.proj.weight" : tensor<5x48x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    %b = glm.dequant %p : tensor<5x48x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<5x48x48xf32>
    %z = glm.moe %y to %i, %r gate %b up %b down %b : tensor<?x48xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x48x48xf32>, tensor<5x48x48xf32>, tensor<5x48x48xf32> -> tensor<?x48xf32>
    %o = glm.weight "model.layers.0.self_attn.o_proj.weight" : tensor<48x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    %u = glm.linear %z, %o : tensor<?x48xf32>, tensor<48x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<?x48xf32>
    return %u : tensor<?x48xf32>
  }
}

// -----

// A regular expression may match anything: what stands before it is not judged here.
module attributes {glm.precision = [#glm.rule<subject = weights, pattern = "*", type = "nvfp4", source = "--set">,
                                    #glm.rule<subject = weights, pattern = "re:.*lm_head", type = "wide", source = "config.json:9">]} {
  // CHECK-LABEL: func @regular_expressions_are_read_elsewhere
  func.func @regular_expressions_are_read_elsewhere(%x: tensor<?x48xf32>) -> tensor<?x97xf32> {
    // CHECK: glm.linear
    %w = glm.weight "lm_head.weight" : tensor<97x48xbf16>
    %y = glm.linear %x, %w : tensor<?x48xf32>, tensor<97x48xbf16> -> tensor<?x97xf32>
    return %y : tensor<?x97xf32>
  }
}
