// RUN: llmc-opt %s --print-structure --split-input-file -o %t 2>&1 | FileCheck %s

// Norms before and behind what a block does, a scaled and tied embedding, capped logits (Gemma 2).

// CHECK-LABEL: structure of @step: 1 blocks
// CHECK: attention_post_norm @post_attention in block 0
// CHECK-NEXT: mlp_norm @pre_mlp in block 0
// CHECK: mlp_post_norm @post_mlp in block 0
// CHECK-NEXT: final_norm @final
// CHECK-NEXT: head @table
// CHECK: written by embedding @table through 'llmc.scale'
// CHECK-NEXT: written by output @out through attention_post_norm @post_attention
// CHECK-NEXT: written by down @down through mlp_post_norm @post_mlp
// CHECK: residual × 8: columns of @table, @norm, columns of @q, {{.*}}, rows of @out, @post_attention, {{.*}}, @final
// CHECK: none → head @table: @table is used elsewhere too
// CHECK-NOT: unknown

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k : tensor<4x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v : tensor<4x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @post_attention : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @pre_mlp : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @gate : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @post_mlp : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final : tensor<8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache0: !llmc.kv_cache<1x4, capacity = 32, keys = f32, values = f32>) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %s = llmc.scale %e by 2.0 : tensor<?x8xf32>
  %norm = llmc.parameter_value @norm : tensor<8xf32>
  %n = llmc.rms_norm %s, %norm : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q = llmc.parameter_value @q : tensor<8x8xf32>
  %q4 = llmc.linear %n, %q : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %k = llmc.parameter_value @k : tensor<4x8xf32>
  %k5 = llmc.linear %n, %k : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %v = llmc.parameter_value @v : tensor<4x8xf32>
  %v6 = llmc.linear %n, %v : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %r = llmc.rope %q4, %rows : tensor<?x8xf32> {heads = 2 : i64, frequencies = array<f32: 1.0>}
  %r8 = llmc.rope %k5, %rows : tensor<?x4xf32> {heads = 1 : i64, frequencies = array<f32: 1.0>}
  %c = llmc.cache_append %cache0, %r8, %v6, %rows : !llmc.kv_cache<1x4, capacity = 32, keys = f32, values = f32>, tensor<?x4xf32>, tensor<?x4xf32>
  %o = llmc.attention %r, %c, %rows : tensor<?x8xf32>, !llmc.kv_cache<1x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %out = llmc.parameter_value @out : tensor<8x8xf32>
  %ao = llmc.linear %o, %out : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %post_attention = llmc.parameter_value @post_attention : tensor<8xf32>
  %n12 = llmc.rms_norm %ao, %post_attention : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %h = arith.addf %s, %n12 : tensor<?x8xf32>
  %pre_mlp = llmc.parameter_value @pre_mlp : tensor<8xf32>
  %n14 = llmc.rms_norm %h, %pre_mlp : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %gate = llmc.parameter_value @gate : tensor<12x8xf32>
  %g = llmc.linear %n14, %gate : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %up = llmc.parameter_value @up : tensor<12x8xf32>
  %u = llmc.linear %n14, %up : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %m = llmc.gate <gelu_tanh> %g, %u : tensor<?x12xf32>
  %down = llmc.parameter_value @down : tensor<8x12xf32>
  %d = llmc.linear %m, %down : (tensor<?x12xf32>, tensor<8x12xf32>) -> tensor<?x8xf32>
  %post_mlp = llmc.parameter_value @post_mlp : tensor<8xf32>
  %n19 = llmc.rms_norm %d, %post_mlp : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %h20 = arith.addf %h, %n19 : tensor<?x8xf32>
  %w = llmc.output_rows %h20, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %n22 = llmc.rms_norm %w, %final : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %logits = llmc.linear %n22, %table : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  %s24 = llmc.scale %logits by 0.5 : tensor<?x16xf32>
  %a = llmc.activation <tanh> %s24 : tensor<?x16xf32>
  %s26 = llmc.scale %a by 2.0 : tensor<?x16xf32>
  return %s26 : tensor<?x16xf32>
}

