// RUN: glm-opt %s --glm-fuse-cache-write --remarks-filter-missed=glm-fuse-cache-write --verify-diagnostics -o /dev/null

func.func @other_use(%x: tensor<?x16xf32>, %t: tensor<?xi32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> (!glm.cache<16 x f32>, tensor<?x16xf32>) {
  %w = glm.weight "norm" : tensor<16xbf16>
  %y = glm.rms_norm %x, %w eps 1.0e-06 : tensor<?x16xf32>, tensor<16xbf16> -> tensor<?x16xf32>
  %c = glm.cache "c" : !glm.cache<16 x f32>
  // expected-remark @below {{Reason="what it stores has other uses"}}
  %d = glm.cache_write %y into %c at %t, %s, %p : tensor<?x16xf32>, !glm.cache<16 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32>
  return %d, %y : !glm.cache<16 x f32>, tensor<?x16xf32>
}

// A rotation in f32 that is stored in bf16 would be rounded at another place.
func.func @other_type(%x: tensor<?x16xf32>, %a: tensor<?x4xf32>, %t: tensor<?xi32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> !glm.cache<16 x bf16> {
  %y = glm.rope %x, %a heads 1 columns 0 plus 4 : tensor<?x16xf32>, tensor<?x4xf32> -> tensor<?x16xf32>
  %c = glm.cache "c" : !glm.cache<16 x bf16>
  // expected-remark @below {{Reason="what it stores is rounded to another type than the cache"}}
  %d = glm.cache_write %y into %c at %t, %s, %p : tensor<?x16xf32>, !glm.cache<16 x bf16>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32>
  return %d : !glm.cache<16 x bf16>
}

func.func @several_heads(%x: tensor<?x16xf32>, %a: tensor<?x4xf32>, %t: tensor<?xi32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> !glm.cache<16 x f32> {
  %y = glm.rope %x, %a heads 2 columns 0 plus 4 : tensor<?x16xf32>, tensor<?x4xf32> -> tensor<?x16xf32>
  %c = glm.cache "c" : !glm.cache<16 x f32>
  // expected-remark @below {{Reason="a cache row is one head, but several are rotated"}}
  %d = glm.cache_write %y into %c at %t, %s, %p : tensor<?x16xf32>, !glm.cache<16 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32>
  return %d : !glm.cache<16 x f32>
}

func.func @two_rotations(%x: tensor<?x16xf32>, %a: tensor<?x4xf32>, %t: tensor<?xi32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> !glm.cache<16 x f32> {
  %y = glm.rope %x, %a heads 1 columns 0 plus 4 : tensor<?x16xf32>, tensor<?x4xf32> -> tensor<?x16xf32>
  %z = glm.rope %y, %a heads 1 columns 4 plus 4 : tensor<?x16xf32>, tensor<?x4xf32> -> tensor<?x16xf32>
  %c = glm.cache "c" : !glm.cache<16 x f32>
  // expected-remark @below {{Reason="it rotates already"}}
  %d = glm.cache_write %z into %c at %t, %s, %p : tensor<?x16xf32>, !glm.cache<16 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32>
  return %d : !glm.cache<16 x f32>
}

func.func @rope_before_norm(%x: tensor<?x16xf32>, %a: tensor<?x4xf32>, %t: tensor<?xi32>, %s: tensor<?xi32>, %p: tensor<2x8xi32>) -> !glm.cache<16 x f32> {
  %w = glm.weight "norm" : tensor<16xbf16>
  %y = glm.rope %x, %a heads 1 columns 0 plus 4 : tensor<?x16xf32>, tensor<?x4xf32> -> tensor<?x16xf32>
  %z = glm.rms_norm %y, %w eps 1.0e-06 : tensor<?x16xf32>, tensor<16xbf16> -> tensor<?x16xf32>
  %c = glm.cache "c" : !glm.cache<16 x f32>
  // expected-remark @below {{Reason="it normalises already, and that comes first"}}
  %d = glm.cache_write %z into %c at %t, %s, %p : tensor<?x16xf32>, !glm.cache<16 x f32>, tensor<?xi32>, tensor<?xi32>, tensor<2x8xi32>
  return %d : !glm.cache<16 x f32>
}
