// RUN: llmc-opt %s --print-structure 2>%t.flat | FileCheck %s --check-prefix=MODULE
// RUN: FileCheck %s < %t.flat
// RUN: llmc-opt %s --outline-blocks --print-structure 2>%t.blocks | FileCheck %s --check-prefix=BLOCKS
// RUN: diff %t.flat %t.blocks
// RUN: echo "module {}" | not llmc-opt --print-structure 2>&1 | FileCheck %s --check-prefix=EMPTY

// Blocks of a Llama: the same text, whether they are functions or not; the module stays as it is.

// MODULE-NOT: func.func private
// BLOCKS: func.func private @block
// BLOCKS: call @block
// EMPTY: error: expected a raised module, with a function @step, found none

// CHECK: structure of @step: 2 blocks
// CHECK: roles
// CHECK-NEXT: embedding @table
// CHECK-NEXT: attention_norm @norm0 in block 0
// CHECK-NEXT: query @q0 in block 0
// CHECK-NEXT: key @k0 in block 0
// CHECK-NEXT: value @v0 in block 0
// CHECK-NEXT: output @out0 in block 0
// CHECK-NEXT: mlp_norm @mlp0 in block 0
// CHECK-NEXT: gate @gate0 in block 0
// CHECK-NEXT: up @up0 in block 0
// CHECK-NEXT: down @down0 in block 0
// CHECK-NEXT: attention_norm @norm1 in block 1
// CHECK: final_norm @final
// CHECK-NEXT: head @head
// CHECK: residual stream of 6 values
// CHECK-NEXT: written by embedding @table
// CHECK-NEXT: written by output @out0
// CHECK-NEXT: written by down @down0
// CHECK-NEXT: written by output @out1
// CHECK-NEXT: written by down @down1
// CHECK-NEXT: read by attention_norm @norm0 for query @q0, key @k0, value @v0
// CHECK-NEXT: read by mlp_norm @mlp0 for gate @gate0, up @up0
// CHECK: channels
// CHECK-NEXT: residual × 8: columns of @table, @norm0, columns of @q0,
// CHECK-NEXT: heads × 1: rows of @q0 by 8, rows of @k0 by 4, rows of @v0 by 4, columns of @out0 by 8
// CHECK-NEXT: heads × 1: rows of @q1 by 8
// CHECK-NEXT: hidden × 12: rows of @gate0, rows of @up0, columns of @down0
// CHECK-NEXT: hidden × 12: rows of @gate1, rows of @up1, columns of @down1
// CHECK: scales
// CHECK-NEXT: attention_norm @norm0 → query @q0, key @k0, value @v0: 8 factors
// CHECK-NEXT: value @v0 → output @out0: 4 factors, each of 2 inputs
// CHECK-NEXT: mlp_norm @mlp0 → gate @gate0, up @up0: 8 factors
// CHECK-NEXT: up @up0 → down @down0: 12 factors
// CHECK: final_norm @final → head @head: 8 factors
// CHECK-NOT: unknown

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm0 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q0 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k0 : tensor<4x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v0 : tensor<4x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out0 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @mlp0 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @gate0 : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up0 : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down0 : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm1 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q1 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k1 : tensor<4x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v1 : tensor<4x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out1 : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @mlp1 : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @gate1 : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up1 : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down1 : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @head : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache0: !llmc.kv_cache<1x4, capacity = 32, keys = f32, values = f32>,
                %cache1: !llmc.kv_cache<1x4, capacity = 32, keys = f32, values = f32>) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %norm0 = llmc.parameter_value @norm0 : tensor<8xf32>
  %n = llmc.rms_norm %e, %norm0 : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q0 = llmc.parameter_value @q0 : tensor<8x8xf32>
  %q = llmc.linear %n, %q0 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %k0 = llmc.parameter_value @k0 : tensor<4x8xf32>
  %k = llmc.linear %n, %k0 : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %v0 = llmc.parameter_value @v0 : tensor<4x8xf32>
  %v = llmc.linear %n, %v0 : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %r = llmc.rope %q, %rows : tensor<?x8xf32> {heads = 2 : i64, frequencies = array<f32: 1.0>}
  %r7 = llmc.rope %k, %rows : tensor<?x4xf32> {heads = 1 : i64, frequencies = array<f32: 1.0>}
  %c = llmc.cache_append %cache0, %r7, %v, %rows : !llmc.kv_cache<1x4, capacity = 32, keys = f32, values = f32>, tensor<?x4xf32>, tensor<?x4xf32>
  %o = llmc.attention %r, %c, %rows : tensor<?x8xf32>, !llmc.kv_cache<1x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %out0 = llmc.parameter_value @out0 : tensor<8x8xf32>
  %ao = llmc.linear %o, %out0 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %h = arith.addf %e, %ao : tensor<?x8xf32>
  %mlp0 = llmc.parameter_value @mlp0 : tensor<8xf32>
  %n12 = llmc.rms_norm %h, %mlp0 : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %gate0 = llmc.parameter_value @gate0 : tensor<12x8xf32>
  %g = llmc.linear %n12, %gate0 : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %up0 = llmc.parameter_value @up0 : tensor<12x8xf32>
  %u = llmc.linear %n12, %up0 : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %m = llmc.gate <silu> %g, %u : tensor<?x12xf32>
  %down0 = llmc.parameter_value @down0 : tensor<8x12xf32>
  %d = llmc.linear %m, %down0 : (tensor<?x12xf32>, tensor<8x12xf32>) -> tensor<?x8xf32>
  %h17 = arith.addf %h, %d : tensor<?x8xf32>
  %norm1 = llmc.parameter_value @norm1 : tensor<8xf32>
  %n18 = llmc.rms_norm %h17, %norm1 : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %q1 = llmc.parameter_value @q1 : tensor<8x8xf32>
  %q19 = llmc.linear %n18, %q1 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %k1 = llmc.parameter_value @k1 : tensor<4x8xf32>
  %k20 = llmc.linear %n18, %k1 : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %v1 = llmc.parameter_value @v1 : tensor<4x8xf32>
  %v21 = llmc.linear %n18, %v1 : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %r22 = llmc.rope %q19, %rows : tensor<?x8xf32> {heads = 2 : i64, frequencies = array<f32: 1.0>}
  %r23 = llmc.rope %k20, %rows : tensor<?x4xf32> {heads = 1 : i64, frequencies = array<f32: 1.0>}
  %c24 = llmc.cache_append %cache1, %r23, %v21, %rows : !llmc.kv_cache<1x4, capacity = 32, keys = f32, values = f32>, tensor<?x4xf32>, tensor<?x4xf32>
  %o25 = llmc.attention %r22, %c24, %rows : tensor<?x8xf32>, !llmc.kv_cache<1x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %out1 = llmc.parameter_value @out1 : tensor<8x8xf32>
  %ao26 = llmc.linear %o25, %out1 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %h27 = arith.addf %h17, %ao26 : tensor<?x8xf32>
  %mlp1 = llmc.parameter_value @mlp1 : tensor<8xf32>
  %n28 = llmc.rms_norm %h27, %mlp1 : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %gate1 = llmc.parameter_value @gate1 : tensor<12x8xf32>
  %g29 = llmc.linear %n28, %gate1 : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %up1 = llmc.parameter_value @up1 : tensor<12x8xf32>
  %u30 = llmc.linear %n28, %up1 : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %m31 = llmc.gate <silu> %g29, %u30 : tensor<?x12xf32>
  %down1 = llmc.parameter_value @down1 : tensor<8x12xf32>
  %d32 = llmc.linear %m31, %down1 : (tensor<?x12xf32>, tensor<8x12xf32>) -> tensor<?x8xf32>
  %h33 = arith.addf %h27, %d32 : tensor<?x8xf32>
  %w = llmc.output_rows %h33, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %n35 = llmc.rms_norm %w, %final : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %head = llmc.parameter_value @head : tensor<16x8xf32>
  %logits = llmc.linear %n35, %head : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %logits : tensor<?x16xf32>
}
