// RUN: llmc-opt %s --quantize-kv-cache="table=false" --split-input-file --verify-diagnostics
// RUN: not llmc-opt %s --quantize-kv-cache="keys=f8" 2>&1 | FileCheck %s
// CHECK: expected keys as f32, f16, bf16, i8, or an attribute that is an encoding of caches, found 'f8'

// expected-error @below {{expected a model with caches, found none}}
module {}

// -----

!cache = !llmc.kv_cache<2x8, capacity = 20, keys = f32, values = f32>
func.func private @elsewhere(!llmc.rows, !cache)
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) {
  // expected-error @below {{expected caches to be used in @step and its blocks alone, found one that @elsewhere takes}}
  call @elsewhere(%rows, %cache) : (!llmc.rows, !cache) -> ()
  return
}
