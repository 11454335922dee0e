// RUN: glm-opt --split-input-file --glm-form-kernels %s | FileCheck %s

// Inputs keep their names; the result becomes the last argument and is written in place.
module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  // CHECK-LABEL: func.func @signature(
  // CHECK-SAME: %[[TOKENS:[a-z0-9_]+]]: memref<3xi32> {glm.name = "tokens"}, %[[LOGITS:[a-z0-9_]+]]: memref<3x40xf32> {glm.name = "logits"}) {
  func.func @signature(%tokens: tensor<3xi32> {glm.name = "tokens"}) -> (tensor<3x40xf32> {glm.name = "logits"}) {
    // CHECK: %[[TABLE:[a-z0-9_]+]] = glm.weight "model.embed_tokens.weight" : tensor<100x40xbf16>
    %table = glm.weight "model.embed_tokens.weight" : tensor<100x40xbf16>
    // CHECK-NOT: memref.alloc
    // CHECK: glm.kernel.embed tokens %[[TOKENS]] table %[[TABLE]] to %[[LOGITS]] : memref<3xi32>, tensor<100x40xbf16>, memref<3x40xf32>
    // CHECK-NEXT: return
    %x = glm.embed %tokens in %table : tensor<3xi32>, tensor<100x40xbf16> -> tensor<3x40xf32>
    return %x : tensor<3x40xf32>
  }
}

// -----

// One buffer for each result, in the type of the tensor.
module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  // CHECK-LABEL: func.func @rows
  func.func @rows(%tokens: tensor<3xi32> {glm.name = "tokens"}) -> (tensor<3x40xf32> {glm.name = "logits"}) {
    %table = glm.weight "model.embed_tokens.weight" : tensor<100x40xbf16>
    // CHECK: %[[NORM:[a-z0-9_]+]] = glm.weight "norm"
    %norm = glm.weight "norm" : tensor<40xbf16>
    // CHECK: %[[BIAS:[a-z0-9_]+]] = glm.weight "bias"
    %bias = glm.weight "bias" : tensor<40xbf16>
    // CHECK: %[[X:[a-z0-9_]+]] = memref.alloc() : memref<3x40xbf16>
    // CHECK: glm.kernel.embed {{.*}} to %[[X]]
    %x = glm.embed %tokens in %table : tensor<3xi32>, tensor<100x40xbf16> -> tensor<3x40xbf16>
    // CHECK: %[[RMS:[a-z0-9_]+]] = memref.alloc() : memref<3x40xbf16>
    // CHECK: glm.kernel.norm <rms> %[[X]] weight %[[NORM]] to %[[RMS]] eps 9.99999974E-6
    %rms = glm.rms_norm %x, %norm eps 1.0e-5 : tensor<3x40xbf16>, tensor<40xbf16> -> tensor<3x40xbf16>
    // CHECK: %[[LAYER:[a-z0-9_]+]] = memref.alloc() : memref<3x40xbf16>
    // CHECK: glm.kernel.norm <layer> %[[RMS]] weight %[[NORM]] bias %[[BIAS]] to %[[LAYER]] eps 9.99999997E-7
    %layer = glm.layer_norm %rms, %norm, %bias eps 1.0e-6 : tensor<3x40xbf16>, tensor<40xbf16>, tensor<40xbf16> -> tensor<3x40xbf16>
    // CHECK: %[[SUM:[a-z0-9_]+]] = memref.alloc() : memref<3x40xbf16>
    // CHECK: glm.kernel.add %[[X]], %[[LAYER]] to %[[SUM]] {glm.tap = "hidden.0"}
    %sum = arith.addf %x, %layer {glm.tap = "hidden.0"} : tensor<3x40xbf16>
    %out = glm.rms_norm %sum, %norm eps 1.0e-5 : tensor<3x40xbf16>, tensor<40xbf16> -> tensor<3x40xf32>
    return %out : tensor<3x40xf32>
  }
}

// -----

