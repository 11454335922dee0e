// RUN: glm-opt %s --glm-fuse-norm | FileCheck %s
// RUN: glm-opt %s --glm-fuse-norm --glm-fuse-norm | FileCheck %s

// CHECK-LABEL: func @fuses_sum_and_norm
// CHECK-SAME: %[[X:.*]]: tensor<?x48xbf16>, %[[D:.*]]: tensor<?x48xbf16>
func.func @fuses_sum_and_norm(%x: tensor<?x48xbf16>, %d: tensor<?x48xbf16>) -> tensor<?x48xbf16> {
  // CHECK-NOT: arith.addf
  // CHECK: %[[W:.*]] = glm.weight "w"
  // CHECK: %{{.*}}, %[[Y:.*]] = glm.add_rms_norm %[[X]] plus %[[D]], %[[W]] eps 9.99999974E-6
  // CHECK-NOT: glm.rms_norm
  // CHECK: return %[[Y]]
  %sum = arith.addf %x, %d : tensor<?x48xbf16>
  %w = glm.weight "w" : tensor<48xbf16>
  %y = glm.rms_norm %sum, %w eps 1.0e-05 : tensor<?x48xbf16>, tensor<48xbf16> -> tensor<?x48xbf16>
  return %y : tensor<?x48xbf16>
}

// The residual stream goes on, also where it is used before the norm.
// CHECK-LABEL: func @keeps_other_uses
func.func @keeps_other_uses(%x: tensor<?x48xf32>, %d: tensor<?x48xf32>) -> (tensor<?x48xf32>, tensor<?x48xf32>) {
  // CHECK: %[[SUM:.*]], %[[Y:.*]] = glm.add_rms_norm
  // CHECK: %[[Z:.*]] = arith.addf %[[SUM]], %[[SUM]]
  // CHECK: return %[[Z]], %[[Y]]
  %sum = arith.addf %x, %d : tensor<?x48xf32>
  %z = arith.addf %sum, %sum : tensor<?x48xf32>
  %w = glm.weight "w" : tensor<48xbf16>
  %y = glm.rms_norm %sum, %w eps 1.0e-05 : tensor<?x48xf32>, tensor<48xbf16> -> tensor<?x48xf32>
  return %z, %y : tensor<?x48xf32>, tensor<?x48xf32>
}

// CHECK-LABEL: func @keeps_the_tap
func.func @keeps_the_tap(%x: tensor<?x48xf32>, %d: tensor<?x48xf32>) -> tensor<?x48xf32> {
  // CHECK: glm.add_rms_norm {{.*}} {glm.tap = "hidden.3"}
  %w = glm.weight "w" : tensor<48xbf16>
  %sum = arith.addf %x, %d {glm.tap = "hidden.3"} : tensor<?x48xf32>
  %y = glm.rms_norm %sum, %w eps 1.0e-05 : tensor<?x48xf32>, tensor<48xbf16> -> tensor<?x48xf32>
  return %y : tensor<?x48xf32>
}

// CHECK-LABEL: func @leaves_a_norm_of_something_else
func.func @leaves_a_norm_of_something_else(%x: tensor<?x48xf32>) -> tensor<?x48xf32> {
  // CHECK: glm.rms_norm
  %w = glm.weight "w" : tensor<48xbf16>
  %y = glm.rms_norm %x, %w eps 1.0e-05 : tensor<?x48xf32>, tensor<48xbf16> -> tensor<?x48xf32>
  return %y : tensor<?x48xf32>
}

// CHECK-LABEL: func @leaves_a_sum_that_nothing_normalises
func.func @leaves_a_sum_that_nothing_normalises(%x: tensor<?x48xf32>, %d: tensor<?x48xf32>) -> tensor<?x48xf32> {
  // CHECK: arith.addf
  %sum = arith.addf %x, %d : tensor<?x48xf32>
  return %sum : tensor<?x48xf32>
}

// CHECK-LABEL: func @fuses_the_first_of_two_norms
func.func @fuses_the_first_of_two_norms(%x: tensor<?x48xf32>, %d: tensor<?x48xf32>) -> (tensor<?x48xf32>, tensor<?x48xf32>) {
  // CHECK: %[[SUM:.*]], %[[FIRST:.*]] = glm.add_rms_norm {{.*}} eps 9.99999974E-6
  // CHECK: %[[SECOND:.*]] = glm.rms_norm %[[SUM]], %{{.*}} eps 1.000000e-01
  // CHECK: return %[[FIRST]], %[[SECOND]]
  %w = glm.weight "w" : tensor<48xbf16>
  %sum = arith.addf %x, %d : tensor<?x48xf32>
  %first = glm.rms_norm %sum, %w eps 1.0e-05 : tensor<?x48xf32>, tensor<48xbf16> -> tensor<?x48xf32>
  %second = glm.rms_norm %sum, %w eps 1.0e-01 : tensor<?x48xf32>, tensor<48xbf16> -> tensor<?x48xf32>
  return %first, %second : tensor<?x48xf32>, tensor<?x48xf32>
}
