// RUN: llmc-opt %s --quantize-kv-cache="keys=f16 values=f16" 2>%t.table | FileCheck %s --check-prefixes=CHECK,HALF
// RUN: FileCheck %s --check-prefix=TABLE < %t.table
// RUN: llmc-opt %s --quantize-kv-cache="keys=f32 values=f16 table=false" 2>&1 | FileCheck %s --check-prefixes=CHECK,MIXED
// RUN: llmc-opt %s --quantize-kv-cache="keys=bf16 values=bf16 table=false" 2>&1 | FileCheck %s --check-prefixes=CHECK,BF16
// RUN: llmc-opt %s --quantize-kv-cache="values=i8 residual=0 sinks=0" 2>&1 | FileCheck %s --check-prefixes=CHECK,BYTES
// RUN: llmc-opt %s --quantize-kv-cache="keys=f16 values=i8" 2>&1 | FileCheck %s --check-prefixes=CHECK,EXACT
// RUN: llmc-opt %s --quantize-kv-cache="keys-along=positions keys-group=16 values=f32 residual=0" 2>&1 | FileCheck %s --check-prefixes=CHECK,ALONG
// RUN: llmc-opt %s --quantize-kv-cache="keys=fp8 keys-formats=0=f16 values=f16 values-formats=1=fp8:4,[01]=bf16 residual=0 sinks=0" 2>%t.layers | FileCheck %s --check-prefix=LAYERS
// RUN: FileCheck %s --check-prefix=LAYERS-TABLE < %t.layers
// RUN: sed 's/2x8,/2x64,/; s/x16xf32/x128xf32/g' %s | llmc-opt --quantize-kv-cache="keys=nf4 values=lloydmax2 keys-group=32" | FileCheck %s --check-prefix=LEVELS
// RUN: llmc-opt %s --quantize-kv-cache="keys-along=positions keys-formats=1=f32 keys=i8 keys-group=16 values=f16 sinks=0" | FileCheck %s --check-prefix=LAYERS-ALONG
// RUN: sed 's/2x8,/2x64,/; s/x16xf32/x128xf32/g' %s | llmc-opt --quantize-kv-cache="table=false" | FileCheck %s --check-prefix=DEFAULT
// RUN: llmc-opt %s --quantize-kv-cache="values=i8 table=false" --quantize-kv-cache="keys=f32 values=f32 table=false" 2>&1 | FileCheck %s --check-prefixes=CHECK,BACK

// Every cache of the model, those of blocks too; blocks stay blocks. The last pass decides.

// TABLE: quantize-kv-cache: 2 caches, keys f16, values f16: 128 bytes per position, 256 before; 4096 bytes of state per session, 8192 before

// A head of 8 and a scale of two bytes.
// BYTES: quantize-kv-cache: 2 caches, keys i8, values i8: 80 bytes per position, 256 before; 2560 bytes of state per session, 8192 before
// All of 20 positions, rounded up to 32, are among the newest that are kept: 16 + 8 + 2 bytes, and
// 16 of the exact value.
// EXACT: quantize-kv-cache: 2 caches, keys f16, values i8, the newest 32 and the first 4 in f16: 104 bytes per position, 256 before; 5376 bytes of state per session, 8192 before
// ALONG: quantize-kv-cache: 2 caches, keys position_grouped<bits = 8, group = 16, scale = f16>, values f32, the newest 1 and the first 4 in f16:
// DEFAULT: func.func private @block
// DEFAULT-SAME: keys = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>, values = #llmc.grouped<bits = 4, group = 64, zero = none, scale = f16>, residual = 32, sinks = 4>
// Of the second cache two expressions match, and the first counts. Blocks that differ are two.
// LAYERS-TABLE: quantize-kv-cache: 1 cache, keys f16, values bf16; 1 cache, keys fp8, values float<f8E4M3FN, group = 4, scale = f16>: 108 bytes per position, 256 before
// LAYERS-DAG: keys = f16, values = bf16>
// LAYERS-DAG: keys = #llmc.float<f8E4M3FN, group = channel, scale = f16>, values = #llmc.float<f8E4M3FN, group = 4, scale = f16>>
// LEVELS: func.func private @block
// LEVELS-SAME: keys = #llmc.nf4<group = 32, scale = f16>, values = #llmc.lloyd_max<bits = 2, group = 64, scale = f16>, residual = 32, sinks = 4>
// LAYERS-ALONG-DAG: keys = #llmc.position_grouped<bits = 8, group = 16, scale = f16>, values = f16, residual = 32>
// LAYERS-ALONG-DAG: keys = f32, values = f16>
// CHECK: func.func private @block
// EXACT-SAME: keys = f16, values = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>, residual = 32, sinks = 4>
// ALONG-SAME: keys = #llmc.position_grouped<bits = 8, group = 16, scale = f16>, values = f32, residual = 1, sinks = 4>
// BYTES-SAME: keys = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>, values = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>>
// HALF-SAME: keys = f16, values = f16>
// HALF-NOT: = f32
// BF16-SAME: keys = bf16, values = bf16>
// MIXED-SAME: keys = f32, values = f16>
// MIXED-NOT: values = f32
// BACK-SAME: keys = f32, values = f32>
// BACK-NOT: = f16
// CHECK: func.func @step
// CHECK: call @block
// CHECK: call @block

!cache = !llmc.kv_cache<2x8, capacity = 20, keys = f32, values = f32>
llmc.parameter @table : tensor<64x16xf32> = #llmc.file<"w", offset = 0>
func.func private @block(%h: tensor<?x16xf32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x16xf32> {
  %c = llmc.cache_append %cache, %h, %h, %rows : !cache, tensor<?x16xf32>, tensor<?x16xf32>
  %a = llmc.attention %h, %c, %rows : tensor<?x16xf32>, !cache {heads = 2 : i64, scale = 0.5 : f32}
  %s = llmc.scale %a by 0.5 : tensor<?x16xf32>
  %y = arith.addf %h, %s : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %c0: !cache, %c1: !cache) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<64x16xf32>
  %h0 = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<64x16xf32>) -> tensor<?x16xf32>
  %h1 = call @block(%h0, %rows, %c0) : (tensor<?x16xf32>, !llmc.rows, !cache) -> tensor<?x16xf32>
  %h2 = call @block(%h1, %rows, %c1) : (tensor<?x16xf32>, !llmc.rows, !cache) -> tensor<?x16xf32>
  %out = llmc.output_rows %h2, %rows : tensor<?x16xf32> -> tensor<?x16xf32>
  return %out : tensor<?x16xf32>
}
