// RUN: glm-opt %s --glm-fuse-projections --remarks-filter-missed=glm-fuse-projections --verify-diagnostics -o /dev/null

func.func @stored_apart(%x: tensor<?x48xbf16>) -> (tensor<?x7xbf16>, tensor<?x8xbf16>, tensor<?x9xf32>) {
  %a = glm.weight "a" : tensor<7x48xbf16>
  %b = glm.weight "b" : tensor<8x48xbf16>
  %c = glm.weight "c" : tensor<9x48xf32>
  %ya = glm.linear %x, %a : tensor<?x48xbf16>, tensor<7x48xbf16> -> tensor<?x7xbf16>
  %yb = glm.linear %x, %b : tensor<?x48xbf16>, tensor<8x48xbf16> -> tensor<?x8xbf16>
  // expected-remark @below {{Reason="no other weight of these rows is stored as f32"}}
  %yc = glm.linear %x, %c : tensor<?x48xbf16>, tensor<9x48xf32> -> tensor<?x9xf32>
  return %ya, %yb, %yc : tensor<?x7xbf16>, tensor<?x8xbf16>, tensor<?x9xf32>
}

// Packed by two tools: the scales mean different things.
func.func @packed_apart(%x: tensor<?x48xbf16>) -> (tensor<?x7xbf16>, tensor<?x8xbf16>) {
  %a = glm.weight "a" : tensor<7x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>
  %b = glm.weight "b" : tensor<8x48xf4E2M1FN, #glm.nvfp4<block = 16, source = compressed_tensors>>
  // expected-remark @below {{stored as f4E2M1FN #glm.nvfp4<block = 16, source = modelopt>}}
  %ya = glm.linear %x, %a : tensor<?x48xbf16>, tensor<7x48xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<?x7xbf16>
  // expected-remark @below {{stored as f4E2M1FN #glm.nvfp4<block = 16, source = compressed_tensors>}}
  %yb = glm.linear %x, %b : tensor<?x48xbf16>, tensor<8x48xf4E2M1FN, #glm.nvfp4<block = 16, source = compressed_tensors>> -> tensor<?x8xbf16>
  return %ya, %yb : tensor<?x7xbf16>, tensor<?x8xbf16>
}

func.func @weight_without_a_name(%x: tensor<?x48xbf16>, %b: tensor<8x48xbf16>) -> (tensor<?x7xbf16>, tensor<?x8xbf16>) {
  %a = glm.weight "a" : tensor<7x48xbf16>
  // expected-remark @below {{Reason="no other weight of these rows is stored as bf16"}}
  %ya = glm.linear %x, %a : tensor<?x48xbf16>, tensor<7x48xbf16> -> tensor<?x7xbf16>
  // expected-remark @below {{Reason="its weight is not a glm.weight}}
  %yb = glm.linear %x, %b : tensor<?x48xbf16>, tensor<8x48xbf16> -> tensor<?x8xbf16>
  return %ya, %yb : tensor<?x7xbf16>, tensor<?x8xbf16>
}

// Nobody expects a fusion here.
func.func @alone(%x: tensor<?x48xbf16>) -> tensor<?x7xbf16> {
  %a = glm.weight "a" : tensor<7x48xbf16>
  %y = glm.linear %x, %a : tensor<?x48xbf16>, tensor<7x48xbf16> -> tensor<?x7xbf16>
  return %y : tensor<?x7xbf16>
}
