// RUN: glm-opt %s | glm-opt | FileCheck %s
// RUN: glm-opt --mlir-print-op-generic %s | glm-opt | FileCheck %s

// The examples of dialect/GlmDialect.td.

// CHECK: module attributes {
// CHECK-SAME: glm.limits = #glm.limits<rows = [1, 16, 64], sequences = 8, positions = 32768, page_size = 64>
// CHECK-SAME: glm.precision = [
// CHECK-SAME: #glm.rule<subject = weights, pattern = "model.layers.*.mlp.experts.*", type = "nvfp4", source = "hf_quant_config.json:12">
// CHECK-SAME: #glm.rule<subject = activations, pattern = "*", type = "bf16", source = "--activations">
// CHECK-SAME: glm.target = #glm.target<chip = "x86-64-v4", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx512f,+avx512bf16", vector_bits = 512>
module attributes {
  glm.limits = #glm.limits<rows = [1, 16, 64], sequences = 8, positions = 32768, page_size = 64>,
  glm.precision = [#glm.rule<subject = weights, pattern = "model.layers.*.mlp.experts.*", type = "nvfp4", source = "hf_quant_config.json:12">,
                   #glm.rule<subject = activations, pattern = "*", type = "bf16", source = "--activations">],
  glm.target = #glm.target<chip = "x86-64-v4", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx512f,+avx512bf16", vector_bits = 512>
} {
  // A target without features beyond its cpu.
  // CHECK-LABEL: module @plain_target
  // CHECK-SAME: features = ""
  module @plain_target attributes {glm.target = #glm.target<chip = "x86-64", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64", features = "", vector_bits = 128>} {}

  // CHECK-LABEL: func.func private @tiled(tensor<2048x6144xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, tiled = true>>)
  func.func private @tiled(tensor<2048x6144xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt, tiled = true>>)
  // CHECK-LABEL: func.func private @packed(tensor<2048x6144xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>, tensor<256x64x32xf4E2M1FN, #glm.nvfp4<block = 16, source = compressed_tensors>>)
  func.func private @packed(tensor<2048x6144xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>, tensor<256x64x32xf4E2M1FN, #glm.nvfp4<block = 16, source = compressed_tensors>>)

  // CHECK-LABEL: func.func private @caches(!glm.cache<576 x bf16>, !glm.cache<128 x f32>)
  func.func private @caches(!glm.cache<576 x bf16>, !glm.cache<128 x f32>)

  // CHECK-LABEL: func.func private @schedule
  // CHECK-SAME: glm.schedule = #glm.schedule<family = "dot_bf16", tile_m = 8, tile_n = 1>
  func.func private @schedule() attributes {glm.schedule = #glm.schedule<family = "dot_bf16", tile_m = 8, tile_n = 1>}

  // CHECK-LABEL: func.func private @kinds
  // CHECK-SAME: #glm.epilogue<silu_mul>
  // CHECK-SAME: #glm.norm<layer>
  func.func private @kinds() attributes {epilogue = #glm.epilogue<silu_mul>, norm = #glm.norm<layer>}
}
