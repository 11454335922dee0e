// RUN: glm-opt %s --split-input-file --verify-diagnostics

// What the verifiers of weights, rows and products in the model phase refuse, a case per question.

func.func @weight_name() {
  // expected-error @+1 {{name must be that of a tensor, but found none}}
  %w = glm.weight "" : tensor<7x40xbf16>
  return
}

// -----

func.func @weight_patterns() {
  // expected-error @+1 {{name must be a pattern with one {}, but found 2}}
  %w = glm.weight "layers.{}.experts.{}.weight" : tensor<5x7x40xf32>
  return
}

// -----

func.func @weight_rank() {
  // expected-error @+1 {{rank must be positive, but found 0}}
  %w = glm.weight "a.weight" : tensor<f32>
  return
}

// -----

func.func @weight_rank_bound() {
  // expected-error @+1 {{rank must be at most 3 (experts, rows, width), but found 4}}
  %w = glm.weight "e.{}.weight" : tensor<2x5x7x40xf32>
  return
}

// -----

func.func @weight_stack_name() {
  // expected-error @+1 {{{} in the name must be there with rank 3, but found none}}
  %w = glm.weight "a.weight" : tensor<5x7x40xf32>
  return
}

// -----

func.func @weight_matrix_name() {
  // expected-error @+1 {{{} in the name must be absent without rank 3, but found it}}
  %w = glm.weight "e.{}.weight" : tensor<7x40xbf16>
  return
}

// -----

func.func @weight_elements() {
  // expected-error @+1 {{number of elements must be positive, but found 0}}
  %w = glm.weight "a.weight" : tensor<0x40xf32>
  return
}

// -----

func.func @weight_encoding() {
  // expected-error @+1 {{#glm.nvfp4 must be there with f4E2M1FN values, but found none}}
  %w = glm.weight "a.weight" : tensor<48x32xf4E2M1FN>
  return
}

// -----

func.func @weight_shape() {
  // expected-error @+1 {{result #0 must be statically shaped tensor}}
  %w = glm.weight "a.weight" : tensor<?x40xf32>
  return
}

// -----

func.func @dequant_input(%w: tensor<48x32xbf16>) {
  // expected-error @+1 {{input must be packed, but found tensor<48x32xbf16>}}
  %y = glm.dequant %w : tensor<48x32xbf16> -> tensor<48x32xf32>
  return
}

// -----

func.func @dequant_result(%w: tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>) {
  // expected-error @+1 {{result must be wide, but found tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>}}
  %y = glm.dequant %w : tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
  return
}

// -----

func.func @dequant_shape(%w: tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>) {
  // expected-error @+1 {{result shape must be 48x32 (shape of input), but found 32x48}}
  %y = glm.dequant %w : tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<32x48xf32>
  return
}

// -----

func.func @embed_tokens(%tokens: tensor<?x1xi32>, %table: tensor<100x40xbf16>) {
  // expected-error @+1 {{tokens rank must be 1, but found 2}}
  %x = glm.embed %tokens in %table : tensor<?x1xi32>, tensor<100x40xbf16> -> tensor<?x40xf32>
  return
}

// -----

func.func @embed_table(%tokens: tensor<?xi32>, %table: tensor<100xf32>) {
  // expected-error @+1 {{table rank must be 2, but found 1}}
  %x = glm.embed %tokens in %table : tensor<?xi32>, tensor<100xf32> -> tensor<?x40xf32>
  return
}

// -----

func.func @embed_result(%tokens: tensor<?xi32>, %table: tensor<100x40xbf16>) {
  // expected-error @+1 {{result rank must be 2, but found 3}}
  %x = glm.embed %tokens in %table : tensor<?xi32>, tensor<100x40xbf16> -> tensor<?x1x40xf32>
  return
}

// -----

func.func @embed_result_static(%tokens: tensor<?xi32>, %table: tensor<100x40xbf16>) {
  // expected-error @+1 {{result width must be static, but found ?}}
  %x = glm.embed %tokens in %table : tensor<?xi32>, tensor<100x40xbf16> -> tensor<?x?xf32>
  return
}

// -----