// The sum takes the place of a residual stream that nobody reads afterwards, and only then.
module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  // CHECK-LABEL: func.func @sum_in_place
  func.func @sum_in_place(%tokens: tensor<3xi32> {glm.name = "tokens"}) -> (tensor<3x40xf32> {glm.name = "logits"}) {
    %table = glm.weight "model.embed_tokens.weight" : tensor<100x40xbf16>
    %norm = glm.weight "norm" : tensor<40xbf16>
    // CHECK: %[[X:[a-z0-9_]+]] = memref.alloc() : memref<3x40xbf16>
    %x = glm.embed %tokens in %table : tensor<3xi32>, tensor<100x40xbf16> -> tensor<3x40xbf16>
    // CHECK: %[[N0:[a-z0-9_]+]] = memref.alloc() : memref<3x40xbf16>
    // CHECK: glm.kernel.norm <rms> %[[X]] weight
    %n = glm.rms_norm %x, %norm eps 1.0e-5 : tensor<3x40xbf16>, tensor<40xbf16> -> tensor<3x40xbf16>
    // CHECK: %[[N1:[a-z0-9_]+]] = memref.alloc() : memref<3x40xbf16>
    // CHECK: glm.kernel.norm <rms> %[[X]] plus %[[N0]] weight {{.*}} sum %[[X]] to %[[N1]] {{.*}} {glm.tap = "hidden.0"}
    %s1, %n1 = glm.add_rms_norm %x plus %n, %norm eps 1.0e-5 {glm.tap = "hidden.0"} : tensor<3x40xbf16>, tensor<3x40xbf16>, tensor<40xbf16> -> tensor<3x40xbf16>, tensor<3x40xbf16>
    // CHECK: %[[S2:[a-z0-9_]+]] = memref.alloc() : memref<3x40xbf16>
    // CHECK: glm.kernel.norm <rms> %[[X]] plus %[[N1]] weight {{.*}} sum %[[S2]] to
    %s2, %n2 = glm.add_rms_norm %s1 plus %n1, %norm eps 1.0e-5 : tensor<3x40xbf16>, tensor<3x40xbf16>, tensor<40xbf16> -> tensor<3x40xbf16>, tensor<3x40xbf16>
    // The sum in another type needs bytes of its own.
    // CHECK: %[[S3:[a-z0-9_]+]] = memref.alloc() : memref<3x40xf32>
    // CHECK: glm.kernel.norm <rms> %[[S2]] plus {{.*}} sum %[[S3]] to
    %s3, %n3 = glm.add_rms_norm %s2 plus %n2, %norm eps 1.0e-5 : tensor<3x40xbf16>, tensor<3x40xbf16>, tensor<40xbf16> -> tensor<3x40xf32>, tensor<3x40xbf16>
    // CHECK: glm.kernel.add %[[X]],
    %again = arith.addf %s1, %n3 : tensor<3x40xbf16>
    %last = glm.rms_norm %again, %norm eps 1.0e-5 : tensor<3x40xbf16>, tensor<40xbf16> -> tensor<3x40xf32>
    %out = arith.addf %last, %s3 : tensor<3x40xf32>
    return %out : tensor<3x40xf32>
  }
}

// -----

// Products: several weights in one launch; a gated feed-forward is two.
module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  // CHECK-LABEL: func.func @products
  func.func @products(%tokens: tensor<3xi32> {glm.name = "tokens"}) -> (tensor<3x48xf32> {glm.name = "logits"}) {
    %table = glm.weight "model.embed_tokens.weight" : tensor<100x32xbf16>
    // CHECK: %[[GATE:[a-z0-9_]+]] = glm.weight "gate"
    %gate = glm.weight "gate" : tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    // CHECK: %[[UP:[a-z0-9_]+]] = glm.weight "up"
    %up = glm.weight "up" : tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    // CHECK: %[[DOWN:[a-z0-9_]+]] = glm.weight "down"
    %down = glm.weight "down" : tensor<32x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
    // CHECK: %[[X:[a-z0-9_]+]] = memref.alloc() : memref<3x32xbf16>
    %x = glm.embed %tokens in %table : tensor<3xi32>, tensor<100x32xbf16> -> tensor<3x32xbf16>
    // CHECK: %[[A:[a-z0-9_]+]] = memref.alloc() : memref<3x48xbf16>
    // CHECK: %[[B:[a-z0-9_]+]] = memref.alloc() : memref<3x48xf32>
    // CHECK: glm.kernel.gemm <store> %[[X]] by %[[GATE]], %[[UP]] to %[[A]], %[[B]]
    %a, %b = glm.projections %x by %gate, %up : tensor<3x32xbf16>, tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>, tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<3x48xbf16>, tensor<3x48xf32>
    // The product in between has the type of the input, here bf16, whatever the result has.
    // CHECK: %[[INNER:[a-z0-9_]+]] = memref.alloc() : memref<3x48xbf16>
    // CHECK: glm.kernel.gemm <silu_mul> %[[X]] by %[[GATE]], %[[UP]] to %[[INNER]]
    // CHECK: %[[Y:[a-z0-9_]+]] = memref.alloc() : memref<3x32xf32>
    // CHECK: glm.kernel.gemm <store> %[[INNER]] by %[[DOWN]] to %[[Y]] {glm.tap = "mlp.0"}
    %y = glm.gated_mlp %x gate %gate up %up down %down {glm.tap = "mlp.0"} : tensor<3x32xbf16>, tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>, tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>, tensor<32x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<3x32xf32>
    // CHECK: %[[C:[a-z0-9_]+]] = memref.alloc() : memref<3x48xf32>
    // CHECK: glm.kernel.gemm <store> %[[Y]] by %[[GATE]] to %[[C]]
    %c = glm.linear %y, %gate : tensor<3x32xf32>, tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<3x48xf32>
    %out = arith.addf %b, %c : tensor<3x48xf32>
    return %out : tensor<3x48xf32>
  }
}