// -----

// No norm before, and norms of all queries and keys (OLMo 2): the heads are normalized together.

// CHECK-LABEL: structure of @step: 1 blocks
// CHECK: query_norm @q_norm in block 0
// CHECK-NEXT: key_norm @k_norm in block 0
// CHECK: gate @gate in block 0
// CHECK: read by query @q, key @k, value @v
// CHECK-NEXT: read by gate @gate, up @up
// CHECK: heads × 2: rows of @q by 4, @q_norm by 4, {{.*}}; normalized by query_norm @q_norm; normalized by key_norm @k_norm
// CHECK: none → query @q, key @k, value @v: 'arith.addf' reads it too
// CHECK-NOT: unknown

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q_norm : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k_norm : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @post_attention : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @gate : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @post_mlp : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @head : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache0: !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %q = llmc.parameter_value @q : tensor<8x8xf32>
  %q2 = llmc.linear %e, %q : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %k = llmc.parameter_value @k : tensor<8x8xf32>
  %k3 = llmc.linear %e, %k : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %v = llmc.parameter_value @v : tensor<8x8xf32>
  %v4 = llmc.linear %e, %v : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %q_norm = llmc.parameter_value @q_norm : tensor<8xf32>
  %n = llmc.rms_norm %q2, %q_norm : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %k_norm = llmc.parameter_value @k_norm : tensor<8xf32>
  %n6 = llmc.rms_norm %k3, %k_norm : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %r = llmc.rope %n, %rows : tensor<?x8xf32> {heads = 2 : i64, frequencies = array<f32: 1.0>}
  %r8 = llmc.rope %n6, %rows : tensor<?x8xf32> {heads = 2 : i64, frequencies = array<f32: 1.0>}
  %c = llmc.cache_append %cache0, %r8, %v4, %rows : !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>, tensor<?x8xf32>, tensor<?x8xf32>
  %o = llmc.attention %r, %c, %rows : tensor<?x8xf32>, !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %out = llmc.parameter_value @out : tensor<8x8xf32>
  %ao = llmc.linear %o, %out : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %post_attention = llmc.parameter_value @post_attention : tensor<8xf32>
  %n12 = llmc.rms_norm %ao, %post_attention : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %h = arith.addf %e, %n12 : tensor<?x8xf32>
  %gate = llmc.parameter_value @gate : tensor<12x8xf32>
  %g = llmc.linear %h, %gate : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %up = llmc.parameter_value @up : tensor<12x8xf32>
  %u = llmc.linear %h, %up : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %m = llmc.gate <silu> %g, %u : tensor<?x12xf32>
  %down = llmc.parameter_value @down : tensor<8x12xf32>
  %d = llmc.linear %m, %down : (tensor<?x12xf32>, tensor<8x12xf32>) -> tensor<?x8xf32>
  %post_mlp = llmc.parameter_value @post_mlp : tensor<8xf32>
  %n18 = llmc.rms_norm %d, %post_mlp : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %h19 = arith.addf %h, %n18 : tensor<?x8xf32>
  %w = llmc.output_rows %h19, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %n21 = llmc.rms_norm %w, %final : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %head = llmc.parameter_value @head : tensor<16x8xf32>
  %logits = llmc.linear %n21, %head : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %logits : tensor<?x16xf32>
}

// -----

// Norms between the sums (the first transformers): a stream from each norm to the next, of the same
// channels. Positions are learned.

