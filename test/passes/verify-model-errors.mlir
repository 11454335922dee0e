// RUN: glm-opt %s --glm-verify-model --split-input-file --verify-diagnostics

// expected-error @below {{module: glm.limits must be there, but found none}}
module {
  func.func @step_r1(%x: tensor<1x97xf32> {glm.name = "x"}) -> (tensor<1x97xf32> {glm.name = "logits"}) {
    return %x : tensor<1x97xf32>
  }
}

// -----

// expected-error @below {{module: there must be a step to run, but found none}}
module attributes {glm.limits = #glm.limits<rows = [1], sequences = 2, positions = 100, page_size = 16>} {
  func.func @mtp() attributes {glm.deferred} { return }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [1], sequences = 2, positions = 100, page_size = 16>} {
  // expected-error @below {{step_r1: argument 1 must have a glm.name, but found none}}
  func.func @step_r1(%x: tensor<1x97xf32> {glm.name = "x"}, %y: tensor<1xi32>) -> (tensor<1x97xf32> {glm.name = "logits"}) {
    return %x : tensor<1x97xf32>
  }
  // expected-error @below {{step_r2: result must be named logits, but found no name}}
  func.func @step_r2(%x: tensor<2x97xf32> {glm.name = "x"}) -> tensor<2x97xf32> {
    return %x : tensor<2x97xf32>
  }
  // expected-error @below {{step_r3: result must be named logits, but found draft}}
  func.func @step_r3(%x: tensor<3x97xf32> {glm.name = "x"}) -> (tensor<3x97xf32> {glm.name = "draft"}) {
    return %x : tensor<3x97xf32>
  }
  // expected-error @below {{step_r4: a step must have one result, but found 2}}
  func.func @step_r4(%x: tensor<4x97xf32> {glm.name = "x"}) -> (tensor<4x97xf32> {glm.name = "logits"}, tensor<4x97xf32>) {
    return %x, %x : tensor<4x97xf32>, tensor<4x97xf32>
  }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [1], sequences = 2, positions = 100, page_size = 16>} {
  func.func @step(%x: tensor<?x48xf32> {glm.name = "x"}) -> (tensor<?x97xf32> {glm.name = "logits"}) {
    %w = glm.weight "lm_head.weight" : tensor<97x48xbf16>
    // expected-error @below {{glm.linear: shapes of a step must be static, but found 'tensor<?x97xf32>'}}
    %y = glm.linear %x, %w : tensor<?x48xf32>, tensor<97x48xbf16> -> tensor<?x97xf32>
    return %y : tensor<?x97xf32>
  }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [1], sequences = 2, positions = 100, page_size = 16>} {
  func.func @step_r1(%x: tensor<1x48xf32> {glm.name = "x"}) -> (tensor<1x97xf32> {glm.name = "logits"}) {
    %p = glm.weight "lm_head.weight" : tensor<97x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    // expected-error @below {{glm.dequant: packed weights must be read where they are used, but found a wide copy 'tensor<97x48xf32>'}}
    %w = glm.dequant %p : tensor<97x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<97x48xf32>
    %y = glm.linear %x, %w : tensor<1x48xf32>, tensor<97x48xf32> -> tensor<1x97xf32>
    return %y : tensor<1x97xf32>
  }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [1], sequences = 2, positions = 100, page_size = 16>} {
  // A deferred function keeps all of the contract but the static shapes.
  func.func @mtp(%q: tensor<?x42xf32> {glm.name = "q"}, %i: tensor<?x7xi32> {glm.name = "i"}, %t: tensor<?xi32> {glm.name = "t"}, %s: tensor<?xi32> {glm.name = "s"},
                 %p: tensor<2x7xi32> {glm.name = "p"}, %k: tensor<?x24xf32> {glm.name = "k"}) -> tensor<?x42xf32> attributes {glm.deferred} {
    %w = glm.weight "kv_b" : tensor<72x20xbf16>
    %c = glm.cache "c" : !glm.cache<24 x f32>
    %d = glm.cache_write %k into %c at %t, %s, %p : tensor<?x24xf32>, !glm.cache<24 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x7xi32>
    // expected-error @below {{glm.mla_attention: attention must be in the latent space, but found expanded keys and values}}
    %v = glm.mla_attention %q, %w in %d over %i at %s, %p heads 3 rope 4 scale 0.25 : tensor<?x42xf32>, tensor<72x20xbf16>, !glm.cache<24 x f32>, tensor<?x7xi32>, tensor<?xi32>, tensor<2x7xi32> -> tensor<?x42xf32>
    return %v : tensor<?x42xf32>
  }
  func.func @step_r1(%x: tensor<1x97xf32> {glm.name = "x"}) -> (tensor<1x97xf32> {glm.name = "logits"}) {
    return %x : tensor<1x97xf32>
  }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [1], sequences = 2, positions = 100, page_size = 16>} {
  func.func @step_r1(%x: tensor<1x48xf32> {glm.name = "x"}) -> (tensor<1x97xf32> {glm.name = "logits"}) {
    %w = glm.weight "lm_head.weight" : tensor<97x48xbf16>
    %c = glm.cache "layers.0.latent" : !glm.cache<24 x f32>
    %y = glm.linear %x, %w : tensor<1x48xf32>, tensor<97x48xbf16> -> tensor<1x97xf32>
    return %y : tensor<1x97xf32>
  }
  func.func @step_r2(%x: tensor<2x48xf32> {glm.name = "x"}) -> (tensor<2x97xf32> {glm.name = "logits"}) {
    // expected-error @below {{lm_head.weight: weight must have one type, but found 'tensor<97x48xf32>' and 'tensor<97x48xbf16>'}}
    %w = glm.weight "lm_head.weight" : tensor<97x48xf32>
    // expected-error @below {{layers.0.latent: cache must have one type, but found '!glm.cache<24 x bf16>' and '!glm.cache<24 x f32>'}}
    %c = glm.cache "layers.0.latent" : !glm.cache<24 x bf16>
    %y = glm.linear %x, %w : tensor<2x48xf32>, tensor<97x48xf32> -> tensor<2x97xf32>
    return %y : tensor<2x97xf32>
  }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [1], sequences = 2, positions = 100, page_size = 16>} {
  func.func @step_r1(%x: tensor<1x97xf32> {glm.name = "x"}, %k: tensor<1x24xf32> {glm.name = "k"}, %t: tensor<1xi32> {glm.name = "t"}, %s: tensor<1xi32> {glm.name = "s"},
                     %p: tensor<2x7xi32> {glm.name = "p"}) -> (tensor<1x97xf32> {glm.name = "logits"}) {
    %c = glm.cache "c" : !glm.cache<24 x f32>
    %d = glm.cache_write %k into %c at %t, %s, %p : tensor<1x24xf32>, !glm.cache<24 x f32>, tensor<1xi32>, tensor<1xi32>, tensor<2x7xi32>
    // expected-error @below {{glm.cache_write: a cache must be written once in a step, but found a second write}}
    %e = glm.cache_write %k into %d at %t, %s, %p : tensor<1x24xf32>, !glm.cache<24 x f32>, tensor<1xi32>, tensor<1xi32>, tensor<2x7xi32>
    return %x : tensor<1x97xf32>
  }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [1], sequences = 2, positions = 100, page_size = 16>} {
  func.func @step_r1(%x: tensor<1x97xf32> {glm.name = "x"}, %q: tensor<1x42xf32> {glm.name = "q"}, %ql: tensor<1x60xf32> {glm.name = "ql"}, %i: tensor<1x7xi32> {glm.name = "i"},
                     %k: tensor<1x24xf32> {glm.name = "k"}, %t: tensor<1xi32> {glm.name = "t"}, %s: tensor<1xi32> {glm.name = "s"}, %p: tensor<2x7xi32> {glm.name = "p"}, %h: tensor<1x1xf32> {glm.name = "h"})
      -> (tensor<1x97xf32> {glm.name = "logits"}) {
    %c = glm.cache "c" : !glm.cache<24 x f32>
    // expected-error @below {{glm.cache_write: a cache must be used by its write only, but found another use}}
    %d = glm.cache_write %k into %c at %t, %s, %p : tensor<1x24xf32>, !glm.cache<24 x f32>, tensor<1xi32>, tensor<1xi32>, tensor<2x7xi32>
    // expected-error @below {{glm.latent_attention: a cache must be read after the step's rows are written, but found one read before}}
    %v = glm.latent_attention %ql, %q in %c over %i at %s, %p heads 3 rope 4 scale 0.25 : tensor<1x60xf32>, tensor<1x42xf32>, !glm.cache<24 x f32>, tensor<1x7xi32>, tensor<1xi32>, tensor<2x7xi32> -> tensor<1x60xf32>
    // expected-error @below {{c: cache must be named once in a step, but found it twice}}
    %e = glm.cache "c" : !glm.cache<24 x f32>
    // expected-error @below {{glm.indexer: a cache must be read after the step's rows are written, but found one read before}}
    %j = glm.indexer %k, %h in %e at %t, %s, %p scale 0.125 top_k 7 : tensor<1x24xf32>, tensor<1x1xf32>, !glm.cache<24 x f32>, tensor<1xi32>, tensor<1xi32>, tensor<2x7xi32> -> tensor<1x7xi32>
    return %x : tensor<1x97xf32>
  }
}

// -----

module attributes {glm.limits = #glm.limits<rows = [1], sequences = 2, positions = 100, page_size = 16>} {
  func.func @step_r1(%t: tensor<1xi32> {glm.name = "t"}, %x: tensor<1x97xf32> {glm.name = "x"}) -> (tensor<1x97xf32> {glm.name = "logits"}) {
    %e = glm.weight "model.embed_tokens.weight" : tensor<97x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    // expected-error @below {{glm.embed: the table must be wide, but found 'tensor<97x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>'}}
    %h = glm.embed %t in %e : tensor<1xi32>, tensor<97x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<1x48xf32>
    return %x : tensor<1x97xf32>
  }
}
