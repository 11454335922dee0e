// RUN: glm-opt --split-input-file --glm-form-load %s | FileCheck %s
// RUN: glm-opt --split-input-file --glm-form-load --glm-select-schedule --glm-outline-kernels %s | FileCheck %s --check-prefix=PLAN

#gpu = #glm.target<chip = "sm_120a", triple = "nvptx64-nvidia-cuda", cpu = "sm_120a", features = "+ptx87", vector_bits = 128>
#tiled = #glm.nvfp4<block = 16, source = compressed_tensors, tiled = true>

// A launch for each weight in tiles, however many programs use it. Programs get the tiles and the global scale; codes and scales are there for the load.
// PLAN-LABEL: module attributes
module attributes {glm.target = #gpu} {
  // PLAN-DAG: glm.plan.weight @a.tiles data "a.tiles" count 1 dtype "U8" shape [9216] filled
  // PLAN-DAG: glm.plan.weight @a.weight_global_scale scalars "a.weight_global_scale" count 1 dtype "F32" shape [] reciprocal
  // PLAN: glm.plan.program @step_r1
  // PLAN-NEXT: glm.plan.launch @gemm_bf16_nvfp4_n18k272 [@tokens, @a.tiles, @a.weight_global_scale, @logits] blocks 2
  func.func @step_r1(%tokens: memref<1x272xbf16> {glm.name = "tokens", glm.offset = 0 : i64}, %logits: memref<1x18xf32> {glm.name = "logits", glm.offset = 1088 : i64}) {
    %a = glm.weight "a.weight" : tensor<18x272xf4E2M1FN, #tiled>
    glm.kernel.gemm <store> %tokens by %a to %logits : memref<1x272xbf16> by tensor<18x272xf4E2M1FN, #tiled> to memref<1x18xf32>
    return
  }
  // PLAN: glm.plan.program @step_r2
  // PLAN-NEXT: glm.plan.launch @gemm_bf16_nvfp4_n18k272 [@tokens, @a.tiles, @a.weight_global_scale, @logits] blocks 2
  func.func @step_r2(%tokens: memref<2x272xbf16> {glm.name = "tokens", glm.offset = 0 : i64}, %logits: memref<2x18xf32> {glm.name = "logits", glm.offset = 1088 : i64}) {
    %a = glm.weight "a.weight" : tensor<18x272xf4E2M1FN, #tiled>
    glm.kernel.gemm <store> %tokens by %a to %logits : memref<2x272xbf16> by tensor<18x272xf4E2M1FN, #tiled> to memref<2x18xf32>
    return
  }
  // CHECK: func.func @load() attributes {glm.load} {
  // CHECK-NEXT: %[[STORED:.*]] = glm.weight "a.weight" : tensor<18x272xf4E2M1FN, #glm.nvfp4<block = 16, source = compressed_tensors>>
  // CHECK-NEXT: %[[TILED:.*]] = glm.weight "a.weight" : tensor<18x272xf4E2M1FN, #glm.nvfp4<block = 16, source = compressed_tensors, tiled = true>>
  // CHECK-NEXT: glm.kernel.pack_weight %[[STORED]] to %[[TILED]]
  // CHECK-NEXT: return
  // PLAN-DAG: glm.plan.weight @a.weight_packed data "a.weight_packed" count 1 dtype "U8" shape [18, 136]
  // PLAN-DAG: glm.plan.weight @a.weight_scale data "a.weight_scale" count 1 dtype "F8_E4M3" shape [18, 17]
  // PLAN-NOT: glm.plan.weight @a.weight_global_scale
  // PLAN: module @pack_weight_nvfp4_n18k272_n18k272
  // PLAN: glm.plan.load {
  // PLAN-NEXT: glm.plan.launch @pack_weight_nvfp4_n18k272_n18k272 [@a.weight_packed, @a.weight_scale, @a.weight_global_scale, @a.tiles, @a.weight_global_scale] blocks 4
  // PLAN-NEXT: }
}

// -----

// Nothing in tiles, nothing to load.
#gpu = #glm.target<chip = "sm_120a", triple = "nvptx64-nvidia-cuda", cpu = "sm_120a", features = "+ptx87", vector_bits = 128>
module attributes {glm.target = #gpu} {
  // CHECK-LABEL: func.func @step_r3
  // CHECK-NOT: func.func @load
  // PLAN-NOT: glm.plan.load
  func.func @step_r3(%tokens: memref<1x64xbf16> {glm.name = "tokens", glm.offset = 0 : i64}, %logits: memref<1x16xf32> {glm.name = "logits", glm.offset = 128 : i64}) {
    %b = glm.weight "b.weight" : tensor<16x64xbf16>
    glm.kernel.gemm <store> %tokens by %b to %logits : memref<1x64xbf16> by tensor<16x64xbf16> to memref<1x16xf32>
    return
  }
}