// -----

// The two halves of absorbed attention around the attention itself, and rope over its input where nothing else reads that.
module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  // CHECK: memref.global "private" @layers.0.latent : memref<384x20xbf16> = uninitialized
  // CHECK-LABEL: func.func @attention
  // CHECK-SAME: %[[POSITIONS:[a-z0-9_]+]]: memref<3xi32> {glm.name = "positions"}, %[[SLOTS:[a-z0-9_]+]]: memref<3xi32> {glm.name = "slots"}, %[[PAGES:[a-z0-9_]+]]: memref<2x3xi32> {glm.name = "page_table"}, %[[CHOSEN:[a-z0-9_]+]]: memref<3x7xi32> {glm.name = "chosen"}, %[[LOGITS:[a-z0-9_]+]]: memref<3x10xbf16>
  func.func @attention(%tokens: tensor<3xi32> {glm.name = "tokens"}, %positions: tensor<3xi32> {glm.name = "positions"}, %slots: tensor<3xi32> {glm.name = "slots"}, %pages: tensor<2x3xi32> {glm.name = "page_table"}, %chosen: tensor<3x7xi32> {glm.name = "chosen"}) -> (tensor<3x10xbf16> {glm.name = "logits"}) {
    %table = glm.weight "model.embed_tokens.weight" : tensor<100x20xbf16>
    %norm = glm.weight "norm" : tensor<16xbf16>
    // CHECK: %[[KV:[a-z0-9_]+]] = glm.weight "kv_b"
    %kv = glm.weight "kv_b" : tensor<22x16xbf16>
    // CHECK: %[[CACHE:[a-z0-9_]+]] = memref.get_global @layers.0.latent : memref<384x20xbf16>
    %cache = glm.cache "layers.0.latent" : !glm.cache<20 x bf16>
    // CHECK: %[[X:[a-z0-9_]+]] = memref.alloc() : memref<3x20xbf16>
    %x = glm.embed %tokens in %table : tensor<3xi32>, tensor<100x20xbf16> -> tensor<3x20xbf16>
    // CHECK: %[[ANGLES:[a-z0-9_]+]] = memref.alloc() : memref<3x4xf32>
    // CHECK: glm.kernel.rope_angles %[[POSITIONS]] to %[[ANGLES]] {inverse_frequencies = array<f32: 1.000000e+00, 2.500000e-01>}
    %angles = glm.rope_angles %positions {inverse_frequencies = array<f32: 1.0, 0.25>} : tensor<3xi32> -> tensor<3x4xf32>
    // CHECK: glm.kernel.rope_cache_write %[[X]] into %[[CACHE]] at %[[POSITIONS]], %[[SLOTS]], %[[PAGES]] norm {{.*}} rope %[[ANGLES]]
    // CHECK-SAME: eps = 9.99999974E-6 : f32, norm = #glm.norm<rms>, page_size = 64 : i64, rope_offset = 16 : i64, rope_width = 4 : i64
    %written = glm.cache_write %x into %cache at %positions, %slots, %pages norm %norm rope %angles {eps = 1.0e-5 : f32, norm = #glm.norm<rms>, rope_offset = 16, rope_width = 4} : tensor<3x20xbf16>, !glm.cache<20 x bf16>, tensor<3xi32>, tensor<3xi32>, tensor<2x3xi32> norm tensor<16xbf16> rope tensor<3x4xf32>
    // CHECK: %[[QUERY:[a-z0-9_]+]] = memref.alloc() : memref<3x20xbf16>
    // CHECK: glm.kernel.rope %[[X]], %[[ANGLES]] to %[[QUERY]] heads 2 columns 6 plus 4
    %query = glm.rope %x, %angles heads 2 columns 6 plus 4 : tensor<3x20xbf16>, tensor<3x4xf32> -> tensor<3x20xbf16>
    // CHECK: glm.kernel.rope %[[X]], %[[ANGLES]] to %[[X]] heads 1 columns 0 plus 4
    %turned = glm.rope %x, %angles heads 1 columns 0 plus 4 : tensor<3x20xbf16>, tensor<3x4xf32> -> tensor<3x20xbf16>
    // CHECK: glm.kernel.head_gemm %[[QUERY]], %[[KV]] to %[[LATENT:[a-z0-9_]+]] heads 2 rows 0 plus 6 of 11 transposed
    %latent = glm.head_linear %query, %kv heads 2 rows 0 plus 6 of 11 transposed : tensor<3x20xbf16>, tensor<22x16xbf16> -> tensor<3x32xbf16>
    // CHECK: %[[ATTENDED:[a-z0-9_]+]] = memref.alloc() : memref<3x32xbf16>
    // CHECK: glm.kernel.sparse_mla %[[LATENT]], %[[QUERY]] in %[[CACHE]] over %[[CHOSEN]] at %[[SLOTS]], %[[PAGES]] to %[[ATTENDED]] heads 2 rope 4 scale 2.500000e-01 {page_size = 64 : i64}
    %attended = glm.latent_attention %latent, %query in %written over %chosen at %slots, %pages heads 2 rope 4 scale 0.25 : tensor<3x32xbf16>, tensor<3x20xbf16>, !glm.cache<20 x bf16>, tensor<3x7xi32>, tensor<3xi32>, tensor<2x3xi32> -> tensor<3x32xbf16>
    // CHECK: glm.kernel.head_gemm %[[ATTENDED]], %[[KV]] to %[[LOGITS]] heads 2 rows 6 plus 5 of 11 :
    %out = glm.head_linear %attended, %kv heads 2 rows 6 plus 5 of 11 : tensor<3x32xbf16>, tensor<22x16xbf16> -> tensor<3x10xbf16>
    return %out : tensor<3x10xbf16>
  }
}

