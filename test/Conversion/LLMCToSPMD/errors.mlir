// RUN: llmc-opt %s --convert-llmc-to-spmd --split-input-file --verify-diagnostics

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
// expected-error @+1 {{expected a body of one block}}
func.func @step(%x: tensor<?x32xf32>, %cache: !cache) -> tensor<?x32xf32> {
  llvm.br ^end
^end:
  return %x : tensor<?x32xf32>
}

// -----

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
// expected-error @+1 {{expected tokens, rows and caches as arguments of a step, found 'tensor<?x8xf32>'}}
func.func @step(%h: tensor<?x8xf32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %y = llmc.linear %o, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
// expected-error @+1 {{expected logits of the rows that llmc.output_rows keeps}}
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %y = llmc.linear %h, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// expected-error @+1 {{expected weights of f32, f16 or bf16, found 'f64'}}
llmc.parameter @w : tensor<8xf64> = #llmc.file<"none", offset = 0>
!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %w = llmc.parameter_value @w : tensor<8xf64>
  %y = llmc.linear %o, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// expected-error @+1 {{expected a vector or a matrix, found 'tensor<2x4x8xf32>'}}
llmc.parameter @w : tensor<2x4x8xf32> = #llmc.file<"none", offset = 0>
!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %w = llmc.parameter_value @w : tensor<2x4x8xf32>
  %y = llmc.linear %o, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  // expected-error @+1 {{expected all rows of the step, found those of llmc.output_rows}}
  %p = llmc.output_rows %o, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %y = llmc.linear %p, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  // expected-error @+1 {{expected operands of the same rows}}
  %r = llmc.rope %o, %rows : tensor<?x8xf32> {heads = 1 : i64, frequencies = array<f32: 1.0>}
  %y = llmc.linear %r, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  // expected-error @+1 {{expected all rows of the step, found those of llmc.output_rows}}
  %full = llmc.cache_append %cache, %h, %o, %rows : !cache, tensor<?x8xf32>, tensor<?x8xf32>
  %y = llmc.linear %o, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  // expected-error @+1 {{expected all rows of the step, found those of llmc.output_rows}}
  %a = llmc.attention %o, %cache, %rows : tensor<?x8xf32>, !cache {heads = 1 : i64, scale = 0.5 : f32}
  %y = llmc.linear %a, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  // expected-error @+1 {{expected operands of the same rows}}
  %sum = arith.addf %o, %h : tensor<?x8xf32>
  %y = llmc.linear %sum, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

llmc.parameter @w : tensor<8x8xf32> = #llmc.file<"none", offset = 0>
!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %w = llmc.parameter_value @w : tensor<8x8xf32>
  %d = llmc.linear %o, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  // expected-error @+1 {{expected operands of the same rows}}
  %sum = arith.addf %h, %d : tensor<?x8xf32>
  %y = llmc.linear %sum, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  // expected-error @+1 {{expected activations of f32, found 'tensor<32x8xf32>'}}
  %sum = arith.addf %table, %table : tensor<32x8xf32>
  %y = llmc.linear %o, %sum : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  // expected-error @+1 {{expected activations of f32, found 'tensor<32x8xf32>'}}
  %o = llmc.output_rows %table, %rows : tensor<32x8xf32> -> tensor<?x8xf32>
  %y = llmc.linear %o, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  // expected-error @+1 {{expected activations of f32, found 'tensor<32x8xf32>'}}
  %full = llmc.cache_append %cache, %table, %h, %rows : !cache, tensor<32x8xf32>, tensor<?x8xf32>
  %y = llmc.linear %o, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

llmc.parameter @w : tensor<8xf32> = #llmc.file<"none", offset = 0>
!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %w = llmc.parameter_value @w : tensor<8xf32>
  // expected-error @+1 {{expected activations of f32, found 'tensor<32x8xf32>'}}
  %n = llmc.rms_norm %table, %w : tensor<32x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %y = llmc.linear %o, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  // expected-error @+1 {{expected activations of f32, found 'tensor<32x8xf32>'}}
  %y1 = llmc.linear %table, %table : (tensor<32x8xf32>, tensor<32x8xf32>) -> tensor<32x32xf32>
  %y = llmc.linear %o, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %p = llmc.positions %rows : tensor<4xi32>
  // expected-error @+1 {{expected activations of f32, found 'tensor<4x8xf32>'}}
  %e = llmc.embedding %p, %table : (tensor<4xi32>, tensor<32x8xf32>) -> tensor<4x8xf32>
  %y = llmc.linear %o, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// A region of the state for each of them would take more than any machine has.
!cache = !llmc.kv_cache<2147483647x8, capacity = 8, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"weights.bin", offset = 0>
// expected-error @+1 {{expected caches of at most 262144 heads together, found '!llmc.kv_cache<2147483647x8}}
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %y = llmc.linear %h, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
// -----

#a8 = #llmc.dynamic<bits = 8, group = 32>
!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %c = llmc.round %h : tensor<?x8xf32> -> tensor<?x8xf32, #a8>
  // expected-error @+1 {{expected activations of f32, found 'tensor<?x8xf32, #llmc.dynamic<bits = 8, group = 32>>'}}
  %a = llmc.activation <relu> %c : tensor<?x8xf32, #a8>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %y = llmc.linear %o, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
