// RUN: glm-opt %s --split-input-file --verify-diagnostics

func.func @kernel_sparse_mla_pages(%l: memref<3x48xf32>, %q: memref<3x30xf32>, %c: memref<24x20xbf16>, %i: memref<3x7xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{latent rows must be a multiple of 5 (page_size), but found 24}}
  glm.kernel.sparse_mla %l, %q in %c over %i at %s, %g to %y heads 3 rope 4 scale 0.5 {page_size = 5} : memref<3x48xf32>, memref<3x30xf32>, memref<24x20xbf16>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x48xf32>
  return
}

// -----

func.func @kernel_sparse_mla_cache_width(%l: memref<3x48xf32>, %q: memref<3x30xf32>, %c: memref<24x19xf32>, %i: memref<3x7xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{cache width must be 20 (width of query_latent / heads + rope_width), but found 19}}
  glm.kernel.sparse_mla %l, %q in %c over %i at %s, %g to %y heads 3 rope 4 scale 0.5 {page_size = 4} : memref<3x48xf32>, memref<3x30xf32>, memref<24x19xf32>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x48xf32>
  return
}

// -----

func.func @kernel_sparse_mla_part_size(%l: memref<3x48xf32>, %q: memref<3x30xf32>, %c: memref<24x20xf32>, %i: memref<3x7xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{part_size must be positive, but found 0}}
  glm.kernel.sparse_mla %l, %q in %c over %i at %s, %g to %y heads 3 rope 4 scale 0.5 {page_size = 4, part_size = 0} : memref<3x48xf32>, memref<3x30xf32>, memref<24x20xf32>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x48xf32>
  return
}

// -----

func.func @kernel_sparse_mla_part_pages(%l: memref<3x48xf32>, %q: memref<3x30xf32>, %c: memref<24x20xf32>, %i: memref<3x7xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<3x192xf32>, %z: memref<3x24xf32>) {
  // expected-error @+1 {{latent rows must be a multiple of 5 (page_size), but found 24}}
  glm.kernel.sparse_mla_part %l, %q in %c over %i at %s, %g to %y, %z heads 3 rope 4 scale 0.5 {page_size = 5, part_size = 2} : memref<3x48xf32>, memref<3x30xf32>, memref<24x20xf32>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x192xf32>, memref<3x24xf32>
  return
}

// -----

func.func @kernel_sparse_mla_part_cache_width(%l: memref<3x48xf32>, %q: memref<3x30xf32>, %c: memref<24x19xf32>, %i: memref<3x7xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<3x192xf32>, %z: memref<3x24xf32>) {
  // expected-error @+1 {{cache width must be 20 (width of query_latent / heads + rope_width), but found 19}}
  glm.kernel.sparse_mla_part %l, %q in %c over %i at %s, %g to %y, %z heads 3 rope 4 scale 0.5 {page_size = 4, part_size = 2} : memref<3x48xf32>, memref<3x30xf32>, memref<24x19xf32>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x192xf32>, memref<3x24xf32>
  return
}

// -----

func.func @kernel_sparse_mla_part_of_nothing(%l: memref<3x48xf32>, %q: memref<3x30xf32>, %c: memref<24x20xf32>, %i: memref<3x7xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<3x192xf32>, %z: memref<3x24xf32>) {
  // expected-error @+1 {{part_size must be positive, but found 0}}
  glm.kernel.sparse_mla_part %l, %q in %c over %i at %s, %g to %y, %z heads 3 rope 4 scale 0.5 {page_size = 4, part_size = 0} : memref<3x48xf32>, memref<3x30xf32>, memref<24x20xf32>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x192xf32>, memref<3x24xf32>
  return
}

// -----

func.func @kernel_sparse_mla_part_sums_rank(%l: memref<3x48xf32>, %q: memref<3x30xf32>, %c: memref<24x20xf32>, %i: memref<3x7xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<192xf32>, %z: memref<3x24xf32>) {
  // expected-error @+1 {{sums rank must be 2, but found 1}}
  glm.kernel.sparse_mla_part %l, %q in %c over %i at %s, %g to %y, %z heads 3 rope 4 scale 0.5 {page_size = 4, part_size = 2} : memref<3x48xf32>, memref<3x30xf32>, memref<24x20xf32>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<192xf32>, memref<3x24xf32>
  return
}