func.func @embed_rows(%tokens: tensor<?xi32>, %table: tensor<100x40xbf16>) {
  // expected-error @+1 {{result rows must be ? (rows of tokens), but found 3}}
  %x = glm.embed %tokens in %table : tensor<?xi32>, tensor<100x40xbf16> -> tensor<3x40xf32>
  return
}

// -----

func.func @embed_width(%tokens: tensor<?xi32>, %table: tensor<100x40xbf16>) {
  // expected-error @+1 {{result width must be 40 (width of table), but found 39}}
  %x = glm.embed %tokens in %table : tensor<?xi32>, tensor<100x40xbf16> -> tensor<?x39xf32>
  return
}

// -----

func.func @select_rows_input(%x: tensor<40xf32>, %rows: tensor<2xi32>) {
  // expected-error @+1 {{input rank must be 2, but found 1}}
  %y = glm.select_rows %x at %rows : tensor<40xf32>, tensor<2xi32> -> tensor<2x40xf32>
  return
}

// -----

func.func @select_rows_list(%x: tensor<3x40xf32>, %rows: tensor<2x1xi32>) {
  // expected-error @+1 {{rows rank must be 1, but found 2}}
  %y = glm.select_rows %x at %rows : tensor<3x40xf32>, tensor<2x1xi32> -> tensor<2x40xf32>
  return
}

// -----

func.func @select_rows_result(%x: tensor<3x40xf32>, %rows: tensor<2xi32>) {
  // expected-error @+1 {{result rank must be 2, but found 1}}
  %y = glm.select_rows %x at %rows : tensor<3x40xf32>, tensor<2xi32> -> tensor<2xf32>
  return
}

// -----

func.func @select_rows_rows(%x: tensor<3x40xf32>, %rows: tensor<2xi32>) {
  // expected-error @+1 {{result rows must be 2 (rows of rows), but found 3}}
  %y = glm.select_rows %x at %rows : tensor<3x40xf32>, tensor<2xi32> -> tensor<3x40xf32>
  return
}

// -----

func.func @select_rows_width(%x: tensor<3x40xf32>, %rows: tensor<2xi32>) {
  // expected-error @+1 {{result width must be 40 (width of input), but found 41}}
  %y = glm.select_rows %x at %rows : tensor<3x40xf32>, tensor<2xi32> -> tensor<2x41xf32>
  return
}

// -----

func.func @rms_norm_input(%x: tensor<20xf32>, %w: tensor<16xbf16>) {
  // expected-error @+1 {{input rank must be 2, but found 1}}
  %y = glm.rms_norm %x, %w eps 1.0e-5 : tensor<20xf32>, tensor<16xbf16> -> tensor<20xf32>
  return
}

// -----

func.func @rms_norm_result(%x: tensor<3x20xf32>, %w: tensor<16xbf16>) {
  // expected-error @+1 {{result shape must be 3x20 (shape of input), but found 3x16}}
  %y = glm.rms_norm %x, %w eps 1.0e-5 : tensor<3x20xf32>, tensor<16xbf16> -> tensor<3x16xf32>
  return
}

// -----

func.func @rms_norm_weight(%x: tensor<3x20xf32>, %w: tensor<1x16xf32>) {
  // expected-error @+1 {{weight rank must be 1, but found 2}}
  %y = glm.rms_norm %x, %w eps 1.0e-5 : tensor<3x20xf32>, tensor<1x16xf32> -> tensor<3x20xf32>
  return
}

// -----

func.func @rms_norm_packed(%x: tensor<3x20xf32>, %w: tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>) {
  // expected-error @+1 {{weight must be wide, but found tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>}}
  %y = glm.rms_norm %x, %w eps 1.0e-5 : tensor<3x20xf32>, tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<3x20xf32>
  return
}

// -----

func.func @rms_norm_width(%x: tensor<3x20xf32>, %w: tensor<21xf32>) {
  // expected-error @+1 {{weight width must be at most 20 (width of input), but found 21}}
  %y = glm.rms_norm %x, %w eps 1.0e-5 : tensor<3x20xf32>, tensor<21xf32> -> tensor<3x20xf32>
  return
}

// -----

