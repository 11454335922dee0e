// RUN: split-file %s %t
// RUN: glm-opt --glm-select-schedule --glm-outline-kernels --glm-lowering-phase %t/bf16.mlir | FileCheck %t/bf16.mlir
// RUN: glm-opt --glm-select-schedule --glm-outline-kernels --glm-lowering-phase %t/level4.mlir | FileCheck %t/level4.mlir
// RUN: glm-opt --glm-select-schedule --glm-outline-kernels --glm-lowering-phase %t/level3.mlir | FileCheck %t/level3.mlir
// RUN: glm-opt --glm-select-schedule=plain=true --glm-outline-kernels --glm-lowering-phase %t/bf16.mlir | FileCheck %t/bf16.mlir --check-prefix=PLAIN

//--- bf16.mlir
// Products of bf16 pairs; packed weights are looked up as 16-bit words, four lookups to a load of 128 codes.
module attributes {glm.target = #glm.target<chip = "host", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx2,+fma,+f16c,+avx512f,+avx512bw,+avx512vl,+avx512bf16", vector_bits = 512>} {
  // CHECK-LABEL: llvm.func @gemm_bf16_nvfp4_n9k256(
  // CHECK: llvm.load %{{.*}} : !llvm.ptr -> vector<64xi8>
  // CHECK: llvm.intr.prefetch
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.permvar.hi.512"
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
  // CHECK-LABEL: llvm.func @gemm_bf16_n9k256(
  // CHECK-NOT: permvar
  // CHECK: llvm.intr.prefetch
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
  // float32 activations are multiplied as they are: 16 lookups of float32 at once.
  // CHECK-LABEL: llvm.func @gemm_f32_nvfp4_n9k256(
  // CHECK-NOT: dpbf16ps
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"
  // CHECK-NOT: dpbf16ps
  // CHECK-LABEL: glm.plan.program
  // PLAIN-NOT: call_intrinsic
  func.func @step(%x: memref<3x256xbf16> {glm.name = "x", glm.offset = 0 : i64}, %y: memref<3x256xf32> {glm.name = "y", glm.offset = 2048 : i64}, %logits: memref<3x9xf32> {glm.name = "logits", glm.offset = 8192 : i64}) {
    %packed = glm.weight "packed.weight" : tensor<9x256xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    %wide = glm.weight "wide.weight" : tensor<9x256xbf16>
    glm.kernel.gemm <store> %x by %packed to %logits : memref<3x256xbf16> by tensor<9x256xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> to memref<3x9xf32>
    glm.kernel.gemm <store> %x by %wide to %logits : memref<3x256xbf16> by tensor<9x256xbf16> to memref<3x9xf32>
    glm.kernel.gemm <store> %y by %packed to %logits : memref<3x256xf32> by tensor<9x256xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> to memref<3x9xf32>
    return
  }
}

//--- level4.mlir
// 512 bits without bf16 products: float32 in 16 lanes.
module attributes {glm.target = #glm.target<chip = "x86-64-v4", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx2,+fma,+f16c,+avx512f,+avx512bw,+avx512vl", vector_bits = 512>} {
  // CHECK-NOT: dpbf16ps
  // CHECK-LABEL: llvm.func @gemm_bf16_n9k256(
  // CHECK-NOT: dpbf16ps
  // CHECK: llvm.intr.fma({{.*}}) : (vector<16xf32>, vector<16xf32>, vector<16xf32>) -> vector<16xf32>
  // CHECK-NOT: dpbf16ps
  func.func @step(%x: memref<3x256xbf16> {glm.name = "x", glm.offset = 0 : i64}, %logits: memref<3x9xf32> {glm.name = "logits", glm.offset = 8192 : i64}) {
    %wide = glm.weight "wide.weight" : tensor<9x256xbf16>
    glm.kernel.gemm <store> %x by %wide to %logits : memref<3x256xbf16> by tensor<9x256xbf16> to memref<3x9xf32>
    return
  }
}

//--- level3.mlir
// AVX2: nothing of AVX-512, 8 lanes; magnitudes are looked up, signs are bits.
module attributes {glm.target = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2,+fma,+f16c", vector_bits = 256>} {
  // CHECK-NOT: avx512
  // CHECK-LABEL: llvm.func @gemm_f32_nvfp4_n9k256(
  // CHECK-NOT: avx512
  // CHECK: llvm.call_intrinsic "llvm.x86.avx2.permps"
  // CHECK-NOT: avx512
  // CHECK: llvm.intr.fma({{.*}}) : (vector<8xf32>, vector<8xf32>, vector<8xf32>) -> vector<8xf32>
  // CHECK-NOT: avx512
  // CHECK-LABEL: llvm.func @gemm_bf16_n9k256(
  // CHECK-NOT: avx512
  // CHECK: llvm.intr.prefetch
  // CHECK-NOT: avx512
  // CHECK-LABEL: glm.plan.program
  func.func @step(%x: memref<3x256xbf16> {glm.name = "x", glm.offset = 0 : i64}, %y: memref<3x256xf32> {glm.name = "y", glm.offset = 2048 : i64}, %logits: memref<3x9xf32> {glm.name = "logits", glm.offset = 8192 : i64}) {
    %packed = glm.weight "packed.weight" : tensor<9x256xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    %wide = glm.weight "wide.weight" : tensor<9x256xbf16>
    glm.kernel.gemm <store> %y by %packed to %logits : memref<3x256xf32> by tensor<9x256xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> to memref<3x9xf32>
    glm.kernel.gemm <store> %x by %wide to %logits : memref<3x256xbf16> by tensor<9x256xbf16> to memref<3x9xf32>
    return
  }
}
