// RUN: llmc-opt %s --outline-blocks --split-input-file | FileCheck %s
// RUN: llmc-opt %s --outline-blocks --split-input-file > %t.once
// RUN: llmc-opt %s --outline-blocks --outline-blocks --split-input-file | diff %t.once -
// RUN: llmc-opt %s --outline-blocks --inline-blocks --outline-blocks --split-input-file | diff %t.once -

// Blocks of a Llama: attention with a rotation, then a gated MLP. The hidden state comes first, then
// rows, the cache and the parameters; what is the same at every place is one argument.

// CHECK-LABEL: func.func private @block(
// CHECK-SAME: %[[H:[a-z0-9]+]]: tensor<?x8xf32>, %[[ROWS:[a-z0-9]+]]: !llmc.rows,
// CHECK-SAME: %[[CACHE:[a-z0-9]+]]: !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>,
// CHECK-SAME: %[[GAIN:[a-z0-9]+]]: tensor<8xf32>, %[[W:[a-z0-9]+]]: tensor<8x8xf32>,
// CHECK-SAME: %[[UP:[a-z0-9]+]]: tensor<8x8xf32>) -> tensor<?x8xf32>
// CHECK-NEXT: %[[N:.*]] = llmc.rms_norm %[[H]], %[[GAIN]]
// CHECK-NEXT: %[[Q:.*]] = llmc.linear %[[N]], %[[W]]
// CHECK-NEXT: %[[R:.*]] = llmc.rope %[[Q]], %[[ROWS]]
// CHECK-NEXT: %[[FULL:.*]] = llmc.cache_append %[[CACHE]], %[[R]], %[[Q]], %[[ROWS]]
// CHECK-NEXT: %[[A:.*]] = llmc.attention %[[R]], %[[FULL]], %[[ROWS]]
// CHECK-NEXT: %[[S:.*]] = arith.addf %[[H]], %[[A]]
// CHECK-NEXT: %[[U:.*]] = llmc.linear %[[S]], %[[UP]]
// CHECK-NEXT: %[[G:.*]] = llmc.gate <silu> %[[S]], %[[U]]
// CHECK-NEXT: %[[Y:.*]] = arith.addf %[[S]], %[[G]]
// CHECK-NEXT: return %[[Y]]

