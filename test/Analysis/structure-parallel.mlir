// RUN: llmc-opt %s --print-structure --split-input-file -o %t 2>&1 | FileCheck %s

// Attention and an MLP read one norm (Falcon): the norm is the block's attention's, and all that reads it
// shares a scale.

// CHECK-LABEL: structure of @step: 1 blocks
// CHECK: attention_norm @norm in block 0
// CHECK-NEXT: query @q in block 0
// CHECK: up @up in block 0
// CHECK-NEXT: down @down in block 0
// CHECK: residual stream of 3 values
// CHECK-NEXT: written by embedding @table
// CHECK-NEXT: written by output @out
// CHECK-NEXT: written by down @down
// CHECK-NEXT: read by attention_norm @norm for query @q, key @k, value @v, up @up
// CHECK-NEXT: read by final_norm @final for head @head
// CHECK: heads × 1: rows of @q by 8, rows of @k by 4, rows of @v by 4, columns of @out by 8
// CHECK: attention_norm @norm → query @q, key @k, value @v, up @up: 8 factors
// CHECK-NEXT: value @v → output @out: 4 factors, each of 2 inputs
// CHECK-NEXT: none → down @down: a scale does not pass through 'gelu'
// CHECK-NOT: unknown

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k : tensor<4x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v : tensor<4x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @head : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache0: !llmc.kv_cache<1x4, capacity = 32, keys = f32, values = f32>) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %norm = llmc.parameter_value @norm : tensor<8xf32>
  %norm_bias = llmc.parameter_value @norm_bias : tensor<8xf32>
  %n = llmc.layer_norm %e, %norm bias %norm_bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q = llmc.parameter_value @q : tensor<8x8xf32>
  %q3 = llmc.linear %n, %q : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %k = llmc.parameter_value @k : tensor<4x8xf32>
  %k4 = llmc.linear %n, %k : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %v = llmc.parameter_value @v : tensor<4x8xf32>
  %v5 = llmc.linear %n, %v : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %r = llmc.rope %q3, %rows : tensor<?x8xf32> {heads = 2 : i64, frequencies = array<f32: 1.0>}
  %r7 = llmc.rope %k4, %rows : tensor<?x4xf32> {heads = 1 : i64, frequencies = array<f32: 1.0>}
  %c = llmc.cache_append %cache0, %r7, %v5, %rows : !llmc.kv_cache<1x4, capacity = 32, keys = f32, values = f32>, tensor<?x4xf32>, tensor<?x4xf32>
  %o = llmc.attention %r, %c, %rows : tensor<?x8xf32>, !llmc.kv_cache<1x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %out = llmc.parameter_value @out : tensor<8x8xf32>
  %ao = llmc.linear %o, %out : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %up = llmc.parameter_value @up : tensor<12x8xf32>
  %u = llmc.linear %n, %up : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %a = llmc.activation <gelu> %u : tensor<?x12xf32>
  %down = llmc.parameter_value @down : tensor<8x12xf32>
  %d = llmc.linear %a, %down : (tensor<?x12xf32>, tensor<8x12xf32>) -> tensor<?x8xf32>
  %h = arith.addf %ao, %d : tensor<?x8xf32>
  %h15 = arith.addf %e, %h : tensor<?x8xf32>
  %w = llmc.output_rows %h15, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %final_bias = llmc.parameter_value @final_bias : tensor<8xf32>
  %n17 = llmc.layer_norm %w, %final bias %final_bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %head = llmc.parameter_value @head : tensor<16x8xf32>
  %logits = llmc.linear %n17, %head : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %logits : tensor<?x16xf32>
}

// -----

// Norms of their own (GPT-NeoX). Whichever branch is added first, both are of the block whose attention
// reads what they read.

