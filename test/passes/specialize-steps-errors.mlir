// RUN: glm-opt %s --glm-specialize-steps --split-input-file --verify-diagnostics

// expected-error @below {{module: glm.limits must say how many rows a step has, but found none}}
module {
  func.func @step(%tokens: tensor<?xi32>) { return }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [1, 16], sequences = 2, positions = 100, page_size = 16>} {
  func.func @step(%tokens: tensor<?xi32>) { return }
  // expected-error @below {{step_r16: the name must be free for the step of 16 rows, but found another function}}
  func.func @step_r16(%tokens: tensor<16xi32>) { return }
}
