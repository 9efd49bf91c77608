// RUN: llmc-opt %s --quantize-kv-cache="values=i8 table=false" --split-input-file --verify-diagnostics
// RUN: not llmc-opt %s --quantize-kv-cache="keys=f8" 2>&1 | FileCheck %s
// CHECK: expected keys as f32, f16, bf16, i8, i4, i3, i2, fp8, nf4, lloydmax4, lloydmax3, lloydmax2, lloydmax1, or an attribute that is an encoding of caches, found 'f8'
// RUN: not llmc-opt %s --quantize-kv-cache="values=#llmc.plain" 2>&1 | FileCheck %s --check-prefix=ATTRIBUTE
// ATTRIBUTE: expected values as {{.*}}found '#llmc.plain': expected '<'
// RUN: not llmc-opt %s --quantize-kv-cache="values=f16 values-group=32" 2>&1 | FileCheck %s --check-prefix=ALONE
// ALONE: expected values-group with formats that have scales, found 32 with f16
// RUN: not llmc-opt %s --quantize-kv-cache="keys=i4 keys-group=-1" 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: expected keys-group of at least 0, found -1
// RUN: not llmc-opt %s --quantize-kv-cache="keys-along=tokens" 2>&1 | FileCheck %s --check-prefix=ALONG
// ALONG: expected keys-along=channels or keys-along=positions, found 'tokens'
// RUN: not llmc-opt %s --quantize-kv-cache="keys-along=positions keys=f16" 2>&1 | FileCheck %s --check-prefix=INTEGERS
// INTEGERS: expected keys as i8, i4, i3 or i2 along positions, found 'f16'
// RUN: not llmc-opt %s --quantize-kv-cache="keys-along=positions keys-group=20" 2>&1 | FileCheck %s --check-prefix=GROUP
// GROUP: keys: expected a group of a multiple of 16 positions, at most 1024, found 20
// RUN: not llmc-opt %S/quantize-kv-cache.mlir --quantize-kv-cache="values=i8 residual=0" 2>&1 | FileCheck %s --check-prefix=SINKS
// SINKS: '!llmc.kv_cache<2x8, capacity = 20, keys = f32, values = f32>': expected a residual of at least 1 beside sinks, found 4 sinks alone
// RUN: not llmc-opt %S/quantize-kv-cache.mlir --quantize-kv-cache="keys=i4" 2>&1 | FileCheck %s --check-prefix=SIZE
// SIZE: '!llmc.kv_cache<2x8, capacity = 20, keys = f32, values = f32>': expected heads of a multiple of 32 numbers for #llmc.grouped<bits = 4, group = 64, zero = none, scale = f16>, found 8
// RUN: not llmc-opt %s --quantize-kv-cache="keys=lloydmax2 keys-group=24" 2>&1 | FileCheck %s --check-prefix=LEVELS
// LEVELS: keys: expected a positive multiple of 16 or 'channel' as a group of levels, found 24
// RUN: not llmc-opt %s --quantize-kv-cache="keys-along=positions keys=nf4" 2>&1 | FileCheck %s --check-prefix=NORMAL
// NORMAL: expected keys as i8, i4, i3 or i2 along positions, found 'nf4'
// RUN: not llmc-opt %s --quantize-kv-cache="values-formats=0" 2>&1 | FileCheck %s --check-prefix=PAIR
// PAIR: values-formats: expected REGEX=FORMAT, found '0'
// RUN: not llmc-opt %s --quantize-kv-cache="keys-formats=(=f16" 2>&1 | FileCheck %s --check-prefix=REGEX
// REGEX: keys-formats: expected a regular expression, found '(':
// RUN: not llmc-opt %s --quantize-kv-cache="keys-formats=0=f17" 2>&1 | FileCheck %s --check-prefix=FORMAT
// FORMAT: expected keys-formats as f32, {{.*}}, found 'f17'
// RUN: not llmc-opt %s --quantize-kv-cache="keys-formats=0=i8:none" 2>&1 | FileCheck %s --check-prefix=LIST-GROUP
// LIST-GROUP: keys-formats: expected a positive group in '0=i8:none', found 'none'
// RUN: llmc-opt %S/quantize-kv-cache.mlir --quantize-kv-cache="keys=f16 values=f16 keys-formats=10|2=bf16" 2>&1 | FileCheck %s --check-prefix=UNUSED
// UNUSED: warning: keys-formats: no cache's number matches '10|2'

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
