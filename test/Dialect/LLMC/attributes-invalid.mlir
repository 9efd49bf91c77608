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

// expected-error @+1 {{expected planes of floats or integers of 1, 2, 4 or 8 bits in a cache encoding, which groups share only if they have 8, found 'codes' of 'i5'}}
func.func private @f(!llmc.kv_cache<3x32, capacity = 64, keys = f32, values = #llmc.grouped<bits = 5, group = channel, zero = none, scale = f16>>)

// -----

// expected-error @+1 {{expected groups of a multiple of 32 numbers for #llmc.grouped<bits = 4, group = 16, zero = none, scale = f16>, found 16}}
func.func private @f(!llmc.kv_cache<3x64, capacity = 64, keys = f32, values = #llmc.grouped<bits = 4, group = 16, zero = none, scale = f16>>)

// -----

// expected-error @+1 {{expected an encoding of weights, found #llmc.plain<f16>, which is one of caches}}
func.func private @f(tensor<96x64xf32, #llmc.plain<f16>>)

// -----

// C1 to C4 of #llmc.position_grouped.

// expected-error @+1 {{expected 2, 4 or 8 bits along positions, found 3}}
func.func private @f(!llmc.kv_cache<3x32, capacity = 64, keys = #llmc.position_grouped<bits = 3, group = 32, scale = f16>, values = f32, residual = 1>)

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
// expected-error @+1 {{expected residual, sinks and ring, each once, found 'window'}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = #i8, window = 32>)

// -----

#i8 = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>
// expected-error @+1 {{expected residual, sinks and ring, each once, found 'residual'}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = #i8, residual = 32, residual = 32>)

// -----

// C4 of !llmc.kv_cache.

#i8 = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>
// expected-error @+1 {{expected a ring of a multiple of 16 of at least 32 positions, found 16}}
func.func private @f(!llmc.kv_cache<3x4, capacity = 64, keys = f32, values = #i8, residual = 32, ring = 16>)
