// RUN: llmc-opt %s --print-structure --split-input-file -o %t 2>&1 | FileCheck %s

// Shared key/value heads, norms of each head, sinks (Qwen 3, gpt-oss): a gain that all heads share is of
// no group.

// CHECK-LABEL: structure of @step: 1 blocks
// CHECK: query_norm @q_norm in block 0
// CHECK-NEXT: key_norm @k_norm in block 0
// CHECK: heads × 2: rows of @q by 4, rows of @k by 2, rows of @v by 2, columns of @out by 4, @sinks by 2
// CHECK-NEXT: hidden × 12: rows of @gate, rows of @up, columns of @down
// CHECK: value @v → output @out: 4 factors, each of 2 inputs
// CHECK-NOT: unknown

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k : tensor<4x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v : tensor<4x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q_norm : tensor<2xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k_norm : tensor<2xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @sinks : tensor<4xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @mlp : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @gate : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @head : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache0: !llmc.kv_cache<2x2, capacity = 32, keys = f32, values = f32>) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %norm = llmc.parameter_value @norm : tensor<8xf32>
  %n = llmc.rms_norm %e, %norm : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q = llmc.parameter_value @q : tensor<8x8xf32>
  %q3 = llmc.linear %n, %q : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %k = llmc.parameter_value @k : tensor<4x8xf32>
  %k4 = llmc.linear %n, %k : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %v = llmc.parameter_value @v : tensor<4x8xf32>
  %v5 = llmc.linear %n, %v : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %q_norm = llmc.parameter_value @q_norm : tensor<2xf32>
  %n6 = llmc.rms_norm %q3, %q_norm : tensor<?x8xf32>, tensor<2xf32> {epsilon = 1.0e-5 : f32, groups = 4 : i64}
  %r = llmc.rope %n6, %rows : tensor<?x8xf32> {heads = 4 : i64, frequencies = array<f32: 1.0>}
  %k_norm = llmc.parameter_value @k_norm : tensor<2xf32>
  %n8 = llmc.rms_norm %k4, %k_norm : tensor<?x4xf32>, tensor<2xf32> {epsilon = 1.0e-5 : f32, groups = 2 : i64}
  %r9 = llmc.rope %n8, %rows : tensor<?x4xf32> {heads = 2 : i64, frequencies = array<f32: 1.0>}
  %c = llmc.cache_append %cache0, %r9, %v5, %rows : !llmc.kv_cache<2x2, capacity = 32, keys = f32, values = f32>, tensor<?x4xf32>, tensor<?x4xf32>
  %sinks = llmc.parameter_value @sinks : tensor<4xf32>
  %o = llmc.attention %r, %c, %rows sinks %sinks : tensor<?x8xf32>, !llmc.kv_cache<2x2, capacity = 32, keys = f32, values = f32>, tensor<4xf32> {heads = 4 : i64, scale = 0.5 : f32}
  %out = llmc.parameter_value @out : tensor<8x8xf32>
  %ao = llmc.linear %o, %out : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %h = arith.addf %e, %ao : tensor<?x8xf32>
  %mlp = llmc.parameter_value @mlp : tensor<8xf32>
  %n14 = llmc.rms_norm %h, %mlp : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %gate = llmc.parameter_value @gate : tensor<12x8xf32>
  %g = llmc.linear %n14, %gate : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %up = llmc.parameter_value @up : tensor<12x8xf32>
  %u = llmc.linear %n14, %up : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %m = llmc.gate <silu> %g, %u : tensor<?x12xf32>
  %down = llmc.parameter_value @down : tensor<8x12xf32>
  %d = llmc.linear %m, %down : (tensor<?x12xf32>, tensor<8x12xf32>) -> tensor<?x8xf32>
  %h19 = arith.addf %h, %d : tensor<?x8xf32>
  %w = llmc.output_rows %h19, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %n21 = llmc.rms_norm %w, %final : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %head = llmc.parameter_value @head : tensor<16x8xf32>
  %logits = llmc.linear %n21, %head : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %logits : tensor<?x16xf32>
}

// -----

// Queries, keys and values in one matrix, and an MLP with the square of a relu.