// CHECK-LABEL: func.func @step(
// CHECK-SAME: %[[TOKENS:[a-z0-9]+]]: tensor<?xi32>, %[[ROWS:[a-z0-9]+]]: !llmc.rows,
// CHECK-SAME: %[[C0:[a-z0-9]+]]: {{.*}}, %[[C1:[a-z0-9]+]]: {{.*}}, %[[C2:[a-z0-9]+]]:
// CHECK: %[[H0:.*]] = llmc.embedding
// CHECK-DAG: %[[W0:.*]] = llmc.parameter_value @w0
// CHECK-DAG: %[[UP:.*]] = llmc.parameter_value @up
// CHECK: %[[H1:.*]] = call @block(%[[H0]], %[[ROWS]], %[[C0]], %{{.*}}, %[[W0]], %[[UP]])
// CHECK: %[[W1:.*]] = llmc.parameter_value @w1
// CHECK: %[[H2:.*]] = call @block(%[[H1]], %[[ROWS]], %[[C1]], %{{.*}}, %[[W1]], %[[UP]])
// CHECK: %[[H3:.*]] = call @block(%[[H2]], %[[ROWS]], %[[C2]],
// CHECK: llmc.output_rows %[[H3]]
!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<4x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @gain0 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @gain1 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @gain2 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @w0 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @w1 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @w2 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %c0: !cache, %c1: !cache, %c2: !cache) -> tensor<?x8xf32> {
  %table = llmc.parameter_value @table : tensor<4x8xf32>
  %gain0 = llmc.parameter_value @gain0 : tensor<8xf32>
  %gain1 = llmc.parameter_value @gain1 : tensor<8xf32>
  %gain2 = llmc.parameter_value @gain2 : tensor<8xf32>
  %w0 = llmc.parameter_value @w0 : tensor<8x8xf32>
  %w1 = llmc.parameter_value @w1 : tensor<8x8xf32>
  %w2 = llmc.parameter_value @w2 : tensor<8x8xf32>
  %up = llmc.parameter_value @up : tensor<8x8xf32>
  %h0 = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<4x8xf32>) -> tensor<?x8xf32>

  %n0 = llmc.rms_norm %h0, %gain0 : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q0 = llmc.linear %n0, %w0 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %r0 = llmc.rope %q0, %rows : tensor<?x8xf32> {heads = 1 : i64, frequencies = array<f32: 1.0>}
  %full0 = llmc.cache_append %c0, %r0, %q0, %rows : !cache, tensor<?x8xf32>, tensor<?x8xf32>
  %a0 = llmc.attention %r0, %full0, %rows : tensor<?x8xf32>, !cache {heads = 1 : i64, scale = 0.5 : f32}
  %s0 = arith.addf %h0, %a0 : tensor<?x8xf32>
  %u0 = llmc.linear %s0, %up : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %g0 = llmc.gate <silu> %s0, %u0 : tensor<?x8xf32>
  %h1 = arith.addf %s0, %g0 : tensor<?x8xf32>

  %n1 = llmc.rms_norm %h1, %gain1 : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q1 = llmc.linear %n1, %w1 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %r1 = llmc.rope %q1, %rows : tensor<?x8xf32> {heads = 1 : i64, frequencies = array<f32: 1.0>}
  %full1 = llmc.cache_append %c1, %r1, %q1, %rows : !cache, tensor<?x8xf32>, tensor<?x8xf32>
  %a1 = llmc.attention %r1, %full1, %rows : tensor<?x8xf32>, !cache {heads = 1 : i64, scale = 0.5 : f32}
  %s1 = arith.addf %h1, %a1 : tensor<?x8xf32>
  %u1 = llmc.linear %s1, %up : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %g1 = llmc.gate <silu> %s1, %u1 : tensor<?x8xf32>
  %h2 = arith.addf %s1, %g1 : tensor<?x8xf32>

  %n2 = llmc.rms_norm %h2, %gain2 : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q2 = llmc.linear %n2, %w2 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %r2 = llmc.rope %q2, %rows : tensor<?x8xf32> {heads = 1 : i64, frequencies = array<f32: 1.0>}
  %full2 = llmc.cache_append %c2, %r2, %q2, %rows : !cache, tensor<?x8xf32>, tensor<?x8xf32>
  %a2 = llmc.attention %r2, %full2, %rows : tensor<?x8xf32>, !cache {heads = 1 : i64, scale = 0.5 : f32}
  %s2 = arith.addf %h2, %a2 : tensor<?x8xf32>
  %u2 = llmc.linear %s2, %up : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %g2 = llmc.gate <silu> %s2, %u2 : tensor<?x8xf32>
  %h3 = arith.addf %s2, %g2 : tensor<?x8xf32>

  %o = llmc.output_rows %h3, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  return %o : tensor<?x8xf32>
}

// -----

// Learned positions, and attention and MLP side by side, each with its own operations in an order of
// its own. The positions are looked up in @step.

