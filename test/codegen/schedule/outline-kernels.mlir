// RUN: glm-opt --split-input-file --glm-select-schedule=plain=true --glm-outline-kernels %s | FileCheck %s

#target = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2,+fma,+f16c", vector_bits = 256>

// Two buckets of rows: inputs and the output are declared once, as large as the larger; temporaries belong to a program; the
// kernels are shared, their buffers having as many rows as a launch says.
// CHECK-LABEL: module attributes
module attributes {glm.target = #target} {
  // CHECK-DAG: glm.plan.buffer @tokens input offset 0 bytes 20
  // CHECK-DAG: glm.plan.buffer @logits output offset 64 bytes 180
  // CHECK-DAG: glm.plan.buffer @step_r1.b{{[0-9]+}} arena offset 256 bytes 80
  // CHECK-DAG: glm.plan.weight @table data "table" count 1 dtype "BF16" shape [9, 40]{{$}}
  // CHECK-DAG: glm.plan.weight @head data "head" count 1 dtype "BF16" shape [9, 40]
  // CHECK-DAG: module @embed_bf16_n9k40 attributes {glm.parallel, glm.target = #{{.*}}}
  // CHECK-DAG: func.func @embed_bf16_n9k40(%{{.*}}: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64)
  // CHECK-NOT: module @embed
  // CHECK: glm.plan.program @step_r1 rows 1 {
  // CHECK-NEXT: glm.plan.launch @embed_bf16_n9k40 [@tokens, @table, @[[X:.*]]]
  // CHECK-NEXT: glm.plan.launch @gemm_bf16_n9k40 [@[[X]], @head, @logits] output_rows
  // CHECK-NEXT: }
  func.func @step_r1(%tokens: memref<1xi32> {glm.name = "tokens", glm.offset = 0 : i64}, %logits: memref<1x9xf32> {glm.name = "logits", glm.offset = 64 : i64}) {
    %table = glm.weight "table" : tensor<9x40xbf16>
    %head = glm.weight "head" : tensor<9x40xbf16>
    %x = memref.alloc() {glm.offset = 256 : i64} : memref<1x40xbf16>
    glm.kernel.embed tokens %tokens table %table to %x : memref<1xi32>, tensor<9x40xbf16>, memref<1x40xbf16>
    glm.kernel.gemm <store> %x by %head to %logits {glm.output_rows} : memref<1x40xbf16> by tensor<9x40xbf16> to memref<1x9xf32>
    return
  }
  // CHECK-NOT: module @
  // CHECK: glm.plan.buffer @step_r5.b{{[0-9]+}} arena offset 320 bytes 400
  // CHECK-NEXT: glm.plan.program @step_r5 rows 5 {
  // CHECK-NEXT: glm.plan.launch @embed_bf16_n9k40 [@tokens, @table, @[[Y:.*]]] {tap = "hidden.0", tap_type = "BF16", tap_width = 40 : i64, tapped = @[[Y]]}
  // CHECK-NEXT: glm.plan.launch @gemm_bf16_n9k40 [@[[Y]], @head, @logits]{{$}}
  // CHECK-NEXT: }
  func.func @step_r5(%tokens: memref<5xi32> {glm.name = "tokens", glm.offset = 0 : i64}, %logits: memref<5x9xf32> {glm.name = "logits", glm.offset = 64 : i64}) {
    %table = glm.weight "table" : tensor<9x40xbf16>
    %head = glm.weight "head" : tensor<9x40xbf16>
    %x = memref.alloc() {glm.offset = 320 : i64} : memref<5x40xbf16>
    glm.kernel.embed tokens %tokens table %table to %x {glm.tap = "hidden.0"} : memref<5xi32>, tensor<9x40xbf16>, memref<5x40xbf16>
    glm.kernel.gemm <store> %x by %head to %logits : memref<5x40xbf16> by tensor<9x40xbf16> to memref<5x9xf32>
    return
  }
}

// -----

#target = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2,+fma,+f16c", vector_bits = 256>
#modelopt = #glm.nvfp4<block = 16, source = modelopt>
#compressed = #glm.nvfp4<block = 16, source = compressed_tensors>

