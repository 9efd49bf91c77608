// A whole model, small: one attention layer. Its weights are the 552 numbers in weights.bin beside it.
!cache = !llmc.kv_cache<1x4, capacity = 8, keys = f32, values = f32>

llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"weights.bin", offset = 0>
llmc.parameter @norm : tensor<8xf32> = #llmc.file<"weights.bin", offset = 1024>
llmc.parameter @key : tensor<4x8xf32> = #llmc.file<"weights.bin", offset = 1056>
llmc.parameter @head : tensor<32x8xf32> = #llmc.file<"weights.bin", offset = 1184>

func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %norm = llmc.parameter_value @norm : tensor<8xf32>
  %key = llmc.parameter_value @key : tensor<4x8xf32>
  %head = llmc.parameter_value @head : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %n = llmc.rms_norm %h, %norm : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %k = llmc.linear %n, %key : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %full = llmc.cache_append %cache, %k, %k, %rows : !cache, tensor<?x4xf32>, tensor<?x4xf32>
  %a = llmc.attention %n, %full, %rows : tensor<?x8xf32>, !cache {heads = 2 : i64, scale = 0.5 : f32}
  %sum = arith.addf %h, %a : tensor<?x8xf32>
  %o = llmc.output_rows %sum, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %y = llmc.linear %o, %head : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