func.func @rms_norm_eps(%x: tensor<3x20xf32>, %w: tensor<16xbf16>) {
  // expected-error @+1 {{eps must be positive, but found 0}}
  %y = glm.rms_norm %x, %w eps 0.0 : tensor<3x20xf32>, tensor<16xbf16> -> tensor<3x20xf32>
  return
}

// -----

func.func @rms_norm_eps_sign(%x: tensor<3x20xf32>, %w: tensor<16xbf16>) {
  // expected-error @+1 {{eps must be positive, but found -0.5}}
  %y = glm.rms_norm %x, %w eps -0.5 : tensor<3x20xf32>, tensor<16xbf16> -> tensor<3x20xf32>
  return
}

// -----

func.func @rms_norm_eps_finite(%x: tensor<3x20xf32>, %w: tensor<16xbf16>) {
  // expected-error @+1 {{eps must be positive, but found +Inf}}
  %y = glm.rms_norm %x, %w eps 0x7F800000 : tensor<3x20xf32>, tensor<16xbf16> -> tensor<3x20xf32>
  return
}

// -----

func.func @layer_norm_input(%x: tensor<3x1x8xf32>, %w: tensor<8xbf16>, %b: tensor<8xbf16>) {
  // expected-error @+1 {{input rank must be 2, but found 3}}
  %y = glm.layer_norm %x, %w, %b eps 1.0e-6 : tensor<3x1x8xf32>, tensor<8xbf16>, tensor<8xbf16> -> tensor<3x1x8xf32>
  return
}

// -----

func.func @layer_norm_result(%x: tensor<3x8xf32>, %w: tensor<8xbf16>, %b: tensor<8xbf16>) {
  // expected-error @+1 {{result shape must be 3x8 (shape of input), but found 4x8}}
  %y = glm.layer_norm %x, %w, %b eps 1.0e-6 : tensor<3x8xf32>, tensor<8xbf16>, tensor<8xbf16> -> tensor<4x8xf32>
  return
}

// -----

func.func @layer_norm_width(%x: tensor<3x8xf32>, %w: tensor<9xf32>, %b: tensor<8xbf16>) {
  // expected-error @+1 {{weight width must be at most 8 (width of input), but found 9}}
  %y = glm.layer_norm %x, %w, %b eps 1.0e-6 : tensor<3x8xf32>, tensor<9xf32>, tensor<8xbf16> -> tensor<3x8xf32>
  return
}

// -----

func.func @layer_norm_bias(%x: tensor<3x8xf32>, %w: tensor<8xbf16>, %b: tensor<1x8xf32>) {
  // expected-error @+1 {{bias rank must be 1, but found 2}}
  %y = glm.layer_norm %x, %w, %b eps 1.0e-6 : tensor<3x8xf32>, tensor<8xbf16>, tensor<1x8xf32> -> tensor<3x8xf32>
  return
}

// -----

func.func @layer_norm_bias_packed(%x: tensor<3x8xf32>, %w: tensor<8xbf16>, %b: tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>) {
  // expected-error @+1 {{bias must be wide, but found tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>}}
  %y = glm.layer_norm %x, %w, %b eps 1.0e-6 : tensor<3x8xf32>, tensor<8xbf16>, tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<3x8xf32>
  return
}

// -----

func.func @layer_norm_bias_width(%x: tensor<3x8xf32>, %w: tensor<8xbf16>, %b: tensor<7xf32>) {
  // expected-error @+1 {{bias width must be 8 (width of weight), but found 7}}
  %y = glm.layer_norm %x, %w, %b eps 1.0e-6 : tensor<3x8xf32>, tensor<8xbf16>, tensor<7xf32> -> tensor<3x8xf32>
  return
}

// -----

func.func @add_rms_norm_input(%x: tensor<20xf32>, %d: tensor<3x20xf32>, %w: tensor<20xbf16>) {
  // expected-error @+1 {{input rank must be 2, but found 1}}
  %s, %y = glm.add_rms_norm %x plus %d, %w eps 1.0e-5 : tensor<20xf32>, tensor<3x20xf32>, tensor<20xbf16> -> tensor<3x20xf32>, tensor<3x20xf32>
  return
}

