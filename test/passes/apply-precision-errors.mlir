// RUN: glm-opt %s --glm-apply-precision --split-input-file --verify-diagnostics

// expected-error @below {{precision: activations must be bf16, f32 or nvfp4, but found fp8}}
module attributes {glm.precision = [#glm.rule<subject = activations, pattern = "*", type = "fp8", source = "--activations">]} {
}

// -----

// expected-error @below {{precision: pattern of activations must be *, but found model.layers.3.*}}
module attributes {glm.precision = [#glm.rule<subject = activations, pattern = "model.layers.3.*", type = "bf16", source = "rules.json:4">]} {
}

// -----

// expected-error @below {{precision: type of rule "*" (rules.json:4) must be nvfp4, bf16, f32, wide or stored, but found fp8}}
module attributes {glm.precision = [#glm.rule<subject = weights, pattern = "*", type = "fp8", source = "rules.json:4">]} {
}

// -----

module attributes {glm.precision = [#glm.rule<subject = weights, pattern = "*", type = "wide", source = "rules.json:3">,
                                    #glm.rule<subject = weights, pattern = "*experts*", type = "nvfp4", source = "rules.json:4">]} {
  func.func @wide_but_should_be_packed(%x: tensor<?x48xf32>) -> tensor<?x32xf32> {
    // expected-error @below {{layers.7.experts.up_proj.weight: precision must be nvfp4 by rule "*experts*" (rules.json:4), but found bf16 in the checkpoint}}
    %w = glm.weight "layers.7.experts.up_proj.weight" : tensor<32x48xbf16>
    %y = glm.linear %x, %w : tensor<?x48xf32>, tensor<32x48xbf16> -> tensor<?x32xf32>
    return %y : tensor<?x32xf32>
  }
}

// -----

module attributes {glm.precision = [#glm.rule<subject = weights, pattern = "lm_head", type = "wide", source = "hf_quant_config.json:12">]} {
  func.func @packed_but_should_be_wide(%x: tensor<?x48xf32>) -> tensor<?x32xf32> {
    // expected-error @below {{lm_head.weight: precision must be wide by rule "lm_head" (hf_quant_config.json:12), but found nvfp4 in the checkpoint}}
    %p = glm.weight "lm_head.weight" : tensor<32x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    %w = glm.dequant %p : tensor<32x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<32x48xf32>
    %y = glm.linear %x, %w : tensor<?x48xf32>, tensor<32x48xf32> -> tensor<?x32xf32>
    return %y : tensor<?x32xf32>
  }
}

// -----

// The experts of a layer are stored alike: the first speaks for all of them.
module attributes {glm.precision = [#glm.rule<subject = weights, pattern = "experts.?.gate", type = "nvfp4", source = "rules.json:4">]} {
  func.func @experts(%x: tensor<?x48xf32>, %e: tensor<?x2xi32>, %r: tensor<?x2xf32>, %u: tensor<5x32x48xbf16>, %d: tensor<5x48x32xbf16>) -> tensor<?x48xf32> {
    // expected-error @below {{experts.{}.gate.weight: precision must be nvfp4 by rule "experts.?.gate" (rules.json:4), but found bf16 in the checkpoint}}
    %g = glm.weight "experts.{}.gate.weight" : tensor<5x32x48xbf16>
    %y = glm.moe %x to %e, %r gate %g up %u down %d : tensor<?x48xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x32x48xbf16>, tensor<5x32x48xbf16>, tensor<5x48x32xbf16> -> tensor<?x48xf32>
    return %y : tensor<?x48xf32>
  }
}
