// RUN: glm-opt --verify-diagnostics --glm-select-schedule %s

// expected-error @+1 {{module must have glm.target, but found none}}
module {
  func.func @no_target(%x: memref<3x32xbf16>, %y: memref<3x48xbf16>) {
    %w = glm.weight "w.weight" : tensor<48x32xbf16>
    glm.kernel.gemm <store> %x by %w to %y : memref<3x32xbf16> by tensor<48x32xbf16> to memref<3x48xbf16>
    return
  }
}