// CHECK-LABEL: structure of @step: 1 blocks
// CHECK: position_embedding @positions_table
// CHECK: mlp_norm @norm0 in block 0
// CHECK: final_norm @norm1
// CHECK: residual stream of 2 values
// CHECK-NEXT: written by embedding @table
// CHECK-NEXT: written by position_embedding @positions_table
// CHECK-NEXT: written by output @out
// CHECK: residual stream of 2 values
// CHECK-NEXT: written by another stream through mlp_norm @norm0
// CHECK-NEXT: written by down @down
// CHECK: residual × 8: columns of @table, columns of @positions_table, {{.*}}, @norm0, @norm0_bias, {{.*}}, columns of @head
// CHECK-NOT: residual
// CHECK: up @up → down @down: 12 factors, positive
// CHECK-NOT: unknown

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @positions_table : tensor<32x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm0 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm0_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up_bias : tensor<12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm1 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm1_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @head : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache0: !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %positions = llmc.positions %rows : tensor<?xi32>
  %positions_table = llmc.parameter_value @positions_table : tensor<32x8xf32>
  %e3 = llmc.embedding %positions, %positions_table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %h = arith.addf %e, %e3 : tensor<?x8xf32>
  %q = llmc.parameter_value @q : tensor<8x8xf32>
  %q_bias = llmc.parameter_value @q_bias : tensor<8xf32>
  %q5 = llmc.linear %h, %q bias %q_bias : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %k = llmc.parameter_value @k : tensor<8x8xf32>
  %k_bias = llmc.parameter_value @k_bias : tensor<8xf32>
  %k6 = llmc.linear %h, %k bias %k_bias : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %v = llmc.parameter_value @v : tensor<8x8xf32>
  %v_bias = llmc.parameter_value @v_bias : tensor<8xf32>
  %v7 = llmc.linear %h, %v bias %v_bias : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %c = llmc.cache_append %cache0, %k6, %v7, %rows : !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>, tensor<?x8xf32>, tensor<?x8xf32>
  %o = llmc.attention %q5, %c, %rows : tensor<?x8xf32>, !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %out = llmc.parameter_value @out : tensor<8x8xf32>
  %out_bias = llmc.parameter_value @out_bias : tensor<8xf32>
  %ao = llmc.linear %o, %out bias %out_bias : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %h11 = arith.addf %h, %ao : tensor<?x8xf32>
  %norm0 = llmc.parameter_value @norm0 : tensor<8xf32>
  %norm0_bias = llmc.parameter_value @norm0_bias : tensor<8xf32>
  %n = llmc.layer_norm %h11, %norm0 bias %norm0_bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %up = llmc.parameter_value @up : tensor<12x8xf32>
  %up_bias = llmc.parameter_value @up_bias : tensor<12xf32>
  %u = llmc.linear %n, %up bias %up_bias : (tensor<?x8xf32>, tensor<12x8xf32>, tensor<12xf32>) -> tensor<?x12xf32>
  %a = llmc.activation <relu> %u : tensor<?x12xf32>
  %down = llmc.parameter_value @down : tensor<8x12xf32>
  %down_bias = llmc.parameter_value @down_bias : tensor<8xf32>
  %d = llmc.linear %a, %down bias %down_bias : (tensor<?x12xf32>, tensor<8x12xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %h16 = arith.addf %n, %d : tensor<?x8xf32>
  %norm1 = llmc.parameter_value @norm1 : tensor<8xf32>
  %norm1_bias = llmc.parameter_value @norm1_bias : tensor<8xf32>
  %n17 = llmc.layer_norm %h16, %norm1 bias %norm1_bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %w = llmc.output_rows %n17, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %head = llmc.parameter_value @head : tensor<16x8xf32>
  %logits = llmc.linear %w, %head : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %logits : tensor<?x16xf32>
}

// -----

// A norm of the embedding, and ALiBi (BLOOM).

