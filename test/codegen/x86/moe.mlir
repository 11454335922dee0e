// RUN: glm-opt --glm-select-schedule --glm-outline-kernels --glm-lowering-phase %s | FileCheck %s

// The experts' weights are reached through tables of pointers; their products are those of gemm, sixteen-bit lookups included.
module attributes {glm.target = #glm.target<chip = "host", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx2,+fma,+f16c,+avx512f,+avx512bw,+avx512vl,+avx512bf16", vector_bits = 512>} {
  // CHECK-LABEL: llvm.func @moe_gate_up_bf16_nvfp4_n9k128_n9k128(
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.permvar.hi.512"
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
  // CHECK-LABEL: llvm.func @moe_down_bf16_nvfp4_n7k128(
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.permvar.hi.512"
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
  // CHECK-LABEL: glm.plan.program
  func.func @step(%x: memref<3x128xbf16> {glm.name = "x", glm.offset = 0 : i64}, %offsets: memref<6xi32> {glm.name = "offsets", glm.offset = 0 : i64}, %entries: memref<6xi32> {glm.name = "entries", glm.offset = 0 : i64},
                  %inner: memref<6x9xbf16> {glm.name = "inner", glm.offset = 0 : i64}, %second: memref<6x128xbf16> {glm.name = "second", glm.offset = 0 : i64}, %parts: memref<6x7xf32> {glm.name = "parts", glm.offset = 0 : i64}) {
    %gate = glm.weight "{}.gate.weight" : tensor<5x9x128xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    %up = glm.weight "{}.up.weight" : tensor<5x9x128xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    %down = glm.weight "{}.down.weight" : tensor<5x7x128xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    glm.kernel.moe_gate_up %x of %offsets, %entries gate %gate up %up to %inner top_k 2 : memref<3x128xbf16>, memref<6xi32>, memref<6xi32>, tensor<5x9x128xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>, tensor<5x9x128xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>, memref<6x9xbf16>
    glm.kernel.moe_down %second of %offsets, %entries down %down to %parts : memref<6x128xbf16>, memref<6xi32>, memref<6xi32>, tensor<5x7x128xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>, memref<6x7xf32>
    return
  }
}
