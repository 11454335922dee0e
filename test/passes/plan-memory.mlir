// RUN: glm-opt --split-input-file --glm-plan-memory %s | FileCheck %s
// RUN: glm-opt --split-input-file --glm-plan-memory --remarks-filter-analyse=glm-plan-memory %s 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// Inputs and logits come first, at the same offsets in every program, sized for the largest: 5 x i32 take one unit of 64 bytes,
// 17 x i32 two. Logits are 17 x 3 x 4 = 204 bytes, four units.
// CHECK: module attributes {glm.arena_bytes = 384 : i64}
module {
  // CHECK-LABEL: func.func @step_r5(
  // CHECK-SAME: {glm.name = "tokens", glm.offset = 0 : i64}, {{.*}} {glm.name = "logits", glm.offset = 128 : i64})
  func.func @step_r5(%tokens: memref<5xi32> {glm.name = "tokens"}, %logits: memref<5x3xf32> {glm.name = "logits"}) {
    %table = glm.weight "table" : tensor<9x3xbf16>
    glm.kernel.embed tokens %tokens table %table to %logits : memref<5xi32>, tensor<9x3xbf16>, memref<5x3xf32>
    return
  }
  // CHECK-LABEL: func.func @step_r17(
  // CHECK-SAME: {glm.name = "tokens", glm.offset = 0 : i64}, {{.*}} {glm.name = "logits", glm.offset = 128 : i64})
  func.func @step_r17(%tokens: memref<17xi32> {glm.name = "tokens"}, %logits: memref<17x3xf32> {glm.name = "logits"}) {
    %table = glm.weight "table" : tensor<9x3xbf16>
    glm.kernel.embed tokens %tokens table %table to %logits : memref<17xi32>, tensor<9x3xbf16>, memref<17x3xf32>
    return
  }
}

// -----

// A buffer that nobody reads any more gives its bytes to the next. Rows of 3 x 40 bf16 take 240 bytes, four units; behind
// tokens (64) and logits (3 x 40 x 4 = 480 bytes, 512).
// CHECK: module attributes {glm.arena_bytes = 1088 : i64}
module {
  // CHECK-LABEL: func.func @chain
  // REMARK: Function=chain | buffers=3, bytes=1088, least=1088
  func.func @chain(%tokens: memref<3xi32> {glm.name = "tokens"}, %logits: memref<3x40xf32> {glm.name = "logits"}) {
    %table = glm.weight "table" : tensor<9x40xbf16>
    %w = glm.weight "w" : tensor<40x40xbf16>
    // CHECK: %[[A:.*]] = memref.alloc() {glm.offset = 576 : i64}
    // CHECK: embed {{.*}} to %[[A]]
    %a = memref.alloc() : memref<3x40xbf16>
    glm.kernel.embed tokens %tokens table %table to %a : memref<3xi32>, tensor<9x40xbf16>, memref<3x40xbf16>
    // CHECK: memref.alloc() {glm.offset = 832 : i64}
    %b = memref.alloc() : memref<3x40xbf16>
    glm.kernel.gemm <store> %a by %w to %b : memref<3x40xbf16> by tensor<40x40xbf16> to memref<3x40xbf16>
    // CHECK: memref.alloc() {glm.offset = 576 : i64}
    %c = memref.alloc() : memref<3x40xbf16>
    glm.kernel.gemm <store> %b by %w to %c : memref<3x40xbf16> by tensor<40x40xbf16> to memref<3x40xbf16>
    glm.kernel.gemm <store> %c by %w to %logits : memref<3x40xbf16> by tensor<40x40xbf16> to memref<3x40xf32>
    return
  }
}

// -----

// The largest goes first, although it is written last; the one that lives throughout goes behind.
// CHECK: module attributes {glm.arena_bytes = 2048 : i64}
module {
  // CHECK-LABEL: func.func @large_first
  func.func @large_first(%tokens: memref<3xi32> {glm.name = "tokens"}, %logits: memref<3x40xf32> {glm.name = "logits"}) {
    %table = glm.weight "table" : tensor<9x40xbf16>
    %w = glm.weight "w" : tensor<80x40xbf16>
    %v = glm.weight "v" : tensor<40x80xbf16>
    // CHECK: memref.alloc() {glm.offset = 1536 : i64} : memref<3x40xbf16>
    %a = memref.alloc() : memref<3x40xbf16>
    glm.kernel.embed tokens %tokens table %table to %a : memref<3xi32>, tensor<9x40xbf16>, memref<3x40xbf16>
    // CHECK: memref.alloc() {glm.offset = 576 : i64} : memref<3x80xf32>
    %b = memref.alloc() : memref<3x80xf32>
    glm.kernel.gemm <store> %a by %w to %b : memref<3x40xbf16> by tensor<80x40xbf16> to memref<3x80xf32>
    // CHECK: memref.alloc() {glm.offset = 1792 : i64} : memref<3x40xbf16>
    %c = memref.alloc() : memref<3x40xbf16>
    glm.kernel.gemm <store> %b by %v to %c : memref<3x80xf32> by tensor<40x80xbf16> to memref<3x40xbf16>
    glm.kernel.add %c, %a to %logits : memref<3x40xbf16>, memref<3x40xbf16>, memref<3x40xf32>
    return
  }
}

// -----

// What is only declared takes no bytes, and caches have memory of their own.
// CHECK: module attributes {glm.arena_bytes = 576 : i64}
module {
  memref.global "private" @latent : memref<384x20xbf16> = uninitialized
  // CHECK-LABEL: func.func @unused
  func.func @unused(%tokens: memref<3xi32> {glm.name = "tokens"}, %logits: memref<3x40xf32> {glm.name = "logits"}) {
    %table = glm.weight "table" : tensor<9x40xbf16>
    // CHECK-NOT: memref.alloc
    %unused = memref.alloc() : memref<3x40xbf16>
    %cache = memref.get_global @latent : memref<384x20xbf16>
    glm.kernel.embed tokens %tokens table %table to %logits : memref<3xi32>, tensor<9x40xbf16>, memref<3x40xf32>
    return
  }
}
