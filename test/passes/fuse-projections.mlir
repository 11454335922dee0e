// RUN: glm-opt %s --glm-fuse-projections | FileCheck %s
// RUN: glm-opt %s --glm-fuse-projections --glm-fuse-projections | FileCheck %s

// CHECK-LABEL: func @fuses_linears_of_one_input
// CHECK-SAME: %[[X:.*]]: tensor<?x48xbf16>
func.func @fuses_linears_of_one_input(%x: tensor<?x48xbf16>) -> (tensor<?x7xbf16>, tensor<?x9xf32>) {
  // CHECK: %[[A:.*]] = glm.weight "a"
  // CHECK: %[[B:.*]] = glm.weight "b"
  // CHECK: %[[Y:.*]]:2 = glm.projections %[[X]] by %[[A]], %[[B]] : {{.*}} -> tensor<?x7xbf16>, tensor<?x9xf32>
  // CHECK-NOT: glm.linear
  // CHECK: %[[S:.*]] = arith.addf %[[Y]]#0, %[[Y]]#0
  // CHECK: return %[[S]], %[[Y]]#1
  %a = glm.weight "a" : tensor<7x48xbf16>
  %y = glm.linear %x, %a : tensor<?x48xbf16>, tensor<7x48xbf16> -> tensor<?x7xbf16>
  %s = arith.addf %y, %y : tensor<?x7xbf16>
  %b = glm.weight "b" : tensor<9x48xbf16>
  %z = glm.linear %x, %b : tensor<?x48xbf16>, tensor<9x48xbf16> -> tensor<?x9xf32>
  return %s, %z : tensor<?x7xbf16>, tensor<?x9xf32>
}

// CHECK-LABEL: func @takes_dequants_along
func.func @takes_dequants_along(%x: tensor<?x48xbf16>) -> (tensor<?x7xbf16>, tensor<?x9xbf16>) {
  // CHECK: %[[A:.*]] = glm.dequant
  // CHECK: %[[P:.*]] = glm.weight "b"
  // CHECK: %[[B:.*]] = glm.dequant %[[P]]
  // CHECK: glm.projections %{{.*}} by %[[A]], %[[B]]
  %p = glm.weight "a" : tensor<7x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
  %a = glm.dequant %p : tensor<7x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<7x48xf32>
  %y = glm.linear %x, %a : tensor<?x48xbf16>, tensor<7x48xf32> -> tensor<?x7xbf16>
  %q = glm.weight "b" : tensor<9x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
  %b = glm.dequant %q : tensor<9x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<9x48xf32>
  %z = glm.linear %x, %b : tensor<?x48xbf16>, tensor<9x48xf32> -> tensor<?x9xbf16>
  return %y, %z : tensor<?x7xbf16>, tensor<?x9xbf16>
}

// CHECK-LABEL: func @fuses_each_stored_form_by_itself
func.func @fuses_each_stored_form_by_itself(%x: tensor<?x48xbf16>) -> (tensor<?x7xbf16>, tensor<?x8xbf16>, tensor<?x9xbf16>, tensor<?x6xbf16>) {
  // CHECK-DAG: %[[A:.*]] = glm.weight "a"
  // CHECK-DAG: %[[C:.*]] = glm.weight "c"
  // CHECK: %[[WIDE:.*]]:2 = glm.projections %{{.*}} by %[[A]], %[[C]]
  // CHECK: %[[PACKED:.*]]:2 = glm.projections
  // CHECK: return %[[WIDE]]#0, %[[PACKED]]#0, %[[WIDE]]#1, %[[PACKED]]#1
  %a = glm.weight "a" : tensor<7x48xbf16>
  %ya = glm.linear %x, %a : tensor<?x48xbf16>, tensor<7x48xbf16> -> tensor<?x7xbf16>
  %b = glm.weight "b" : tensor<8x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
  %yb = glm.linear %x, %b : tensor<?x48xbf16>, tensor<8x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<?x8xbf16>
  %c = glm.weight "c" : tensor<9x48xbf16>
  %yc = glm.linear %x, %c : tensor<?x48xbf16>, tensor<9x48xbf16> -> tensor<?x9xbf16>
  %d = glm.weight "d" : tensor<6x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
  %yd = glm.linear %x, %d : tensor<?x48xbf16>, tensor<6x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<?x6xbf16>
  return %ya, %yb, %yc, %yd : tensor<?x7xbf16>, tensor<?x8xbf16>, tensor<?x9xbf16>, tensor<?x6xbf16>
}

// CHECK-LABEL: func @leaves_linears_of_different_inputs
func.func @leaves_linears_of_different_inputs(%x: tensor<?x48xbf16>, %y: tensor<?x48xbf16>) -> (tensor<?x7xbf16>, tensor<?x7xbf16>) {
  // CHECK-COUNT-2: glm.linear
  // CHECK-NOT: glm.projections
  %a = glm.weight "a" : tensor<7x48xbf16>
  %b = glm.weight "b" : tensor<7x48xbf16>
  %u = glm.linear %x, %a : tensor<?x48xbf16>, tensor<7x48xbf16> -> tensor<?x7xbf16>
  %v = glm.linear %y, %b : tensor<?x48xbf16>, tensor<7x48xbf16> -> tensor<?x7xbf16>
  return %u, %v : tensor<?x7xbf16>, tensor<?x7xbf16>
}
