// RUN: glm-opt --split-input-file --verify-diagnostics --glm-verify-kernel %s

// expected-error @+1 {{module must have glm.arena_bytes (glm-plan-memory), but found none}}
module {
}

// -----

module attributes {glm.arena_bytes = 1024 : i64} {
  // expected-error @+1 {{kernel phase must hold steps and caches, but found glm.plan.buffer}}
  glm.plan.buffer @x arena offset 0 bytes 64
}

// -----

module attributes {glm.arena_bytes = 1024 : i64} {
  // expected-error @+1 {{buffer must hold f32, bf16 or i32, but found 'f64'}}
  memref.global "private" @latent : memref<384x20xf64> = uninitialized
}

// -----

module attributes {glm.arena_bytes = 1024 : i64} {
  // expected-error @+1 {{step must be one block without results, but found '(tensor<3xi32>) -> tensor<3xi32>'}}
  func.func @model_phase(%tokens: tensor<3xi32> {glm.name = "tokens"}) -> (tensor<3xi32> {glm.name = "logits"}) {
    return %tokens : tensor<3xi32>
  }
}

// -----

module attributes {glm.arena_bytes = 1024 : i64} {
  // expected-error @+1 {{buffer must be a memref of static shape, but found 'tensor<3xi32>'}}
  func.func @tensor_argument(%tokens: tensor<3xi32> {glm.name = "tokens", glm.offset = 0 : i64}) {
    return
  }
}

// -----

module attributes {glm.arena_bytes = 1024 : i64} {
  // expected-error @+1 {{buffer must be a memref of static shape, but found 'memref<?xi32>'}}
  func.func @dynamic_argument(%tokens: memref<?xi32> {glm.name = "tokens", glm.offset = 0 : i64}) {
    return
  }
}

// -----

module attributes {glm.arena_bytes = 1024 : i64} {
  // expected-error @+1 {{argument 0 must have glm.name, but found none}}
  func.func @argument_without_name(%tokens: memref<3xi32> {glm.offset = 0 : i64}) {
    return
  }
}

// -----

module attributes {glm.arena_bytes = 1024 : i64} {
  // expected-error @+1 {{buffer must have glm.offset (glm-plan-memory), but found none}}
  func.func @argument_without_place(%tokens: memref<3xi32> {glm.name = "tokens"}) {
    return
  }
}

// -----

module attributes {glm.arena_bytes = 1024 : i64} {
  func.func @argument_here(%tokens: memref<3xi32> {glm.name = "tokens", glm.offset = 0 : i64}) {
    return
  }
  // expected-error @+1 {{argument "tokens" must have one offset in all steps, but found 0 and 64}}
  func.func @argument_there(%tokens: memref<3xi32> {glm.name = "tokens", glm.offset = 64 : i64}) {
    return
  }
}

// -----

module attributes {glm.arena_bytes = 1024 : i64} {
  func.func @unplanned() {
    // expected-error @+1 {{buffer must have glm.offset (glm-plan-memory), but found none}}
    %a = memref.alloc() : memref<3x40xf32>
    return
  }
}

// -----

module attributes {glm.arena_bytes = 1024 : i64} {
  func.func @unaligned() {
    // expected-error @+1 {{offset must be a multiple of 64, but found 32}}
    %a = memref.alloc() {glm.offset = 32 : i64} : memref<3x40xf32>
    return
  }
}

// -----

module attributes {glm.arena_bytes = 1024 : i64} {
  func.func @outside() {
    // expected-error @+1 {{buffer must lie within the arena of 1024 bytes, but found its end at 1056}}
    %a = memref.alloc() {glm.offset = 576 : i64} : memref<3x40xf32>
    return
  }
}

// -----

module attributes {glm.arena_bytes = 1024 : i64} {
  func.func @left_in_model_phase() {
    // expected-error @+1 {{kernel phase must hold kernel ops, buffers and weights, but found glm.cache}}
    %cache = glm.cache "layers.0.latent" : !glm.cache<20 x bf16>
    return
  }
}

// -----

module attributes {glm.arena_bytes = 1024 : i64} {
  func.func @read_first(%logits: memref<3x9xf32> {glm.name = "logits", glm.offset = 0 : i64}) {
    %a = memref.alloc() {glm.offset = 128 : i64} : memref<3x9xf32>
    // expected-error @+1 {{buffer must be written before it is read, but found it read first by glm.kernel.add}}
    glm.kernel.add %a, %a to %logits : memref<3x9xf32>, memref<3x9xf32>, memref<3x9xf32>
    return
  }
}

// -----

// The logits hold the last step's numbers until this step writes them.
module attributes {glm.arena_bytes = 1024 : i64} {
  func.func @logits_read_first(%logits: memref<3x9xf32> {glm.name = "logits", glm.offset = 0 : i64}) {
    %a = memref.alloc() {glm.offset = 128 : i64} : memref<3x9xf32>
    // expected-error @+1 {{buffer must be written before it is read, but found it read first by glm.kernel.add}}
    glm.kernel.add %logits, %logits to %a : memref<3x9xf32>, memref<3x9xf32>, memref<3x9xf32>
    return
  }
}

// -----

// One is read by the launch that writes the other: both are alive.
module attributes {glm.arena_bytes = 1024 : i64} {
  func.func @shared_bytes(%tokens: memref<3xi32> {glm.name = "tokens", glm.offset = 0 : i64}, %logits: memref<3x9xf32> {glm.name = "logits", glm.offset = 64 : i64}) {
    %table = glm.weight "table" : tensor<9x9xbf16>
    %a = memref.alloc() {glm.offset = 256 : i64} : memref<3x9xf32>
    // expected-error @+1 {{buffers alive at the same launch must not share bytes, but found [256, 364) and [320, 428)}}
    %b = memref.alloc() {glm.offset = 320 : i64} : memref<3x9xf32>
    glm.kernel.embed tokens %tokens table %table to %a : memref<3xi32>, tensor<9x9xbf16>, memref<3x9xf32>
    glm.kernel.gemm <store> %a by %table to %b : memref<3x9xf32> by tensor<9x9xbf16> to memref<3x9xf32>
    glm.kernel.add %b, %b to %logits : memref<3x9xf32>, memref<3x9xf32>, memref<3x9xf32>
    return
  }
}

// -----

// The runtime wrote the input before the step and may write it once only.
module attributes {glm.arena_bytes = 1024 : i64} {
  func.func @over_an_input(%tokens: memref<3xi32> {glm.name = "tokens", glm.offset = 0 : i64}, %logits: memref<3x9xf32> {glm.name = "logits", glm.offset = 64 : i64}) {
    %table = glm.weight "table" : tensor<9x9xbf16>
    glm.kernel.embed tokens %tokens table %table to %logits : memref<3xi32>, tensor<9x9xbf16>, memref<3x9xf32>
    // expected-error @+1 {{buffers alive at the same launch must not share bytes, but found [0, 12) and [0, 108)}}
    %a = memref.alloc() {glm.offset = 0 : i64} : memref<3x9xf32>
    glm.kernel.gemm <store> %logits by %table to %a : memref<3x9xf32> by tensor<9x9xbf16> to memref<3x9xf32>
    return
  }
}