// -----

func.func @kernel_sparse_mla_part_sums_rows(%l: memref<3x48xf32>, %q: memref<3x30xf32>, %c: memref<24x20xf32>, %i: memref<3x7xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<2x192xf32>, %z: memref<3x24xf32>) {
  // expected-error @+1 {{sums rows must be 3 (rows of query_latent), but found 2}}
  glm.kernel.sparse_mla_part %l, %q in %c over %i at %s, %g to %y, %z heads 3 rope 4 scale 0.5 {page_size = 4, part_size = 2} : memref<3x48xf32>, memref<3x30xf32>, memref<24x20xf32>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<2x192xf32>, memref<3x24xf32>
  return
}

// -----

func.func @kernel_sparse_mla_part_sums_width(%l: memref<3x48xf32>, %q: memref<3x30xf32>, %c: memref<24x20xf32>, %i: memref<3x7xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<3x144xf32>, %z: memref<3x24xf32>) {
  // expected-error @+1 {{sums width must be 192 (parts * query_latent width), but found 144}}
  glm.kernel.sparse_mla_part %l, %q in %c over %i at %s, %g to %y, %z heads 3 rope 4 scale 0.5 {page_size = 4, part_size = 2} : memref<3x48xf32>, memref<3x30xf32>, memref<24x20xf32>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x144xf32>, memref<3x24xf32>
  return
}

// -----

func.func @kernel_sparse_mla_part_stats_rank(%l: memref<3x48xf32>, %q: memref<3x30xf32>, %c: memref<24x20xf32>, %i: memref<3x7xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<3x192xf32>, %z: memref<24xf32>) {
  // expected-error @+1 {{stats rank must be 2, but found 1}}
  glm.kernel.sparse_mla_part %l, %q in %c over %i at %s, %g to %y, %z heads 3 rope 4 scale 0.5 {page_size = 4, part_size = 2} : memref<3x48xf32>, memref<3x30xf32>, memref<24x20xf32>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x192xf32>, memref<24xf32>
  return
}

// -----

func.func @kernel_sparse_mla_part_stats_rows(%l: memref<3x48xf32>, %q: memref<3x30xf32>, %c: memref<24x20xf32>, %i: memref<3x7xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<3x192xf32>, %z: memref<2x24xf32>) {
  // expected-error @+1 {{stats rows must be 3 (rows of query_latent), but found 2}}
  glm.kernel.sparse_mla_part %l, %q in %c over %i at %s, %g to %y, %z heads 3 rope 4 scale 0.5 {page_size = 4, part_size = 2} : memref<3x48xf32>, memref<3x30xf32>, memref<24x20xf32>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x192xf32>, memref<2x24xf32>
  return
}

// -----

func.func @kernel_sparse_mla_part_stats_width(%l: memref<3x48xf32>, %q: memref<3x30xf32>, %c: memref<24x20xf32>, %i: memref<3x7xi32>, %s: memref<3xi32>, %g: memref<2x3xi32>, %y: memref<3x192xf32>, %z: memref<3x12xf32>) {
  // expected-error @+1 {{stats width must be 24 (2 * parts * heads), but found 12}}
  glm.kernel.sparse_mla_part %l, %q in %c over %i at %s, %g to %y, %z heads 3 rope 4 scale 0.5 {page_size = 4, part_size = 2} : memref<3x48xf32>, memref<3x30xf32>, memref<24x20xf32>, memref<3x7xi32>, memref<3xi32>, memref<2x3xi32>, memref<3x192xf32>, memref<3x12xf32>
  return
}

// -----

func.func @kernel_sparse_mla_join_output_rank(%x: memref<3x192xf32>, %z: memref<3x24xf32>, %y: memref<48xf32>) {
  // expected-error @+1 {{output rank must be 2, but found 1}}
  glm.kernel.sparse_mla_join %x, %z to %y heads 3 : memref<3x192xf32>, memref<3x24xf32>, memref<48xf32>
  return
}

// -----