// -----

func.func @add_rms_norm_delta(%x: tensor<3x20xf32>, %d: tensor<3x19xf32>, %w: tensor<20xbf16>) {
  // expected-error @+1 {{delta shape must be 3x20 (shape of input), but found 3x19}}
  %s, %y = glm.add_rms_norm %x plus %d, %w eps 1.0e-5 : tensor<3x20xf32>, tensor<3x19xf32>, tensor<20xbf16> -> tensor<3x20xf32>, tensor<3x20xf32>
  return
}

// -----

func.func @add_rms_norm_sum(%x: tensor<3x20xf32>, %d: tensor<3x20xf32>, %w: tensor<20xbf16>) {
  // expected-error @+1 {{sum shape must be 3x20 (shape of input), but found 2x20}}
  %s, %y = glm.add_rms_norm %x plus %d, %w eps 1.0e-5 : tensor<3x20xf32>, tensor<3x20xf32>, tensor<20xbf16> -> tensor<2x20xf32>, tensor<3x20xf32>
  return
}

// -----

func.func @add_rms_norm_result(%x: tensor<3x20xf32>, %d: tensor<3x20xf32>, %w: tensor<20xbf16>) {
  // expected-error @+1 {{result shape must be 3x20 (shape of input), but found 3x21}}
  %s, %y = glm.add_rms_norm %x plus %d, %w eps 1.0e-5 : tensor<3x20xf32>, tensor<3x20xf32>, tensor<20xbf16> -> tensor<3x20xf32>, tensor<3x21xf32>
  return
}

// -----

func.func @add_rms_norm_weight(%x: tensor<3x20xf32>, %d: tensor<3x20xf32>, %w: tensor<21xf32>) {
  // expected-error @+1 {{weight width must be at most 20 (width of input), but found 21}}
  %s, %y = glm.add_rms_norm %x plus %d, %w eps 1.0e-5 : tensor<3x20xf32>, tensor<3x20xf32>, tensor<21xf32> -> tensor<3x20xf32>, tensor<3x20xf32>
  return
}

// -----

func.func @linear_input(%x: tensor<1x?x40xf32>, %w: tensor<7x40xbf16>) {
  // expected-error @+1 {{input rank must be 2, but found 3}}
  %y = glm.linear %x, %w : tensor<1x?x40xf32>, tensor<7x40xbf16> -> tensor<?x7xf32>
  return
}

// -----

func.func @linear_weight(%x: tensor<?x40xf32>, %w: tensor<5x7x40xf32>) {
  // expected-error @+1 {{weight rank must be 2, but found 3}}
  %y = glm.linear %x, %w : tensor<?x40xf32>, tensor<5x7x40xf32> -> tensor<?x7xf32>
  return
}

// -----

func.func @linear_weight_width(%x: tensor<?x40xf32>, %w: tensor<7x39xf32>) {
  // expected-error @+1 {{weight width must be 40 (width of input), but found 39}}
  %y = glm.linear %x, %w : tensor<?x40xf32>, tensor<7x39xf32> -> tensor<?x7xf32>
  return
}

// -----

func.func @linear_result(%x: tensor<?x40xf32>, %w: tensor<7x40xbf16>) {
  // expected-error @+1 {{result rank must be 2, but found 1}}
  %y = glm.linear %x, %w : tensor<?x40xf32>, tensor<7x40xbf16> -> tensor<?xf32>
  return
}

// -----

func.func @linear_rows(%x: tensor<?x40xf32>, %w: tensor<7x40xbf16>) {
  // expected-error @+1 {{result rows must be ? (rows of input), but found 3}}
  %y = glm.linear %x, %w : tensor<?x40xf32>, tensor<7x40xbf16> -> tensor<3x7xf32>
  return
}

// -----

func.func @linear_result_width(%x: tensor<?x40xf32>, %w: tensor<7x40xbf16>) {
  // expected-error @+1 {{result width must be 7 (rows of weight), but found 8}}
  %y = glm.linear %x, %w : tensor<?x40xf32>, tensor<7x40xbf16> -> tensor<?x8xf32>
  return
}