// CHECK-LABEL: structure of @step: 2 blocks
// CHECK: mlp_norm @norm1 in block 0
// CHECK-NEXT: up @up in block 0
// CHECK-NEXT: down @down in block 0
// CHECK: output @out1 in block 1
// CHECK-NEXT: mlp_norm @norm3 in block 1
// CHECK-NEXT: up @up1 in block 1
// CHECK-NEXT: down @down1 in block 1
// CHECK: residual stream of 6 values
// CHECK-NEXT: written by embedding @table
// CHECK-NEXT: written by output @out
// CHECK-NEXT: written by down @down
// CHECK-NEXT: written by down @down1
// CHECK-NEXT: written by output @out1
// CHECK-NEXT: read by attention_norm @norm0 for query @q, key @k, value @v
// CHECK-NEXT: read by mlp_norm @norm1 for up @up
// CHECK: hidden × 12: rows of @up, @up_bias, columns of @down
// CHECK-NOT: unknown

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm0 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm0_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm1 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm1_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up_bias : tensor<12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm2 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm2_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q1 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k1 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v1 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out1 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm3 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm3_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up1 : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up1_bias : tensor<12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down1 : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down1_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final_bias : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @head : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache0: !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>,
                %cache1: !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %norm0 = llmc.parameter_value @norm0 : tensor<8xf32>
  %norm0_bias = llmc.parameter_value @norm0_bias : tensor<8xf32>
  %n = llmc.layer_norm %e, %norm0 bias %norm0_bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q = llmc.parameter_value @q : tensor<8x8xf32>
  %q_bias = llmc.parameter_value @q_bias : tensor<8xf32>
  %q3 = llmc.linear %n, %q bias %q_bias : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %k = llmc.parameter_value @k : tensor<8x8xf32>
  %k_bias = llmc.parameter_value @k_bias : tensor<8xf32>
  %k4 = llmc.linear %n, %k bias %k_bias : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %v = llmc.parameter_value @v : tensor<8x8xf32>
  %v_bias = llmc.parameter_value @v_bias : tensor<8xf32>
  %v5 = llmc.linear %n, %v bias %v_bias : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %c = llmc.cache_append %cache0, %k4, %v5, %rows : !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>, tensor<?x8xf32>, tensor<?x8xf32>
  %o = llmc.attention %q3, %c, %rows : tensor<?x8xf32>, !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %out = llmc.parameter_value @out : tensor<8x8xf32>
  %out_bias = llmc.parameter_value @out_bias : tensor<8xf32>
  %ao = llmc.linear %o, %out bias %out_bias : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %norm1 = llmc.parameter_value @norm1 : tensor<8xf32>
  %norm1_bias = llmc.parameter_value @norm1_bias : tensor<8xf32>
  %n9 = llmc.layer_norm %e, %norm1 bias %norm1_bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %up = llmc.parameter_value @up : tensor<12x8xf32>
  %up_bias = llmc.parameter_value @up_bias : tensor<12xf32>
  %u = llmc.linear %n9, %up bias %up_bias : (tensor<?x8xf32>, tensor<12x8xf32>, tensor<12xf32>) -> tensor<?x12xf32>
  %a = llmc.activation <gelu> %u : tensor<?x12xf32>
  %down = llmc.parameter_value @down : tensor<8x12xf32>
  %down_bias = llmc.parameter_value @down_bias : tensor<8xf32>
  %d = llmc.linear %a, %down bias %down_bias : (tensor<?x12xf32>, tensor<8x12xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %h = arith.addf %ao, %e : tensor<?x8xf32>
  %h14 = arith.addf %h, %d : tensor<?x8xf32>
  %norm2 = llmc.parameter_value @norm2 : tensor<8xf32>
  %norm2_bias = llmc.parameter_value @norm2_bias : tensor<8xf32>
  %n15 = llmc.layer_norm %h14, %norm2 bias %norm2_bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q1 = llmc.parameter_value @q1 : tensor<8x8xf32>
  %q16 = llmc.linear %n15, %q1 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %k1 = llmc.parameter_value @k1 : tensor<8x8xf32>
  %k17 = llmc.linear %n15, %k1 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %v1 = llmc.parameter_value @v1 : tensor<8x8xf32>
  %v18 = llmc.linear %n15, %v1 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %c19 = llmc.cache_append %cache1, %k17, %v18, %rows : !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>, tensor<?x8xf32>, tensor<?x8xf32>
  %o20 = llmc.attention %q16, %c19, %rows : tensor<?x8xf32>, !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %out1 = llmc.parameter_value @out1 : tensor<8x8xf32>
  %ao21 = llmc.linear %o20, %out1 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %norm3 = llmc.parameter_value @norm3 : tensor<8xf32>
  %norm3_bias = llmc.parameter_value @norm3_bias : tensor<8xf32>
  %n22 = llmc.layer_norm %h14, %norm3 bias %norm3_bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %up1 = llmc.parameter_value @up1 : tensor<12x8xf32>
  %up1_bias = llmc.parameter_value @up1_bias : tensor<12xf32>
  %u23 = llmc.linear %n22, %up1 bias %up1_bias : (tensor<?x8xf32>, tensor<12x8xf32>, tensor<12xf32>) -> tensor<?x12xf32>
  %a24 = llmc.activation <gelu> %u23 : tensor<?x12xf32>
  %down1 = llmc.parameter_value @down1 : tensor<8x12xf32>
  %down1_bias = llmc.parameter_value @down1_bias : tensor<8xf32>
  %d25 = llmc.linear %a24, %down1 bias %down1_bias : (tensor<?x12xf32>, tensor<8x12xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %h26 = arith.addf %d25, %h14 : tensor<?x8xf32>
  %h27 = arith.addf %h26, %ao21 : tensor<?x8xf32>
  %w = llmc.output_rows %h27, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %final_bias = llmc.parameter_value @final_bias : tensor<8xf32>
  %n29 = llmc.layer_norm %w, %final bias %final_bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %head = llmc.parameter_value @head : tensor<16x8xf32>
  %logits = llmc.linear %n29, %head : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %logits : tensor<?x16xf32>
}