// -----

// The indexer: scores for every position that a sequence may have, then the choice, which the tap names.
module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  // CHECK-LABEL: func.func @indexer
  func.func @indexer(%tokens: tensor<3xi32> {glm.name = "tokens"}, %positions: tensor<3xi32> {glm.name = "positions"}, %slots: tensor<3xi32> {glm.name = "slots"}, %pages: tensor<2x3xi32> {glm.name = "page_table"}) -> (tensor<3x7xi32> {glm.name = "logits"}) {
    %table = glm.weight "model.embed_tokens.weight" : tensor<100x24xbf16>
    %weights = glm.weight "weights_proj" : tensor<3x24xbf16>
    %cache = glm.cache "layers.0.index" : !glm.cache<8 x bf16>
    // CHECK: %[[CACHE:[a-z0-9_]+]] = memref.get_global @layers.0.index
    // CHECK: %[[QUERY:[a-z0-9_]+]] = memref.alloc() : memref<3x24xbf16>
    %query = glm.embed %tokens in %table : tensor<3xi32>, tensor<100x24xbf16> -> tensor<3x24xbf16>
    // CHECK: %[[HEADS:[a-z0-9_]+]] = memref.alloc() : memref<3x3xf32>
    %heads = glm.linear %query, %weights : tensor<3x24xbf16>, tensor<3x24xbf16> -> tensor<3x3xf32>
    // CHECK: %[[SCORES:[a-z0-9_]+]] = memref.alloc() : memref<3x192xf32>
    // CHECK: glm.kernel.index_score %[[QUERY]], %[[HEADS]] in %[[CACHE]] at %{{.*}}, %{{.*}}, %{{.*}} to %[[SCORES]] scale 5.000000e-01 {page_size = 64 : i64}
    // CHECK-NOT: glm.tap
    // CHECK: glm.kernel.top_k %[[SCORES]] at %{{.*}} to %{{.*}} {glm.tap = "index.0"}
    %chosen = glm.indexer %query, %heads in %cache at %positions, %slots, %pages scale 0.5 top_k 7 {glm.tap = "index.0"} : tensor<3x24xbf16>, tensor<3x3xf32>, !glm.cache<8 x bf16>, tensor<3xi32>, tensor<3xi32>, tensor<2x3xi32> -> tensor<3x7xi32>
    return %chosen : tensor<3x7xi32>
  }
}

