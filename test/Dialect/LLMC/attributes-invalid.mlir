// RUN: llmc-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect

// expected-error @+1 {{expected 1 to 8 bits, found 9}}
func.func private @f(tensor<96x64xf32, #llmc.grouped<bits = 9, group = 32, zero = none, scale = f16>>)

// -----

// expected-error @+1 {{expected 1 to 8 bits, found 0}}
func.func private @f(tensor<96x64xf32, #llmc.grouped<bits = 0, group = 32, zero = float, scale = f16>>)

// -----

// expected-error @+1 {{expected at least 2 bits without a zero point, found 1}}
func.func private @f(tensor<96x64xf32, #llmc.grouped<bits = 1, group = 32, zero = none, scale = f16>>)

// -----

// expected-error @+1 {{expected a positive group size, 'channel' or 'tensor', found 0}}
func.func private @f(tensor<96x64xf32, #llmc.grouped<bits = 4, group = 0, zero = none, scale = f16>>)

// -----

// expected-error @+1 {{expected a positive group size, 'channel' or 'tensor', found -1}}
func.func private @f(tensor<96x64xf32, #llmc.grouped<bits = 4, group = -1, zero = none, scale = f16>>)

// -----

// expected-error @+1 {{expected scales of f32, f16, bf16 or f8E8M0FNU, found 'f64'}}
func.func private @f(tensor<96x64xf32, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f64>>)

// -----

// expected-error @+2 {{expected one of [none, integer, float] for zero point of a grouped encoding, got: some}}
// expected-error @+1 {{failed to parse LLMC_GroupedAttr parameter 'zero'}}
func.func private @f(tensor<96x64xf32, #llmc.grouped<bits = 4, group = 32, zero = some, scale = f16>>)

// -----

// expected-error @+1 {{expected element type f32 for a grouped encoding, found 'f16'}}
func.func private @f(tensor<96x64xf16, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>>)

// -----

// expected-error @+1 {{expected a matrix of static shape for a grouped encoding}}
func.func private @f(tensor<96xf32, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>>)

// -----

// expected-error @+1 {{expected a matrix of static shape for a grouped encoding}}
func.func private @f(tensor<?x96xf32, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>>)

// -----

// expected-error @+1 {{expected a matrix for a tiled layout, found rank 1}}
func.func private @f(tensor<96xf32, #llmc.tiled>)

// -----

// expected-error @+1 {{expected an encoding of weights inside a tiled layout, found 5 : i32}}
func.func private @f(tensor<4x4xf32, #llmc.tiled<5 : i32>>)

// -----

// expected-error @+1 {{expected an encoding of weights inside a tiled layout, found #llmc.tiled}}
func.func private @f(tensor<4x4xf32, #llmc.tiled<#llmc.tiled>>)

// -----

// expected-error @+1 {{expected element type f32 for a grouped encoding, found 'f16'}}
func.func private @f(tensor<4x4xf16, #llmc.tiled<#llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>>>)

// -----

// expected-error @+1 {{expected activations of 4 or 8 bits, found 5}}
"test.op"() {rounding = #llmc.dynamic<bits = 5, group = 32>} : () -> ()

// -----

// expected-error @+1 {{expected activation group 'row' with a range, found 32}}
"test.op"() {rounding = #llmc.dynamic<bits = 8, group = 32, range = 2.0>} : () -> ()

// -----

// expected-error @+1 {{expected a range that is a finite positive f32, found -2.000000e+00}}
"test.op"() {rounding = #llmc.dynamic<bits = 8, group = row, range = -2.0>} : () -> ()

// -----

// expected-error @+1 {{expected a range or a type of numbers, found both}}
"test.op"() {rounding = #llmc.dynamic<bits = 8, group = row, range = 2.0, numbers = f8E4M3FN>} : () -> ()

// -----

// expected-error @+1 {{expected numbers of type f8E4M3FN, of 8 bits, found 8 bits and 'f8E5M2'}}
"test.op"() {rounding = #llmc.dynamic<bits = 8, group = 32, numbers = f8E5M2>} : () -> ()

// -----

// expected-error @+1 {{expected 'range' or 'numbers' once, found 'scale'}}
"test.op"() {rounding = #llmc.dynamic<bits = 8, group = 32, scale = 2.0>} : () -> ()

// -----

// expected-error @+1 {{expected an activation group that is a multiple of 32, found 31}}
"test.op"() {rounding = #llmc.dynamic<bits = 8, group = 31>} : () -> ()

// -----

// expected-error @+1 {{expected an activation group that is a multiple of 32, or 'row', found 0}}
"test.op"() {rounding = #llmc.dynamic<bits = 8, group = 0>} : () -> ()

// -----

// expected-error @+1 {{expected the path of a file, found an empty string}}
"test.op"() {file = #llmc.file<"", offset = 0>} : () -> ()

// -----

// expected-error @+1 {{expected an offset of at least 0, found -1}}
"test.op"() {file = #llmc.file<"weights.bin", offset = -1>} : () -> ()

// -----

// expected-error @+1 {{expected positive strides, found 0}}
"test.op"() {file = #llmc.file<"weights.bin", offset = 0, strides = [1, 0]>} : () -> ()

// -----

// expected-error @+1 {{expected heads and head size as HxS, found 1 dimensions}}
func.func private @f(!llmc.kv_cache<3, capacity = 64, keys = f32, values = f32>)

// -----

// expected-error @+1 {{expected positive heads, head size and capacity, found 3x0 and 64}}
func.func private @f(!llmc.kv_cache<3x0, capacity = 64, keys = f32, values = f32>)

// -----

// expected-error @+1 {{expected positive heads, head size and capacity, found 3x4 and -1}}
func.func private @f(!llmc.kv_cache<3x4, capacity = -1, keys = f32, values = f32>)

// -----

// expected-error @+1 {{expected a cache of at most 2^48 elements, found 4611686018427387904x4 and 64}}
func.func private @f(!llmc.kv_cache<4611686018427387904x4, capacity = 64, keys = f32, values = f32>)

// -----

// expected-error @+1 {{expected keys and values of f32, f16 or bf16, found 'i8'}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = i8, values = f32>)

// -----

// expected-error @+1 {{expected keys and values of f32, f16 or bf16, found 'f64'}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = f64>)

// -----

// expected-error @+1 {{expected an encoding of caches, found #llmc.dynamic<bits = 8, group = 32>}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = #llmc.dynamic<bits = 8, group = 32>, values = f32>)

// -----

// expected-error @+1 {{expected 'zero = none' or 'zero = float' in a cache encoding, found #llmc.grouped<bits = 8, group = channel, zero = integer, scale = f16>}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = #llmc.grouped<bits = 8, group = channel, zero = integer, scale = f16>>)

// -----

// expected-error @+1 {{expected planes of a multiple of 16 positions and one number in a cache encoding, found 'scales' of #llmc.grouped<bits = 8, group = tensor, zero = none, scale = f16>}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = #llmc.grouped<bits = 8, group = tensor, zero = none, scale = f16>>)

// -----

// expected-error @+1 {{expected planes of floats or integers of 1, 2, 3, 4 or 8 bits in a cache encoding, which groups share only if they have 8, found 'codes' of 'i5'}}
func.func private @f(!llmc.kv_cache<3x32, capacity = 64, keys = f32, values = #llmc.grouped<bits = 5, group = channel, zero = none, scale = f16>>)

// -----

// expected-error @+1 {{expected groups of a multiple of 32 numbers for #llmc.grouped<bits = 4, group = 16, zero = none, scale = f16>, found 16}}
func.func private @f(!llmc.kv_cache<3x64, capacity = 64, keys = f32, values = #llmc.grouped<bits = 4, group = 16, zero = none, scale = f16>>)

// -----

// expected-error @+1 {{expected an encoding of weights, found #llmc.plain<f16>, which is one of caches}}
func.func private @f(tensor<96x64xf32, #llmc.plain<f16>>)

// -----

// C1 to C4 of #llmc.position_grouped.

// expected-error @+1 {{expected 2, 3, 4 or 8 bits along positions, found 5}}
func.func private @f(!llmc.kv_cache<3x32, capacity = 64, keys = #llmc.position_grouped<bits = 5, group = 32, scale = f16>, values = f32, residual = 1>)

// -----

// expected-error @+1 {{expected a group of a multiple of 16 positions, at most 1024, found 24}}
func.func private @f(!llmc.kv_cache<3x32, capacity = 64, keys = #llmc.position_grouped<bits = 4, group = 24, scale = f16>, values = f32, residual = 1>)

// -----

// expected-error @+1 {{expected scales of f32, f16 or bf16, found 'i8'}}
func.func private @f(!llmc.kv_cache<3x32, capacity = 64, keys = #llmc.position_grouped<bits = 4, group = 32, scale = i8>, values = f32, residual = 1>)

// -----

// expected-error @+1 {{expected an encoding of weights, found #llmc.position_grouped<bits = 4, group = 32, scale = f16>, which is one of caches}}
func.func private @f(tensor<4x4xf32, #llmc.position_grouped<bits = 4, group = 32, scale = f16>>)

// -----

// C2 of !llmc.kv_cache.

// expected-error @+1 {{expected values that share nothing along positions, found #llmc.position_grouped<bits = 4, group = 32, scale = f16>}}
func.func private @f(!llmc.kv_cache<3x32, capacity = 64, keys = f32, values = #llmc.position_grouped<bits = 4, group = 32, scale = f16>, residual = 1>)

// -----

// expected-error @+1 {{expected a multiple of 32 bytes in 'scales' of #llmc.position_grouped<bits = 8, group = 32, scale = f16>, found 40 for heads of 20}}
func.func private @f(!llmc.kv_cache<3x20, capacity = 64, keys = #llmc.position_grouped<bits = 8, group = 32, scale = f16>, values = f32, residual = 1>)

// -----

// C3 of !llmc.kv_cache.

#i8 = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>
// expected-error @+1 {{expected a residual of 0 to 2^31 positions, found -1}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = #i8, residual = -1>)

// -----

#i8 = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>
// expected-error @+1 {{expected a residual of at least 1 beside sinks, found 4 sinks alone}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = #i8, sinks = 4>)

// -----

// expected-error @+1 {{expected a residual of at least 1 for #llmc.position_grouped<bits = 4, group = 32, scale = f16>, whose groups fill one by one}}
func.func private @f(!llmc.kv_cache<3x32, capacity = 64, keys = #llmc.position_grouped<bits = 4, group = 32, scale = f16>, values = f32>)

// -----

// expected-error @+1 {{expected a residual with keys or values that are rounded, found #llmc.plain<f32> and #llmc.plain<f16>}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = f16, residual = 32>)

// -----

#i8 = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>
// expected-error @+1 {{expected residual, sinks, ring, budget, first, heavy, observed and rolling, each once, found 'window'}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = #i8, window = 32>)

// -----

#i8 = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>
// expected-error @+1 {{expected residual, sinks, ring, budget, first, heavy, observed and rolling, each once, found 'residual'}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = #i8, residual = 32, residual = 32>)

// -----

// C4 of !llmc.kv_cache.

#i8 = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>
// expected-error @+1 {{expected a ring of a multiple of 16 of at least 32 positions, found 16}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = #i8, residual = 32, ring = 16>)

// -----

// C5 of !llmc.kv_cache.
// expected-error @+1 {{expected first of 0 to 2^31 positions, found -1}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = f32, budget = 8, first = -1>)

// -----

// expected-error @+1 {{expected a budget beside first, heavy and rolling, found 4, 0 and 0 alone}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = f32, first = 4>)

// -----

// expected-error @+1 {{expected a budget of more than the first 8 positions, found 8}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = f32, budget = 8, first = 8>)

// -----

#along = #llmc.position_grouped<bits = 4, group = 32, scale = f16>
// expected-error @+1 {{expected a budget of at least 37 positions, the first 4 and the newest 33, which are read exactly, found 36}}
func.func private @f(!llmc.kv_cache<3x32, capacity = 64, keys = #along, values = f32, residual = 2, budget = 36, first = 4>)

// -----

// C6 of !llmc.kv_cache.
// expected-error @+1 {{expected rolling positions of a multiple of 16, at least 28, found 24}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = f32, budget = 32, first = 4, rolling = 24>)

// -----

// expected-error @+1 {{expected rolling positions of a multiple of 16, at least 28, found 16}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = f32, budget = 32, first = 4, rolling = 16>)

// -----

// C7 of !llmc.kv_cache.
// expected-error @+1 {{expected a budget of more than the first 4 positions and 28 heavy ones, found 32}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = f32, budget = 32, first = 4, heavy = 28>)

// -----

#i8 = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>
// expected-error @+1 {{expected a budget of at least 40 positions, the first 4, 16 heavy ones and the newest 20, which are read exactly, found 32}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = #i8, residual = 20, budget = 32, first = 4, heavy = 16>)

// -----

#i8 = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>
// expected-error @+1 {{expected sinks among the first 4 positions, which stay beside heavy ones, found 5}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = #i8, residual = 2, sinks = 5, budget = 32, first = 4, heavy = 16>)

// -----

#along = #llmc.position_grouped<bits = 4, group = 32, scale = f16>
// expected-error @+1 {{expected keys that share nothing along positions beside heavy positions, found #llmc.position_grouped}}
func.func private @f(!llmc.kv_cache<3x32, capacity = 512, keys = #along, values = f32, residual = 2, budget = 100, heavy = 16>)

// -----

// expected-error @+1 {{expected at most 2^24 heavy positions, found 16777217}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = f32, budget = 20000000, heavy = 16777217>)

// -----

// expected-error @+1 {{expected heavy positions beside 4 observed ones}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = f32, budget = 32, observed = 4>)

// -----

// expected-error @+1 {{expected observed positions among the newest 12, found 13}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = f32, budget = 32, first = 4, heavy = 16, observed = 13>)

// -----

// expected-error @+1 {{expected observed of 0 to 2^31 positions, found -1}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = f32, budget = 32, heavy = 16, observed = -1>)

// -----

#i8 = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>
// expected-error @+1 {{expected a budget of at least 33 positions, the first 4, 16 heavy ones, 3 that wait for the next choice and the newest 10, which are read exactly, found 32}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = #i8, residual = 10, budget = 32, first = 4, heavy = 16, observed = 4>)

// -----

// #llmc.lloyd_max.
// expected-error @+1 {{expected 1 to 4 bits for levels, found 5}}
func.func private @f(!llmc.kv_cache<3x64, capacity = 64, keys = f32, values = #llmc.lloyd_max<bits = 5, group = 64, scale = f16>>)

// -----

// expected-error @+1 {{expected a positive multiple of 16 or 'channel' as a group of levels, found 8}}
func.func private @f(!llmc.kv_cache<3x64, capacity = 64, keys = f32, values = #llmc.lloyd_max<bits = 4, group = 8, scale = f16>>)

// -----

// expected-error @+1 {{expected scales of f32, f16 or bf16, found}}
func.func private @f(!llmc.kv_cache<3x64, capacity = 64, keys = f32, values = #llmc.lloyd_max<bits = 4, group = 64, scale = i8>>)

// -----

// expected-error @+1 {{expected an encoding of weights, found #llmc.lloyd_max<bits = 4, group = 64, scale = f16>, which is one of caches}}
func.func private @f(tensor<16x64xf32, #llmc.lloyd_max<bits = 4, group = 64, scale = f16>>)

// -----

// Floats of less than a byte.
// expected-error @+1 {{expected f8E4M3FN or f8E5M2 in a cache encoding, found #llmc.float<f4E2M1FN, group = 32, scale = f16>}}
func.func private @f(!llmc.kv_cache<3x64, capacity = 64, keys = f32, values = #llmc.float<f4E2M1FN, group = 32, scale = f16>>)

// -----

// expected-error @+1 {{expected heads of a multiple of 16 numbers for #llmc.lloyd_max<bits = 3, group = channel, scale = f16>, found 40}}
func.func private @f(!llmc.kv_cache<3x40, capacity = 64, keys = f32, values = #llmc.lloyd_max<bits = 3, group = channel, scale = f16>>)

// -----

// C1 of !llmc.kv_cache, of values.
// expected-error @+1 {{expected heads of values that divide the 3 heads of keys, found 2}}
func.func private @f(!llmc.kv_cache<3x4:2x4, capacity = 64, keys = f32, values = f32>)

// -----

// expected-error @+1 {{expected positive heads, head size and capacity, found 3x0 and 64}}
func.func private @f(!llmc.kv_cache<3x4:3x0, capacity = 64, keys = f32, values = f32>)

// -----

// C7 of !llmc.kv_cache, of values.
// expected-error @+1 {{expected as many heads of values as of keys, 4, beside heavy positions, which each chooses for itself, found 2}}
func.func private @f(!llmc.kv_cache<4x4:2x4, capacity = 64, keys = f32, values = f32, budget = 16, heavy = 4>)
