// The gain before a tied head is multiplied with in the old basis, or the head becomes a parameter of its
// own; inputs of down are rotated while the model runs.

// RUN: rm -rf %t && mkdir %t && cp %s %t/model.mlir && %python %S/../Inputs/make_weights.py %t/weights.bin 1000
// RUN: llmc-opt %t/model.mlir --rotate -o %t/default.mlir && FileCheck %s --input-file=%t/default.mlir
// RUN: llmc-opt %t/model.mlir --rotate="where=residual,values" -o %t/both.mlir
// RUN: cmp %t/default.safetensors %t/both.safetensors
// RUN: llmc-opt %t/model.mlir --rotate="where=free" -o %t/free.mlir
// RUN: cmp %t/default.safetensors %t/free.safetensors
// RUN: llmc-opt %t/model.mlir --rotate="head=untied" | FileCheck %s --check-prefix=UNTIED
// RUN: llmc-opt %t/model.mlir --rotate="where=values" | FileCheck %s --check-prefix=VALUES
// RUN: llmc-opt %t/model.mlir --rotate="where=down,keys" | FileCheck %s --check-prefix=ONLINE

// Signs are those of the seed.
// RUN: llmc-opt %t/model.mlir --rotate="kind=randomized seed=1" -o %t/one.mlir
// RUN: llmc-opt %t/model.mlir --rotate="kind=randomized seed=1" -o %t/same.mlir --mlir-disable-threading
// RUN: llmc-opt %t/model.mlir --rotate="kind=randomized seed=2" -o %t/other.mlir
// RUN: cmp %t/one.safetensors %t/same.safetensors
// RUN: not cmp %t/one.safetensors %t/other.safetensors

// Matrices of a file: the identity changes nothing but for gains, and what is not orthogonal is refused.
// RUN: %python -c "import numpy, json, struct; q = numpy.eye(4, dtype='f4'); h = json.dumps({'values': {'dtype': 'F32', 'shape': [4, 4], 'data_offsets': [0, 64]}}).encode(); open('%t/eye', 'wb').write(struct.pack('<Q', len(h)) + h + q.tobytes()); q[0, 1] = 0.5; open('%t/skewed', 'wb').write(struct.pack('<Q', len(h)) + h + q.tobytes())"
// RUN: llmc-opt %t/model.mlir --rotate="kind=given matrices=%t/eye where=values" | FileCheck %s --check-prefix=VALUES
// RUN: not llmc-opt %t/model.mlir --rotate="kind=given matrices=%t/skewed where=values" 2>&1 | FileCheck %s --check-prefix=SKEWED
// RUN: not llmc-opt %t/model.mlir --rotate="kind=given matrices=%t/eye where=residual" 2>&1 | FileCheck %s --check-prefix=NAME

// SKEWED: error: matrices: expected an orthogonal matrix 'values', found one with a product of rows that is 0.5
// NAME: error: matrices: {{.*}}residual

// CHECK-DAG: @table : tensor<32x8xf32> = #llmc.file<"default.safetensors"
// CHECK-DAG: @norm : tensor<8xf32> = #llmc.file<"default.safetensors"
// CHECK-DAG: @final : tensor<8xf32> = #llmc.file<"weights.bin"
// CHECK-NOT: @table.head
// CHECK: %[[EMBEDDING:.*]] = llmc.embedding
// CHECK: arith.addf %[[EMBEDDING]],
// CHECK: %[[LAST:.*]] = llmc.output_rows
// CHECK: %[[BACK:.*]] = llmc.hadamard %[[LAST]] : tensor<?x8xf32> {order = 8 : i64, transposed}
// CHECK: %[[NORM:.*]] = llmc.rms_norm %[[BACK]]
// CHECK: %[[FORTH:.*]] = llmc.hadamard %[[NORM]] : tensor<?x8xf32> {order = 8 : i64}
// CHECK: llmc.linear %[[FORTH]]

// UNTIED-DAG: @table : tensor<32x8xf32> = dense_resource<table>
// UNTIED-DAG: @table.head : tensor<32x8xf32> = dense_resource<table.head>
// UNTIED-DAG: @final : tensor<8xf32> = dense_resource<final>
// UNTIED: %[[HEAD:.*]] = llmc.parameter_value @table.head
// UNTIED: llmc.linear %{{.*}}, %[[HEAD]]
// UNTIED-NOT: llmc.hadamard

