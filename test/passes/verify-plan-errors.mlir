// RUN: glm-opt --split-input-file --verify-diagnostics --glm-verify-plan %s

// expected-error @+3 {{module must have glm.arena_bytes, but found none}}
// expected-error @+2 {{module must have glm.limits, but found none}}
// expected-error @+1 {{module must have glm.target, but found none}}
module {
}

// -----

module attributes {glm.arena_bytes = 512 : i64, glm.limits = #glm.limits<rows = [1], sequences = 2, positions = 192, page_size = 64>, glm.target = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2", vector_bits = 256>} {
  // expected-error @+1 {{plan phase must hold plan ops and kernels, but found func.func}}
  func.func private @step_r1()
}

// -----

module attributes {glm.arena_bytes = 512 : i64, glm.limits = #glm.limits<rows = [1], sequences = 2, positions = 192, page_size = 64>, glm.target = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2", vector_bits = 256>} {
  // expected-error @+1 {{buffer must lie within the arena of 512 bytes, but found its end at 513}}
  glm.plan.buffer @x arena offset 448 bytes 65
}

// -----

module attributes {glm.arena_bytes = 512 : i64, glm.limits = #glm.limits<rows = [1], sequences = 2, positions = 192, page_size = 64>, glm.target = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2", vector_bits = 256>} {
  // expected-error @+1 {{kernel must hold a function of its name, but found none in add_f32_w9}}
  module @add_f32_w9 {
  }
}

// -----

module attributes {glm.arena_bytes = 512 : i64, glm.limits = #glm.limits<rows = [1], sequences = 2, positions = 192, page_size = 64>, glm.target = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2", vector_bits = 256>} {
  // expected-error @+1 {{kernel must hold a function of its name, but found none in a module without name}}
  module {
  }
}

// -----

// expected-error @+1 {{programs must have the rows of the limits, in their order: [1, 3], but found [3, 1]}}
module attributes {glm.arena_bytes = 512 : i64, glm.limits = #glm.limits<rows = [1, 3], sequences = 2, positions = 192, page_size = 64>, glm.target = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2", vector_bits = 256>} {
  glm.plan.program @step_r3 rows 3 {
  }
  glm.plan.program @step_r1 rows 1 {
  }
}

// -----

// expected-error @+1 {{programs must have the rows of the limits, in their order: [1], but found []}}
module attributes {glm.arena_bytes = 512 : i64, glm.limits = #glm.limits<rows = [1], sequences = 2, positions = 192, page_size = 64>, glm.target = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2", vector_bits = 256>} {
}
