// RUN: glm-opt %s --split-input-file --verify-diagnostics

// What the verifiers of attributes and types refuse, a case per question.

// expected-error @+1 {{nvfp4: block must be positive, but found 0}}
func.func private @nvfp4_block() attributes {glm.test = #glm.nvfp4<block = 0, source = modelopt>}

// -----

// expected-error @+1 {{nvfp4: block of tiles must be 16, but found 32}}
func.func private @nvfp4_tiles() attributes {glm.test = #glm.nvfp4<block = 32, source = modelopt, tiled = true>}

// -----

// expected-error @+1 {{nvfp4: element type must be f4E2M1FN, but found 'f8E4M3FN'}}
func.func private @nvfp4_element(tensor<48x32xf8E4M3FN, #glm.nvfp4<block = 16, source = modelopt>>)

// -----

// expected-error @+1 {{nvfp4: rank must be 2, or 3 for experts, but found 1}}
func.func private @nvfp4_rank(tensor<32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>)

// -----

// expected-error @+1 {{nvfp4: width must be a multiple of the block 16, but found 40}}
func.func private @nvfp4_width(tensor<48x40xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>)

// -----

// expected-error @+1 {{rule: pattern must be there, but found none}}
func.func private @rule_pattern() attributes {glm.test = #glm.rule<subject = weights, pattern = "", type = "bf16", source = "--set">}

// -----

// expected-error @+1 {{rule: type must be there, but found none}}
func.func private @rule_type() attributes {glm.test = #glm.rule<subject = weights, pattern = "*", type = "", source = "--set">}

// -----

// expected-error @+1 {{limits: rows must be positive and ascending, but found 0 after 0}}
func.func private @limits_rows_positive() attributes {glm.test = #glm.limits<rows = [0, 16], sequences = 8, positions = 128, page_size = 64>}

// -----

// expected-error @+1 {{limits: rows must be positive and ascending, but found 16 after 16}}
func.func private @limits_rows_ascending() attributes {glm.test = #glm.limits<rows = [1, 16, 16], sequences = 8, positions = 128, page_size = 64>}

// -----

// expected-error @+2 {{expected integer value}}
// expected-error @+1 {{failed to parse Glm_LimitsAttr parameter 'rows'}}
func.func private @limits_rows_empty() attributes {glm.test = #glm.limits<rows = [], sequences = 8, positions = 128, page_size = 64>}

// -----

// expected-error @+1 {{limits: sequences must be positive, but found 0}}
func.func private @limits_sequences() attributes {glm.test = #glm.limits<rows = [1], sequences = 0, positions = 128, page_size = 64>}

// -----

// expected-error @+1 {{limits: positions must be positive, but found -1}}
func.func private @limits_positions() attributes {glm.test = #glm.limits<rows = [1], sequences = 8, positions = -1, page_size = 64>}

// -----

// expected-error @+1 {{limits: page_size must be positive, but found 0}}
func.func private @limits_page_size() attributes {glm.test = #glm.limits<rows = [1], sequences = 8, positions = 128, page_size = 0>}

// -----

// expected-error @+1 {{target: chip must be there, but found none}}
func.func private @target_chip() attributes {glm.test = #glm.target<chip = "", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx", vector_bits = 512>}

// -----

// expected-error @+1 {{target: features must be written +one,+two, but found +avx512f,avx512bf16}}
func.func private @target_features() attributes {glm.test = #glm.target<chip = "x", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx512f,avx512bf16", vector_bits = 512>}

// -----

// expected-error @+1 {{target: vector_bits must be positive, but found 0}}
func.func private @target_vector_bits() attributes {glm.test = #glm.target<chip = "x", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx", vector_bits = 0>}

// -----

// expected-error @+1 {{schedule: family must be there, but found none}}
func.func private @schedule_family() attributes {glm.test = #glm.schedule<family = "", tile_m = 1, tile_n = 1>}

// -----

// expected-error @+1 {{schedule: tile_m must be positive, but found 0}}
func.func private @schedule_tile_m() attributes {glm.test = #glm.schedule<family = "plain", tile_m = 0, tile_n = 1>}

// -----

// expected-error @+1 {{schedule: tile_n must be positive, but found -1}}
func.func private @schedule_tile_n() attributes {glm.test = #glm.schedule<family = "plain", tile_m = 1, tile_n = -1>}

// -----

// expected-error @+1 {{cache: width must be positive, but found 0}}
func.func private @cache_width(!glm.cache<0 x bf16>)

// -----

// expected-error @+1 {{cache: element type must be f32 or bf16, but found 'f16'}}
func.func private @cache_element(!glm.cache<20 x f16>)
