// RUN: llmc-opt %s --print-structure --split-input-file -o %t 2>&1 | FileCheck %s

// Linears of two factors, and linears with a branch of factors beside them: both factors are for what the
// linear was for, and channels of the branch are those of the linear.

// CHECK-LABEL: structure of @step: 1 blocks
// CHECK: query @q.factors.A in block 0
// CHECK-NEXT: query @q.factors.B in block 0
// CHECK-NEXT: key @k in block 0
// CHECK-NEXT: key @k.repair.A in block 0
// CHECK-NEXT: key @k.repair.B in block 0
// CHECK-NEXT: value @v in block 0
// CHECK: output @out in block 0
// CHECK-NEXT: output @out.repair.A in block 0
// CHECK-NEXT: output @out.repair.B in block 0
// CHECK: gate @gate.factors.A in block 0
// CHECK-NEXT: gate @gate.factors.B in block 0
// CHECK-NEXT: up @up in block 0
// CHECK-NEXT: up @up.repair.A in block 0
// CHECK-NEXT: up @up.repair.B in block 0
// CHECK-NEXT: down @down.factors.A in block 0
// CHECK-NEXT: down @down.factors.B in block 0
// CHECK: written by output @out.repair.B
// CHECK-NEXT: written by output @out
// CHECK-NEXT: written by down @down.factors.B
// CHECK: heads × 2: rows of @q.factors.B by 4, rows of @k by 2, rows of @k.repair.B by 2, rows of @v by 2, columns of @out by 4, columns of @out.repair.A by 4
// CHECK: hidden × 12: rows of @gate.factors.B, rows of @up, rows of @up.repair.B, columns of @down.factors.A
// CHECK: query @q.factors.A → query @q.factors.B: 3 factors
// CHECK-NOT: unknown

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q.factors.A : tensor<3x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q.factors.B : tensor<8x3xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k : tensor<4x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k.repair.A : tensor<2x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k.repair.B : tensor<4x2xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v : tensor<4x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q_norm : tensor<2xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k_norm : tensor<2xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @sinks : tensor<4xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out.repair.A : tensor<4x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out.repair.B : tensor<8x4xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @mlp : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @gate.factors.A : tensor<5x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @gate.factors.B : tensor<12x5xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up.repair.A : tensor<2x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up.repair.B : tensor<12x2xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down.factors.A : tensor<6x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down.factors.B : tensor<8x6xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @head : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache0: !llmc.kv_cache<2x2, capacity = 32, keys = f32, values = f32>) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %norm = llmc.parameter_value @norm : tensor<8xf32>
  %n = llmc.rms_norm %e, %norm : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q_a = llmc.parameter_value @q.factors.A : tensor<3x8xf32>
  %q_t = llmc.linear %n, %q_a : (tensor<?x8xf32>, tensor<3x8xf32>) -> tensor<?x3xf32>
  %q_b = llmc.parameter_value @q.factors.B : tensor<8x3xf32>
  %q3 = llmc.linear %q_t, %q_b : (tensor<?x3xf32>, tensor<8x3xf32>) -> tensor<?x8xf32>
  %k = llmc.parameter_value @k : tensor<4x8xf32>
  %k_y = llmc.linear %n, %k : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %k_a = llmc.parameter_value @k.repair.A : tensor<2x8xf32>
  %k_t = llmc.linear %n, %k_a : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32>
  %k_b = llmc.parameter_value @k.repair.B : tensor<4x2xf32>
  %k_r = llmc.linear %k_t, %k_b : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>
  %k4 = arith.addf %k_r, %k_y : tensor<?x4xf32>
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
  %out_y = llmc.linear %o, %out : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %out_a = llmc.parameter_value @out.repair.A : tensor<4x8xf32>
  %out_t = llmc.linear %o, %out_a : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %out_b = llmc.parameter_value @out.repair.B : tensor<8x4xf32>
  %out_r = llmc.linear %out_t, %out_b : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  %ao = arith.addf %out_r, %out_y : tensor<?x8xf32>
  %h = arith.addf %e, %ao : tensor<?x8xf32>
  %mlp = llmc.parameter_value @mlp : tensor<8xf32>
  %n14 = llmc.rms_norm %h, %mlp : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %gate_a = llmc.parameter_value @gate.factors.A : tensor<5x8xf32>
  %gate_t = llmc.linear %n14, %gate_a : (tensor<?x8xf32>, tensor<5x8xf32>) -> tensor<?x5xf32>
  %gate_b = llmc.parameter_value @gate.factors.B : tensor<12x5xf32>
  %g = llmc.linear %gate_t, %gate_b : (tensor<?x5xf32>, tensor<12x5xf32>) -> tensor<?x12xf32>
  %up = llmc.parameter_value @up : tensor<12x8xf32>
  %up_y = llmc.linear %n14, %up : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %up_a = llmc.parameter_value @up.repair.A : tensor<2x8xf32>
  %up_t = llmc.linear %n14, %up_a : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32>
  %up_b = llmc.parameter_value @up.repair.B : tensor<12x2xf32>
  %up_r = llmc.linear %up_t, %up_b : (tensor<?x2xf32>, tensor<12x2xf32>) -> tensor<?x12xf32>
  %u = arith.addf %up_r, %up_y : tensor<?x12xf32>
  %m = llmc.gate <silu> %g, %u : tensor<?x12xf32>
  %down_a = llmc.parameter_value @down.factors.A : tensor<6x12xf32>
  %down_t = llmc.linear %m, %down_a : (tensor<?x12xf32>, tensor<6x12xf32>) -> tensor<?x6xf32>
  %down_b = llmc.parameter_value @down.factors.B : tensor<8x6xf32>
  %d = llmc.linear %down_t, %down_b : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
  %h19 = arith.addf %h, %d : tensor<?x8xf32>
  %w = llmc.output_rows %h19, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %n21 = llmc.rms_norm %w, %final : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %head = llmc.parameter_value @head : tensor<16x8xf32>
  %logits = llmc.linear %n21, %head : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %logits : tensor<?x16xf32>
}

// -----

// A branch beside a matrix whose outputs slices cut into queries, keys and values.

// CHECK-LABEL: structure of @step: 1 blocks
// CHECK: query+key+value @qkv in block 0, query 0 to 8, key 8 to 16, value 16 to 24
// CHECK-NEXT: query+key+value @qkv.repair.A in block 0
// CHECK-NEXT: query+key+value @qkv.repair.B in block 0, query 0 to 8, key 8 to 16, value 16 to 24
// CHECK: heads × 2: rows of @qkv by 4, @qkv_bias by 4, rows of @qkv.repair.B by 4
// CHECK-NOT: unknown

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @qkv : tensor<24x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @qkv.repair.A : tensor<3x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @qkv.repair.B : tensor<24x3xf32> = #llmc.file<"w", offset = 0>
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
  %qkv_y = llmc.linear %n, %qkv bias %qkv_bias : (tensor<?x8xf32>, tensor<24x8xf32>, tensor<24xf32>) -> tensor<?x24xf32>
  %qkv_a = llmc.parameter_value @qkv.repair.A : tensor<3x8xf32>
  %qkv_t = llmc.linear %n, %qkv_a : (tensor<?x8xf32>, tensor<3x8xf32>) -> tensor<?x3xf32>
  %qkv_b = llmc.parameter_value @qkv.repair.B : tensor<24x3xf32>
  %qkv_r = llmc.linear %qkv_t, %qkv_b : (tensor<?x3xf32>, tensor<24x3xf32>) -> tensor<?x24xf32>
  %qkv3 = arith.addf %qkv_r, %qkv_y : tensor<?x24xf32>
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
