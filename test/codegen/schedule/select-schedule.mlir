// RUN: glm-opt --split-input-file --glm-select-schedule %s | FileCheck %s
// RUN: glm-opt --split-input-file --glm-select-schedule=plain=true %s | FileCheck %s --check-prefix=PLAIN


#v4 = #glm.target<chip = "x86-64-v4", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx2,+fma,+f16c,+avx512f,+avx512bw,+avx512vl", vector_bits = 512>
#packed = #glm.nvfp4<block = 16, source = modelopt>

// Products and attention have families of their own; the most rows of a tile follow from the registers of the chip.
module attributes {glm.target = #v4} {
  // CHECK-LABEL: func.func @products
  // PLAIN-LABEL: func.func @products
  func.func @products(%x: memref<3x32xbf16>, %y: memref<3x48xbf16>, %latent: memref<3x48xbf16>, %values: memref<3x15xf32>) {
    %w = glm.weight "w.weight" : tensor<48x32xf4E2M1FN, #packed>
    %kv_b = glm.weight "kv_b.weight" : tensor<33x16xbf16>
    // CHECK: glm.kernel.gemm {{.*}} {glm.schedule = #glm.schedule<family = "x86_gemm", tile_m = 8, tile_n = 1>}
    // PLAIN: glm.kernel.gemm {{.*}} {glm.schedule = #glm.schedule<family = "plain", tile_m = 1, tile_n = 1>}
    glm.kernel.gemm <store> %x by %w to %y : memref<3x32xbf16> by tensor<48x32xf4E2M1FN, #packed> to memref<3x48xbf16>
    // CHECK: glm.kernel.head_gemm {{.*}} {glm.schedule = #glm.schedule<family = "x86_head_gemm", tile_m = 8, tile_n = 1>}
    // PLAIN: glm.kernel.head_gemm {{.*}} {glm.schedule = #glm.schedule<family = "plain", tile_m = 1, tile_n = 1>}
    glm.kernel.head_gemm %latent, %kv_b to %values heads 3 rows 6 plus 5 of 11 : memref<3x48xbf16>, tensor<33x16xbf16>, memref<3x15xf32>
    return
  }

  // CHECK-LABEL: func.func @attention
  // PLAIN-LABEL: func.func @attention
  func.func @attention(%query: memref<3x40xbf16>, %weights: memref<3x5xf32>, %keys: memref<24x8xbf16>, %positions: memref<3xi32>, %slots: memref<3xi32>, %pages: memref<2x3xi32>, %scores: memref<3x11xf32>,
                       %indices: memref<3x7xi32>, %q_latent: memref<3x48xbf16>, %q: memref<3x30xbf16>, %latent: memref<24x20xbf16>, %attended: memref<3x48xf32>) {
    // CHECK: glm.kernel.index_score {{.*}} {glm.schedule = #glm.schedule<family = "x86_index_score", tile_m = 1, tile_n = 4>
    // PLAIN: glm.kernel.index_score {{.*}} {glm.schedule = #glm.schedule<family = "plain", tile_m = 1, tile_n = 1>
    glm.kernel.index_score %query, %weights in %keys at %positions, %slots, %pages to %scores scale 0.125 {page_size = 4} : memref<3x40xbf16>, memref<3x5xf32>, memref<24x8xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x11xf32>
    // No family but the plain one chooses.
    // CHECK: glm.kernel.top_k {{.*}} {glm.schedule = #glm.schedule<family = "plain", tile_m = 1, tile_n = 1>}
    glm.kernel.top_k %scores at %positions to %indices : memref<3x11xf32>, memref<3xi32>, memref<3x7xi32>
    // CHECK: glm.kernel.sparse_mla {{.*}} {glm.schedule = #glm.schedule<family = "x86_sparse_mla", tile_m = 1, tile_n = 4>
    // PLAIN: glm.kernel.sparse_mla {{.*}} {glm.schedule = #glm.schedule<family = "plain", tile_m = 1, tile_n = 1>
    glm.kernel.sparse_mla %q_latent, %q in %latent over %indices at %slots, %pages to %attended heads 3 rope 4 scale 0.5 {page_size = 4} : memref<3x48xbf16>, memref<3x30xbf16>, memref<24x20xbf16>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x48xf32>
    return
  }