// CHECK-LABEL: structure of @step: 1 blocks
// CHECK: embedding_norm @embedding_norm
// CHECK-NEXT: attention_norm @norm in block 0
// CHECK: written by embedding @table through embedding_norm @embedding_norm
// CHECK: heads × 2: rows of @q by 4, @q_bias by 4, rows of @k by 4, @k_bias by 4, rows of @v by 4, @v_bias by 4, columns of @out by 4
// CHECK-NOT: unknown

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @embedding_norm : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @embedding_norm_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @mlp : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @mlp_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up_bias : tensor<12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache0: !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %embedding_norm = llmc.parameter_value @embedding_norm : tensor<8xf32>
  %embedding_norm_bias = llmc.parameter_value @embedding_norm_bias : tensor<8xf32>
  %n = llmc.layer_norm %e, %embedding_norm bias %embedding_norm_bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %norm = llmc.parameter_value @norm : tensor<8xf32>
  %norm_bias = llmc.parameter_value @norm_bias : tensor<8xf32>
  %n3 = llmc.layer_norm %n, %norm bias %norm_bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q = llmc.parameter_value @q : tensor<8x8xf32>
  %q_bias = llmc.parameter_value @q_bias : tensor<8xf32>
  %q4 = llmc.linear %n3, %q bias %q_bias : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %k = llmc.parameter_value @k : tensor<8x8xf32>
  %k_bias = llmc.parameter_value @k_bias : tensor<8xf32>
  %k5 = llmc.linear %n3, %k bias %k_bias : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %v = llmc.parameter_value @v : tensor<8x8xf32>
  %v_bias = llmc.parameter_value @v_bias : tensor<8xf32>
  %v6 = llmc.linear %n3, %v bias %v_bias : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %c = llmc.cache_append %cache0, %k5, %v6, %rows : !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>, tensor<?x8xf32>, tensor<?x8xf32>
  %o = llmc.attention %q4, %c, %rows : tensor<?x8xf32>, !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32, slopes = array<f32: 0.5, 0.25>}
  %out = llmc.parameter_value @out : tensor<8x8xf32>
  %out_bias = llmc.parameter_value @out_bias : tensor<8xf32>
  %ao = llmc.linear %o, %out bias %out_bias : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %h = arith.addf %ao, %n : tensor<?x8xf32>
  %mlp = llmc.parameter_value @mlp : tensor<8xf32>
  %mlp_bias = llmc.parameter_value @mlp_bias : tensor<8xf32>
  %n11 = llmc.layer_norm %h, %mlp bias %mlp_bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %up = llmc.parameter_value @up : tensor<12x8xf32>
  %up_bias = llmc.parameter_value @up_bias : tensor<12xf32>
  %u = llmc.linear %n11, %up bias %up_bias : (tensor<?x8xf32>, tensor<12x8xf32>, tensor<12xf32>) -> tensor<?x12xf32>
  %a = llmc.activation <gelu_tanh> %u : tensor<?x12xf32>
  %down = llmc.parameter_value @down : tensor<8x12xf32>
  %down_bias = llmc.parameter_value @down_bias : tensor<8xf32>
  %d = llmc.linear %a, %down bias %down_bias : (tensor<?x12xf32>, tensor<8x12xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %h15 = arith.addf %d, %h : tensor<?x8xf32>
  %w = llmc.output_rows %h15, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %final_bias = llmc.parameter_value @final_bias : tensor<8xf32>
  %n17 = llmc.layer_norm %w, %final bias %final_bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %logits = llmc.linear %n17, %table : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %logits : tensor<?x16xf32>
}

// -----

// Norms inside attention and the MLP, clipped queries, scaled branches, and a matrix with a correction
// beside it.