// -----

// Experts: the rows of a route are sorted once, however many layers of experts use it.
module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  // CHECK-LABEL: func.func @experts
  func.func @experts(%tokens: tensor<3xi32> {glm.name = "tokens"}) -> (tensor<3x24xbf16> {glm.name = "logits"}) {
    %table = glm.weight "model.embed_tokens.weight" : tensor<100x24xbf16>
    %bias = glm.weight "bias" : tensor<5xf32>
    %router = glm.weight "router" : tensor<5x24xbf16>
    // CHECK: %[[GATE:[a-z0-9_]+]] = glm.weight "gate.{}"
    %gate = glm.weight "gate.{}" : tensor<5x11x24xbf16>
    // CHECK: %[[UP:[a-z0-9_]+]] = glm.weight "up.{}"
    %up = glm.weight "up.{}" : tensor<5x11x24xbf16>
    // CHECK: %[[DOWN:[a-z0-9_]+]] = glm.weight "down.{}"
    %down = glm.weight "down.{}" : tensor<5x24x11xbf16>
    // CHECK: %[[X:[a-z0-9_]+]] = memref.alloc() : memref<3x24xbf16>
    %x = glm.embed %tokens in %table : tensor<3xi32>, tensor<100x24xbf16> -> tensor<3x24xbf16>
    %logits = glm.linear %x, %router : tensor<3x24xbf16>, tensor<5x24xbf16> -> tensor<3x5xf32>
    // CHECK: %[[CHOSEN:[a-z0-9_]+]] = memref.alloc() : memref<3x2xi32>
    // CHECK: %[[WEIGHTS:[a-z0-9_]+]] = memref.alloc() : memref<3x2xf32>
    // CHECK: glm.kernel.route %{{.*}}, %{{.*}} to %[[CHOSEN]], %[[WEIGHTS]] groups 1 of 1 normalize scaling 2.500000e+00 {glm.tap = "experts.3"}
    %chosen, %weights = glm.route %logits, %bias top_k 2 groups 1 of 1 normalize scaling 2.5 {glm.tap = "experts.3"} : tensor<3x5xf32>, tensor<5xf32> -> tensor<3x2xi32>, tensor<3x2xf32>
    // CHECK: %[[OFFSETS:[a-z0-9_]+]] = memref.alloc() : memref<6xi32>
    // CHECK: %[[ENTRIES:[a-z0-9_]+]] = memref.alloc() : memref<6xi32>
    // CHECK: glm.kernel.group_rows %[[CHOSEN]] to %[[OFFSETS]], %[[ENTRIES]]
    // CHECK: %[[INNER:[a-z0-9_]+]] = memref.alloc() : memref<6x11xbf16>
    // CHECK: glm.kernel.moe_gate_up %[[X]] of %[[OFFSETS]], %[[ENTRIES]] gate %[[GATE]] up %[[UP]] to %[[INNER]] top_k 2
    // CHECK: %[[PARTS:[a-z0-9_]+]] = memref.alloc() : memref<6x24xf32>
    // CHECK: glm.kernel.moe_down %[[INNER]] of %[[OFFSETS]], %[[ENTRIES]] down %[[DOWN]] to %[[PARTS]]
    // CHECK: %[[Y:[a-z0-9_]+]] = memref.alloc() : memref<3x24xbf16>
    // CHECK: glm.kernel.moe_combine %[[PARTS]] by %[[WEIGHTS]] plus %[[X]] to %[[Y]]
    %y = glm.moe %x to %chosen, %weights gate %gate up %up down %down plus %x : tensor<3x24xbf16>, tensor<3x2xi32>, tensor<3x2xf32>, tensor<5x11x24xbf16>, tensor<5x11x24xbf16>, tensor<5x24x11xbf16>, plus tensor<3x24xbf16> -> tensor<3x24xbf16>
    // CHECK-NOT: glm.kernel.group_rows
    // CHECK: glm.kernel.moe_gate_up %[[Y]] of %[[OFFSETS]], %[[ENTRIES]]
    // CHECK: glm.kernel.moe_combine %{{.*}} by %[[WEIGHTS]] to %{{.*}} :
    %z = glm.moe %y to %chosen, %weights gate %gate up %up down %down : tensor<3x24xbf16>, tensor<3x2xi32>, tensor<3x2xf32>, tensor<5x11x24xbf16>, tensor<5x11x24xbf16>, tensor<5x24x11xbf16> -> tensor<3x24xbf16>
    return %z : tensor<3x24xbf16>
  }
}