// -----

func.func @projections_input(%x: tensor<40xf32>, %v: tensor<7x40xbf16>, %w: tensor<5x40xf32>) {
  // expected-error @+1 {{input rank must be 2, but found 1}}
  %y, %z = glm.projections %x by %v, %w : tensor<40xf32>, tensor<7x40xbf16>, tensor<5x40xf32> -> tensor<?x7xf32>, tensor<?x5xf32>
  return
}

// -----

func.func @projections_weights(%x: tensor<?x40xf32>) {
  // expected-error @+1 {{number of weights must be positive, but found 0}}
  "glm.projections"(%x) : (tensor<?x40xf32>) -> ()
  return
}

// -----

func.func @projections_results(%x: tensor<?x40xf32>, %v: tensor<7x40xbf16>, %w: tensor<5x40xf32>) {
  // expected-error @+1 {{number of results must be 2 (number of weights), but found 1}}
  %y = glm.projections %x by %v, %w : tensor<?x40xf32>, tensor<7x40xbf16>, tensor<5x40xf32> -> tensor<?x7xf32>
  return
}

// -----

func.func @projections_second_weight(%x: tensor<?x40xf32>, %v: tensor<7x40xbf16>, %w: tensor<5x41xf32>) {
  // expected-error @+1 {{weight width must be 40 (width of input), but found 41}}
  %y, %z = glm.projections %x by %v, %w : tensor<?x40xf32>, tensor<7x40xbf16>, tensor<5x41xf32> -> tensor<?x7xf32>, tensor<?x5xf32>
  return
}

// -----

func.func @projections_second_result(%x: tensor<?x40xf32>, %v: tensor<7x40xbf16>, %w: tensor<5x40xf32>) {
  // expected-error @+1 {{result width must be 5 (rows of weight), but found 7}}
  %y, %z = glm.projections %x by %v, %w : tensor<?x40xf32>, tensor<7x40xbf16>, tensor<5x40xf32> -> tensor<?x7xf32>, tensor<?x7xf32>
  return
}

// -----

func.func @head_linear_input(%x: tensor<?x3x10xf32>, %w: tensor<33x16xbf16>) {
  // expected-error @+1 {{input rank must be 2, but found 3}}
  %y = glm.head_linear %x, %w heads 3 rows 0 plus 6 of 11 transposed : tensor<?x3x10xf32>, tensor<33x16xbf16> -> tensor<?x48xf32>
  return
}

// -----

func.func @head_linear_weight(%x: tensor<?x30xf32>, %w: tensor<3x11x16xf32>) {
  // expected-error @+1 {{weight rank must be 2, but found 3}}
  %y = glm.head_linear %x, %w heads 3 rows 0 plus 6 of 11 transposed : tensor<?x30xf32>, tensor<3x11x16xf32> -> tensor<?x48xf32>
  return
}

// -----

func.func @head_linear_result(%x: tensor<?x30xf32>, %w: tensor<33x16xbf16>) {
  // expected-error @+1 {{result rank must be 2, but found 3}}
  %y = glm.head_linear %x, %w heads 3 rows 0 plus 6 of 11 transposed : tensor<?x30xf32>, tensor<33x16xbf16> -> tensor<?x3x16xf32>
  return
}

// -----

func.func @head_linear_rows(%x: tensor<?x30xf32>, %w: tensor<33x16xbf16>) {
  // expected-error @+1 {{result rows must be ? (rows of input), but found 4}}
  %y = glm.head_linear %x, %w heads 3 rows 0 plus 6 of 11 transposed : tensor<?x30xf32>, tensor<33x16xbf16> -> tensor<4x48xf32>
  return
}

// -----

func.func @head_linear_heads(%x: tensor<?x30xf32>, %w: tensor<33x16xbf16>) {
  // expected-error @+1 {{heads must be positive, but found 0}}
  %y = glm.head_linear %x, %w heads 0 rows 0 plus 6 of 11 transposed : tensor<?x30xf32>, tensor<33x16xbf16> -> tensor<?x48xf32>
  return
}

// -----