// VALUES-DAG: @table : tensor<32x8xf32> = #llmc.file<"{{.*}}weights.bin"
// VALUES-DAG: @q : tensor<8x8xf32> = #llmc.file<"{{.*}}weights.bin"
// VALUES-DAG: @v : tensor<4x8xf32> = dense_resource<v>
// VALUES-DAG: @o : tensor<8x8xf32> = dense_resource<o>
// VALUES-NOT: llmc.hadamard

// ONLINE-DAG: @down : tensor<8x16xf32> = dense_resource<down>
// ONLINE: %[[KEYS:.*]] = llmc.hadamard %{{.*}} : tensor<?x4xf32> {order = 4 : i64}
// ONLINE: llmc.cache_append %{{.*}}, %[[KEYS]],
// ONLINE: %[[QUERY:.*]] = llmc.hadamard %{{.*}} : tensor<?x8xf32> {order = 4 : i64}
// ONLINE: llmc.attention %[[QUERY]],
// ONLINE: %[[GATED:.*]] = llmc.gate
// ONLINE: %[[ROTATED:.*]] = llmc.hadamard %[[GATED]] : tensor<?x16xf32> {order = 16 : i64}
// ONLINE: llmc.linear %[[ROTATED]]

llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"weights.bin", offset = 0>
llmc.parameter @norm : tensor<8xf32> = #llmc.file<"weights.bin", offset = 8>
llmc.parameter @q : tensor<8x8xf32> = #llmc.file<"weights.bin", offset = 16>
llmc.parameter @k : tensor<4x8xf32> = #llmc.file<"weights.bin", offset = 32>
llmc.parameter @v : tensor<4x8xf32> = #llmc.file<"weights.bin", offset = 48>
llmc.parameter @o : tensor<8x8xf32> = #llmc.file<"weights.bin", offset = 64>
llmc.parameter @mlp_norm : tensor<8xf32> = #llmc.file<"weights.bin", offset = 80>
llmc.parameter @gate : tensor<16x8xf32> = #llmc.file<"weights.bin", offset = 96>
llmc.parameter @up : tensor<16x8xf32> = #llmc.file<"weights.bin", offset = 112>
llmc.parameter @down : tensor<8x16xf32> = #llmc.file<"weights.bin", offset = 128>
llmc.parameter @final : tensor<8xf32> = #llmc.file<"weights.bin", offset = 144>

!cache = !llmc.kv_cache<1x4, capacity = 16, keys = f32, values = f32>

func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %norm = llmc.parameter_value @norm : tensor<8xf32>
  %n = llmc.rms_norm %e, %norm : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %wq = llmc.parameter_value @q : tensor<8x8xf32>
  %q = llmc.linear %n, %wq : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %wk = llmc.parameter_value @k : tensor<4x8xf32>
  %k = llmc.linear %n, %wk : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %wv = llmc.parameter_value @v : tensor<4x8xf32>
  %v = llmc.linear %n, %wv : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %c = llmc.cache_append %cache, %k, %v, %rows : !cache, tensor<?x4xf32>, tensor<?x4xf32>
  %a = llmc.attention %q, %c, %rows : tensor<?x8xf32>, !cache {heads = 2 : i64, scale = 0.5 : f32}
  %wo = llmc.parameter_value @o : tensor<8x8xf32>
  %o = llmc.linear %a, %wo : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %h = arith.addf %e, %o : tensor<?x8xf32>
  %mlp_norm = llmc.parameter_value @mlp_norm : tensor<8xf32>
  %m = llmc.rms_norm %h, %mlp_norm : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %gate = llmc.parameter_value @gate : tensor<16x8xf32>
  %g = llmc.linear %m, %gate : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  %up = llmc.parameter_value @up : tensor<16x8xf32>
  %u = llmc.linear %m, %up : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  %gated = llmc.gate <silu> %g, %u : tensor<?x16xf32>
  %down = llmc.parameter_value @down : tensor<8x16xf32>
  %d = llmc.linear %gated, %down : (tensor<?x16xf32>, tensor<8x16xf32>) -> tensor<?x8xf32>
  %s = arith.addf %h, %d : tensor<?x8xf32>
  %w = llmc.output_rows %s, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %last = llmc.rms_norm %w, %final : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %logits = llmc.linear %last, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %logits : tensor<?x32xf32>
}
