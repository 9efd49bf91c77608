// RUN: llmc-opt %s --convert-llmc-to-spmd=max-rows=16 --convert-spmd-to-cpu='target=x86_64-linux-gnu:avx2 kernels=meaning' --verify-diagnostics

!cache = !llmc.kv_cache<1x32, capacity = 256, keys = f32, values = f16, budget = 40, first = 4, heavy = 8, observed = 4>
llmc.parameter @table : tensor<64x32xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<64x32xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<64x32xf32>) -> tensor<?x32xf32>
  %c = llmc.cache_append %cache, %h, %h, %rows : !cache, tensor<?x32xf32>, tensor<?x32xf32>
  // expected-error @+1 {{has no meaning in memory over a cache whose positions queries choose together: expected kernels=all, or a cache without 'observed' (evict-kv-cache{policy=h2o}), found '!llmc.kv_cache<1x32, capacity = 256, keys = f32, values = f16, budget = 40, first = 4, heavy = 8, observed = 4, rolling = 48>'}}
  %a, %after = llmc.attention %h, %c, %rows : tensor<?x32xf32>, !cache updates !cache {heads = 1 : i64, scale = 0.5 : f32}
  %out = llmc.output_rows %a, %rows : tensor<?x32xf32> -> tensor<?x32xf32>
  return %out : tensor<?x32xf32>
}
