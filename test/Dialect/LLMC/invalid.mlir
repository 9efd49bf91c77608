// RUN: llmc-opt %s -split-input-file -verify-diagnostics

// Parameters.

// expected-error @+1 {{expected a static shape, found 'tensor<?x96xf32>'}}
llmc.parameter @w : tensor<?x96xf32> = #llmc.file<"w", offset = 0>

// -----

// expected-error @+1 {{expected an element type of whole bytes, found 'i4'}}
llmc.parameter @w : tensor<4x96xi4> = #llmc.file<"w", offset = 0>

// -----

// expected-error @+1 {{expected an element type of whole bytes, found 'complex<f32>'}}
llmc.parameter @w : tensor<4x96xcomplex<f32>> = #llmc.file<"w", offset = 0>

// -----

// expected-error @+1 {{expected a size that fits 63 bits, found 'tensor<9223372036854775807x96xf32>'}}
llmc.parameter @w : tensor<9223372036854775807x96xf32> = #llmc.file<"w", offset = 0>

// -----

// expected-error @+1 {{expected at most 2^56 weights, found 4611686018427387904 x 2}}
llmc.parameter @w : tensor<4611686018427387904x2xf32, #llmc.grouped<bits = 4, group = 8, zero = none, scale = f16>> = #llmc.file<"w", offset = 0>

// -----

// expected-error @+1 {{expected an encoding that says how many bytes it takes, found #llmc.tiled}}
llmc.parameter @w : tensor<4x96xf32, #llmc.tiled> = #llmc.file<"w", offset = 0>

// -----

// expected-error @+1 {{expected no strides with an encoded type, found 2}}
llmc.parameter @w : tensor<4x96xf32, #llmc.grouped<bits = 4, group = 8, zero = none, scale = f16>> = #llmc.file<"w", offset = 0, strides = [96, 1]>

// -----

// expected-error @+1 {{expected 2 strides, one per dimension, found 3}}
llmc.parameter @w : tensor<4x96xf32> = #llmc.file<"w", offset = 0, strides = [1, 2, 3]>

// -----

// expected-error @+1 {{expected #llmc.file or a dense resource as data, found "abc"}}
llmc.parameter @w : tensor<4x96xf32> = "abc"

// -----

// expected-error @+1 {{expected a resource of type tensor<1536xi8>, found 'tensor<4xi16>'}}
llmc.parameter @w : tensor<4x96xf32> = dense_resource<bytes> : tensor<4xi16>

// -----

// expected-error @+1 {{expected a resource size of 1536, found 4}}
llmc.parameter @w : tensor<4x96xf32> = dense_resource<bytes> : tensor<4xi8>

// -----

// expected-error @+1 {{type attribute of ranked tensor of any type values}}
llmc.parameter @w : tensor<*xf32> = #llmc.file<"w", offset = 0>

// -----

func.func @f() {
  // expected-error @+1 {{expected the name of an llmc.parameter, found @missing}}
  %0 = llmc.parameter_value @missing : tensor<4xf32>
  return
}

// -----

func.func private @g()
func.func @f() {
  // expected-error @+1 {{expected the name of an llmc.parameter, found @g}}
  %0 = llmc.parameter_value @g : tensor<4xf32>
  return
}

// -----

// expected-note @+1 {{the parameter is declared here}}
llmc.parameter @w : tensor<4x96xf32> = #llmc.file<"w", offset = 0>
func.func @f() {
  // expected-error @+1 {{expected the parameter's type 'tensor<4x96xf32>', found 'tensor<4x96xf16>'}}
  %0 = llmc.parameter_value @w : tensor<4x96xf16>
  return
}

// -----

// Widths.

func.func @f(%x: tensor<?x?xf32>, %gain: tensor<64xf32>) {
  // expected-error @+1 {{operand #0 must be 2D tensor of 32-bit float values with a width that is known and positive, but got 'tensor<?x?xf32>'}}
  %0 = llmc.rms_norm %x, %gain : tensor<?x?xf32>, tensor<64xf32> {epsilon = 1.0e-5 : f32}
  return
}

// -----

