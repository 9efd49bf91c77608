// What the calibrated pruning passes refuse.

// RUN: rm -rf %t && mkdir %t && cp %S/prune-wanda.mlir %t/model.mlir && %python %S/../../Translate/Inputs/make_weights.py %t/weights.bin

// RUN: not llmc-opt %t/model.mlir --prune-wanda="pattern=half" 2>&1 | FileCheck %s --check-prefix=PATTERN
// RUN: not llmc-opt %t/model.mlir --prune-sparsegpt="pattern=half" 2>&1 | FileCheck %s --check-prefix=PATTERN
// PATTERN: error: pattern: expected N:M, found 'half'

// RUN: not llmc-opt %t/model.mlir --prune-wanda="pattern=1:16 include-head" 2>&1 | FileCheck %s --check-prefix=WIDTH
// RUN: not llmc-opt %t/model.mlir --prune-sparsegpt="pattern=1:16 include-head" 2>&1 | FileCheck %s --check-prefix=WIDTH
// WIDTH: error: 'llmc.parameter' op expected a multiple of 16 columns for a pattern of 1:16, found 8

// RUN: not llmc-opt %t/model.mlir --prune-wanda="sparsity=2" 2>&1 | FileCheck %s --check-prefix=SPARSITY
// RUN: not llmc-opt %t/model.mlir --prune-sparsegpt="sparsity=2" 2>&1 | FileCheck %s --check-prefix=SPARSITY
// SPARSITY: error: sparsity: expected a number between 0 and 1, found 2{{$}}

// RUN: not llmc-opt %t/model.mlir --prune-sparsegpt="damp=2" 2>&1 | FileCheck %s --check-prefix=DAMP
// DAMP: error: damp: expected a number from 0 to 1, found 2{{$}}

// RUN: not llmc-opt %t/model.mlir --prune-sparsegpt="bits=4" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: bits: expected a format with it, found format=none
// RUN: not llmc-opt %t/model.mlir --prune-sparsegpt="activation=none" 2>&1 | FileCheck %s --check-prefix=ACTIVATION
// ACTIVATION: error: activation: expected a format with it, found format=none
// RUN: not llmc-opt %t/model.mlir --prune-sparsegpt="format=fp2" 2>&1 | FileCheck %s --check-prefix=FORMAT
// FORMAT: error: format: expected int, nf4, {{.*}} or {{.*}}, found 'fp2'

// RUN: not llmc-opt %t/model.mlir --prune-sparsegpt="statistics=%t/s report=%t/s" 2>&1 | FileCheck %s --check-prefix=REPORT
// RUN: not llmc-opt %t/model.mlir --prune-wanda="statistics=%t/s report=%t/s" 2>&1 | FileCheck %s --check-prefix=REPORT
// REPORT: error: expected another report than '{{.*}}s', which statistics are read from
