// Rounded and pruned weights get a branch of low rank, where columns count by the size of their inputs.

// RUN: rm -rf %t && mkdir %t && cp %S/factorize-svd.mlir %t/model.mlir && %python %S/../../Translate/Inputs/make_weights.py %t/weights.bin
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(64) * 5 %% 32)"

// RUN: llmc-opt %t/model.mlir --quantize-rtn="bits=2 group-size=channel table=false head-format=none" -o %t/q.mlir
// RUN: llmc-opt %t/q.mlir --repair-lqer="rank=2 calibration=%t/tokens.npy samples=8 sequence-length=8 table=false" | FileCheck %s
// RUN: llmc-opt %t/q.mlir --repair-lqer="rank=2 scaling=none table=false" | FileCheck %s
// RUN: llmc-opt %t/model.mlir --prune-magnitude="table=false" --repair-lqer="rank=2 scaling=none table=false" | FileCheck %s --check-prefix=PRUNED
// PRUNED: @key : tensor<4x8xf32, #llmc.sparse<2:4, f32>>
// PRUNED: @key.repair.A : tensor<2x8xf16>

// Later passes round the factors, and their roles are those of the weight.
// RUN: llmc-opt %t/q.mlir --repair-lqer="rank=2 scaling=none table=false" \
// RUN:   --quantize-rtn="bits=8 group-size=channel activation=none only=repair table=false" --print-structure 2>&1 \
// RUN:   | FileCheck %s --check-prefix=ROUNDED
// ROUNDED: key+value @key in block 0
// ROUNDED: key+value @key.repair.A in block 0
// ROUNDED: key+value @key.repair.B in block 0
// ROUNDED: @key.repair.A : tensor<2x8xf32, #llmc.grouped<bits = 8

// Weights that were in memory alone are gone in a file; another module has them, or none has.
// RUN: llmc-opt %t/model.mlir --factorize-svd="rank=2 table=false" -o %t/factors.mlir
// RUN: llmc-opt %t/model.mlir --factorize-svd="rank=2 table=false" --quantize-rtn="bits=2 group-size=channel only=factors table=false" -o %t/gone.mlir
// RUN: FileCheck %s --check-prefix=GONE --input-file=%t/gone.mlir
// RUN: not llmc-opt %t/gone.mlir --repair-lqer="rank=1 scaling=none table=false" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: llmc-opt %t/gone.mlir --repair-lqer="rank=1 scaling=none original=%t/factors.mlir table=false" | FileCheck %s --check-prefix=FOUND
// RUN: not llmc-opt %t/gone.mlir --repair-lqer="rank=1 scaling=none original=%t/none.mlir" 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not llmc-opt %t/q.mlir --repair-lqer="rank=2 scaling=none table=false" --repair-lqer="rank=1 scaling=none table=false" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=TWICE
// RUN: sed 's/llmc.original = .tensor<4x8xf32>/llmc.original = [tensor<4x7xf32>/' %t/q.mlir > %t/other.mlir
// RUN: not llmc-opt %t/other.mlir --repair-lqer="rank=2 scaling=none" 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: sed 's/llmc.original = .*}/llmc.original = 3}/' %t/q.mlir > %t/number.mlir
// RUN: not llmc-opt %t/number.mlir --repair-lqer="rank=2 scaling=none" 2>&1 | FileCheck %s --check-prefix=NUMBER
// OTHER: error: 'llmc.parameter' op expected as llmc.original weights of the shape of 'tensor<4x8xf32, #llmc.grouped<{{.*}}>>', found 'tensor<4x7xf32>'
// NUMBER: error: 'llmc.parameter' op expected an array of a tensor's type and its data as llmc.original, found 3
// GONE: @key.factors.A : tensor<2x8xf32, #llmc.grouped
// GONE-NOT: llmc.original
// UNKNOWN: gone.mlir:{{[0-9]+}}:{{[0-9]+}}: error: 'llmc.parameter' op expected weights of which it is known what they were before they were rounded: repair in the same run, or name a module that has them with original=, or leave them out with ignore=
// FOUND: @key.factors.A.repair.A : tensor<1x8xf16>
// MISSING: error: original: cannot read '{{.*}}none.mlir': {{N|n}}o such file or directory
// TWICE: error: 'llmc.parameter' op expected no parameter 'key.repair.B' yet, found one: a weight has factors once

// CHECK-DAG: @key : tensor<4x8xf32, #llmc.grouped<bits = 2
// CHECK-DAG: @key.repair.A : tensor<2x8xf16>
// CHECK-DAG: @key.repair.B : tensor<4x2xf16>
// CHECK: arith.addf