func.func @f(%x: tensor<?x0xf32>, %gain: tensor<0xf32>) {
  // expected-error @+1 {{with a width that is known and positive, but got 'tensor<?x0xf32>'}}
  %0 = llmc.rms_norm %x, %gain : tensor<?x0xf32>, tensor<0xf32> {epsilon = 1.0e-5 : f32}
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %w: tensor<?x64xf32>) {
  // expected-error @+1 {{operand #1 must be 2D tensor of 32-bit float or 16-bit float or bfloat16 type values with sizes that are known and positive, but got 'tensor<?x64xf32>'}}
  %0 = llmc.linear %x, %w : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x96xf32>
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %gain: tensor<?xf32>) {
  // expected-error @+1 {{operand #1 must be 1D tensor of 32-bit float or 16-bit float or bfloat16 type values with a size that is known and positive, but got 'tensor<?xf32>'}}
  %0 = llmc.rms_norm %x, %gain : tensor<?x64xf32>, tensor<?xf32> {epsilon = 1.0e-5 : f32}
  return
}

// -----

// Layers.

func.func @f(%x: tensor<?x64xf32>, %rows: !llmc.rows) {
  // expected-error @+1 {{expected a result width of 64, found 32}}
  %0 = llmc.output_rows %x, %rows : tensor<?x64xf32> -> tensor<?x32xf32>
  return
}

// -----

func.func @f(%tokens: tensor<?xi32>, %table: tensor<320x64xf32>) {
  // expected-error @+1 {{expected a result width of 64, found 32}}
  %0 = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<320x64xf32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @f(%tokens: tensor<?xi32>, %table: tensor<320x64xf32>) {
  // expected-error @+1 {{expected a number of result rows of a dynamic size, found 7}}
  %0 = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<320x64xf32>) -> tensor<7x64xf32>
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %w: tensor<96x32xf32>) {
  // expected-error @+1 {{expected a weight width of 64, found 32}}
  %0 = llmc.linear %x, %w : (tensor<?x64xf32>, tensor<96x32xf32>) -> tensor<?x96xf32>
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %w: tensor<96x64xf32>) {
  // expected-error @+1 {{expected a result width of 96, found 64}}
  %0 = llmc.linear %x, %w : (tensor<?x64xf32>, tensor<96x64xf32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %w: tensor<96x64xf32>) {
  // expected-error @+1 {{expected a number of result rows of a dynamic size, found 4}}
  %0 = llmc.linear %x, %w : (tensor<?x64xf32>, tensor<96x64xf32>) -> tensor<4x96xf32>
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %w: tensor<96x64xf32>, %bias: tensor<64xf32>) {
  // expected-error @+1 {{expected a bias width of 96, found 64}}
  %0 = llmc.linear %x, %w bias %bias : (tensor<?x64xf32>, tensor<96x64xf32>, tensor<64xf32>) -> tensor<?x96xf32>
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %gain: tensor<64xf32>) {
  // expected-error @+1 {{expected groups that divide the width 64, found 3}}
  %0 = llmc.rms_norm %x, %gain : tensor<?x64xf32>, tensor<64xf32> {epsilon = 1.0e-5 : f32, groups = 3 : i64}
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %gain: tensor<64xf32>) {
  // expected-error @+1 {{expected groups that divide the width 64, found 0}}
  %0 = llmc.rms_norm %x, %gain : tensor<?x64xf32>, tensor<64xf32> {epsilon = 1.0e-5 : f32, groups = 0 : i64}
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %gain: tensor<64xf32>) {
  // expected-error @+1 {{expected a gain width of 16, found 64}}
  %0 = llmc.rms_norm %x, %gain : tensor<?x64xf32>, tensor<64xf32> {epsilon = 1.0e-5 : f32, groups = 4 : i64}
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %gain: tensor<32xf32>) {
  // expected-error @+1 {{expected a gain width of 64, found 32}}
  %0 = llmc.layer_norm %x, %gain : tensor<?x64xf32>, tensor<32xf32> {epsilon = 1.0e-5 : f32}
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %gain: tensor<64xf32>, %bias: tensor<32xf32>) {
  // expected-error @+1 {{expected a bias width of 64, found 32}}
  %0 = llmc.layer_norm %x, %gain bias %bias : tensor<?x64xf32>, tensor<64xf32>, tensor<32xf32> {epsilon = 1.0e-5 : f32}
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{expected an order that divides the width 64, found 12}}
  %0 = llmc.hadamard %x : tensor<?x64xf32> {order = 12 : i64}
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{expected an order that divides the width 64, found -8}}
  %0 = llmc.hadamard %x : tensor<?x64xf32> {order = -8 : i64}
  return
}