// A packed weight is three tensors, named after its source; the sources need no kernels of their own. A rank-3 weight is a table.
module attributes {glm.target = #target} {
  // CHECK-DAG: glm.plan.weight @a.weight data "a.weight" count 1 dtype "U8" shape [9, 16]{{$}}
  // CHECK-DAG: glm.plan.weight @a.weight_scale data "a.weight_scale" count 1 dtype "F8_E4M3" shape [9, 2]{{$}}
  // CHECK-DAG: glm.plan.weight @a.weight_scale_2 scalars "a.weight_scale_2" count 1 dtype "F32" shape []{{$}}
  // CHECK-DAG: glm.plan.weight @b.weight_packed data "b.weight_packed" count 1 dtype "U8" shape [9, 16]{{$}}
  // CHECK-DAG: glm.plan.weight @b.weight_scale data "b.weight_scale" count 1 dtype "F8_E4M3" shape [9, 2]{{$}}
  // CHECK-DAG: glm.plan.weight @b.weight_global_scale scalars "b.weight_global_scale" count 1 dtype "F32" shape [] reciprocal
  // CHECK-DAG: glm.plan.weight @"e.{}.weight" table "e.{}.weight" count 3 dtype "U8" shape [9, 16]{{$}}
  // CHECK-DAG: glm.plan.weight @"e.{}.weight_scale" table "e.{}.weight_scale" count 3 dtype "F8_E4M3" shape [9, 2]{{$}}
  // CHECK-DAG: glm.plan.weight @"e.{}.weight_scale_2" scalars "e.{}.weight_scale_2" count 3 dtype "F32" shape []{{$}}
  // CHECK-LABEL: glm.plan.program @packed rows 5
  // CHECK-NEXT: glm.plan.launch @gemm_f32_nvfp4_n9k32 [@x, @a.weight, @a.weight_scale, @a.weight_scale_2, @logits]
  // CHECK-NEXT: glm.plan.launch @gemm_f32_nvfp4_n9k32 [@x, @b.weight_packed, @b.weight_scale, @b.weight_global_scale, @logits]
  // CHECK-NEXT: glm.plan.launch @moe_down_f32_nvfp4_n9k32 [@x, @offsets, @entries, @"e.{}.weight", @"e.{}.weight_scale", @"e.{}.weight_scale_2", @logits]
  func.func @packed(%x: memref<5x32xf32> {glm.name = "x", glm.offset = 0 : i64}, %offsets: memref<4xi32> {glm.name = "offsets", glm.offset = 640 : i64}, %entries: memref<5xi32> {glm.name = "entries", glm.offset = 704 : i64},
                    %logits: memref<5x9xf32> {glm.name = "logits", glm.offset = 768 : i64}) {
    %a = glm.weight "a.weight" : tensor<9x32xf4E2M1FN, #modelopt>
    %b = glm.weight "b.weight" : tensor<9x32xf4E2M1FN, #compressed>
    %e = glm.weight "e.{}.weight" : tensor<3x9x32xf4E2M1FN, #modelopt>
    glm.kernel.gemm <store> %x by %a to %logits : memref<5x32xf32> by tensor<9x32xf4E2M1FN, #modelopt> to memref<5x9xf32>
    glm.kernel.gemm <store> %x by %b to %logits : memref<5x32xf32> by tensor<9x32xf4E2M1FN, #compressed> to memref<5x9xf32>
    glm.kernel.moe_down %x of %offsets, %entries down %e to %logits : memref<5x32xf32>, memref<4xi32>, memref<5xi32>, tensor<3x9x32xf4E2M1FN, #modelopt>, memref<5x9xf32>
    return
  }
}

// -----

#target = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2,+fma,+f16c", vector_bits = 256>

