// RUN: glm-opt %s --glm-verify-model | FileCheck %s

// A small step that keeps the contract, and a deferred function, which may be dynamic.
module attributes {glm.limits = #glm.limits<rows = [4], sequences = 2, positions = 100, page_size = 16>} {

// CHECK-LABEL: func @step_r4
func.func @step_r4(%tokens: tensor<4xi32> {glm.name = "tokens"}, %positions: tensor<4xi32> {glm.name = "positions"}, %slots: tensor<4xi32> {glm.name = "slots"},
                   %pages: tensor<2x7xi32> {glm.name = "page_table"}) -> (tensor<4x97xf32> {glm.name = "logits"}) {
  %e = glm.weight "model.embed_tokens.weight" : tensor<97x48xbf16>
  %x = glm.embed %tokens in %e : tensor<4xi32>, tensor<97x48xbf16> -> tensor<4x48xbf16>
  %c = glm.cache "layers.0.index" : !glm.cache<12 x bf16>
  %wk = glm.weight "wk" : tensor<12x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
  %k = glm.linear %x, %wk : tensor<4x48xbf16>, tensor<12x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<4x12xbf16>
  %d = glm.cache_write %k into %c at %positions, %slots, %pages : tensor<4x12xbf16>, !glm.cache<12 x bf16>, tensor<4xi32>, tensor<4xi32>, tensor<2x7xi32>
  %ww = glm.weight "weights_proj" : tensor<4x48xf32>
  %h = glm.linear %x, %ww : tensor<4x48xbf16>, tensor<4x48xf32> -> tensor<4x4xf32>
  %i = glm.indexer %x, %h in %d at %positions, %slots, %pages scale 0.125 top_k 7 : tensor<4x48xbf16>, tensor<4x4xf32>, !glm.cache<12 x bf16>, tensor<4xi32>, tensor<4xi32>, tensor<2x7xi32> -> tensor<4x7xi32>
  %w = glm.weight "lm_head.weight" : tensor<97x48xbf16>
  %y = glm.linear %x, %w : tensor<4x48xbf16>, tensor<97x48xbf16> -> tensor<4x97xf32>
  return %y : tensor<4x97xf32>
}

// CHECK-LABEL: func @mtp
func.func @mtp(%tokens: tensor<?xi32> {glm.name = "tokens"}) -> tensor<?x48xbf16> attributes {glm.deferred} {
  %e = glm.weight "model.embed_tokens.weight" : tensor<97x48xbf16>
  %x = glm.embed %tokens in %e : tensor<?xi32>, tensor<97x48xbf16> -> tensor<?x48xbf16>
  return %x : tensor<?x48xbf16>
}

}