// -----

func.func @f(%x: tensor<?x92xf32>) {
  // expected-error @+1 {{expected an order of a known Hadamard matrix, such as 4, found 92}}
  %0 = llmc.hadamard %x : tensor<?x92xf32> {order = 92 : i64}
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{expected at least one column, found none}}
  %0 = llmc.clear_columns %x [] : tensor<?x64xf32>
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{expected ascending columns of a width of 64, found 64 behind 3}}
  %0 = llmc.clear_columns %x [3, 64] : tensor<?x64xf32>
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{expected ascending columns of a width of 64, found 3 behind 3}}
  %0 = llmc.take_columns %x [3, 3] : tensor<?x64xf32> -> tensor<?x2xf32>
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{expected ascending columns of a width of 64, found -2 behind -1}}
  %0 = llmc.take_columns %x [-2] : tensor<?x64xf32> -> tensor<?x1xf32>
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{expected a result width of 2, found 3}}
  %0 = llmc.take_columns %x [1, 3] : tensor<?x64xf32> -> tensor<?x3xf32>
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %rows: !llmc.rows) {
  // expected-error @+1 {{expected heads that divide the width 64, found 5}}
  %0 = llmc.rope %x, %rows : tensor<?x64xf32> {heads = 5 : i64, frequencies = array<f32: 1.0>}
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %rows: !llmc.rows) {
  // expected-error @+1 {{expected heads that divide the width 64, found -1}}
  %0 = llmc.rope %x, %rows : tensor<?x64xf32> {heads = -1 : i64, frequencies = array<f32: 1.0>}
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %rows: !llmc.rows) {
  // expected-error @+1 {{expected 1 to 1 frequencies for a head of 2, found 2}}
  %0 = llmc.rope %x, %rows : tensor<?x64xf32> {heads = 32 : i64, frequencies = array<f32: 1.0, 0.1>}
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %rows: !llmc.rows) {
  // expected-error @+1 {{expected 1 to 8 frequencies for a head of 16, found 0}}
  %0 = llmc.rope %x, %rows : tensor<?x64xf32> {heads = 4 : i64, frequencies = array<f32>}
  return
}

// -----

// Rounding, rotation tables, and rotations by them.

