// RUN: glm-opt --glm-select-schedule --glm-outline-kernels %s | FileCheck %s

#target = #glm.target<chip = "sm_120a", triple = "nvptx64-nvidia-cuda", cpu = "sm_120a", features = "+ptx87", vector_bits = 128>

// A block of 16 warps for each row; four logits at once where rows let them. Counts, then weights in two words with a carry, are added in
// shared memory; the draw is a product of 128 bits.
module attributes {glm.target = #target} {
  // CHECK: module @sample_f32_w200 attributes {{.*}}glm.threads = 512 : i64}
  // CHECK: vector.load {{.*}} : memref<?x200xf32>, vector<4xf32>
  // CHECK: memref.atomic_rmw addi {{.*}} : (i32, memref<256xi32, 3>) -> i32
  // CHECK: arith.cmpi ult
  // CHECK: memref.atomic_rmw addi {{.*}} : (i32, memref<256xi32, 3>) -> i32
  // CHECK: arith.mului_extended {{.*}} : i64
  // CHECK: module @sample_f32_w201
  // CHECK-NOT: vector<4xf32>
  // CHECK: glm.plan.launch @sample_f32_w200 {{.*}} blocks 3
  // CHECK-NEXT: glm.plan.launch @sample_f32_w201 {{.*}} blocks 3 output_rows
  func.func @step(%logits: memref<3x200xf32> {glm.name = "logits", glm.offset = 0 : i64}, %sampling: memref<3x5xi32> {glm.name = "sampling", glm.offset = 2432 : i64}, %other: memref<3x201xf32> {glm.name = "other", glm.offset = 2560 : i64}, %sampled: memref<7xi32> {glm.name = "sampled", glm.offset = 4992 : i64}) {
    glm.kernel.sample %logits by %sampling to %sampled : memref<3x200xf32>, memref<3x5xi32>, memref<7xi32>
    glm.kernel.sample %other by %sampling to %sampled {glm.output_rows} : memref<3x201xf32>, memref<3x5xi32>, memref<7xi32>
    return
  }
}