// Caches have memory of their own.
module attributes {glm.target = #target} {
  // CHECK: glm.plan.buffer @layers.0.latent cache offset 0 bytes 960
  // CHECK-NOT: memref.global
  memref.global "private" @"layers.0.latent" : memref<24x20xbf16>
  // CHECK-LABEL: glm.plan.program @cache rows 3
  // CHECK-NEXT: glm.plan.launch @rope_cache_write_{{.*}} [@logits, @layers.0.latent, @positions, @slots, @page_table]
  func.func @cache(%logits: memref<3x20xf32> {glm.name = "logits", glm.offset = 0 : i64}, %positions: memref<3xi32> {glm.name = "positions", glm.offset = 256 : i64}, %slots: memref<3xi32> {glm.name = "slots", glm.offset = 320 : i64},
                   %pages: memref<2x3xi32> {glm.name = "page_table", glm.offset = 384 : i64}) {
    %latent = memref.get_global @"layers.0.latent" : memref<24x20xbf16>
    glm.kernel.rope_cache_write %logits into %latent at %positions, %slots, %pages {page_size = 4, rope_offset = 0, rope_width = 0} : memref<3x20xf32>, memref<24x20xbf16>, memref<3xi32>, memref<3xi32>, memref<2x3xi32>
    return
  }
}

// -----

#target = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2,+fma,+f16c", vector_bits = 256>

// Lists of experts are as long as there are experts, whatever the rows: 5 and 8 experts are two kernels, 3 and 7 rows are one.
module attributes {glm.target = #target} {
  // CHECK-LABEL: glm.plan.program @number_of_experts rows 7
  // CHECK-NEXT: glm.plan.launch @group_rows [@seven, @offsets5, @entries]
  // CHECK-NEXT: glm.plan.launch @group_rows [@three, @offsets5, @entries3]
  // CHECK-NEXT: glm.plan.launch @group_rows_2 [@seven, @offsets8, @entries]
  func.func @number_of_experts(%seven: memref<7x2xi32> {glm.name = "seven", glm.offset = 0 : i64}, %three: memref<3x2xi32> {glm.name = "three", glm.offset = 64 : i64}, %offsets5: memref<6xi32> {glm.name = "offsets5", glm.offset = 128 : i64},
                               %offsets8: memref<9xi32> {glm.name = "offsets8", glm.offset = 192 : i64}, %entries: memref<14xi32> {glm.name = "entries", glm.offset = 256 : i64},
                               %entries3: memref<6xi32> {glm.name = "entries3", glm.offset = 320 : i64}) {
    glm.kernel.group_rows %seven to %offsets5, %entries : memref<7x2xi32>, memref<6xi32>, memref<14xi32>
    glm.kernel.group_rows %three to %offsets5, %entries3 : memref<3x2xi32>, memref<6xi32>, memref<6xi32>
    glm.kernel.group_rows %seven to %offsets8, %entries : memref<7x2xi32>, memref<9xi32>, memref<14xi32>
    return
  }
}

// -----

#target = #glm.target<chip = "x86-64-v3", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2,+fma,+f16c", vector_bits = 256>

// A body reads a buffer that occurs twice through one pointer: it does not serve a launch that writes to a third.
module attributes {glm.target = #target} {
  // CHECK-LABEL: glm.plan.program @same_buffer_twice rows 3
  // CHECK-NEXT: glm.plan.launch @add_f32_w40 [@x, @y, @x]
  // CHECK-NEXT: glm.plan.launch @add_f32_w40_2 [@x, @y, @logits]
  // CHECK-NEXT: glm.plan.launch @add_f32_w40 [@y, @x, @y]
  func.func @same_buffer_twice(%x: memref<3x40xf32> {glm.name = "x", glm.offset = 0 : i64}, %y: memref<3x40xf32> {glm.name = "y", glm.offset = 512 : i64}, %logits: memref<3x40xf32> {glm.name = "logits", glm.offset = 1024 : i64}) {
    glm.kernel.add %x, %y to %x : memref<3x40xf32>, memref<3x40xf32>, memref<3x40xf32>
    glm.kernel.add %x, %y to %logits : memref<3x40xf32>, memref<3x40xf32>, memref<3x40xf32>
    glm.kernel.add %y, %x to %y : memref<3x40xf32>, memref<3x40xf32>, memref<3x40xf32>
    return
  }
}
