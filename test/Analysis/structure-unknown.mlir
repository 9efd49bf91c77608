// RUN: llmc-opt %s --print-structure --split-input-file -o %t 2>&1 | FileCheck %s

// What is not understood is named, and what touches it is in no group; a function of every element keeps
// channels, but no role passes through it.

// CHECK-LABEL: structure of @step: 1 blocks
// CHECK: unknown @v
// CHECK: written by unknown @down
// CHECK: channels
// CHECK-NEXT: residual × 8: {{.*}}, columns of @v, {{.*}}
// CHECK-NOT: heads
// CHECK: hidden × 12: rows of @up, columns of @down
// CHECK-NEXT: hidden × 2: rows of @a, columns of @b
// CHECK: none → output @out: 'tensor.cast' makes it
// CHECK: none → unknown @down: 'math.exp' makes it
// CHECK: unknown{{$}}
// CHECK-DAG: unknown @v: what it is for is not known
// CHECK-DAG: unknown @up: what it is for is not known
// CHECK-DAG: 'tensor.cast': what it does is not known

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @mlp : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @a : tensor<2x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @b : tensor<8x2xf32> = #llmc.file<"w", offset = 0>
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
  %cast = tensor.cast %v5 : tensor<?x8xf32> to tensor<4x8xf32>
  %back = tensor.cast %cast : tensor<4x8xf32> to tensor<?x8xf32>
  %c = llmc.cache_append %cache0, %k4, %back, %rows : !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>, tensor<?x8xf32>, tensor<?x8xf32>
  %o = llmc.attention %q3, %c, %rows : tensor<?x8xf32>, !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %out = llmc.parameter_value @out : tensor<8x8xf32>
  %ao = llmc.linear %o, %out : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %h = arith.addf %e, %ao : tensor<?x8xf32>
  %mlp = llmc.parameter_value @mlp : tensor<8xf32>
  %n12 = llmc.rms_norm %h, %mlp : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %up = llmc.parameter_value @up : tensor<12x8xf32>
  %u = llmc.linear %n12, %up : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %x = math.exp %u : tensor<?x12xf32>
  %down = llmc.parameter_value @down : tensor<8x12xf32>
  %d = llmc.linear %x, %down : (tensor<?x12xf32>, tensor<8x12xf32>) -> tensor<?x8xf32>
  %a = llmc.parameter_value @a : tensor<2x8xf32>
  %la = llmc.linear %n12, %a : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32>
  %b = llmc.parameter_value @b : tensor<8x2xf32>
  %lb = llmc.linear %la, %b : (tensor<?x2xf32>, tensor<8x2xf32>) -> tensor<?x8xf32>
  %h18 = arith.addf %d, %lb : tensor<?x8xf32>
  %h19 = arith.addf %h, %h18 : tensor<?x8xf32>
  %w = llmc.output_rows %h19, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %n21 = llmc.rms_norm %w, %final : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %head = llmc.parameter_value @head : tensor<16x8xf32>
  %logits = llmc.linear %n21, %head : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %logits : tensor<?x16xf32>
}

// -----

// Slices that overlap.

// CHECK-LABEL: structure of @step: 1 blocks
// CHECK: channels
// CHECK-NEXT: residual
// CHECK-NOT: heads
// CHECK: none → output @out: a part of the linear's outputs that makes it is used several times
// CHECK: unknown{{$}}
// CHECK-NEXT: @qkv: it is cut in several ways

llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @qkv : tensor<20x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @head : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache0: !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %norm = llmc.parameter_value @norm : tensor<8xf32>
  %n = llmc.rms_norm %e, %norm : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %qkv = llmc.parameter_value @qkv : tensor<20x8xf32>
  %qkv3 = llmc.linear %n, %qkv : (tensor<?x8xf32>, tensor<20x8xf32>) -> tensor<?x20xf32>
  %zero = arith.constant 0 : index
  %size = tensor.dim %qkv3, %zero : tensor<?x20xf32>
  %q = tensor.extract_slice %qkv3[0, 0] [%size, 8] [1, 1] : tensor<?x20xf32> to tensor<?x8xf32>
  %k = tensor.extract_slice %qkv3[0, 6] [%size, 8] [1, 1] : tensor<?x20xf32> to tensor<?x8xf32>
  %v = tensor.extract_slice %qkv3[0, 12] [%size, 8] [1, 1] : tensor<?x20xf32> to tensor<?x8xf32>
  %c = llmc.cache_append %cache0, %k, %v, %rows : !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>, tensor<?x8xf32>, tensor<?x8xf32>
  %o = llmc.attention %q, %c, %rows : tensor<?x8xf32>, !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %out = llmc.parameter_value @out : tensor<8x8xf32>
  %ao = llmc.linear %o, %out : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %h = arith.addf %e, %ao : tensor<?x8xf32>
  %w = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %n14 = llmc.rms_norm %w, %final : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %head = llmc.parameter_value @head : tensor<16x8xf32>
  %logits = llmc.linear %n14, %head : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %logits : tensor<?x16xf32>
}
