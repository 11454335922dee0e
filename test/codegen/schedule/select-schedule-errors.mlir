// RUN: glm-opt --split-input-file --verify-diagnostics --glm-select-schedule %s
// RUN: glm-opt --split-input-file --verify-diagnostics --glm-select-schedule=plain %s

// expected-error @+1 {{module must have glm.target, but found none}}
module {
  func.func @no_target(%x: memref<3x32xbf16>, %y: memref<3x48xbf16>) {
    %w = glm.weight "w.weight" : tensor<48x32xbf16>
    glm.kernel.gemm <store> %x by %w to %y : memref<3x32xbf16> by tensor<48x32xbf16> to memref<3x48xbf16>
    return
  }
}

// -----

// Hosts sample in the runtime.
#host = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2", vector_bits = 256>
module attributes {glm.target = #host} {
  func.func @sample(%logits: memref<3x100xf32>, %sampling: memref<3x5xi32>, %sampled: memref<3xi32>) {
    // expected-error @+1 {{kernel must have a family for x86-64-v3, but found none}}
    glm.kernel.sample %logits by %sampling to %sampled : memref<3x100xf32>, memref<3x5xi32>, memref<3xi32>
    return
  }
}
