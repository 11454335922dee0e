// RUN: glm-opt --split-input-file --verify-diagnostics --glm-plan-memory %s

module {
  // expected-error @+1 {{argument 0 must have glm.name, but found none}}
  func.func @argument_without_name(%tokens: memref<3xi32>) {
    return
  }
}

// -----

module {
  func.func @read_first(%logits: memref<3x40xf32> {glm.name = "logits"}) {
    %a = memref.alloc() : memref<3x40xf32>
    // expected-error @+1 {{buffer must be written before it is read, but found it read first by glm.kernel.add}}
    glm.kernel.add %logits, %a to %a : memref<3x40xf32>, memref<3x40xf32>, memref<3x40xf32>
    return
  }
}
