// RUN: glm-opt --glm-verify-plan %s | FileCheck %s

// Two programs over the same buffers; the second kernel is lowered already, the first is not.
// CHECK-LABEL: module
module attributes {glm.arena_bytes = 512 : i64, glm.limits = #glm.limits<rows = [1, 3], sequences = 2, positions = 192, page_size = 64>, glm.target = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2", vector_bits = 256>} {
  glm.plan.buffer @tokens input offset 0 bytes 12
  glm.plan.buffer @logits output offset 64 bytes 108
  glm.plan.buffer @x arena offset 192 bytes 320
  glm.plan.buffer @latent cache offset 0 bytes 15360
  glm.plan.weight @table data "table" count 1 dtype "BF16" shape [9, 9]
  module @embed_bf16_w9 {
    func.func @embed_bf16_w9(%arguments: i64) {
      return
    }
  }
  module @gemm_bf16_n9k9 {
    llvm.func @gemm_bf16_n9k9(%arguments: !llvm.ptr) {
      llvm.return
    }
  }
  // CHECK: glm.plan.program @step_r1 rows 1
  glm.plan.program @step_r1 rows 1 {
    glm.plan.launch @embed_bf16_w9 [@tokens, @table, @x]
    glm.plan.launch @gemm_bf16_n9k9 [@x, @table, @logits] output_rows
  }
  // CHECK: glm.plan.program @step_r3 rows 3
  glm.plan.program @step_r3 rows 3 {
    glm.plan.launch @embed_bf16_w9 [@tokens, @table, @x] {tap = "hidden.0", tapped = @x, tap_type = "F32", tap_width = 9 : i64}
    glm.plan.launch @gemm_bf16_n9k9 [@x, @table, @logits] output_rows
  }
}
