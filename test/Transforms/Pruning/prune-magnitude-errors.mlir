// RUN: not llmc-opt %s --prune-magnitude="pattern=half" 2>&1 | FileCheck %s --check-prefix=PATTERN
// PATTERN: error: pattern: expected N:M, found 'half'

// RUN: not llmc-opt %s --prune-magnitude="pattern=2:6" 2>&1 | FileCheck %s --check-prefix=OF
// OF: error: pattern: expected some of 2, 4, 8, 16 or 32 weights to be kept, found some of 6

// RUN: not llmc-opt %s --prune-magnitude="pattern=4:4" 2>&1 | FileCheck %s --check-prefix=COUNT
// COUNT: error: pattern: expected 1 to 3 weights to be kept of each 4, found 4

// RUN: not llmc-opt %s --prune-magnitude="pattern=2:4:8" 2>&1 | FileCheck %s --check-prefix=THREE
// THREE: error: pattern: expected N:M, found '2:4:8'

// RUN: not llmc-opt %s --prune-magnitude="requantize" 2>&1 | FileCheck %s --check-prefix=OPTION
// OPTION: no such option requantize

// RUN: not llmc-opt %s --prune-magnitude="table=false" 2>&1 | FileCheck %s --check-prefix=WIDTH
// WIDTH: error: 'llmc.parameter' op expected a multiple of 4 columns for a pattern of 2:4, found 6

// RUN: not llmc-opt %s --prune-magnitude="sparsity=1" 2>&1 | FileCheck %s --check-prefix=SPARSITY
// RUN: not llmc-opt %s --prune-magnitude="sparsity=nan" 2>&1 | FileCheck %s --check-prefix=SPARSITY
// RUN: not llmc-opt %s --prune-magnitude="sparsity=0" 2>&1 | FileCheck %s --check-prefix=SPARSITY
// SPARSITY: error: sparsity: expected a number between 0 and 1, found

// RUN: not llmc-opt %s --prune-magnitude="sparsity=0.5 pattern=2:4" 2>&1 | FileCheck %s --check-prefix=BOTH
// BOTH: error: sparsity: expected no pattern with it, found pattern=2:4

// RUN: not llmc-opt %s --prune-magnitude="sparsity=0.99 table=false" 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: 'llmc.parameter' op expected at least one weight to be kept, found 0

// RUN: not llmc-opt %s --prune-magnitude="report=/nowhere/report.json table=false" 2>&1 | FileCheck %s --check-prefix=REPORT
// REPORT: error: report: {{.*}}/nowhere/report.json{{.*}}No such file or directory

llmc.parameter @w : tensor<2x6xf32> = #llmc.file<"w.bin", offset = 0>
func.func @step(%x: tensor<?x6xf32>) -> tensor<?x2xf32> {
  %w = llmc.parameter_value @w : tensor<2x6xf32>
  %y = llmc.linear %x, %w : (tensor<?x6xf32>, tensor<2x6xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