#a8 = #llmc.dynamic<bits = 8, group = 32>
func.func @f(%x: tensor<?x64xf32, #a8>) {
  // expected-error @+1 {{expected an input without encoding, found 'tensor<?x64xf32, #llmc.dynamic<bits = 8, group = 32>>'}}
  %0 = llmc.round %x : tensor<?x64xf32, #a8> -> tensor<?x64xf32, #a8>
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{expected the input's type with an encoding #llmc.dynamic of integers as result, found 'tensor<?x64xf32>'}}
  %0 = llmc.round %x : tensor<?x64xf32> -> tensor<?x64xf32>
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{expected a rounding to floats, found one to integers: #llmc.dynamic<bits = 8, group = 32>}}
  %y = llmc.round_values %x to <bits = 8, group = 32> : tensor<?x64xf32>
  return
}

// -----

#a8 = #llmc.dynamic<bits = 8, group = 32>
func.func @f(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{expected the input's type with an encoding #llmc.dynamic of integers as result, found 'tensor<?x32xf32, #llmc.dynamic<bits = 8, group = 32>>'}}
  %0 = llmc.round %x : tensor<?x64xf32> -> tensor<?x32xf32, #a8>
  return
}

// -----

#a8 = #llmc.dynamic<bits = 8, group = 32>
func.func @f(%x: tensor<?x64xf32, #a8>, %w: tensor<8x64xf32>) {
  // expected-error @+1 {{expected an input that is not rounded yet, found one of #llmc.dynamic<bits = 8, group = 32>}}
  %0 = llmc.linear %x, %w activation <bits = 8, group = 32> : (tensor<?x64xf32, #a8>, tensor<8x64xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @f(%rows: !llmc.rows) {
  // expected-error @+1 {{expected at least one frequency}}
  %0 = llmc.rotation_table %rows : tensor<?x32xf32> {frequencies = array<f32>, scaling = 1.0 : f32}
  return
}

// -----

func.func @f(%rows: !llmc.rows) {
  // expected-error @+1 {{expected an even width of at least 4, found 5}}
  %0 = llmc.rotation_table %rows : tensor<?x5xf32> {frequencies = array<f32: 1.0, 0.1>, scaling = 1.0 : f32}
  return
}

// -----

func.func @f(%rows: !llmc.rows) {
  // expected-error @+1 {{expected an even width of at least 4, found 2}}
  %0 = llmc.rotation_table %rows : tensor<?x2xf32> {frequencies = array<f32: 1.0, 0.1>, scaling = 1.0 : f32}
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %t: tensor<?x32xf32>) {
  // expected-error @+1 {{expected heads that divide the width 64, found 5}}
  %0 = llmc.rotate %x, %t : tensor<?x64xf32>, tensor<?x32xf32> {heads = 5 : i64, pairs = 1 : i64}
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %t: tensor<?x32xf32>) {
  // expected-error @+1 {{expected 1 to 4 pairs for a head of 8, found 5}}
  %0 = llmc.rotate %x, %t : tensor<?x64xf32>, tensor<?x32xf32> {heads = 8 : i64, pairs = 5 : i64}
  return
}

// -----

func.func @f(%x: tensor<?x64xf32>, %t: tensor<?x7xf32>) {
  // expected-error @+1 {{expected a table of an even width of at least 8, found 7}}
  %0 = llmc.rotate %x, %t : tensor<?x64xf32>, tensor<?x7xf32> {heads = 8 : i64, pairs = 4 : i64}
  return
}

// -----

// Attention.

!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32>
func.func @f(%cache: !cache, %k: tensor<?x64xf32>, %v: tensor<?x32xf32>, %rows: !llmc.rows) {
  // expected-error @+1 {{expected a key width of 32, found 64}}
  %0 = llmc.cache_append %cache, %k, %v, %rows : !cache, tensor<?x64xf32>, tensor<?x32xf32>
  return
}

// -----

!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32>
func.func @f(%cache: !cache, %k: tensor<?x32xf32>, %v: tensor<?x64xf32>, %rows: !llmc.rows) {
  // expected-error @+1 {{expected a value width of 32, found 64}}
  %0 = llmc.cache_append %cache, %k, %v, %rows : !cache, tensor<?x32xf32>, tensor<?x64xf32>
  return
}

// -----

!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32>
func.func @f(%q: tensor<?x48xf32>, %cache: !cache, %rows: !llmc.rows) {
  // expected-error @+1 {{expected heads that the cache's 2 heads divide, found 3}}
  %0 = llmc.attention %q, %cache, %rows : tensor<?x48xf32>, !cache {heads = 3 : i64, scale = 0.25 : f32}
  return
}

// -----

!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32>
func.func @f(%q: tensor<?x48xf32>, %cache: !cache, %rows: !llmc.rows) {
  // expected-error @+1 {{expected a query width of 64, found 48}}
  %0 = llmc.attention %q, %cache, %rows : tensor<?x48xf32>, !cache {heads = 4 : i64, scale = 0.25 : f32}
  return
}

// -----

// A product that does not fit 64 bits.
!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32>
func.func @f(%q: tensor<?x32xf32>, %cache: !cache, %rows: !llmc.rows) {
  // expected-error @+1 {{expected a query width of 9223372036854775807, found 32}}
  %0 = llmc.attention %q, %cache, %rows : tensor<?x32xf32>, !cache {heads = 1152921504606846978 : i64, scale = 0.25 : f32}
  return
}

// -----

!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32>
func.func @f(%q: tensor<?x64xf32>, %cache: !cache, %rows: !llmc.rows) {
  // expected-error @+1 {{expected a positive window, found -9}}
  %0 = llmc.attention %q, %cache, %rows : tensor<?x64xf32>, !cache {heads = 4 : i64, scale = 0.25 : f32, window = -9 : i64}
  return
}

// -----

!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32>
func.func @f(%q: tensor<?x64xf32>, %cache: !cache, %rows: !llmc.rows) {
  // expected-error @+1 {{expected 4 slopes, found 2}}
  %0 = llmc.attention %q, %cache, %rows : tensor<?x64xf32>, !cache {heads = 4 : i64, scale = 0.25 : f32, slopes = array<f32: 0.5, 0.25>}
  return
}

// -----

!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32>
func.func @f(%q: tensor<?x64xf32>, %cache: !cache, %rows: !llmc.rows, %sinks: tensor<2xf32>) {
  // expected-error @+1 {{expected one sink per head of 4, found 2}}
  %0 = llmc.attention %q, %cache, %rows sinks %sinks : tensor<?x64xf32>, !cache, tensor<2xf32> {heads = 4 : i64, scale = 0.25 : f32}
  return
}

// -----

!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32>
func.func @f(%q: tensor<?x64xf32>, %cache: !cache, %rows: !llmc.rows) {
  // expected-error @+1 {{expected finite slopes, found INF}}
  %0 = llmc.attention %q, %cache, %rows : tensor<?x64xf32>, !cache {heads = 4 : i64, scale = 0.25 : f32, slopes = array<f32: 0.5, 0.25, 0x7F800000, 0.0>}
  return
}

// -----

// Kernels.

func.func @f() {
  // expected-error @+1 {{expected 1 to 64 steps, found 0}}
  %0 = "llmc.group_dot"() {max_weight = 15 : i64} : () -> vector<16xi32>
  return
}

// -----

func.func @f(%x: vector<64xi8>) {
  // expected-error @+1 {{expected max_weight of 1 to 255, found 256}}
  %0 = llmc.group_dot (%x), (%x) {max_weight = 256 : i64} : (vector<64xi8>), (vector<64xi8>) -> vector<16xi32>
  return
}

// -----

func.func @f(%x: vector<64xi8>) {
  // expected-error @+1 {{expected max_weight of 1 to 255, found 0}}
  %0 = llmc.group_dot (%x), (%x) {max_weight = 0 : i64} : (vector<64xi8>), (vector<64xi8>) -> vector<16xi32>
  return
}

// -----

func.func @f(%x: vector<64xi8>) {
  // expected-error @+1 {{expected as many activations as weights, found 3 operands}}
  %0 = "llmc.group_dot"(%x, %x, %x) {max_weight = 15 : i64} : (vector<64xi8>, vector<64xi8>, vector<64xi8>) -> vector<16xi32>
  return
}

// -----

func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{expected a finite factor, found 0x7F800000 : f32}}
  %0 = llmc.scale %x by 0x7F800000 : tensor<?x8xf32>
  return
}

// -----

// C1 of llmc.cache_round.

!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32>
func.func @f(%cache: !cache, %rows: !llmc.rows) {
  // expected-error @+1 {{expected keys that share elements along positions, found #llmc.plain<f32>}}
  %0 = llmc.cache_round %cache, %rows : !cache
  return
}

// -----

// C2 of llmc.attention.
!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32, budget = 32, first = 4>
func.func @f(%q: tensor<?x32xf32>, %c: !cache, %rows: !llmc.rows) {
  // expected-error @+1 {{expected no window over a cache that keeps its first 4 positions, found one of 8}}
  %0 = llmc.attention %q, %c, %rows : tensor<?x32xf32>, !cache {heads = 2 : i64, scale = 0.5 : f32, window = 8 : i64}
  return
}

// -----

!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32, budget = 32, heavy = 4>
func.func @f(%q: tensor<?x32xf32>, %c: !cache, %rows: !llmc.rows) {
  // expected-error @+1 {{expected no window over a cache that chooses 4 positions, found one of 8}}
  %0, %1 = llmc.attention %q, %c, %rows : tensor<?x32xf32>, !cache updates !cache {heads = 2 : i64, scale = 0.5 : f32, window = 8 : i64}
  return
}

// -----

// C3 of llmc.attention.
!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32, budget = 32, heavy = 4>
func.func @f(%q: tensor<?x32xf32>, %c: !cache, %rows: !llmc.rows) {
  // expected-error @+1 {{expected no slopes over a cache that chooses 4 positions, which it does not know the places of}}
  %0, %1 = llmc.attention %q, %c, %rows : tensor<?x32xf32>, !cache updates !cache {heads = 2 : i64, scale = 0.5 : f32, slopes = array<f32: 0.5, 0.25>}
  return
}

// -----

// C5 of llmc.attention.
!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32, budget = 32, heavy = 4>
func.func @f(%q: tensor<?x32xf32>, %c: !cache, %rows: !llmc.rows) {
  // expected-error @+1 {{expected to give the cache that it updates, '!llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32, budget = 32, heavy = 4>'}}
  %0 = llmc.attention %q, %c, %rows : tensor<?x32xf32>, !cache {heads = 2 : i64, scale = 0.5 : f32}
  return
}

// -----

!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32, budget = 32>
func.func @f(%q: tensor<?x32xf32>, %c: !cache, %rows: !llmc.rows) {
  // expected-error @+1 {{expected no updated cache where it chooses no positions, found '!llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32, budget = 32>'}}
  %0, %1 = llmc.attention %q, %c, %rows : tensor<?x32xf32>, !cache updates !cache {heads = 2 : i64, scale = 0.5 : f32}
  return
}

// -----

!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32, budget = 32, heavy = 4>
!other = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32, budget = 32, heavy = 5>
func.func @f(%q: tensor<?x32xf32>, %c: !cache, %rows: !llmc.rows) {
  // expected-error @+1 {{expected an updated cache of '!llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32, budget = 32, heavy = 4>', found '!llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32, budget = 32, heavy = 5>'}}
  %0, %1 = llmc.attention %q, %c, %rows : tensor<?x32xf32>, !cache updates !other {heads = 2 : i64, scale = 0.5 : f32}
  return
}

// -----

// C6 of llmc.attention.
!cache = !llmc.kv_cache<2x16, capacity = 64, keys = f32, values = f32, budget = 32, heavy = 4>
func.func @f(%q: tensor<?x32xf32>, %c: !cache, %rows: !llmc.rows) {
  %0, %1 = llmc.attention %q, %c, %rows : tensor<?x32xf32>, !cache updates !cache {heads = 2 : i64, scale = 0.5 : f32}
  // expected-error @+1 {{expected a cache that chooses 4 positions to be read once in a step, found another attention that reads it}}
  %2, %3 = llmc.attention %q, %1, %rows : tensor<?x32xf32>, !cache updates !cache {heads = 2 : i64, scale = 0.5 : f32}
  return
}

// -----

// C1 of llmc.attention: the result follows from the values.
!cache = !llmc.kv_cache<2x16:1x12, capacity = 64, keys = f32, values = f32>
func.func @f(%q: tensor<?x32xf32>, %c: !cache, %rows: !llmc.rows) {
  // expected-error @+1 {{expected a result of 'tensor<?x24xf32>', found 'tensor<?x32xf32>'}}
  %0 = "llmc.attention"(%q, %c, %rows) {heads = 2 : i64, scale = 0.5 : f32} : (tensor<?x32xf32>, !cache, !llmc.rows) -> tensor<?x32xf32>
  return
}

// -----

!cache = !llmc.kv_cache<2x16:1x12, capacity = 64, keys = f32, values = f32>
func.func @f(%cache: !cache, %k: tensor<?x32xf32>, %v: tensor<?x32xf32>, %rows: !llmc.rows) {
  // expected-error @+1 {{expected a value width of 12, found 32}}
  %0 = llmc.cache_append %cache, %k, %v, %rows : !cache, tensor<?x32xf32>, tensor<?x32xf32>
  return
}