// CHECK-LABEL: structure of @step: 1 blocks
// CHECK: query @q in block 0
// CHECK: attention_inner_norm @inner in block 0
// CHECK-NEXT: output @out in block 0
// CHECK: up @up in block 0
// CHECK: up @up_2 in block 0
// CHECK: mlp_inner_norm @mlp_inner in block 0
// CHECK-NEXT: down @down in block 0
// CHECK: written by output @out through 'llmc.scale'
// CHECK: heads × 2: {{.*}}, @inner by 4, columns of @out by 4; normalized by attention_inner_norm @inner
// CHECK: hidden × 12: rows of @gate, rows of @up, rows of @up_2, @mlp_inner, columns of @down; normalized by mlp_inner_norm @mlp_inner
// CHECK: attention_inner_norm @inner → output @out: 8 factors
// CHECK: mlp_inner_norm @mlp_inner → down @down: 12 factors

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @inner : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @mlp : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @gate : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down_2 : tensor<2x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up_2 : tensor<12x2xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @mlp_inner : tensor<12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @head : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache0: !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %norm = llmc.parameter_value @norm : tensor<8xf32>
  %n = llmc.rms_norm %e, %norm : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q = llmc.parameter_value @q : tensor<8x8xf32>
  %q3 = llmc.linear %n, %q : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %k = llmc.parameter_value @k : tensor<8x8xf32>
  %k4 = llmc.linear %n, %k : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %v = llmc.parameter_value @v : tensor<8x8xf32>
  %v5 = llmc.linear %n, %v : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %s = llmc.scale %q3 by 0.5 : tensor<?x8xf32>
  %a = llmc.activation <hardtanh> %s : tensor<?x8xf32>
  %s8 = llmc.scale %a by 2.0 : tensor<?x8xf32>
  %r = llmc.rope %s8, %rows : tensor<?x8xf32> {heads = 2 : i64, frequencies = array<f32: 1.0>}
  %s10 = llmc.scale %k4 by 0.5 : tensor<?x8xf32>
  %a11 = llmc.activation <hardtanh> %s10 : tensor<?x8xf32>
  %s12 = llmc.scale %a11 by 2.0 : tensor<?x8xf32>
  %s13 = llmc.scale %v5 by 0.5 : tensor<?x8xf32>
  %a14 = llmc.activation <hardtanh> %s13 : tensor<?x8xf32>
  %s15 = llmc.scale %a14 by 2.0 : tensor<?x8xf32>
  %c = llmc.cache_append %cache0, %s12, %s15, %rows : !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>, tensor<?x8xf32>, tensor<?x8xf32>
  %o = llmc.attention %r, %c, %rows : tensor<?x8xf32>, !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %inner = llmc.parameter_value @inner : tensor<8xf32>
  %n18 = llmc.rms_norm %o, %inner : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %out = llmc.parameter_value @out : tensor<8x8xf32>
  %ao = llmc.linear %n18, %out : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %s20 = llmc.scale %ao by 0.25 : tensor<?x8xf32>
  %h = arith.addf %e, %s20 : tensor<?x8xf32>
  %mlp = llmc.parameter_value @mlp : tensor<8xf32>
  %n22 = llmc.rms_norm %h, %mlp : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %gate = llmc.parameter_value @gate : tensor<12x8xf32>
  %g = llmc.linear %n22, %gate : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %up = llmc.parameter_value @up : tensor<12x8xf32>
  %u = llmc.linear %n22, %up : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %down_2 = llmc.parameter_value @down_2 : tensor<2x8xf32>
  %a25 = llmc.linear %n22, %down_2 : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32>
  %up_2 = llmc.parameter_value @up_2 : tensor<12x2xf32>
  %b = llmc.linear %a25, %up_2 : (tensor<?x2xf32>, tensor<12x2xf32>) -> tensor<?x12xf32>
  %h27 = arith.addf %u, %b : tensor<?x12xf32>
  %m = llmc.gate <silu> %g, %h27 : tensor<?x12xf32>
  %mlp_inner = llmc.parameter_value @mlp_inner : tensor<12xf32>
  %n29 = llmc.rms_norm %m, %mlp_inner : tensor<?x12xf32>, tensor<12xf32> {epsilon = 1.0e-5 : f32}
  %down = llmc.parameter_value @down : tensor<8x12xf32>
  %d = llmc.linear %n29, %down : (tensor<?x12xf32>, tensor<8x12xf32>) -> tensor<?x8xf32>
  %s31 = llmc.scale %d by 0.25 : tensor<?x8xf32>
  %h32 = arith.addf %h, %s31 : tensor<?x8xf32>
  %w = llmc.output_rows %h32, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %n34 = llmc.rms_norm %w, %final : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %head = llmc.parameter_value @head : tensor<16x8xf32>
  %logits = llmc.linear %n34, %head : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %logits : tensor<?x16xf32>
}
