// RUN: glm-opt --split-input-file --glm-split-attention %s | FileCheck %s

#gpu = #glm.target<chip = "sm_120a", triple = "nvptx64-nvidia-cuda", cpu = "sm_120a", features = "+ptx87", vector_bits = 128>

module attributes {glm.target = #gpu} {
  // 16 parts.
  // CHECK-LABEL: func.func @row
  func.func @row(%q_latent: memref<1x48xbf16>, %q: memref<1x72xbf16>, %latent: memref<24x24xbf16>, %indices: memref<1x2048xi32>, %slots: memref<1xi32>, %pages: memref<2x3xi32>, %y: memref<1x48xbf16>) {
    // CHECK: %[[SUMS:.*]] = memref.alloc() : memref<1x768xf32>
    // CHECK: %[[STATS:.*]] = memref.alloc() : memref<1x96xf32>
    // CHECK: glm.kernel.sparse_mla_part %arg0, %arg1 in %arg2 over %arg3 at %arg4, %arg5 to %[[SUMS]], %[[STATS]] heads 3 rope 8 scale 5.000000e-01 {glm.output_rows, page_size = 4 : i64, part_size = 128 : i64}
    // CHECK-NEXT: glm.kernel.sparse_mla_join %[[SUMS]], %[[STATS]] to %arg6 heads 3 {glm.output_rows, glm.tap = "attention.0"}
    glm.kernel.sparse_mla %q_latent, %q in %latent over %indices at %slots, %pages to %y heads 3 rope 8 scale 0.5 {page_size = 4, glm.tap = "attention.0", glm.output_rows} : memref<1x48xbf16>, memref<1x72xbf16>, memref<24x24xbf16>, memref<1x2048xi32>, memref<1xi32>, memref<2x3xi32>, memref<1x48xbf16>
    return
  }

  // A round is the smallest part: the second one is half empty.
  // CHECK-LABEL: func.func @short
  func.func @short(%q_latent: memref<16x48xbf16>, %q: memref<16x72xbf16>, %latent: memref<24x24xbf16>, %indices: memref<16x48xi32>, %slots: memref<16xi32>, %pages: memref<2x3xi32>, %y: memref<16x48xbf16>) {
    // CHECK: memref.alloc() : memref<16x96xf32>
    // CHECK: memref.alloc() : memref<16x12xf32>
    // CHECK: glm.kernel.sparse_mla_part {{.*}} part_size = 32 : i64
    glm.kernel.sparse_mla %q_latent, %q in %latent over %indices at %slots, %pages to %y heads 3 rope 8 scale 0.5 {page_size = 4} : memref<16x48xbf16>, memref<16x72xbf16>, memref<24x24xbf16>, memref<16x48xi32>, memref<16xi32>, memref<2x3xi32>, memref<16x48xbf16>
    return
  }

  // The parts are those of programs with few rows.
  // CHECK-LABEL: func.func @many_rows
  func.func @many_rows(%q_latent: memref<64x48xbf16>, %q: memref<64x72xbf16>, %latent: memref<24x24xbf16>, %indices: memref<64x2048xi32>, %slots: memref<64xi32>, %pages: memref<2x3xi32>, %y: memref<64x48xbf16>) {
    // CHECK-NOT: memref.alloc
    // CHECK: glm.kernel.sparse_mla {{.*}} {page_size = 4 : i64, part_size = 128 : i64}
    glm.kernel.sparse_mla %q_latent, %q in %latent over %indices at %slots, %pages to %y heads 3 rope 8 scale 0.5 {page_size = 4} : memref<64x48xbf16>, memref<64x72xbf16>, memref<24x24xbf16>, memref<64x2048xi32>, memref<64xi32>, memref<2x3xi32>, memref<64x48xbf16>
    return
  }

  // One part.
  // CHECK-LABEL: func.func @one_part
  func.func @one_part(%q_latent: memref<1x48xbf16>, %q: memref<1x72xbf16>, %latent: memref<24x24xbf16>, %indices: memref<1x32xi32>, %slots: memref<1xi32>, %pages: memref<2x3xi32>, %y: memref<1x48xbf16>) {
    // CHECK: glm.kernel.sparse_mla {{.*}} {page_size = 4 : i64}
    glm.kernel.sparse_mla %q_latent, %q in %latent over %indices at %slots, %pages to %y heads 3 rope 8 scale 0.5 {page_size = 4} : memref<1x48xbf16>, memref<1x72xbf16>, memref<24x24xbf16>, memref<1x32xi32>, memref<1xi32>, memref<2x3xi32>, memref<1x48xbf16>
    return
  }

  // In float32 the plain body runs, which has no parts on any chip.
  // CHECK-LABEL: func.func @exact
  func.func @exact(%q_latent: memref<1x48xf32>, %q: memref<1x72xf32>, %latent: memref<24x24xf32>, %indices: memref<1x2048xi32>, %slots: memref<1xi32>, %pages: memref<2x3xi32>, %y: memref<1x48xf32>) {
    // CHECK: glm.kernel.sparse_mla {{.*}} {page_size = 4 : i64}
    glm.kernel.sparse_mla %q_latent, %q in %latent over %indices at %slots, %pages to %y heads 3 rope 8 scale 0.5 {page_size = 4} : memref<1x48xf32>, memref<1x72xf32>, memref<24x24xf32>, memref<1x2048xi32>, memref<1xi32>, memref<2x3xi32>, memref<1x48xf32>
    return
  }
}

// -----

// Hosts are left alone.
#host = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2", vector_bits = 256>
module attributes {glm.target = #host} {
  // CHECK-LABEL: func.func @host
  func.func @host(%q_latent: memref<1x48xbf16>, %q: memref<1x72xbf16>, %latent: memref<24x24xbf16>, %indices: memref<1x2048xi32>, %slots: memref<1xi32>, %pages: memref<2x3xi32>, %y: memref<1x48xbf16>) {
    // CHECK: glm.kernel.sparse_mla {{.*}} {page_size = 4 : i64}
    glm.kernel.sparse_mla %q_latent, %q in %latent over %indices at %slots, %pages to %y heads 3 rope 8 scale 0.5 {page_size = 4} : memref<1x48xbf16>, memref<1x72xbf16>, memref<24x24xbf16>, memref<1x2048xi32>, memref<1xi32>, memref<2x3xi32>, memref<1x48xbf16>
    return
  }
}
