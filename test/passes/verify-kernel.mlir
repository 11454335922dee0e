// RUN: glm-opt --glm-plan-memory --glm-verify-kernel %s | FileCheck %s

// What plan-memory makes of a step that works in place, shares bytes and selects rows, passes.
module {
  // CHECK: memref.global
  memref.global "private" @latent : memref<384x40xbf16> = uninitialized
  // CHECK-LABEL: func.func @step_r3
  func.func @step_r3(%tokens: memref<3xi32> {glm.name = "tokens"}, %positions: memref<3xi32> {glm.name = "positions"}, %slots: memref<3xi32> {glm.name = "slots"}, %pages: memref<2x3xi32> {glm.name = "page_table"}, %rows: memref<3xi32> {glm.name = "output_rows"}, %logits: memref<3x9xf32> {glm.name = "logits"}) {
    %table = glm.weight "table" : tensor<9x40xbf16>
    %norm = glm.weight "norm" : tensor<40xbf16>
    %cache = memref.get_global @latent : memref<384x40xbf16>
    %x = memref.alloc() : memref<3x40xbf16>
    glm.kernel.embed tokens %tokens table %table to %x : memref<3xi32>, tensor<9x40xbf16>, memref<3x40xbf16>
    glm.kernel.rope_cache_write %x into %cache at %positions, %slots, %pages {page_size = 64 : i64, rope_offset = 0 : i64, rope_width = 0 : i64} : memref<3x40xbf16>, memref<384x40xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>
    %n = memref.alloc() : memref<3x40xbf16>
    glm.kernel.norm <rms> %x plus %x weight %norm sum %x to %n eps 1.0e-5 : memref<3x40xbf16> plus memref<3x40xbf16>, tensor<40xbf16> sum memref<3x40xbf16>, memref<3x40xbf16>
    %sum = memref.alloc() : memref<3x40xbf16>
    glm.kernel.add %x, %n to %sum : memref<3x40xbf16>, memref<3x40xbf16>, memref<3x40xbf16>
    %chosen = memref.alloc() : memref<3x40xbf16>
    glm.kernel.gather_rows %sum at %rows to %chosen {glm.output_rows} : memref<3x40xbf16>, memref<3xi32>, memref<3x40xbf16>
    glm.kernel.gemm <store> %chosen by %table to %logits {glm.output_rows} : memref<3x40xbf16> by tensor<9x40xbf16> to memref<3x9xf32>
    return
  }
}