// CHECK-LABEL: func.func private @block(
// CHECK-SAME: %[[H:[a-z0-9]+]]: tensor<?x8xf32>, %[[ROWS:[a-z0-9]+]]: !llmc.rows, %[[P:[a-z0-9]+]]: tensor<?x8xf32>,
// CHECK: arith.addf %[[H]], %[[P]]
// CHECK: llmc.layer_norm %[[H]]
// CHECK: return
// CHECK-LABEL: func.func @step(
// CHECK: %[[POSITIONS:.*]] = llmc.positions
// CHECK: %[[P:.*]] = llmc.embedding %[[POSITIONS]]
// CHECK-NOT: llmc.linear
// CHECK: %[[H1:.*]] = call @block(%{{[^,]*}}, %{{[^,]*}}, %[[P]],
// CHECK-NOT: llmc.linear
// CHECK: call @block(%[[H1]], %{{[^,]*}}, %[[P]],
// CHECK-NOT: llmc.linear
// CHECK: return
!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @gain : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @w0 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @w1 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %c0: !cache, %c1: !cache) -> tensor<?x8xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %gain = llmc.parameter_value @gain : tensor<8xf32>
  %w0 = llmc.parameter_value @w0 : tensor<8x8xf32>
  %w1 = llmc.parameter_value @w1 : tensor<8x8xf32>
  %h0 = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>

  %positions = llmc.positions %rows : tensor<?xi32>
  %p = llmc.embedding %positions, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %n0 = llmc.layer_norm %h0, %gain : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q0 = arith.addf %n0, %p : tensor<?x8xf32>
  %full0 = llmc.cache_append %c0, %q0, %n0, %rows : !cache, tensor<?x8xf32>, tensor<?x8xf32>
  %a0 = llmc.attention %q0, %full0, %rows : tensor<?x8xf32>, !cache {heads = 1 : i64, scale = 0.5 : f32}
  %m0 = llmc.linear %n0, %w0 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %both0 = arith.addf %a0, %m0 : tensor<?x8xf32>
  %keep0 = arith.addf %h0, %p : tensor<?x8xf32>
  %h1 = arith.addf %keep0, %both0 : tensor<?x8xf32>

  %keep1 = arith.addf %h1, %p : tensor<?x8xf32>
  %n1 = llmc.layer_norm %h1, %gain : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %m1 = llmc.linear %n1, %w1 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %q1 = arith.addf %n1, %p : tensor<?x8xf32>
  %full1 = llmc.cache_append %c1, %q1, %n1, %rows : !cache, tensor<?x8xf32>, tensor<?x8xf32>
  %a1 = llmc.attention %q1, %full1, %rows : tensor<?x8xf32>, !cache {heads = 1 : i64, scale = 0.5 : f32}
  %both1 = arith.addf %a1, %m1 : tensor<?x8xf32>
  %h2 = arith.addf %keep1, %both1 : tensor<?x8xf32>
  %y = llmc.activation <relu> %h2 : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// Blocks that differ in an attribute or in the encoding of a weight are functions of their own, in
// whatever order they come; one that stands alone stays.

