// RUN: glm-opt %s --glm-fuse-norm --remarks-filter-missed=glm-fuse-norm --verify-diagnostics -o /dev/null

func.func @second_norm(%x: tensor<?x48xf32>, %d: tensor<?x48xf32>) -> (tensor<?x48xf32>, tensor<?x48xf32>) {
  %w = glm.weight "w" : tensor<48xbf16>
  %sum = arith.addf %x, %d : tensor<?x48xf32>
  %first = glm.rms_norm %sum, %w eps 1.0e-05 : tensor<?x48xf32>, tensor<48xbf16> -> tensor<?x48xf32>
  // expected-remark @below {{Reason="another norm of the same sum does the addition"}}
  %second = glm.rms_norm %sum, %w eps 1.0e-01 : tensor<?x48xf32>, tensor<48xbf16> -> tensor<?x48xf32>
  return %first, %second : tensor<?x48xf32>, tensor<?x48xf32>
}

func.func @weight_without_a_name(%x: tensor<?x48xf32>, %d: tensor<?x48xf32>, %w: tensor<48xbf16>) -> tensor<?x48xf32> {
  %sum = arith.addf %x, %d : tensor<?x48xf32>
  // expected-remark @below {{Function=weight_without_a_name | Reason="its weight is not a glm.weight}}
  %y = glm.rms_norm %sum, %w eps 1.0e-05 : tensor<?x48xf32>, tensor<48xbf16> -> tensor<?x48xf32>
  return %y : tensor<?x48xf32>
}

// Nobody expects a fusion here.
func.func @no_sum(%x: tensor<?x48xf32>) -> tensor<?x48xf32> {
  %w = glm.weight "w" : tensor<48xbf16>
  %y = glm.rms_norm %x, %w eps 1.0e-05 : tensor<?x48xf32>, tensor<48xbf16> -> tensor<?x48xf32>
  return %y : tensor<?x48xf32>
}
