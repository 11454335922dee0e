// RUN: glm-opt --split-input-file --glm-group-launches %s | FileCheck %s
// RUN: glm-opt --split-input-file --glm-group-launches --glm-plan-memory --glm-select-schedule --glm-outline-kernels %s | FileCheck %s --check-prefix=PLAN

#gpu = #glm.target<chip = "sm_120a", triple = "nvptx64-nvidia-cuda", cpu = "sm_120a", features = "+ptx87", vector_bits = 128>

module attributes {glm.target = #gpu} {
  memref.global "private" @cache : memref<64x32xbf16> = uninitialized

  // Levels: { embed, rope angles }, { the two products }, { add }: the short kernel first. The last product waits for nobody either.
  // CHECK-LABEL: func.func @step_r2
  // PLAN-LABEL: module @embed_with_gemm_bf16_n48k32
  // PLAN: llvm.nvvm.barrier.cta.sync.aligned.count
  func.func @step_r2(%tokens: memref<2xi32> {glm.name = "tokens"}, %given: memref<2x32xbf16> {glm.name = "given"}, %logits: memref<2x16xf32> {glm.name = "logits"}) {
    %table = glm.weight "table" : tensor<8x32xbf16>
    %a = glm.weight "a.weight" : tensor<16x32xbf16>
    %b = glm.weight "b.weight" : tensor<48x32xbf16>
    %x = memref.alloc() : memref<2x32xbf16>
    %p = memref.alloc() : memref<2x16xf32>
    %q = memref.alloc() : memref<2x48xbf16>
    // CHECK: glm.kernel.fused <side_by_side> {
    // CHECK-NEXT: glm.kernel.embed
    // CHECK-SAME: glm.schedule
    // CHECK-NEXT: glm.kernel.gemm <store> %arg1 by %{{.*}} to %{{.*}} {glm.schedule
    // CHECK-NEXT: {{^ *}$}}
    // CHECK-NEXT: glm.kernel.gemm <store> %{{.*}} by %{{.*}} to %[[P:.*]] {glm.schedule
    // CHECK-NEXT: glm.kernel.add %[[P]], %[[P]] to %arg2
    // PLAN: glm.plan.launch @embed_with_gemm_bf16_n48k32 [@tokens, @table, @step_r2.{{.*}}, @given, @b.weight, @step_r2.{{.*}}] blocks 5
    glm.kernel.embed tokens %tokens table %table to %x : memref<2xi32>, tensor<8x32xbf16>, memref<2x32xbf16>
    glm.kernel.gemm <store> %x by %a to %p : memref<2x32xbf16> by tensor<16x32xbf16> to memref<2x16xf32>
    glm.kernel.add %p, %p to %logits : memref<2x16xf32>, memref<2x16xf32>, memref<2x16xf32>
    glm.kernel.gemm <store> %given by %b to %q : memref<2x32xbf16> by tensor<48x32xbf16> to memref<2x48xbf16>
    return
  }

  // A cache under two values is one cache; who reads a buffer before it is written again is waited for.
  // CHECK-LABEL: func.func @step_r3
  func.func @step_r3(%x: memref<3x32xbf16> {glm.name = "tokens"}, %positions: memref<3xi32> {glm.name = "positions"}, %slots: memref<3xi32> {glm.name = "slots"}, %pages: memref<2x3xi32> {glm.name = "pages"}, %logits: memref<3x32xbf16> {glm.name = "logits"}) {
    // CHECK-NOT: glm.kernel.fused
    %first = memref.get_global @cache : memref<64x32xbf16>
    glm.kernel.rope_cache_write %x into %first at %positions, %slots, %pages {page_size = 16, rope_offset = 0, rope_width = 0} : memref<3x32xbf16>, memref<64x32xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>
    %second = memref.get_global @cache : memref<64x32xbf16>
    glm.kernel.rope_cache_write %x into %second at %positions, %slots, %pages {page_size = 16, rope_offset = 0, rope_width = 0} : memref<3x32xbf16>, memref<64x32xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>
    return
  }
}