// -----

// What follows a choice of rows runs on as many rows as were chosen; what comes before does not.
module attributes {glm.limits = #glm.limits<rows = [3], sequences = 2, positions = 192, page_size = 64>} {
  // CHECK-LABEL: func.func @selected_rows
  // CHECK-SAME: %[[ROWS:[a-z0-9_]+]]: memref<3xi32> {glm.name = "output_rows"}
  func.func @selected_rows(%tokens: tensor<3xi32> {glm.name = "tokens"}, %rows: tensor<3xi32> {glm.name = "output_rows"}) -> (tensor<3x100xf32> {glm.name = "logits"}) {
    %table = glm.weight "model.embed_tokens.weight" : tensor<100x40xbf16>
    %norm = glm.weight "norm" : tensor<40xbf16>
    // CHECK: glm.kernel.embed tokens %{{.*}} to %[[X:[a-z0-9_]+]] : memref
    %x = glm.embed %tokens in %table : tensor<3xi32>, tensor<100x40xbf16> -> tensor<3x40xbf16>
    // CHECK: glm.kernel.gather_rows %[[X]] at %[[ROWS]] to %{{.*}} {glm.output_rows}
    %chosen = glm.select_rows %x at %rows : tensor<3x40xbf16>, tensor<3xi32> -> tensor<3x40xbf16>
    // CHECK: glm.kernel.norm {{.*}} {glm.output_rows}
    %n = glm.rms_norm %chosen, %norm eps 1.0e-5 : tensor<3x40xbf16>, tensor<40xbf16> -> tensor<3x40xbf16>
    // CHECK: glm.kernel.gemm {{.*}} {glm.output_rows}
    %logits = glm.linear %n, %table : tensor<3x40xbf16>, tensor<100x40xbf16> -> tensor<3x100xf32>
    return %logits : tensor<3x100xf32>
  }
}

// -----

// Steps share their caches; a deferred function is left behind.
// CHECK: memref.global "private" @layers.0.latent
// CHECK-NOT: memref.global
// CHECK-NOT: @mtp
module attributes {glm.limits = #glm.limits<rows = [1, 3], sequences = 2, positions = 192, page_size = 64>} {
  // CHECK-LABEL: func.func @step_r1
  func.func @step_r1(%x: tensor<1x20xf32> {glm.name = "tokens"}, %positions: tensor<1xi32> {glm.name = "positions"}, %slots: tensor<1xi32> {glm.name = "slots"}, %pages: tensor<2x3xi32> {glm.name = "page_table"}) -> (tensor<1x20xf32> {glm.name = "logits"}) {
    %cache = glm.cache "layers.0.latent" : !glm.cache<20 x f32>
    // CHECK: glm.kernel.rope_cache_write
    %written = glm.cache_write %x into %cache at %positions, %slots, %pages : tensor<1x20xf32>, !glm.cache<20 x f32>, tensor<1xi32>, tensor<1xi32>, tensor<2x3xi32>
    %out = arith.addf %x, %x : tensor<1x20xf32>
    return %out : tensor<1x20xf32>
  }
  // CHECK-LABEL: func.func @step_r3
  func.func @step_r3(%x: tensor<3x20xf32> {glm.name = "tokens"}, %positions: tensor<3xi32> {glm.name = "positions"}, %slots: tensor<3xi32> {glm.name = "slots"}, %pages: tensor<2x3xi32> {glm.name = "page_table"}) -> (tensor<3x20xf32> {glm.name = "logits"}) {
    %cache = glm.cache "layers.0.latent" : !glm.cache<20 x f32>
    // CHECK: memref.get_global @layers.0.latent : memref<384x20xf32>
    %written = glm.cache_write %x into %cache at %positions, %slots, %pages : tensor<3x20xf32>, !glm.cache<20 x f32>, tensor<3xi32>, tensor<3xi32>, tensor<2x3xi32>
    %out = arith.addf %x, %x : tensor<3x20xf32>
    return %out : tensor<3x20xf32>
  }
  func.func @mtp(%x: tensor<?x20xf32>) -> tensor<?x20xf32> attributes {glm.deferred} {
    %weight = glm.weight "model.layers.1.eh_proj.weight" : tensor<20x20xbf16>
    %y = glm.linear %x, %weight : tensor<?x20xf32>, tensor<20x20xbf16> -> tensor<?x20xf32>
    return %y : tensor<?x20xf32>
  }
}