// CHECK-LABEL: structure of @step: 1 blocks
// CHECK: query+key+value @qkv in block 0, query 0 to 8, key 8 to 16, value 16 to 24
// CHECK: up @up in block 0
// CHECK: read by attention_norm @norm for query+key+value @qkv
// CHECK: heads × 2: rows of @qkv by 4, @qkv_bias by 4, rows of @qkv from 8 by 4, @qkv_bias from 8 by 4, rows of @qkv from 16 by 4, @qkv_bias from 16 by 4, columns of @out by 4
// CHECK-NEXT: hidden × 12: rows of @up, columns of @down
// CHECK: query+key+value @qkv from row 16 → output @out: 8 factors
// CHECK: none → down @down: a value on the way to it is used several times
// CHECK-NOT: unknown

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @qkv : tensor<24x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @qkv_bias : tensor<24xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @mlp : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @head : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache0: !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %norm = llmc.parameter_value @norm : tensor<8xf32>
  %n = llmc.rms_norm %e, %norm : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %qkv = llmc.parameter_value @qkv : tensor<24x8xf32>
  %qkv_bias = llmc.parameter_value @qkv_bias : tensor<24xf32>
  %qkv3 = llmc.linear %n, %qkv bias %qkv_bias : (tensor<?x8xf32>, tensor<24x8xf32>, tensor<24xf32>) -> tensor<?x24xf32>
  %zero = arith.constant 0 : index
  %size = tensor.dim %qkv3, %zero : tensor<?x24xf32>
  %q = tensor.extract_slice %qkv3[0, 0] [%size, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k = tensor.extract_slice %qkv3[0, 8] [%size, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %v = tensor.extract_slice %qkv3[0, 16] [%size, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %c = llmc.cache_append %cache0, %k, %v, %rows : !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>, tensor<?x8xf32>, tensor<?x8xf32>
  %o = llmc.attention %q, %c, %rows : tensor<?x8xf32>, !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %out = llmc.parameter_value @out : tensor<8x8xf32>
  %ao = llmc.linear %o, %out : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %h = arith.addf %e, %ao : tensor<?x8xf32>
  %mlp = llmc.parameter_value @mlp : tensor<8xf32>
  %n13 = llmc.rms_norm %h, %mlp : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %up = llmc.parameter_value @up : tensor<12x8xf32>
  %u = llmc.linear %n13, %up : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %a = llmc.activation <relu> %u : tensor<?x12xf32>
  %m = llmc.gate <relu> %u, %a : tensor<?x12xf32>
  %down = llmc.parameter_value @down : tensor<8x12xf32>
  %d = llmc.linear %m, %down : (tensor<?x12xf32>, tensor<8x12xf32>) -> tensor<?x8xf32>
  %h18 = arith.addf %h, %d : tensor<?x8xf32>
  %w = llmc.output_rows %h18, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %n20 = llmc.rms_norm %w, %final : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %head = llmc.parameter_value @head : tensor<16x8xf32>
  %logits = llmc.linear %n20, %head : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %logits : tensor<?x16xf32>
}

// -----

// Keys that are the values too, and one MLP for two blocks.

// CHECK-LABEL: structure of @step: 2 blocks
// CHECK: key+value @k0 in block 0, key 0 to 8, value 0 to 8
// CHECK: heads × 2: rows of @q0 by 4, rows of @k0 by 4, columns of @out0 by 4
// CHECK-NEXT: heads × 2: rows of @q1 by 4, rows of @k1 by 4, columns of @out1 by 4
// CHECK-NEXT: hidden × 12: rows of @gate, rows of @up, columns of @down
// CHECK-NOT: hidden
// CHECK: none → output @out0: a value on the way to it is used several times
// CHECK-NEXT: none → gate @gate, up @up: @gate is used elsewhere too
// CHECK-NOT: unknown

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm0 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q0 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k0 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out0 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @mlp0 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @gate : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm1 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q1 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k1 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out1 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @mlp1 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @head : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache0: !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>,
                %cache1: !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %norm0 = llmc.parameter_value @norm0 : tensor<8xf32>
  %n = llmc.rms_norm %e, %norm0 : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q0 = llmc.parameter_value @q0 : tensor<8x8xf32>
  %q = llmc.linear %n, %q0 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %k0 = llmc.parameter_value @k0 : tensor<8x8xf32>
  %k = llmc.linear %n, %k0 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %c = llmc.cache_append %cache0, %k, %k, %rows : !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>, tensor<?x8xf32>, tensor<?x8xf32>
  %o = llmc.attention %q, %c, %rows : tensor<?x8xf32>, !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %out0 = llmc.parameter_value @out0 : tensor<8x8xf32>
  %ao = llmc.linear %o, %out0 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %h = arith.addf %e, %ao : tensor<?x8xf32>
  %mlp0 = llmc.parameter_value @mlp0 : tensor<8xf32>
  %n9 = llmc.rms_norm %h, %mlp0 : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %gate = llmc.parameter_value @gate : tensor<12x8xf32>
  %g = llmc.linear %n9, %gate : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %up = llmc.parameter_value @up : tensor<12x8xf32>
  %u = llmc.linear %n9, %up : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %m = llmc.gate <silu> %g, %u : tensor<?x12xf32>
  %down = llmc.parameter_value @down : tensor<8x12xf32>
  %d = llmc.linear %m, %down : (tensor<?x12xf32>, tensor<8x12xf32>) -> tensor<?x8xf32>
  %h14 = arith.addf %h, %d : tensor<?x8xf32>
  %norm1 = llmc.parameter_value @norm1 : tensor<8xf32>
  %n15 = llmc.rms_norm %h14, %norm1 : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q1 = llmc.parameter_value @q1 : tensor<8x8xf32>
  %q16 = llmc.linear %n15, %q1 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %k1 = llmc.parameter_value @k1 : tensor<8x8xf32>
  %k17 = llmc.linear %n15, %k1 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %c18 = llmc.cache_append %cache1, %k17, %k17, %rows : !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>, tensor<?x8xf32>, tensor<?x8xf32>
  %o19 = llmc.attention %q16, %c18, %rows : tensor<?x8xf32>, !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %out1 = llmc.parameter_value @out1 : tensor<8x8xf32>
  %ao20 = llmc.linear %o19, %out1 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %h21 = arith.addf %h14, %ao20 : tensor<?x8xf32>
  %mlp1 = llmc.parameter_value @mlp1 : tensor<8xf32>
  %n22 = llmc.rms_norm %h21, %mlp1 : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %g23 = llmc.linear %n22, %gate : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %u24 = llmc.linear %n22, %up : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %m25 = llmc.gate <silu> %g23, %u24 : tensor<?x12xf32>
  %d26 = llmc.linear %m25, %down : (tensor<?x12xf32>, tensor<8x12xf32>) -> tensor<?x8xf32>
  %h27 = arith.addf %h21, %d26 : tensor<?x8xf32>
  %w = llmc.output_rows %h27, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %n29 = llmc.rms_norm %w, %final : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %head = llmc.parameter_value @head : tensor<16x8xf32>
  %logits = llmc.linear %n29, %head : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %logits : tensor<?x16xf32>
}
