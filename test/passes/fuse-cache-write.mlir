// RUN: glm-opt %s --glm-fuse-cache-write | FileCheck %s
// RUN: glm-opt %s --glm-fuse-cache-write --glm-fuse-cache-write | FileCheck %s

// The latent: the norm covers the first 20 columns, the rotation the 4 behind them.
// CHECK-LABEL: func @latent
// CHECK-SAME: %[[X:.*]]: tensor<?x24xbf16>, %[[A:.*]]: tensor<?x4xf32>
func.func @latent(%x: tensor<?x24xbf16>, %a: tensor<?x4xf32>, %t: tensor<?xi32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> !glm.cache<24 x bf16> {
  // CHECK: %[[W:.*]] = glm.weight "norm"
  // CHECK-NOT: glm.rms_norm
  // CHECK-NOT: glm.rope
  // CHECK: %[[C:.*]] = glm.cache_write %[[X]] into %{{.*}} at %{{.*}}, %{{.*}}, %{{.*}} norm %[[W]] rope %[[A]]
  // CHECK-SAME: eps = 9.99999997E-7 : f32, norm = #glm.norm<rms>, rope_offset = 20 : i64, rope_width = 4 : i64
  // CHECK: return %[[C]]
  %w = glm.weight "norm" : tensor<20xbf16>
  %y = glm.rms_norm %x, %w eps 1.0e-06 : tensor<?x24xbf16>, tensor<20xbf16> -> tensor<?x24xbf16>
  %z = glm.rope %y, %a heads 1 columns 20 plus 4 : tensor<?x24xbf16>, tensor<?x4xf32> -> tensor<?x24xbf16>
  %c = glm.cache "layers.0.latent" : !glm.cache<24 x bf16>
  %d = glm.cache_write %z into %c at %t, %s, %p : tensor<?x24xbf16>, !glm.cache<24 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32>
  return %d : !glm.cache<24 x bf16>
}

// CHECK-LABEL: func @index
// CHECK-SAME: %[[X:.*]]: tensor<?x16xf32>, %[[A:.*]]: tensor<?x4xf32>
func.func @index(%x: tensor<?x16xf32>, %a: tensor<?x4xf32>, %t: tensor<?xi32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> !glm.cache<16 x f32> {
  // CHECK-DAG: %[[W:.*]] = glm.weight "weight"
  // CHECK-DAG: %[[B:.*]] = glm.weight "bias"
  // CHECK: glm.cache_write %[[X]] into %{{.*}} norm %[[W]] bias %[[B]] rope %[[A]]
  // CHECK-SAME: norm = #glm.norm<layer>
  // CHECK-SAME: rope_width = 4 : i64
  %w = glm.weight "weight" : tensor<16xbf16>
  %b = glm.weight "bias" : tensor<16xbf16>
  %y = glm.layer_norm %x, %w, %b eps 1.0e-06 : tensor<?x16xf32>, tensor<16xbf16>, tensor<16xbf16> -> tensor<?x16xf32>
  %z = glm.rope %y, %a heads 1 columns 0 plus 4 : tensor<?x16xf32>, tensor<?x4xf32> -> tensor<?x16xf32>
  %c = glm.cache "layers.0.index" : !glm.cache<16 x f32>
  %d = glm.cache_write %z into %c at %t, %s, %p : tensor<?x16xf32>, !glm.cache<16 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32>
  return %d : !glm.cache<16 x f32>
}

// CHECK-LABEL: func @norm_alone
func.func @norm_alone(%x: tensor<?x16xf32>, %t: tensor<?xi32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> !glm.cache<16 x f32> {
  // CHECK: glm.cache_write {{.*}} norm %{{[0-9]+}} {eps
  // CHECK-NOT: rope_width
  %w = glm.weight "norm" : tensor<16xbf16>
  %y = glm.rms_norm %x, %w eps 1.0e-06 : tensor<?x16xf32>, tensor<16xbf16> -> tensor<?x16xf32>
  %c = glm.cache "c" : !glm.cache<16 x f32>
  %d = glm.cache_write %y into %c at %t, %s, %p : tensor<?x16xf32>, !glm.cache<16 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32>
  return %d : !glm.cache<16 x f32>
}

// A write normalises first: a rotation before the norm stays.
// CHECK-LABEL: func @rope_before_norm
func.func @rope_before_norm(%x: tensor<?x16xf32>, %a: tensor<?x4xf32>, %t: tensor<?xi32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> !glm.cache<16 x f32> {
  // CHECK: %[[R:.*]] = glm.rope
  // CHECK: glm.cache_write %[[R]] into {{.*}} norm %{{[0-9]+}} {eps
  %w = glm.weight "norm" : tensor<16xbf16>
  %y = glm.rope %x, %a heads 1 columns 0 plus 4 : tensor<?x16xf32>, tensor<?x4xf32> -> tensor<?x16xf32>
  %z = glm.rms_norm %y, %w eps 1.0e-06 : tensor<?x16xf32>, tensor<16xbf16> -> tensor<?x16xf32>
  %c = glm.cache "c" : !glm.cache<16 x f32>
  %d = glm.cache_write %z into %c at %t, %s, %p : tensor<?x16xf32>, !glm.cache<16 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32>
  return %d : !glm.cache<16 x f32>
}

// CHECK-LABEL: func @plain_write
func.func @plain_write(%x: tensor<?x16xf32>, %t: tensor<?xi32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> !glm.cache<16 x f32> {
  // CHECK: %[[L:.*]] = glm.linear
  // CHECK: glm.cache_write %[[L]] into %{{.*}} at %{{.*}}, %{{.*}}, %{{.*}} :
  %w = glm.weight "w" : tensor<16x16xbf16>
  %y = glm.linear %x, %w : tensor<?x16xf32>, tensor<16x16xbf16> -> tensor<?x16xf32>
  %c = glm.cache "c" : !glm.cache<16 x f32>
  %d = glm.cache_write %y into %c at %t, %s, %p : tensor<?x16xf32>, !glm.cache<16 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32>
  return %d : !glm.cache<16 x f32>
}
