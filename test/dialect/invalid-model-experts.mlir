// RUN: glm-opt %s --split-input-file --verify-diagnostics

// What the verifiers of feed-forward and experts in the model phase refuse, a case per question.

func.func @gated_mlp_input(%x: tensor<32xf32>, %g: tensor<48x32xf32>, %u: tensor<48x32xf32>, %d: tensor<20x48xf32>) {
  // expected-error @+1 {{input rank must be 2, but found 1}}
  %y = glm.gated_mlp %x gate %g up %u down %d : tensor<32xf32>, tensor<48x32xf32>, tensor<48x32xf32>, tensor<20x48xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @gated_mlp_gate(%x: tensor<?x32xf32>, %g: tensor<5x48x32xf32>, %u: tensor<48x32xf32>, %d: tensor<20x48xf32>) {
  // expected-error @+1 {{gate rank must be 2, but found 3}}
  %y = glm.gated_mlp %x gate %g up %u down %d : tensor<?x32xf32>, tensor<5x48x32xf32>, tensor<48x32xf32>, tensor<20x48xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @gated_mlp_gate_width(%x: tensor<?x32xf32>, %g: tensor<48x31xf32>, %u: tensor<48x32xf32>, %d: tensor<20x48xf32>) {
  // expected-error @+1 {{gate width must be 32 (width of input), but found 31}}
  %y = glm.gated_mlp %x gate %g up %u down %d : tensor<?x32xf32>, tensor<48x31xf32>, tensor<48x32xf32>, tensor<20x48xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @gated_mlp_up(%x: tensor<?x32xf32>, %g: tensor<48x32xf32>, %u: tensor<47x32xf32>, %d: tensor<20x48xf32>) {
  // expected-error @+1 {{up shape must be 48x32 (shape of gate), but found 47x32}}
  %y = glm.gated_mlp %x gate %g up %u down %d : tensor<?x32xf32>, tensor<48x32xf32>, tensor<47x32xf32>, tensor<20x48xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @gated_mlp_down(%x: tensor<?x32xf32>, %g: tensor<48x32xf32>, %u: tensor<48x32xf32>, %d: tensor<48xf32>) {
  // expected-error @+1 {{down rank must be 2, but found 1}}
  %y = glm.gated_mlp %x gate %g up %u down %d : tensor<?x32xf32>, tensor<48x32xf32>, tensor<48x32xf32>, tensor<48xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @gated_mlp_down_width(%x: tensor<?x32xf32>, %g: tensor<48x32xf32>, %u: tensor<48x32xf32>, %d: tensor<20x32xf32>) {
  // expected-error @+1 {{down width must be 48 (rows of gate), but found 32}}
  %y = glm.gated_mlp %x gate %g up %u down %d : tensor<?x32xf32>, tensor<48x32xf32>, tensor<48x32xf32>, tensor<20x32xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @gated_mlp_result(%x: tensor<?x32xf32>, %g: tensor<48x32xf32>, %u: tensor<48x32xf32>, %d: tensor<20x48xf32>) {
  // expected-error @+1 {{result rank must be 2, but found 1}}
  %y = glm.gated_mlp %x gate %g up %u down %d : tensor<?x32xf32>, tensor<48x32xf32>, tensor<48x32xf32>, tensor<20x48xf32> -> tensor<20xf32>
  return
}

// -----

func.func @gated_mlp_rows(%x: tensor<?x32xf32>, %g: tensor<48x32xf32>, %u: tensor<48x32xf32>, %d: tensor<20x48xf32>) {
  // expected-error @+1 {{result rows must be ? (rows of input), but found 1}}
  %y = glm.gated_mlp %x gate %g up %u down %d : tensor<?x32xf32>, tensor<48x32xf32>, tensor<48x32xf32>, tensor<20x48xf32> -> tensor<1x20xf32>
  return
}

// -----

func.func @gated_mlp_result_width(%x: tensor<?x32xf32>, %g: tensor<48x32xf32>, %u: tensor<48x32xf32>, %d: tensor<20x48xf32>) {
  // expected-error @+1 {{result width must be 20 (rows of down), but found 32}}
  %y = glm.gated_mlp %x gate %g up %u down %d : tensor<?x32xf32>, tensor<48x32xf32>, tensor<48x32xf32>, tensor<20x48xf32> -> tensor<?x32xf32>
  return
}

// -----

func.func @route_logits(%l: tensor<6xf32>, %b: tensor<6xf32>) {
  // expected-error @+1 {{logits rank must be 2, but found 1}}
  %e, %w = glm.route %l, %b top_k 2 groups 2 of 3 normalize scaling 2.5 : tensor<6xf32>, tensor<6xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @route_bias(%l: tensor<?x6xf32>, %b: tensor<1x6xf32>) {
  // expected-error @+1 {{bias rank must be 1, but found 2}}
  %e, %w = glm.route %l, %b top_k 2 groups 2 of 3 normalize scaling 2.5 : tensor<?x6xf32>, tensor<1x6xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @route_bias_packed(%l: tensor<?x6xf32>, %b: tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>) {
  // expected-error @+1 {{bias must be wide, but found tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>>}}
  %e, %w = glm.route %l, %b top_k 2 groups 2 of 3 normalize scaling 2.5 : tensor<?x6xf32>, tensor<48x32xf4E2M1FN, #glm.nvfp4<block = 16, source = modelopt>> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @route_bias_width(%l: tensor<?x6xf32>, %b: tensor<5xf32>) {
  // expected-error @+1 {{bias width must be 6 (width of logits), but found 5}}
  %e, %w = glm.route %l, %b top_k 2 groups 2 of 3 normalize scaling 2.5 : tensor<?x6xf32>, tensor<5xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @route_experts(%l: tensor<?x6xf32>, %b: tensor<6xf32>) {
  // expected-error @+1 {{experts rank must be 2, but found 1}}
  %e, %w = glm.route %l, %b top_k 2 groups 2 of 3 normalize scaling 2.5 : tensor<?x6xf32>, tensor<6xf32> -> tensor<2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @route_rows(%l: tensor<?x6xf32>, %b: tensor<6xf32>) {
  // expected-error @+1 {{experts rows must be ? (rows of logits), but found 3}}
  %e, %w = glm.route %l, %b top_k 2 groups 2 of 3 normalize scaling 2.5 : tensor<?x6xf32>, tensor<6xf32> -> tensor<3x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @route_weights(%l: tensor<?x6xf32>, %b: tensor<6xf32>) {
  // expected-error @+1 {{weights shape must be ?x2 (shape of experts), but found ?x3}}
  %e, %w = glm.route %l, %b top_k 2 groups 2 of 3 normalize scaling 2.5 : tensor<?x6xf32>, tensor<6xf32> -> tensor<?x2xi32>, tensor<?x3xf32>
  return
}

// -----

func.func @route_groups(%l: tensor<?x6xf32>, %b: tensor<6xf32>) {
  // expected-error @+1 {{groups must be positive, but found 0}}
  %e, %w = glm.route %l, %b top_k 2 groups 2 of 0 normalize scaling 2.5 : tensor<?x6xf32>, tensor<6xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @route_groups_width(%l: tensor<?x6xf32>, %b: tensor<6xf32>) {
  // expected-error @+1 {{logits width must be a multiple of 4 (groups), but found 6}}
  %e, %w = glm.route %l, %b top_k 2 groups 2 of 4 normalize scaling 2.5 : tensor<?x6xf32>, tensor<6xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @route_kept_groups(%l: tensor<?x6xf32>, %b: tensor<6xf32>) {
  // expected-error @+1 {{kept_groups must be positive, but found 0}}
  %e, %w = glm.route %l, %b top_k 2 groups 0 of 3 normalize scaling 2.5 : tensor<?x6xf32>, tensor<6xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @route_kept_groups_bound(%l: tensor<?x6xf32>, %b: tensor<6xf32>) {
  // expected-error @+1 {{kept_groups must be at most 3 (groups), but found 4}}
  %e, %w = glm.route %l, %b top_k 2 groups 4 of 3 normalize scaling 2.5 : tensor<?x6xf32>, tensor<6xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @route_scaling(%l: tensor<?x6xf32>, %b: tensor<6xf32>) {
  // expected-error @+1 {{scaling must be positive, but found 0}}
  %e, %w = glm.route %l, %b top_k 2 groups 2 of 3 normalize scaling 0.0 : tensor<?x6xf32>, tensor<6xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @route_group_size(%l: tensor<?x6xf32>, %b: tensor<6xf32>) {
  // expected-error @+1 {{experts of a group must be at least 2, but found 1}}
  %e, %w = glm.route %l, %b top_k 2 groups 2 of 6 normalize scaling 2.5 : tensor<?x6xf32>, tensor<6xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @route_experts_bound(%l: tensor<?x6xf32>, %b: tensor<6xf32>) {
  // expected-error @+1 {{experts width must be at most 4 (experts of the kept groups), but found 5}}
  %e, %w = glm.route %l, %b top_k 5 groups 2 of 3 normalize scaling 2.5 : tensor<?x6xf32>, tensor<6xf32> -> tensor<?x5xi32>, tensor<?x5xf32>
  return
}

// -----

func.func @route_top_k(%l: tensor<?x6xf32>, %b: tensor<6xf32>) {
  // expected-error @+1 {{experts width must be 3 (top_k), but found 2}}
  %e, %w = glm.route %l, %b top_k 3 groups 2 of 3 normalize scaling 2.5 : tensor<?x6xf32>, tensor<6xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @moe_input(%x: tensor<32xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %d: tensor<5x20x48xf32>, %s: tensor<?x20xf32>) {
  // expected-error @+1 {{input rank must be 2, but found 1}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<32xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, tensor<5x20x48xf32>, plus tensor<?x20xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @moe_experts(%x: tensor<?x32xf32>, %e: tensor<2xi32>, %w: tensor<?x2xf32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %d: tensor<5x20x48xf32>, %s: tensor<?x20xf32>) {
  // expected-error @+1 {{experts rank must be 2, but found 1}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<?x32xf32>, tensor<2xi32>, tensor<?x2xf32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, tensor<5x20x48xf32>, plus tensor<?x20xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @moe_experts_rows(%x: tensor<?x32xf32>, %e: tensor<3x2xi32>, %w: tensor<?x2xf32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %d: tensor<5x20x48xf32>, %s: tensor<?x20xf32>) {
  // expected-error @+1 {{experts rows must be ? (rows of input), but found 3}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<?x32xf32>, tensor<3x2xi32>, tensor<?x2xf32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, tensor<5x20x48xf32>, plus tensor<?x20xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @moe_weights(%x: tensor<?x32xf32>, %e: tensor<?x2xi32>, %w: tensor<?x3xf32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %d: tensor<5x20x48xf32>, %s: tensor<?x20xf32>) {
  // expected-error @+1 {{weights shape must be ?x2 (shape of experts), but found ?x3}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x3xf32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, tensor<5x20x48xf32>, plus tensor<?x20xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @moe_gate(%x: tensor<?x32xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %g: tensor<48x32xf32>, %u: tensor<5x48x32xf32>, %d: tensor<5x20x48xf32>, %s: tensor<?x20xf32>) {
  // expected-error @+1 {{gate rank must be 3, but found 2}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<48x32xf32>, tensor<5x48x32xf32>, tensor<5x20x48xf32>, plus tensor<?x20xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @moe_gate_width(%x: tensor<?x32xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %g: tensor<5x48x31xf32>, %u: tensor<5x48x32xf32>, %d: tensor<5x20x48xf32>, %s: tensor<?x20xf32>) {
  // expected-error @+1 {{gate width must be 32 (width of input), but found 31}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x48x31xf32>, tensor<5x48x32xf32>, tensor<5x20x48xf32>, plus tensor<?x20xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @moe_up(%x: tensor<?x32xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %g: tensor<5x48x32xf32>, %u: tensor<4x48x32xf32>, %d: tensor<5x20x48xf32>, %s: tensor<?x20xf32>) {
  // expected-error @+1 {{up shape must be 5x48x32 (shape of gate), but found 4x48x32}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x48x32xf32>, tensor<4x48x32xf32>, tensor<5x20x48xf32>, plus tensor<?x20xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @moe_experts_bound(%x: tensor<?x32xf32>, %e: tensor<?x6xi32>, %w: tensor<?x6xf32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %d: tensor<5x20x48xf32>, %s: tensor<?x20xf32>) {
  // expected-error @+1 {{experts width must be at most 5 (experts of gate), but found 6}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<?x32xf32>, tensor<?x6xi32>, tensor<?x6xf32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, tensor<5x20x48xf32>, plus tensor<?x20xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @moe_down(%x: tensor<?x32xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %d: tensor<20x48xf32>, %s: tensor<?x20xf32>) {
  // expected-error @+1 {{down rank must be 3, but found 2}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, tensor<20x48xf32>, plus tensor<?x20xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @moe_down_experts(%x: tensor<?x32xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %d: tensor<4x20x48xf32>, %s: tensor<?x20xf32>) {
  // expected-error @+1 {{down experts must be 5 (experts of gate), but found 4}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, tensor<4x20x48xf32>, plus tensor<?x20xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @moe_down_width(%x: tensor<?x32xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %d: tensor<5x20x32xf32>, %s: tensor<?x20xf32>) {
  // expected-error @+1 {{down width must be 48 (rows of gate), but found 32}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, tensor<5x20x32xf32>, plus tensor<?x20xf32> -> tensor<?x20xf32>
  return
}

// -----

func.func @moe_result(%x: tensor<?x32xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %d: tensor<5x20x48xf32>, %s: tensor<?x20xf32>) {
  // expected-error @+1 {{result rank must be 2, but found 1}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, tensor<5x20x48xf32>, plus tensor<?x20xf32> -> tensor<20xf32>
  return
}

// -----

func.func @moe_rows(%x: tensor<?x32xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %d: tensor<5x20x48xf32>, %s: tensor<?x20xf32>) {
  // expected-error @+1 {{result rows must be ? (rows of input), but found 3}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, tensor<5x20x48xf32>, plus tensor<?x20xf32> -> tensor<3x20xf32>
  return
}

// -----

func.func @moe_result_width(%x: tensor<?x32xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %d: tensor<5x20x48xf32>, %s: tensor<?x20xf32>) {
  // expected-error @+1 {{result width must be 20 (rows of down), but found 32}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, tensor<5x20x48xf32>, plus tensor<?x20xf32> -> tensor<?x32xf32>
  return
}

// -----

func.func @moe_shared(%x: tensor<?x32xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %g: tensor<5x48x32xf32>, %u: tensor<5x48x32xf32>, %d: tensor<5x20x48xf32>, %s: tensor<?x32xf32>) {
  // expected-error @+1 {{shared shape must be ?x20 (shape of result), but found ?x32}}
  %y = glm.moe %x to %e, %w gate %g up %u down %d plus %s : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<5x48x32xf32>, tensor<5x48x32xf32>, tensor<5x20x48xf32>, plus tensor<?x32xf32> -> tensor<?x20xf32>
  return
}
