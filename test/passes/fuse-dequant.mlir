// RUN: glm-opt %s --glm-fuse-dequant | FileCheck %s
// RUN: glm-opt %s --glm-fuse-dequant --glm-fuse-dequant | FileCheck %s

!packed = tensor<32x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
!packed_down = tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
!packed_experts = tensor<5x32x48xf4E2M1FN, #glm.nvfp4<block = 16, source = compressed_tensors>>
!packed_experts_down = tensor<5x48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = compressed_tensors>>

// CHECK-NOT: glm.dequant

// CHECK-LABEL: func @fuses_into_linear
func.func @fuses_into_linear(%x: tensor<?x48xbf16>) -> tensor<?x32xbf16> {
  // CHECK: %[[P:.*]] = glm.weight "w"
  // CHECK: glm.linear %{{.*}}, %[[P]]
  %p = glm.weight "w" : !packed
  %w = glm.dequant %p : !packed -> tensor<32x48xf32>
  %y = glm.linear %x, %w : tensor<?x48xbf16>, tensor<32x48xf32> -> tensor<?x32xbf16>
  return %y : tensor<?x32xbf16>
}

// CHECK-LABEL: func @fuses_into_projections
func.func @fuses_into_projections(%x: tensor<?x48xbf16>) -> (tensor<?x32xbf16>, tensor<?x32xbf16>) {
  // CHECK-DAG: %[[A:.*]] = glm.weight "a"
  // CHECK-DAG: %[[B:.*]] = glm.weight "b"
  // CHECK: glm.projections %{{.*}} by %[[A]], %[[B]]
  %pa = glm.weight "a" : !packed
  %a = glm.dequant %pa : !packed -> tensor<32x48xf32>
  %pb = glm.weight "b" : !packed
  %b = glm.dequant %pb : !packed -> tensor<32x48xf32>
  %y:2 = glm.projections %x by %a, %b : tensor<?x48xbf16>, tensor<32x48xf32>, tensor<32x48xf32> -> tensor<?x32xbf16>, tensor<?x32xbf16>
  return %y#0, %y#1 : tensor<?x32xbf16>, tensor<?x32xbf16>
}

// CHECK-LABEL: func @fuses_into_both_head_linears
func.func @fuses_into_both_head_linears(%x: tensor<?x12xbf16>) -> tensor<?x20xbf16> {
  // CHECK: %[[P:.*]] = glm.weight "kv_b"
  // CHECK: %[[L:.*]] = glm.head_linear %{{.*}}, %[[P]]
  // CHECK: glm.head_linear %[[L]], %[[P]]
  %p = glm.weight "kv_b" : !packed
  %w = glm.dequant %p : !packed -> tensor<32x48xf32>
  %l = glm.head_linear %x, %w heads 2 rows 0 plus 6 of 16 transposed : tensor<?x12xbf16>, tensor<32x48xf32> -> tensor<?x96xbf16>
  %y = glm.head_linear %l, %w heads 2 rows 6 plus 10 of 16 : tensor<?x96xbf16>, tensor<32x48xf32> -> tensor<?x20xbf16>
  return %y : tensor<?x20xbf16>
}

// CHECK-LABEL: func @fuses_into_gated_mlp
func.func @fuses_into_gated_mlp(%x: tensor<?x48xbf16>) -> tensor<?x48xbf16> {
  // CHECK-DAG: %[[GATE:.*]] = glm.weight "gate"
  // CHECK-DAG: %[[UP:.*]] = glm.weight "up"
  // CHECK-DAG: %[[DOWN:.*]] = glm.weight "down"
  // CHECK: glm.gated_mlp %{{.*}} gate %[[GATE]] up %[[UP]] down %[[DOWN]]
  %pg = glm.weight "gate" : !packed
  %g = glm.dequant %pg : !packed -> tensor<32x48xf32>
  %pu = glm.weight "up" : !packed
  %u = glm.dequant %pu : !packed -> tensor<32x48xf32>
  %pd = glm.weight "down" : !packed_down
  %d = glm.dequant %pd : !packed_down -> tensor<48x32xf32>
  %y = glm.gated_mlp %x gate %g up %u down %d : tensor<?x48xbf16>, tensor<32x48xf32>, tensor<32x48xf32>, tensor<48x32xf32> -> tensor<?x48xbf16>
  return %y : tensor<?x48xbf16>
}

// CHECK-LABEL: func @fuses_into_moe
func.func @fuses_into_moe(%x: tensor<?x48xbf16>, %e: tensor<?x2xi32>, %r: tensor<?x2xf32>) -> tensor<?x48xbf16> {
  // CHECK-DAG: %[[GATE:.*]] = glm.weight "experts.{}.gate"
  // CHECK-DAG: %[[UP:.*]] = glm.weight "experts.{}.up"
  // CHECK-DAG: %[[DOWN:.*]] = glm.weight "experts.{}.down"
  // CHECK: glm.moe %{{.*}} to %{{.*}}, %{{.*}} gate %[[GATE]] up %[[UP]] down %[[DOWN]]
  %pg = glm.weight "experts.{}.gate" : !packed_experts
  %g = glm.dequant %pg : !packed_experts -> tensor<5x32x48xf32>
  %pu = glm.weight "experts.{}.up" : !packed_experts
  %u = glm.dequant %pu : !packed_experts -> tensor<5x32x48xf32>
  %pd = glm.weight "experts.{}.down" : !packed_experts_down
  %d = glm.dequant %pd : !packed_experts_down -> tensor<5x48x32xf32>
  %y = glm.moe %x to %e, %r gate %g up %u down %d : tensor<?x48xbf16>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x32x48xf32>, tensor<5x32x48xf32>, tensor<5x48x32xf32> -> tensor<?x48xbf16>
  return %y : tensor<?x48xbf16>
}

// A layer may pack some of its matrices.
// CHECK-LABEL: func @leaves_wide_operands
func.func @leaves_wide_operands(%x: tensor<?x48xbf16>) -> tensor<?x48xbf16> {
  // CHECK-DAG: %[[GATE:.*]] = glm.weight "gate" : tensor<32x48xbf16>
  // CHECK-DAG: %[[UP:.*]] = glm.weight "up" : tensor<32x48xf4E2M1FN
  // CHECK-DAG: %[[DOWN:.*]] = glm.weight "down" : tensor<48x32xf32>
  // CHECK: glm.gated_mlp %{{.*}} gate %[[GATE]] up %[[UP]] down %[[DOWN]]
  %g = glm.weight "gate" : tensor<32x48xbf16>
  %pu = glm.weight "up" : !packed
  %u = glm.dequant %pu : !packed -> tensor<32x48xf32>
  %d = glm.weight "down" : tensor<48x32xf32>
  %y = glm.gated_mlp %x gate %g up %u down %d : tensor<?x48xbf16>, tensor<32x48xbf16>, tensor<32x48xf32>, tensor<48x32xf32> -> tensor<?x48xbf16>
  return %y : tensor<?x48xbf16>
}
