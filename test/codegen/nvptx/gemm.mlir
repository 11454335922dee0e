// RUN: glm-opt --split-input-file --glm-tile-weights --glm-form-load --glm-select-schedule --glm-outline-kernels %s | FileCheck %s
// RUN: glm-opt --split-input-file --glm-select-schedule=plain=true --glm-outline-kernels %s | FileCheck %s --check-prefix=PLAIN

#target = #glm.target<chip = "sm_120a", triple = "nvptx64-nvidia-cuda", cpu = "sm_120a", features = "+ptx87", vector_bits = 128>
#packed = #glm.nvfp4<block = 16, source = modelopt>

// A pointer for each argument, and one for the number of rows; a block for every 16 rows of every weight.
// CHECK-LABEL: module attributes
module attributes {glm.target = #target} {
  // CHECK: module @gemm_bf16_n40k64_n24k64 attributes {glm.shared_bytes = 2560 : i64, glm.target = #{{.*}}, glm.threads = 128 : i64}
  // CHECK: llvm.mlir.global external @gemm_bf16_n40k64_n24k64_shared() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>
  // CHECK: func.func @gemm_bf16_n40k64_n24k64(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %[[ROWS:.*]]: !llvm.ptr)
  // CHECK: llvm.addrspacecast %[[ROWS]] : !llvm.ptr to !llvm.ptr<1>
  // CHECK: llvm.call_intrinsic "llvm.nvvm.mma.m16n8k16.row.col.bf16"
  // CHECK: llvm.call_intrinsic "llvm.nvvm.barrier.cta.sync.aligned.all"
  // Codes and scales come ahead of time, 64 columns of codes a copy and all scales, and are unpacked in registers: pairs of bf16, permuted inputs.
  // CHECK: module @gemm_bf16_nvfp4_n16k64
  // CHECK-COUNT-4: llvm.call_intrinsic "llvm.nvvm.cp.async.cg.shared.global.16"
  // CHECK: llvm.call_intrinsic "llvm.nvvm.cp.async.ca.shared.global.8"
  // CHECK: llvm.call_intrinsic "llvm.nvvm.cp.async.commit.group"
  // CHECK: llvm.call_intrinsic "llvm.nvvm.cp.async.wait.group"
  // CHECK: llvm.call_intrinsic "llvm.nvvm.bar.warp.sync"
  // CHECK: llvm.call_intrinsic "llvm.nvvm.prmt"
  // CHECK: arith.mulf %{{.*}}, %{{.*}} : vector<2xbf16>
  // CHECK: llvm.call_intrinsic "llvm.nvvm.mma.m16n8k16.row.col.bf16"
  // Float32 weights have no tensor cores: the meaning itself.
  // CHECK: module @gemm_bf16_f32_n16k64
  // CHECK-NOT: llvm.nvvm.mma
  // CHECK: glm.plan.program @step_r3
  // CHECK-NEXT: glm.plan.launch @gemm_bf16_n40k64_n24k64 {{.*}} blocks 5
  // CHECK-NEXT: glm.plan.launch @gemm_bf16_nvfp4_n16k64 {{.*}} blocks 1
  // CHECK-NEXT: glm.plan.launch @gemm_bf16_f32_n16k64 {{.*}} blocks 1
  // CHECK: glm.plan.load
  // PLAIN-NOT: llvm.nvvm.mma
  func.func @step_r3(%tokens: memref<3x64xbf16> {glm.name = "tokens", glm.offset = 0 : i64}, %logits: memref<3x16xf32> {glm.name = "logits", glm.offset = 384 : i64}) {
    %a = glm.weight "a" : tensor<40x64xbf16>
    %b = glm.weight "b" : tensor<24x64xbf16>
    %c = glm.weight "c.weight" : tensor<16x64xf4E2M1FN, #packed>
    %d = glm.weight "d" : tensor<16x64xf32>
    %x = memref.alloc() {glm.offset = 640 : i64} : memref<3x40xbf16>
    %y = memref.alloc() {glm.offset = 896 : i64} : memref<3x24xbf16>
    glm.kernel.gemm <store> %tokens by %a, %b to %x, %y : memref<3x64xbf16> by tensor<40x64xbf16>, tensor<24x64xbf16> to memref<3x40xbf16>, memref<3x24xbf16>
    glm.kernel.gemm <store> %tokens by %c to %logits : memref<3x64xbf16> by tensor<16x64xf4E2M1FN, #packed> to memref<3x16xf32>
    glm.kernel.gemm <store> %tokens by %d to %logits : memref<3x64xbf16> by tensor<16x64xf32> to memref<3x16xf32>
    return
  }
}

// -----

// W4A4: codes of the input, rounded in registers.
#target = #glm.target<chip = "sm_120a", triple = "nvptx64-nvidia-cuda", cpu = "sm_120a", features = "+ptx87", vector_bits = 128>
#scaled = #glm.nvfp4<block = 16, source = modelopt, quantized_inputs = true>
module attributes {glm.target = #target} {
  // CHECK: module @gemm_bf16_nvfp4_n16k64
  // CHECK: llvm.call_intrinsic "llvm.nvvm.ff.to.e2m1x2.rn.satfinite"
  // CHECK: llvm.call_intrinsic "llvm.nvvm.ff.to.e4m3x2.rn"
  // CHECK: llvm.call_intrinsic "llvm.nvvm.mma.block.scale.m16n8k64.row.col.mxf4nvf4.scale.4x.f32.e2m1.e2m1.f32.ue4m3"
  // CHECK: glm.plan.weight @c.input_scale scalars "c.input_scale"
  func.func @step_r1(%tokens: memref<1x64xbf16> {glm.name = "tokens", glm.offset = 0 : i64}, %logits: memref<1x16xf32> {glm.name = "logits", glm.offset = 128 : i64}) {
    %c = glm.weight "c.weight" : tensor<16x64xf4E2M1FN, #scaled>
    glm.kernel.gemm <store> %tokens by %c to %logits : memref<1x64xbf16> by tensor<16x64xf4E2M1FN, #scaled> to memref<1x16xf32>
    return
  }
}

// -----

// A chip whose mma.sync has no block scales: the meaning itself.
#b200 = #glm.target<chip = "sm_100a", triple = "nvptx64-nvidia-cuda", cpu = "sm_100a", features = "+ptx86", vector_bits = 128>
#scaled = #glm.nvfp4<block = 16, source = modelopt, quantized_inputs = true>
module attributes {glm.target = #b200} {
  // CHECK: module @gemm_bf16_nvfp4_n16k64
  // CHECK-NOT: llvm.nvvm.mma
  // CHECK: glm.plan.program
  func.func @step_r1(%tokens: memref<1x64xbf16> {glm.name = "tokens", glm.offset = 0 : i64}, %logits: memref<1x16xf32> {glm.name = "logits", glm.offset = 128 : i64}) {
    %c = glm.weight "c.weight" : tensor<16x64xf4E2M1FN, #scaled>
    glm.kernel.gemm <store> %tokens by %c to %logits : memref<1x64xbf16> by tensor<16x64xf4E2M1FN, #scaled> to memref<1x16xf32>
    return
  }
}