// CHECK-LABEL: func.func private @block(
// CHECK-SAME: tensor<8x8xf32>)
// CHECK: llmc.activation <silu>
// CHECK-LABEL: func.func private @block_0(
// CHECK-SAME: tensor<8x8xf32, #llmc.grouped<bits = 4, group = 8, zero = none, scale = f16>>)
// CHECK: llmc.activation <silu>
// CHECK-LABEL: func.func @step(
// CHECK: %[[A:.*]] = call @block(
// CHECK: %[[B:.*]] = call @block_0(%[[A]],
// CHECK: %[[N:.*]] = llmc.rms_norm %[[B]]
// CHECK: %[[M:.*]] = llmc.linear %[[N]]
// CHECK: llmc.activation <relu> %[[M]]
// CHECK: %[[C:.*]] = arith.addf
// CHECK: %[[D:.*]] = call @block_0(%[[C]],
// CHECK: call @block(%[[D]],
#w4 = #llmc.grouped<bits = 4, group = 8, zero = none, scale = f16>
llmc.parameter @gain : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @w : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @e : tensor<8x8xf32, #w4> = #llmc.file<"w", offset = 0>
func.func @step(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %h0 = llmc.activation <relu> %x : tensor<?x8xf32>
  %gain = llmc.parameter_value @gain : tensor<8xf32>
  %w = llmc.parameter_value @w : tensor<8x8xf32>
  %e = llmc.parameter_value @e : tensor<8x8xf32, #w4>
  %n0 = llmc.rms_norm %h0, %gain : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %m0 = llmc.linear %n0, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %a0 = llmc.activation <silu> %m0 : tensor<?x8xf32>
  %h1 = arith.addf %h0, %a0 : tensor<?x8xf32>
  %n1 = llmc.rms_norm %h1, %gain : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %m1 = llmc.linear %n1, %e : (tensor<?x8xf32>, tensor<8x8xf32, #w4>) -> tensor<?x8xf32>
  %a1 = llmc.activation <silu> %m1 : tensor<?x8xf32>
  %h2 = arith.addf %h1, %a1 : tensor<?x8xf32>
  %n2 = llmc.rms_norm %h2, %gain : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %m2 = llmc.linear %n2, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %a2 = llmc.activation <relu> %m2 : tensor<?x8xf32>
  %h3 = arith.addf %h2, %a2 : tensor<?x8xf32>
  %n3 = llmc.rms_norm %h3, %gain : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %m3 = llmc.linear %n3, %e : (tensor<?x8xf32>, tensor<8x8xf32, #w4>) -> tensor<?x8xf32>
  %a3 = llmc.activation <silu> %m3 : tensor<?x8xf32>
  %h4 = arith.addf %h3, %a3 : tensor<?x8xf32>
  %n4 = llmc.rms_norm %h4, %gain : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %m4 = llmc.linear %n4, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %a4 = llmc.activation <silu> %m4 : tensor<?x8xf32>
  %h5 = arith.addf %h4, %a4 : tensor<?x8xf32>
  %y = llmc.activation <relu> %h5 : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// Nothing to outline: the second block also reads what came before the first, so that two
// activations are alive between them.

// CHECK-NOT: func.func private
// CHECK-LABEL: func.func @step(
// CHECK-NOT: call
// CHECK: return
llmc.parameter @gain : tensor<8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %gain = llmc.parameter_value @gain : tensor<8xf32>
  %h0 = llmc.activation <relu> %x : tensor<?x8xf32>
  %n0 = llmc.rms_norm %h0, %gain : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %a0 = llmc.activation <silu> %n0 : tensor<?x8xf32>
  %s0 = arith.addf %n0, %a0 : tensor<?x8xf32>
  %h1 = arith.addf %h0, %s0 : tensor<?x8xf32>
  %n1 = llmc.rms_norm %h1, %gain : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %a1 = llmc.activation <silu> %n1 : tensor<?x8xf32>
  %s1 = arith.addf %n1, %a1 : tensor<?x8xf32>
  %h2 = arith.addf %h0, %s1 : tensor<?x8xf32>
  %y = llmc.activation <relu> %h2 : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// What reads and writes a cache keeps its order, also where no value says so.

// CHECK-LABEL: func.func private @block(
// CHECK: llmc.attention
// CHECK: llmc.cache_append
// CHECK-LABEL: func.func @step(
// CHECK: call @block(
// CHECK: call @block(
!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
func.func @step(%x: tensor<?x8xf32>, %rows: !llmc.rows, %c0: !cache, %c1: !cache) -> tensor<?x8xf32> {
  %h0 = llmc.activation <relu> %x : tensor<?x8xf32>
  %a0 = llmc.attention %h0, %c0, %rows : tensor<?x8xf32>, !cache {heads = 1 : i64, scale = 0.5 : f32}
  %x0 = llmc.activation <silu> %h0 : tensor<?x8xf32>
  %full0 = llmc.cache_append %c0, %x0, %x0, %rows : !cache, tensor<?x8xf32>, tensor<?x8xf32>
  %b0 = llmc.attention %x0, %full0, %rows : tensor<?x8xf32>, !cache {heads = 1 : i64, scale = 0.5 : f32}
  %h1 = arith.addf %b0, %a0 : tensor<?x8xf32>
  %a1 = llmc.attention %h1, %c1, %rows : tensor<?x8xf32>, !cache {heads = 1 : i64, scale = 0.5 : f32}
  %x1 = llmc.activation <silu> %h1 : tensor<?x8xf32>
  %full1 = llmc.cache_append %c1, %x1, %x1, %rows : !cache, tensor<?x8xf32>, tensor<?x8xf32>
  %b1 = llmc.attention %x1, %full1, %rows : tensor<?x8xf32>, !cache {heads = 1 : i64, scale = 0.5 : f32}
  %h2 = arith.addf %b1, %a1 : tensor<?x8xf32>
  %y = llmc.activation <relu> %h2 : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
