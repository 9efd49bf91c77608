// Layers whose queries, keys and values one linear computes.

llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"weights.bin", offset = 0>
llmc.parameter @qkv0 : tensor<16x8xf32> = #llmc.file<"weights.bin", offset = 16>
llmc.parameter @bias0 : tensor<16xf32> = #llmc.file<"weights.bin", offset = 32>
llmc.parameter @output0 : tensor<8x8xf32> = #llmc.file<"weights.bin", offset = 48>
llmc.parameter @qkv1 : tensor<16x8xf32> = #llmc.file<"weights.bin", offset = 64>
llmc.parameter @bias1 : tensor<16xf32> = #llmc.file<"weights.bin", offset = 80>
llmc.parameter @output1 : tensor<8x8xf32> = #llmc.file<"weights.bin", offset = 96>

!cache = !llmc.kv_cache<1x4, capacity = 16, keys = f32, values = f32>

func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache0: !cache, %cache1: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %zero = arith.constant 0 : index
  %h0 = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %qkv0 = llmc.parameter_value @qkv0 : tensor<16x8xf32>
  %bias0 = llmc.parameter_value @bias0 : tensor<16xf32>
  %output0 = llmc.parameter_value @output0 : tensor<8x8xf32>
  %f0 = llmc.linear %h0, %qkv0 bias %bias0 : (tensor<?x8xf32>, tensor<16x8xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  %n0 = tensor.dim %f0, %zero : tensor<?x16xf32>
  %q0 = tensor.extract_slice %f0[0, 0] [%n0, 8] [1, 1] : tensor<?x16xf32> to tensor<?x8xf32>
  %k0 = tensor.extract_slice %f0[0, 8] [%n0, 4] [1, 1] : tensor<?x16xf32> to tensor<?x4xf32>
  %v0 = tensor.extract_slice %f0[0, 12] [%n0, 4] [1, 1] : tensor<?x16xf32> to tensor<?x4xf32>
  %full0 = llmc.cache_append %cache0, %k0, %v0, %rows : !cache, tensor<?x4xf32>, tensor<?x4xf32>
  %a0 = llmc.attention %q0, %full0, %rows : tensor<?x8xf32>, !cache {heads = 2 : i64, scale = 0.5 : f32}
  %o0 = llmc.linear %a0, %output0 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %h1 = arith.addf %h0, %o0 : tensor<?x8xf32>
  %qkv1 = llmc.parameter_value @qkv1 : tensor<16x8xf32>
  %bias1 = llmc.parameter_value @bias1 : tensor<16xf32>
  %output1 = llmc.parameter_value @output1 : tensor<8x8xf32>
  %f1 = llmc.linear %h1, %qkv1 bias %bias1 : (tensor<?x8xf32>, tensor<16x8xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  %n1 = tensor.dim %f1, %zero : tensor<?x16xf32>
  %q1 = tensor.extract_slice %f1[0, 0] [%n1, 8] [1, 1] : tensor<?x16xf32> to tensor<?x8xf32>
  %k1 = tensor.extract_slice %f1[0, 8] [%n1, 4] [1, 1] : tensor<?x16xf32> to tensor<?x4xf32>
  %v1 = tensor.extract_slice %f1[0, 12] [%n1, 4] [1, 1] : tensor<?x16xf32> to tensor<?x4xf32>
  %full1 = llmc.cache_append %cache1, %k1, %v1, %rows : !cache, tensor<?x4xf32>, tensor<?x4xf32>
  %a1 = llmc.attention %q1, %full1, %rows : tensor<?x8xf32>, !cache {heads = 2 : i64, scale = 0.5 : f32}
  %o1 = llmc.linear %a1, %output1 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %h2 = arith.addf %h1, %o1 : tensor<?x8xf32>
  %out = llmc.output_rows %h2, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %logits = llmc.linear %out, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %logits : tensor<?x32xf32>
}
