// RUN: glm-opt %s | glm-opt | FileCheck %s
// RUN: glm-opt --mlir-print-op-generic %s | glm-opt | FileCheck %s

// CHECK: glm.plan.weight @w3 table "model.layers.3.mlp.experts.{}.up_proj.weight" count 256 dtype "U8" shape [2048, 3072]
glm.plan.weight @w3 table "model.layers.3.mlp.experts.{}.up_proj.weight" count 256 dtype "U8" shape [2048, 3072]
// CHECK: glm.plan.weight @w4 table "model.layers.3.mlp.experts.{}.up_proj.weight_scale" count 256 dtype "F8_E4M3" shape [2048, 384]
glm.plan.weight @w4 table "model.layers.3.mlp.experts.{}.up_proj.weight_scale" count 256 dtype "F8_E4M3" shape [2048, 384]
// CHECK: glm.plan.weight @w5 scalars "model.layers.3.mlp.experts.{}.up_proj.weight_global_scale" count 256 dtype "F32" shape [] reciprocal
glm.plan.weight @w5 scalars "model.layers.3.mlp.experts.{}.up_proj.weight_global_scale" count 256 dtype "F32" shape [] reciprocal
// CHECK: glm.plan.weight @norm data "model.norm.weight" count 1 dtype "BF16" shape [40]
glm.plan.weight @norm data "model.norm.weight" count 1 dtype "BF16" shape [40]
// CHECK: glm.plan.weight @tiles table "model.layers.3.mlp.experts.{}.up_proj.tiles" count 256 dtype "U8" shape [7077888] filled
glm.plan.weight @tiles table "model.layers.3.mlp.experts.{}.up_proj.tiles" count 256 dtype "U8" shape [7077888] filled

// CHECK: glm.plan.buffer @tokens input offset 0 bytes 64
glm.plan.buffer @tokens input offset 0 bytes 64
// CHECK: glm.plan.buffer @x arena offset 4096 bytes 786432
glm.plan.buffer @x arena offset 4096 bytes 786432
// CHECK: glm.plan.buffer @layers.0.latent cache offset 0 bytes 960
glm.plan.buffer @layers.0.latent cache offset 0 bytes 960
// CHECK: glm.plan.buffer @logits output offset 64 bytes 1600
glm.plan.buffer @logits output offset 64 bytes 1600

module @gemm_bf16_nvfp4_n2048k6144 {}

// CHECK: glm.plan.program @step_r16 rows 16 {
glm.plan.program @step_r16 rows 16 {
  // CHECK: glm.plan.launch @gemm_bf16_nvfp4_n2048k6144 [@x, @w3, @w4, @w5, @logits]{{$}}
  glm.plan.launch @gemm_bf16_nvfp4_n2048k6144 [@x, @w3, @w4, @w5, @logits]
  // CHECK: glm.plan.launch @gemm_bf16_nvfp4_n2048k6144 [@x, @logits] output_rows {tap = "hidden.0", tap_type = "BF16", tap_width = 40 : i64, tapped = @logits}
  glm.plan.launch @gemm_bf16_nvfp4_n2048k6144 [@x, @logits] output_rows {tap = "hidden.0", tap_type = "BF16", tap_width = 40, tapped = @logits}
}

// CHECK: glm.plan.load {
// CHECK-NEXT: glm.plan.launch @gemm_bf16_nvfp4_n2048k6144 [@w3, @w4, @tiles] blocks 3072
glm.plan.load {
  glm.plan.launch @gemm_bf16_nvfp4_n2048k6144 [@w3, @w4, @tiles] blocks 3072
}
