// RUN: glm-opt --split-input-file --verify-diagnostics --glm-form-kernels %s

// expected-error @+1 {{module must have glm.limits, but found none}}
module {
}

// -----

module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  // expected-error @+1 {{step must be one block, but found 0}}
  func.func private @declared(tensor<3xi32>) -> tensor<3x40xf32>
}

// -----

module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  // expected-error @+1 {{step must have one result with glm.name, but found 'tensor<3x40xf32>'}}
  func.func @result_without_name(%x: tensor<3x40xf32> {glm.name = "tokens"}) -> tensor<3x40xf32> {
    return %x : tensor<3x40xf32>
  }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  // expected-error @+1 {{argument 1 must have glm.name, but found none}}
  func.func @argument_without_name(%x: tensor<3x40xf32> {glm.name = "tokens"}, %y: tensor<3x40xf32>) -> (tensor<3x40xf32> {glm.name = "logits"}) {
    %sum = arith.addf %x, %y : tensor<3x40xf32>
    return %sum : tensor<3x40xf32>
  }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  // expected-error @+1 {{argument 0 must have a static shape (glm-specialize-steps), but found 'tensor<?x40xf32>'}}
  func.func @dynamic_rows(%x: tensor<?x40xf32> {glm.name = "tokens"}) -> (tensor<?x40xf32> {glm.name = "logits"}) {
    %sum = arith.addf %x, %x : tensor<?x40xf32>
    return %sum : tensor<?x40xf32>
  }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  // expected-error @+1 {{result must be computed by the step and have a static shape, but found}}
  func.func @result_is_argument(%x: tensor<3x40xf32> {glm.name = "tokens"}) -> (tensor<3x40xf32> {glm.name = "logits"}) {
    return %x : tensor<3x40xf32>
  }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  func.func @widened_weight(%x: tensor<3x32xf32> {glm.name = "tokens"}) -> (tensor<3x48xf32> {glm.name = "logits"}) {
    %packed = glm.weight "w.weight" : tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    // expected-error @+1 {{packed weight must be folded into its consumer by glm-fuse-dequant, but found it widened}}
    %wide = glm.dequant %packed : tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<48x32xf32>
    %y = glm.linear %x, %wide : tensor<3x32xf32>, tensor<48x32xf32> -> tensor<3x48xf32>
    return %y : tensor<3x48xf32>
  }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  func.func @expanded_attention(%x: tensor<3x20xf32> {glm.name = "tokens"}, %chosen: tensor<3x7xi32> {glm.name = "positions"}, %slots: tensor<3xi32> {glm.name = "slots"}, %pages: tensor<2x3xi32> {glm.name = "page_table"}) -> (tensor<3x10xf32> {glm.name = "logits"}) {
    %kv = glm.weight "kv_b" : tensor<22x16xbf16>
    %cache = glm.cache "layers.0.latent" : !glm.cache<20 x f32>
    // expected-error @+1 {{attention must be in the latent space after glm-absorb-mla, but found keys and values expanded}}
    %y = glm.mla_attention %x, %kv in %cache over %chosen at %slots, %pages heads 2 rope 4 scale 0.25 : tensor<3x20xf32>, tensor<22x16xbf16>, !glm.cache<20 x f32>, tensor<3x7xi32>, tensor<3xi32>, tensor<2x3xi32> -> tensor<3x10xf32>
    return %y : tensor<3x10xf32>
  }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  func.func @no_kernel(%x: tensor<3x32xf32> {glm.name = "tokens"}) -> (tensor<3x32xf32> {glm.name = "logits"}) {
    // expected-error @+1 {{model phase must hold glm ops and arith.addf, but found arith.mulf}}
    %y = arith.mulf %x, %x : tensor<3x32xf32>
    return %y : tensor<3x32xf32>
  }
}

// -----

// In memory there is only the last version of a cache.
module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  func.func @stale_read(%x: tensor<3x8xf32> {glm.name = "tokens"}, %positions: tensor<3xi32> {glm.name = "positions"}, %slots: tensor<3xi32> {glm.name = "slots"}, %pages: tensor<2x3xi32> {glm.name = "page_table"}, %heads: tensor<3x1xf32> {glm.name = "heads"}) -> (tensor<3x7xi32> {glm.name = "logits"}) {
    %cache = glm.cache "layers.0.index" : !glm.cache<8 x f32>
    %written = glm.cache_write %x into %cache at %positions, %slots, %pages : tensor<3x8xf32>, !glm.cache<8 x f32>, tensor<3xi32>, tensor<3xi32>, tensor<2x3xi32>
    // expected-error @+1 {{cache "layers.0.index" must be used as last written, but found its value before write 1: it is read before the step's rows are written}}
    %chosen = glm.indexer %x, %heads in %cache at %positions, %slots, %pages scale 0.5 top_k 7 : tensor<3x8xf32>, tensor<3x1xf32>, !glm.cache<8 x f32>, tensor<3xi32>, tensor<3xi32>, tensor<2x3xi32> -> tensor<3x7xi32>
    return %chosen : tensor<3x7xi32>
  }
}

// -----

// Naming the cache anew does not bring the old rows back.
module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  func.func @stale_name(%x: tensor<3x8xf32> {glm.name = "tokens"}, %positions: tensor<3xi32> {glm.name = "positions"}, %slots: tensor<3xi32> {glm.name = "slots"}, %pages: tensor<2x3xi32> {glm.name = "page_table"}) -> (tensor<3x8xf32> {glm.name = "logits"}) {
    %cache = glm.cache "layers.0.index" : !glm.cache<8 x f32>
    %written = glm.cache_write %x into %cache at %positions, %slots, %pages : tensor<3x8xf32>, !glm.cache<8 x f32>, tensor<3xi32>, tensor<3xi32>, tensor<2x3xi32>
    %again = glm.cache "layers.0.index" : !glm.cache<8 x f32>
    // expected-error @+1 {{cache "layers.0.index" must be used as last written, but found its value before write 1}}
    %twice = glm.cache_write %x into %again at %positions, %slots, %pages : tensor<3x8xf32>, !glm.cache<8 x f32>, tensor<3xi32>, tensor<3xi32>, tensor<2x3xi32>
    %y = arith.addf %x, %x : tensor<3x8xf32>
    return %y : tensor<3x8xf32>
  }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  func.func @cache_of_two_types(%x: tensor<3x8xf32> {glm.name = "tokens"}) -> (tensor<3x8xf32> {glm.name = "logits"}) {
    %cache = glm.cache "layers.0.index" : !glm.cache<8 x f32>
    // expected-error @+1 {{cache "layers.0.index" must be the same in every step, but found 'memref<384x8xbf16>' beside}}
    %other = glm.cache "layers.0.index" : !glm.cache<8 x bf16>
    %y = arith.addf %x, %x : tensor<3x8xf32>
    return %y : tensor<3x8xf32>
  }
}

// -----

// Row i of the output and row i of the step are different rows.
module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  func.func @mixed_rows(%x: tensor<3x8xf32> {glm.name = "tokens"}, %rows: tensor<3xi32> {glm.name = "output_rows"}) -> (tensor<3x8xf32> {glm.name = "logits"}) {
    %chosen = glm.select_rows %x at %rows : tensor<3x8xf32>, tensor<3xi32> -> tensor<3x8xf32>
    // expected-error @+1 {{operands must all have rows of the step or all selected rows, but found both}}
    %y = arith.addf %chosen, %x : tensor<3x8xf32>
    return %y : tensor<3x8xf32>
  }
}
