// Scales that were chosen go into the norms and weights on both sides of an input.

// RUN: rm -rf %t && mkdir %t && cp %s %t/model.mlir && %python %S/../Inputs/make_weights.py %t/weights.bin 1000
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(64) * 5 %% 32)"
// RUN: llmc-opt %t/model.mlir -o %t/scaled.mlir \
// RUN:   --scale-awq="bits=2 group-size=4 symmetric=false calibration=%t/tokens.npy samples=8 sequence-length=8 search-samples=2" \
// RUN:   2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --input-file=%t/scaled.mlir

// Twice the same bytes, without threads too.
// RUN: llmc-opt %t/model.mlir -o %t/again.mlir --mlir-disable-threading \
// RUN:   --scale-awq="bits=2 group-size=4 symmetric=false calibration=%t/tokens.npy samples=8 sequence-length=8 search-samples=2 table=false threads=1"
// RUN: cmp %t/scaled.safetensors %t/again.safetensors

// Only where all readers are selected.
// RUN: llmc-opt %t/model.mlir -o %t/some.mlir \
// RUN:   --scale-awq="bits=2 group-size=4 ignore=^k$ only=^[qkvo]$ calibration=%t/tokens.npy samples=8 sequence-length=8" \
// RUN:   2>&1 | FileCheck %s --check-prefix=SOME
// RUN: llmc-opt %t/model.mlir -o %t/none.mlir --scale-awq="only=^q$" 2>&1 | FileCheck %s --check-prefix=NONE

// TABLE: scale-awq: inputs of
// TABLE-NEXT: q ratio 0.{{[0-9]+}} error {{.*}} → {{.*}}
// TABLE-NEXT: o ratio
// TABLE-NEXT: gate ratio
// TABLE-NEXT: down ratio

// CHECK-DAG: @table : tensor<32x8xf32> = #llmc.file<"weights.bin"
// CHECK-DAG: @final : tensor<8xf32> = #llmc.file<"weights.bin"
// CHECK: func.func @step

// SOME: scale-awq: inputs of
// SOME-NEXT: o ratio
// SOME-NOT: ratio

// NONE: warning: scale-awq: no selected weights read what a scale can be folded into

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
