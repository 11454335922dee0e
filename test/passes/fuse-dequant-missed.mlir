// RUN: glm-opt %s --glm-fuse-dequant --remarks-filter-missed=glm-fuse-dequant --verify-diagnostics | FileCheck %s

!packed = tensor<32x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>

// CHECK-LABEL: func @embedding
func.func @embedding(%tokens: tensor<?xi32>) -> tensor<?x48xbf16> {
  %p = glm.weight "model.embed_tokens.weight" : !packed
  // expected-remark @below {{Reason="glm.embed does not read packed weights"}}
  %w = glm.dequant %p : !packed -> tensor<32x48xf32>
  // CHECK: %[[W:.*]] = glm.dequant
  // CHECK: glm.embed %{{.*}} in %[[W]]
  %y = glm.embed %tokens in %w : tensor<?xi32>, tensor<32x48xf32> -> tensor<?x48xbf16>
  return %y : tensor<?x48xbf16>
}

// Absorption has to come first.
// CHECK-LABEL: func @expanded_attention
func.func @expanded_attention(%q: tensor<?x16xbf16>, %c: !glm.cache<50 x bf16>, %i: tensor<?x7xi32>, %s: tensor<?xi32>, %pages: tensor<2x8xi32>) -> tensor<?x20xbf16> {
  %p = glm.weight "kv_b" : !packed
  // expected-remark @below {{Reason="glm.mla_attention does not read packed weights"}}
  %w = glm.dequant %p : !packed -> tensor<32x48xf32>
  %y = glm.mla_attention %q, %w in %c over %i at %s, %pages heads 2 rope 2 scale 0.25 : tensor<?x16xbf16>, tensor<32x48xf32>, !glm.cache<50 x bf16>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x8xi32> -> tensor<?x20xbf16>
  return %y : tensor<?x20xbf16>
}

// Reading the packed weight would skip a rounding.
// CHECK-LABEL: func @rounded
func.func @rounded(%x: tensor<?x48xbf16>) -> tensor<?x32xbf16> {
  %p = glm.weight "w" : !packed
  // expected-remark @below {{Reason="the wide weight is rounded to another type than f32"}}
  %w = glm.dequant %p : !packed -> tensor<32x48xbf16>
  // CHECK: glm.linear %{{.*}}, %{{.*}} : tensor<?x48xbf16>, tensor<32x48xbf16>
  %y = glm.linear %x, %w : tensor<?x48xbf16>, tensor<32x48xbf16> -> tensor<?x32xbf16>
  return %y : tensor<?x32xbf16>
}

// One use fuses, the other keeps the wide copy.
// CHECK-LABEL: func @tied_embedding
func.func @tied_embedding(%tokens: tensor<?xi32>, %x: tensor<?x48xbf16>) -> (tensor<?x48xbf16>, tensor<?x32xf32>) {
  %p = glm.weight "model.embed_tokens.weight" : !packed
  // expected-remark @below {{Reason="glm.embed does not read packed weights"}}
  %w = glm.dequant %p : !packed -> tensor<32x48xf32>
  // CHECK: glm.linear %{{.*}}, %{{.*}} : tensor<?x48xbf16>, tensor<32x48xf4E2M1FN
  %y = glm.embed %tokens in %w : tensor<?xi32>, tensor<32x48xf32> -> tensor<?x48xbf16>
  %z = glm.linear %x, %w : tensor<?x48xbf16>, tensor<32x48xf32> -> tensor<?x32xf32>
  return %y, %z : tensor<?x48xbf16>, tensor<?x32xf32>
}