func.func @head_linear_input_heads(%x: tensor<?x31xf32>, %w: tensor<33x16xbf16>) {
  // expected-error @+1 {{input width must be a multiple of 3 (heads), but found 31}}
  %y = glm.head_linear %x, %w heads 3 rows 0 plus 6 of 11 transposed : tensor<?x31xf32>, tensor<33x16xbf16> -> tensor<?x48xf32>
  return
}

// -----

func.func @head_linear_head_rows(%x: tensor<?x30xf32>, %w: tensor<33x16xbf16>) {
  // expected-error @+1 {{head_rows must be positive, but found 0}}
  %y = glm.head_linear %x, %w heads 3 rows 0 plus 6 of 0 transposed : tensor<?x30xf32>, tensor<33x16xbf16> -> tensor<?x48xf32>
  return
}

// -----

func.func @head_linear_row_begin(%x: tensor<?x30xf32>, %w: tensor<33x16xbf16>) {
  // expected-error @+1 {{row_begin must be 0 or more, but found -1}}
  %y = glm.head_linear %x, %w heads 3 rows -1 plus 6 of 11 transposed : tensor<?x30xf32>, tensor<33x16xbf16> -> tensor<?x48xf32>
  return
}

// -----

func.func @head_linear_row_count(%x: tensor<?x30xf32>, %w: tensor<33x16xbf16>) {
  // expected-error @+1 {{row_count must be positive, but found 0}}
  %y = glm.head_linear %x, %w heads 3 rows 0 plus 0 of 11 transposed : tensor<?x30xf32>, tensor<33x16xbf16> -> tensor<?x48xf32>
  return
}

// -----

func.func @head_linear_row_range(%x: tensor<?x30xf32>, %w: tensor<33x16xbf16>) {
  // expected-error @+1 {{row_begin + row_count must be at most 11 (head_rows), but found 12}}
  %y = glm.head_linear %x, %w heads 3 rows 6 plus 6 of 11 transposed : tensor<?x30xf32>, tensor<33x16xbf16> -> tensor<?x48xf32>
  return
}

// -----

func.func @head_linear_weight_rows(%x: tensor<?x30xf32>, %w: tensor<32x16xf32>) {
  // expected-error @+1 {{weight rows must be 33 (heads * head_rows), but found 32}}
  %y = glm.head_linear %x, %w heads 3 rows 0 plus 6 of 11 transposed : tensor<?x30xf32>, tensor<32x16xf32> -> tensor<?x48xf32>
  return
}

// -----

func.func @head_linear_transposed_input(%x: tensor<?x15xf32>, %w: tensor<33x16xbf16>) {
  // expected-error @+1 {{columns read of a head must be at most 5 (width of input / heads), but found 6}}
  %y = glm.head_linear %x, %w heads 3 rows 0 plus 6 of 11 transposed : tensor<?x15xf32>, tensor<33x16xbf16> -> tensor<?x48xf32>
  return
}

// -----

func.func @head_linear_transposed_width(%x: tensor<?x30xf32>, %w: tensor<33x16xbf16>) {
  // expected-error @+1 {{result width must be 48 (heads * width of weight), but found 18}}
  %y = glm.head_linear %x, %w heads 3 rows 0 plus 6 of 11 transposed : tensor<?x30xf32>, tensor<33x16xbf16> -> tensor<?x18xf32>
  return
}

// -----

func.func @head_linear_plain_input(%x: tensor<?x30xf32>, %w: tensor<33x16xbf16>) {
  // expected-error @+1 {{columns read of a head must be at most 10 (width of input / heads), but found 16}}
  %y = glm.head_linear %x, %w heads 3 rows 0 plus 6 of 11 : tensor<?x30xf32>, tensor<33x16xbf16> -> tensor<?x18xf32>
  return
}

// -----

func.func @head_linear_plain_width(%x: tensor<?x48xf32>, %w: tensor<33x16xbf16>) {
  // expected-error @+1 {{result width must be 18 (heads * row_count), but found 48}}
  %y = glm.head_linear %x, %w heads 3 rows 0 plus 6 of 11 : tensor<?x48xf32>, tensor<33x16xbf16> -> tensor<?x48xf32>
  return
}
