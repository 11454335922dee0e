// RUN: glm-opt --split-input-file --verify-diagnostics --glm-outline-kernels %s

module {
  // expected-error @+1 {{argument 0 must have glm.name and glm.offset, but found {glm.name = "logits"}}}
  func.func @argument_without_offset(%logits: memref<3x40xf32> {glm.name = "logits"}) {
    return
  }
}

// -----

module {
  func.func @buffer_without_offset(%logits: memref<3x40xf32> {glm.name = "logits", glm.offset = 0 : i64}) {
    // expected-error @+1 {{buffer must have glm.offset (glm-plan-memory), but found none}}
    %a = memref.alloc() : memref<3x40xf32>
    return
  }
}

// -----

module {
  func.func @no_kernel(%logits: memref<3x40xf32> {glm.name = "logits", glm.offset = 0 : i64}) {
    // expected-error @+1 {{kernel phase must hold kernel ops, buffers and weights, but found arith.constant}}
    %zero = arith.constant 0 : i32
    return
  }
}

// -----

// The names of a packed weight's tensors are made of its module's.
module {
  func.func @packed_weight_name(%logits: memref<3x40xf32> {glm.name = "logits", glm.offset = 0 : i64}) {
    // expected-error @+1 {{packed weight must end in .weight, but found model.layers.0.mlp.up_proj.weights}}
    %w = glm.weight "model.layers.0.mlp.up_proj.weights" : tensor<40x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    return
  }
}

// -----

module {
  func.func @no_schedule(%logits: memref<3x40xf32> {glm.name = "logits", glm.offset = 0 : i64}) {
    // expected-error @+1 {{kernel must have glm.schedule (glm-select-schedule), but found none}}
    glm.kernel.add %logits, %logits to %logits : memref<3x40xf32>, memref<3x40xf32>, memref<3x40xf32>
    return
  }
}

// -----

module {
  func.func @unknown_family(%logits: memref<3x40xf32> {glm.name = "logits", glm.offset = 0 : i64}) {
    // expected-error @+1 {{schedule must name a family, but found x87_add}}
    glm.kernel.add %logits, %logits to %logits {glm.schedule = #glm.schedule<family = "x87_add", tile_m = 1, tile_n = 1>} : memref<3x40xf32>, memref<3x40xf32>, memref<3x40xf32>
    return
  }
}
