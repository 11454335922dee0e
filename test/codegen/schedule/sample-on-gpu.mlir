// RUN: glm-opt --split-input-file --verify-diagnostics --glm-sample-on-gpu %s | FileCheck %s
// RUN: glm-opt --split-input-file --verify-diagnostics --glm-sample-on-gpu --glm-plan-memory --glm-verify-kernel --glm-select-schedule --glm-outline-kernels %s | FileCheck %s --check-prefix=PLAN

#gpu = #glm.target<chip = "sm_120a", triple = "nvptx64-nvidia-cuda", cpu = "sm_120a", features = "+ptx87", vector_bits = 128>

// What was sampled outlives a step, with room for the rows of the largest program; the words of a draw come with each step.
// CHECK-LABEL: module attributes
// CHECK: memref.global "private" @sampled : memref<4xi32> = uninitialized
// PLAN-LABEL: module attributes
// PLAN-DAG: glm.plan.buffer @sampled cache offset 0 bytes 16
// PLAN-DAG: glm.plan.buffer @sampling input offset {{[0-9]+}} bytes 80
// PLAN-DAG: func.func @sample_f32_w9
// PLAN: glm.plan.program @step_r1
// PLAN-NEXT: glm.plan.launch @[[EMBED:embed_bf16_n9k40]] [@tokens, @sampled, @table, @{{.*}}] blocks 1
// PLAN-NEXT: glm.plan.launch @gemm
// PLAN-NEXT: glm.plan.launch @sample_f32_w9 [@logits, @sampling, @sampled] blocks 1 output_rows
// PLAN-NOT: module @
// PLAN: glm.plan.program @step_r4
// PLAN-NEXT: glm.plan.launch @[[EMBED]] [@tokens, @sampled, @table, @{{.*}}] blocks 4
// PLAN-NEXT: glm.plan.launch @gemm
// PLAN-NEXT: glm.plan.launch @sample_f32_w9 [@logits, @sampling, @sampled] blocks 4 output_rows
module attributes {glm.target = #gpu} {
  // CHECK: func.func @step_r1(%[[TOKENS:.*]]: memref<1xi32> {glm.name = "tokens"}, %[[LOGITS:.*]]: memref<1x9xf32> {glm.name = "logits"}, %[[SAMPLING:.*]]: memref<1x5xi32> {glm.name = "sampling"})
  func.func @step_r1(%tokens: memref<1xi32> {glm.name = "tokens"}, %logits: memref<1x9xf32> {glm.name = "logits"}) {
    // CHECK: %[[SAMPLED:.*]] = memref.get_global @sampled : memref<4xi32>
    // CHECK: glm.kernel.embed tokens %[[TOKENS]] or %[[SAMPLED]] table
    // CHECK: glm.kernel.gemm
    // CHECK-NEXT: glm.kernel.sample %[[LOGITS]] by %[[SAMPLING]] to %[[SAMPLED]] {glm.output_rows}
    // CHECK-NEXT: return
    %table = glm.weight "table" : tensor<9x40xbf16>
    %x = memref.alloc() : memref<1x40xbf16>
    glm.kernel.embed tokens %tokens table %table to %x : memref<1xi32>, tensor<9x40xbf16>, memref<1x40xbf16>
    glm.kernel.gemm <store> %x by %table to %logits {glm.output_rows} : memref<1x40xbf16> by tensor<9x40xbf16> to memref<1x9xf32>
    return
  }

  // CHECK: func.func @step_r4({{.*}}, %{{.*}}: memref<4x5xi32> {glm.name = "sampling"})
  func.func @step_r4(%tokens: memref<4xi32> {glm.name = "tokens"}, %logits: memref<4x9xf32> {glm.name = "logits"}) {
    // CHECK: glm.kernel.sample {{.*}} : memref<4x9xf32>, memref<4x5xi32>, memref<4xi32>
    %table = glm.weight "table" : tensor<9x40xbf16>
    %x = memref.alloc() : memref<4x40xbf16>
    glm.kernel.embed tokens %tokens table %table to %x : memref<4xi32>, tensor<9x40xbf16>, memref<4x40xbf16>
    glm.kernel.gemm <store> %x by %table to %logits {glm.output_rows} : memref<4x40xbf16> by tensor<9x40xbf16> to memref<4x9xf32>
    return
  }
}

// -----

// Hosts are left alone.
#host = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2", vector_bits = 256>
// CHECK-LABEL: module attributes
// CHECK-NOT: @sampled
// CHECK: func.func @host(%{{.*}}: memref<1xi32> {glm.name = "tokens"}, %{{.*}}: memref<1x9xf32> {glm.name = "logits"})
// CHECK-NOT: glm.kernel.sample
module attributes {glm.target = #host} {
  func.func @host(%tokens: memref<1xi32> {glm.name = "tokens"}, %logits: memref<1x9xf32> {glm.name = "logits"}) {
    %table = glm.weight "table" : tensor<9x40xbf16>
    %x = memref.alloc() : memref<1x40xbf16>
    glm.kernel.embed tokens %tokens table %table to %x : memref<1xi32>, tensor<9x40xbf16>, memref<1x40xbf16>
    glm.kernel.gemm <store> %x by %table to %logits : memref<1x40xbf16> by tensor<9x40xbf16> to memref<1x9xf32>
    return
  }
}

// -----

#gpu = #glm.target<chip = "sm_120a", triple = "nvptx64-nvidia-cuda", cpu = "sm_120a", features = "+ptx87", vector_bits = 128>
module attributes {glm.target = #gpu} {
  // expected-error @+1 {{step must have an argument logits, but found none}}
  func.func @none(%tokens: memref<1xi32> {glm.name = "tokens"}) {
    return
  }
}
