// RUN: glm-opt --split-input-file --glm-tile-weights %s | FileCheck %s
// RUN: glm-opt --split-input-file --glm-tile-weights --remarks-filter-missed=glm-tile-weights %s 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

#gpu = #glm.target<chip = "sm_120a", triple = "nvptx64-nvidia-cuda", cpu = "sm_120a", features = "+ptx87", vector_bits = 128>
#packed = #glm.nvfp4<block = 16, source = modelopt>

// A weight of two programs, experts, one that stays in the order of the checkpoint because columns of it are multiplied, and what is not packed.
module attributes {glm.target = #gpu} {
  // CHECK-LABEL: func.func @row
  func.func @row(%x: memref<1x64xbf16>, %y: memref<1x16xf32>, %z: memref<1x48xbf16>, %offsets: memref<6xi32>, %entries: memref<2xi32>, %inner: memref<2x16xbf16>) {
    // CHECK: %[[A:.*]] = glm.weight "a.weight" : tensor<16x64xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, tiled = true>>
    %a = glm.weight "a.weight" : tensor<16x64xf4E2M1FN, #packed>
    // CHECK: glm.kernel.gemm <store> %{{.*}} by %[[A]] to %{{.*}} : memref<1x64xbf16> by tensor<16x64xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, tiled = true>> to memref<1x16xf32>
    glm.kernel.gemm <store> %x by %a to %y : memref<1x64xbf16> by tensor<16x64xf4E2M1FN, #packed> to memref<1x16xf32>
    // CHECK: glm.weight "e.{}.gate.weight" : tensor<5x16x64xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, tiled = true>>
    %gate = glm.weight "e.{}.gate.weight" : tensor<5x16x64xf4E2M1FN, #packed>
    %up = glm.weight "e.{}.up.weight" : tensor<5x16x64xf4E2M1FN, #packed>
    glm.kernel.moe_gate_up %x of %offsets, %entries gate %gate up %up to %inner top_k 2 : memref<1x64xbf16>, memref<6xi32>, memref<2xi32>, tensor<5x16x64xf4E2M1FN, #packed>, tensor<5x16x64xf4E2M1FN, #packed>, memref<2x16xbf16>
    // CHECK: glm.weight "kv_b.weight" : tensor<48x64xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    // REMARK: User=glm.kernel.head_gemm, Weight=kv_b.weight
    %kv = glm.weight "kv_b.weight" : tensor<48x64xf4E2M1FN, #packed>
    glm.kernel.head_gemm %x, %kv to %z heads 1 rows 0 plus 48 of 48 : memref<1x64xbf16>, tensor<48x64xf4E2M1FN, #packed>, memref<1x48xbf16>
    return
  }
  // CHECK-LABEL: func.func @rows
  func.func @rows(%x: memref<8x64xbf16>, %y: memref<8x16xf32>) {
    // CHECK: glm.weight "a.weight" : tensor<16x64xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, tiled = true>>
    %a = glm.weight "a.weight" : tensor<16x64xf4E2M1FN, #packed>
    glm.kernel.gemm <store> %x by %a to %y : memref<8x64xbf16> by tensor<16x64xf4E2M1FN, #packed> to memref<8x16xf32>
    // CHECK: glm.weight "b.weight" : tensor<16x64xbf16>
    %b = glm.weight "b.weight" : tensor<16x64xbf16>
    glm.kernel.gemm <store> %x by %b to %y : memref<8x64xbf16> by tensor<16x64xbf16> to memref<8x16xf32>
    return
  }
}

// -----

// Activations in float32 are multiplied by plain bodies, which read what the checkpoint has; and one of two programs is enough to keep it so.
#gpu = #glm.target<chip = "sm_120a", triple = "nvptx64-nvidia-cuda", cpu = "sm_120a", features = "+ptx87", vector_bits = 128>
#packed = #glm.nvfp4<block = 16, source = modelopt>
// CHECK-LABEL: module attributes
module attributes {glm.target = #gpu} {
  // CHECK-NOT: tiled = true
  // REMARK: User=glm.kernel.gemm, Weight=a.weight
  func.func @rounded(%x: memref<1x64xbf16>, %y: memref<1x16xf32>) {
    %a = glm.weight "a.weight" : tensor<16x64xf4E2M1FN, #packed>
    glm.kernel.gemm <store> %x by %a to %y : memref<1x64xbf16> by tensor<16x64xf4E2M1FN, #packed> to memref<1x16xf32>
    return
  }
  func.func @exact(%x: memref<1x64xf32>, %y: memref<1x16xf32>) {
    %a = glm.weight "a.weight" : tensor<16x64xf4E2M1FN, #packed>
    glm.kernel.gemm <store> %x by %a to %y : memref<1x64xf32> by tensor<16x64xf4E2M1FN, #packed> to memref<1x16xf32>
    return
  }
}

// -----

// A host.
#cpu = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2,+fma,+f16c", vector_bits = 256>
#packed = #glm.nvfp4<block = 16, source = modelopt>
// CHECK-LABEL: module attributes
module attributes {glm.target = #cpu} {
  // CHECK-NOT: tiled = true
  func.func @row(%x: memref<1x64xbf16>, %y: memref<1x16xf32>) {
    %a = glm.weight "a.weight" : tensor<16x64xf4E2M1FN, #packed>
    glm.kernel.gemm <store> %x by %a to %y : memref<1x64xbf16> by tensor<16x64xf4E2M1FN, #packed> to memref<1x16xf32>
    return
  }
}
