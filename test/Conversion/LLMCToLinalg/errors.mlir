// RUN: llmc-opt %s --convert-llmc-to-linalg --split-input-file --verify-diagnostics --allow-unregistered-dialect

func.func @tiled(%x: tensor<?x32xf32>, %w: tensor<16x32xf32, #llmc.tiled>) -> tensor<?x16xf32> {
  // expected-error @+1 {{expected tensors without encoding or with one of weights, found 'tensor<16x32xf32, #llmc.tiled>'}}
  %y = llmc.linear %x, %w : (tensor<?x32xf32>, tensor<16x32xf32, #llmc.tiled>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

#w = #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>
func.func @elsewhere(%w: tensor<16x32xf32, #w>) -> tensor<16x32xf32, #w> {
  // expected-error @+1 {{expected rows, caches and encoded tensors in operations of llmc, calls and returns alone}}
  %y = arith.addf %w, %w : tensor<16x32xf32, #w>
  return %y : tensor<16x32xf32, #w>
}

// -----

// expected-error @+1 {{missing.bin': No such file or directory}}
llmc.parameter @w : tensor<4x8xf32> = #llmc.file<"missing.bin", offset = 0>

// -----

// expected-error @+1 {{expected elements of floating point or signless integers, found 'ui8'}}
llmc.parameter @w : tensor<4x8xui8> = #llmc.file<"missing.bin", offset = 0>

// -----

!cache = !llmc.kv_cache<2x4, capacity = 16, keys = f32, values = f32>
// expected-error @+1 {{expected no caches as results, which are updated in place, found '!llmc.kv_cache<2x4, capacity = 16, keys = f32, values = f32>'}}
func.func @gives(%cache: !cache) -> !cache {
  return %cache : !cache
}

// -----

!cache = !llmc.kv_cache<2x4, capacity = 16, keys = f32, values = f32>
// expected-error @+1 {{expected one block in a function of caches, found 2}}
func.func @blocks(%cache: !cache) {
  "other.branch"()[^end] : () -> ()
^end:
  return
}

// -----

!cache = !llmc.kv_cache<2x4, capacity = 16, keys = f32, values = f32>
func.func private @two(%a: !cache, %b: !cache)
func.func @twice(%cache: !cache) {
  // expected-error @+1 {{expected every cache to be passed once, found one passed twice}}
  call @two(%cache, %cache) : (!cache, !cache) -> ()
  return
}

// -----

!cache = !llmc.kv_cache<2x4, capacity = 16, keys = f32, values = f32>
func.func @nested(%c: i1, %kv: tensor<?x8xf32>, %rows: !llmc.rows, %cache: !cache) {
  scf.if %c {
    // expected-error @+1 {{expected a cache to be used in the body of a function, found scf.if around}}
    %full = llmc.cache_append %cache, %kv, %kv, %rows : !cache, tensor<?x8xf32>, tensor<?x8xf32>
  }
  return
}

// -----

// expected-error @+1 {{expected strides whose reach fits 63 bits}}
llmc.parameter @w : tensor<4x8xf32> = #llmc.file<"missing.bin", offset = 0, strides = [4611686018427387904, 1]>
