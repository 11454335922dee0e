// RUN: glm-opt --glm-select-schedule --glm-outline-kernels --glm-lowering-phase %s | FileCheck %s
// RUN: sed -e 's/,+avx512bf16//' %s | glm-opt --glm-select-schedule --glm-outline-kernels --glm-lowering-phase | FileCheck %s --check-prefix=WITHOUT

// Heads in lanes: a pair of a key's columns is broadcast to all heads of a group and multiplied at once.
// WITHOUT-NOT: dpbf16ps
module attributes {glm.target = #glm.target<chip = "host", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx2,+fma,+f16c,+avx512f,+avx512bw,+avx512vl,+avx512bf16", vector_bits = 512>} {
  // CHECK-LABEL: llvm.func @index_score_bf16_w40(
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
  // WITHOUT: llvm.func @index_score_bf16_w40(
  // WITHOUT-NOT: dpbf16ps
  // CHECK-LABEL: llvm.func @sparse_mla_bf16_w48(
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
  // WITHOUT: llvm.func @sparse_mla_bf16_w48(
  // WITHOUT-NOT: dpbf16ps
  // The transposed product reads weights as they lie and adds up in registers: no sum over lanes, and the next lines are asked for.
  // CHECK-LABEL: llvm.func @head_gemm_bf16_n33k512(
  // CHECK-NOT: dpbf16ps
  // CHECK: llvm.intr.prefetch
  // CHECK: llvm.intr.fma({{.*}}) : (vector<16xf32>, vector<16xf32>, vector<16xf32>) -> vector<16xf32>
  // CHECK-NOT: dpbf16ps
  // CHECK-LABEL: glm.plan.program
  func.func @step(%query: memref<3x40xbf16> {glm.name = "query", glm.offset = 0 : i64}, %weights: memref<3x5xf32> {glm.name = "weights", glm.offset = 0 : i64}, %keys: memref<24x8xbf16> {glm.name = "keys", glm.offset = 0 : i64},
                  %positions: memref<3xi32> {glm.name = "positions", glm.offset = 0 : i64}, %slots: memref<3xi32> {glm.name = "slots", glm.offset = 0 : i64}, %pages: memref<2x3xi32> {glm.name = "pages", glm.offset = 0 : i64},
                  %scores: memref<3x11xf32> {glm.name = "scores", glm.offset = 0 : i64}, %indices: memref<3x7xi32> {glm.name = "indices", glm.offset = 0 : i64}, %q_latent: memref<3x48xbf16> {glm.name = "q_latent", glm.offset = 0 : i64},
                  %q: memref<3x30xbf16> {glm.name = "q", glm.offset = 0 : i64}, %latent: memref<24x20xbf16> {glm.name = "latent", glm.offset = 0 : i64}, %attended: memref<3x48xf32> {glm.name = "attended", glm.offset = 0 : i64},
                  %wide: memref<3x1536xbf16> {glm.name = "wide", glm.offset = 0 : i64}) {
    %kv_b = glm.weight "kv_b.weight" : tensor<33x512xbf16>
    glm.kernel.index_score %query, %weights in %keys at %positions, %slots, %pages to %scores scale 0.125 {page_size = 4} : memref<3x40xbf16>, memref<3x5xf32>, memref<24x8xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x11xf32>
    glm.kernel.sparse_mla %q_latent, %q in %latent over %indices at %slots, %pages to %attended heads 3 rope 4 scale 0.5 {page_size = 4} : memref<3x48xbf16>, memref<3x30xbf16>, memref<24x20xbf16>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x48xf32>
    glm.kernel.head_gemm %q, %kv_b to %wide heads 3 rows 0 plus 6 of 11 transposed : memref<3x30xbf16>, tensor<33x512xbf16>, memref<3x1536xbf16>
    return
  }
}
