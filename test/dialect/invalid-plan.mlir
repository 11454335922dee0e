// RUN: glm-opt %s --split-input-file --verify-diagnostics

// What the verifiers of the plan phase refuse, a case per question.

// expected-error @+1 {{dtype must be BF16, F16, F32, U8 or F8_E4M3, but found I64}}
glm.plan.weight @weight_dtype data "a.weight" count 1 dtype "I64" shape [40]

// -----

// expected-error @+1 {{count must be positive, but found 0}}
glm.plan.weight @weight_count table "e.{}.weight" count 0 dtype "BF16" shape [40]

// -----

// expected-error @+1 {{count must be 1 (a name without {}), but found 2}}
glm.plan.weight @weight_pattern scalars "a.weight_scale_2" count 2 dtype "F32" shape []

// -----

// expected-error @+1 {{{} in the name must be there with form table, but found none}}
glm.plan.weight @weight_table table "a.weight" count 1 dtype "BF16" shape [40]

// -----

// expected-error @+1 {{{} in the name must be absent without form table, but found it}}
glm.plan.weight @weight_data data "e.{}.weight" count 5 dtype "BF16" shape [40]

// -----

// expected-error @+1 {{rank must be positive, but found 0}}
glm.plan.weight @weight_rank data "a.weight" count 1 dtype "BF16" shape []

// -----

// expected-error @+1 {{rank must be 0 (scalars), but found 1}}
glm.plan.weight @weight_scalars scalars "a.weight_scale_2" count 1 dtype "F32" shape [1]

// -----

// expected-error @+1 {{size must be positive, but found 0}}
glm.plan.weight @weight_size data "a.weight" count 1 dtype "BF16" shape [40, 0]

// -----

// expected-error @+1 {{reciprocal must be absent without form scalars, but found it}}
glm.plan.weight @weight_reciprocal data "a.weight" count 1 dtype "BF16" shape [40] reciprocal

// -----

// expected-error @+1 {{form of what is filled must be data or table, but found scalars}}
glm.plan.weight @weight_filled scalars "a.weight_scale_2" count 1 dtype "F32" shape [] filled

// -----

// expected-error @+1 {{body must be launches, but found glm.plan.buffer}}
glm.plan.load {
  glm.plan.buffer @x arena offset 0 bytes 64
}

// -----

// expected-error @+1 {{offset must be 0 or more, but found -64}}
glm.plan.buffer @buffer_offset arena offset -64 bytes 64

// -----

// expected-error @+1 {{offset must be a multiple of 64 (alignment), but found 32}}
glm.plan.buffer @buffer_alignment arena offset 32 bytes 64

// -----

// expected-error @+1 {{offset must be 0 (memory of its own), but found 64}}
glm.plan.buffer @buffer_cache cache offset 64 bytes 64

// -----

// expected-error @+1 {{bytes must be positive, but found 0}}
glm.plan.buffer @buffer_bytes output offset 64 bytes 0

// -----

// expected-error @+1 {{rows must be positive, but found 0}}
glm.plan.program @program_rows rows 0 {
  glm.plan.launch @kernel []
}
module @kernel {}

// -----

// expected-error @+1 {{body must be launches, but found glm.plan.buffer}}
glm.plan.program @program_body rows 1 {
  glm.plan.buffer @x arena offset 0 bytes 64
}

// -----

module @kernel {}
// expected-error @+1 {{'glm.plan.launch' op expects parent op to be one of 'glm.plan.program, glm.plan.load'}}
glm.plan.launch @kernel []

// -----

glm.plan.program @launch_kernel rows 1 {
  // expected-error @+1 {{kernel must be a module beside the program, but found @kernel}}
  glm.plan.launch @kernel []
}

// -----

module @kernel {}
glm.plan.program @launch_argument rows 1 {
  // expected-error @+1 {{argument must be a glm.plan.buffer or glm.plan.weight, but found @kernel}}
  glm.plan.launch @kernel [@kernel]
}

// -----

module @kernel {}
glm.plan.buffer @x arena offset 0 bytes 64
glm.plan.program @launch_tapped_alone rows 1 {
  // expected-error @+1 {{tapped must be absent without tap, but found it}}
  glm.plan.launch @kernel [@x] {tapped = @x}
}

// -----

module @kernel {}
glm.plan.buffer @x arena offset 0 bytes 64
glm.plan.program @launch_tapped rows 1 {
  // expected-error @+1 {{tapped must be there with tap, but found none}}
  glm.plan.launch @kernel [@x] {tap = "hidden.0", tap_type = "BF16", tap_width = 40}
}

// -----

module @kernel {}
glm.plan.buffer @x arena offset 0 bytes 64
glm.plan.program @launch_tap_type rows 1 {
  // expected-error @+1 {{tap_type must be there with tap, but found none}}
  glm.plan.launch @kernel [@x] {tap = "hidden.0", tapped = @x, tap_width = 40}
}

// -----

module @kernel {}
glm.plan.buffer @x arena offset 0 bytes 64
glm.plan.program @launch_tap_width rows 1 {
  // expected-error @+1 {{tap_width must be there with tap, but found none}}
  glm.plan.launch @kernel [@x] {tap = "hidden.0", tapped = @x, tap_type = "BF16"}
}

// -----

module @kernel {}
glm.plan.buffer @x arena offset 0 bytes 64
glm.plan.program @launch_tap_type_known rows 1 {
  // expected-error @+1 {{tap_type must be I32, F32 or BF16, but found F64}}
  glm.plan.launch @kernel [@x] {tap = "hidden.0", tapped = @x, tap_type = "F64", tap_width = 40}
}

// -----

module @kernel {}
glm.plan.buffer @x arena offset 0 bytes 64
glm.plan.program @launch_tap_width_range rows 1 {
  // expected-error @+1 {{tap_width must be positive, but found 0}}
  glm.plan.launch @kernel [@x] {tap = "hidden.0", tapped = @x, tap_type = "BF16", tap_width = 0}
}

// -----

module @kernel {}
glm.plan.buffer @x arena offset 0 bytes 64
glm.plan.buffer @y arena offset 64 bytes 64
glm.plan.program @launch_tapped_argument rows 1 {
  // expected-error @+1 {{tapped must be an argument, but found @y}}
  glm.plan.launch @kernel [@x] {tap = "hidden.0", tapped = @y, tap_type = "BF16", tap_width = 40}
}

// -----

module @kernel {}
glm.plan.weight @w data "a.weight" count 1 dtype "BF16" shape [40]
glm.plan.program @launch_tapped_buffer rows 1 {
  // expected-error @+1 {{tapped must be a glm.plan.buffer, but found @w}}
  glm.plan.launch @kernel [@w] {tap = "hidden.0", tapped = @w, tap_type = "BF16", tap_width = 40}
}
