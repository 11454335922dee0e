// RUN: glm-opt %s --glm-specialize-steps | FileCheck %s
// RUN: glm-opt %s --glm-specialize-steps --glm-specialize-steps | FileCheck %s

module attributes {glm.limits = #glm.limits<rows = [1, 24], sequences = 2, positions = 100, page_size = 16>} {

// One clone for each bucket, in their order, and no dynamic step is left.
// CHECK-NOT: func @step(
// CHECK-LABEL: func @step_r1(
// CHECK-SAME: %[[TOKENS:.*]]: tensor<1xi32> {glm.name = "tokens"}, %{{.*}}: tensor<2x7xi32> {glm.name = "page_table"}, %{{.*}}: tensor<1xi32> {glm.name = "output_rows"}
// CHECK-SAME: -> (tensor<1x97xf32> {glm.name = "logits"})
// CHECK: glm.embed %[[TOKENS]] {{.*}} -> tensor<1x48xbf16>
// CHECK: glm.select_rows {{.*}} : tensor<1x48xbf16>, tensor<1xi32> -> tensor<1x48xbf16>
// CHECK: return %{{.*}} : tensor<1x97xf32>

// CHECK-LABEL: func @step_r24(
// CHECK-SAME: tensor<24xi32> {glm.name = "tokens"}, %{{.*}}: tensor<2x7xi32> {glm.name = "page_table"}
// CHECK: glm.linear {{.*}} -> tensor<24x97xf32>
func.func @step(%tokens: tensor<?xi32> {glm.name = "tokens"}, %pages: tensor<2x7xi32> {glm.name = "page_table"}, %rows: tensor<?xi32> {glm.name = "output_rows"}) -> (tensor<?x97xf32> {glm.name = "logits"}) {
  %e = glm.weight "e" : tensor<97x48xbf16>
  %x = glm.embed %tokens in %e : tensor<?xi32>, tensor<97x48xbf16> -> tensor<?x48xbf16>
  %y = glm.select_rows %x at %rows : tensor<?x48xbf16>, tensor<?xi32> -> tensor<?x48xbf16>
  %w = glm.weight "w" : tensor<97x48xbf16>
  %z = glm.linear %y, %w : tensor<?x48xbf16>, tensor<97x48xbf16> -> tensor<?x97xf32>
  return %z : tensor<?x97xf32>
}

// CHECK-LABEL: func @mtp(
// CHECK-SAME: tensor<?xi32>
// CHECK: glm.embed {{.*}} -> tensor<?x48xbf16>
func.func @mtp(%tokens: tensor<?xi32> {glm.name = "tokens"}) -> tensor<?x48xbf16> attributes {glm.deferred} {
  %e = glm.weight "e" : tensor<97x48xbf16>
  %x = glm.embed %tokens in %e : tensor<?xi32>, tensor<97x48xbf16> -> tensor<?x48xbf16>
  return %x : tensor<?x48xbf16>
}

}