func.func @kernel_sparse_mla_join_heads(%x: memref<3x192xf32>, %z: memref<3x24xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{output width must be a multiple of 5 (heads), but found 48}}
  glm.kernel.sparse_mla_join %x, %z to %y heads 5 : memref<3x192xf32>, memref<3x24xf32>, memref<3x48xf32>
  return
}

// -----

func.func @kernel_sparse_mla_join_stats_rank(%x: memref<3x192xf32>, %z: memref<24xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{stats rank must be 2, but found 1}}
  glm.kernel.sparse_mla_join %x, %z to %y heads 3 : memref<3x192xf32>, memref<24xf32>, memref<3x48xf32>
  return
}

// -----

func.func @kernel_sparse_mla_join_stats_rows(%x: memref<3x192xf32>, %z: memref<2x24xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{stats rows must be 3 (rows of output), but found 2}}
  glm.kernel.sparse_mla_join %x, %z to %y heads 3 : memref<3x192xf32>, memref<2x24xf32>, memref<3x48xf32>
  return
}

// -----

func.func @kernel_sparse_mla_join_stats_width(%x: memref<3x192xf32>, %z: memref<3x23xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{stats width must be a multiple of 6 (2 * heads), but found 23}}
  glm.kernel.sparse_mla_join %x, %z to %y heads 3 : memref<3x192xf32>, memref<3x23xf32>, memref<3x48xf32>
  return
}

// -----

func.func @kernel_sparse_mla_join_sums_rank(%x: memref<192xf32>, %z: memref<3x24xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{sums rank must be 2, but found 1}}
  glm.kernel.sparse_mla_join %x, %z to %y heads 3 : memref<192xf32>, memref<3x24xf32>, memref<3x48xf32>
  return
}

// -----

func.func @kernel_sparse_mla_join_sums_rows(%x: memref<2x192xf32>, %z: memref<3x24xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{sums rows must be 3 (rows of output), but found 2}}
  glm.kernel.sparse_mla_join %x, %z to %y heads 3 : memref<2x192xf32>, memref<3x24xf32>, memref<3x48xf32>
  return
}

// -----

func.func @kernel_sparse_mla_join_sums_width(%x: memref<3x144xf32>, %z: memref<3x24xf32>, %y: memref<3x48xf32>) {
  // expected-error @+1 {{sums width must be 192 (parts * output width), but found 144}}
  glm.kernel.sparse_mla_join %x, %z to %y heads 3 : memref<3x144xf32>, memref<3x24xf32>, memref<3x48xf32>
  return
}

// -----

func.func @kernel_sparse_mla_values_output(%sums: memref<1x192xf32>, %stats: memref<1x12xf32>, %kv: tensor<84x32xbf16>, %y: memref<1x45xbf16>) {
  // expected-error @+1 {{output width must be 48 (heads * row_count), but found 45}}
  glm.kernel.sparse_mla_values %sums, %stats, %kv to %y heads 3 rows 12 plus 16 of 28 : memref<1x192xf32>, memref<1x12xf32>, tensor<84x32xbf16>, memref<1x45xbf16>
  return
}

// -----

func.func @kernel_sparse_mla_values_rows(%sums: memref<1x192xf32>, %stats: memref<1x12xf32>, %kv: tensor<84x32xbf16>, %y: memref<1x48xbf16>) {
  // expected-error @+1 {{rows must be at most 28 (head_rows), but found 29}}
  glm.kernel.sparse_mla_values %sums, %stats, %kv to %y heads 3 rows 13 plus 16 of 28 : memref<1x192xf32>, memref<1x12xf32>, tensor<84x32xbf16>, memref<1x48xbf16>
  return
}

// -----

func.func @kernel_sparse_mla_values_sums(%sums: memref<1x191xf32>, %stats: memref<1x12xf32>, %kv: tensor<84x32xbf16>, %y: memref<1x48xbf16>) {
  // expected-error @+1 {{sums width must be 192 (parts * heads * weight width), but found 191}}
  glm.kernel.sparse_mla_values %sums, %stats, %kv to %y heads 3 rows 12 plus 16 of 28 : memref<1x191xf32>, memref<1x12xf32>, tensor<84x32xbf16>, memref<1x48xbf16>
  return
}