  // CHECK-LABEL: func.func @experts
  // PLAIN-LABEL: func.func @experts
  func.func @experts(%x: memref<3x32xbf16>, %offsets: memref<6xi32>, %entries: memref<6xi32>, %inner: memref<6x48xbf16>, %parts: memref<6x32xf32>) {
    %gate = glm.weight "{}.gate.weight" : tensor<5x48x32xf4E2M1FN, #packed>
    %up = glm.weight "{}.up.weight" : tensor<5x48x32xf4E2M1FN, #packed>
    %down = glm.weight "{}.down.weight" : tensor<5x32x48xbf16>
    // CHECK: glm.kernel.moe_gate_up {{.*}} {glm.schedule = #glm.schedule<family = "x86_moe", tile_m = 8, tile_n = 1>}
    // PLAIN: glm.kernel.moe_gate_up {{.*}} {glm.schedule = #glm.schedule<family = "plain", tile_m = 1, tile_n = 1>}
    glm.kernel.moe_gate_up %x of %offsets, %entries gate %gate up %up to %inner top_k 2 : memref<3x32xbf16>, memref<6xi32>, memref<6xi32>, tensor<5x48x32xf4E2M1FN, #packed>, tensor<5x48x32xf4E2M1FN, #packed>, memref<6x48xbf16>
    // CHECK: glm.kernel.moe_down {{.*}} {glm.schedule = #glm.schedule<family = "x86_moe", tile_m = 8, tile_n = 1>}
    // PLAIN: glm.kernel.moe_down {{.*}} {glm.schedule = #glm.schedule<family = "plain", tile_m = 1, tile_n = 1>}
    glm.kernel.moe_down %inner of %offsets, %entries down %down to %parts : memref<6x48xbf16>, memref<6xi32>, memref<6xi32>, tensor<5x32x48xbf16>, memref<6x32xf32>
    return
  }

  // A schedule that is there already is somebody's wish.
  // CHECK-LABEL: func.func @keeps_a_schedule
  // PLAIN-LABEL: func.func @keeps_a_schedule
  func.func @keeps_a_schedule(%x: memref<3x32xbf16>, %y: memref<3x48xbf16>) {
    %w = glm.weight "w.weight" : tensor<48x32xbf16>
    // CHECK: glm.kernel.gemm {{.*}} {glm.schedule = #glm.schedule<family = "plain", tile_m = 3, tile_n = 2>}
    // PLAIN: glm.kernel.gemm {{.*}} {glm.schedule = #glm.schedule<family = "plain", tile_m = 3, tile_n = 2>}
    glm.kernel.gemm <store> %x by %w to %y {glm.schedule = #glm.schedule<family = "plain", tile_m = 3, tile_n = 2>} : memref<3x32xbf16> by tensor<48x32xbf16> to memref<3x48xbf16>
    return
  }
}

// -----

// Half as many registers of half the width: half the rows.
module attributes {glm.target = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2,+fma,+f16c", vector_bits = 256>} {
  // CHECK-LABEL: func.func @small_registers
  func.func @small_registers(%x: memref<3x32xbf16>, %y: memref<3x48xbf16>) {
    %w = glm.weight "w.weight" : tensor<48x32xbf16>
    // CHECK: glm.kernel.gemm {{.*}} {glm.schedule = #glm.schedule<family = "x86_gemm", tile_m = 4, tile_n = 1>}
    glm.kernel.gemm <store> %x by %w to %y : memref<3x32xbf16> by tensor<48x32xbf16> to memref<3x48xbf16>
    return
  }
}
