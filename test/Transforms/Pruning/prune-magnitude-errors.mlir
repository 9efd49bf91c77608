// RUN: not llmc-opt %s --prune-magnitude="pattern=half" 2>&1 | FileCheck %s --check-prefix=PATTERN
// PATTERN: error: pattern: expected N:M, found 'half'

// RUN: not llmc-opt %s --prune-magnitude="pattern=2:6" 2>&1 | FileCheck %s --check-prefix=OF
// OF: error: pattern: expected some of 2, 4, 8 or 16 weights to be kept, found some of 6

// RUN: not llmc-opt %s --prune-magnitude="pattern=3:4" 2>&1 | FileCheck %s --check-prefix=COUNT
// COUNT: error: pattern: expected a power of two below 4 weights to be kept of each 4, found 3

// RUN: not llmc-opt %s --prune-magnitude="pattern=2:4:8" 2>&1 | FileCheck %s --check-prefix=THREE
// THREE: error: pattern: expected N:M, found '2:4:8'

// RUN: not llmc-opt %s --prune-magnitude="requantize" 2>&1 | FileCheck %s --check-prefix=OPTION
// OPTION: no such option requantize

// RUN: not llmc-opt %s --prune-magnitude="table=false" 2>&1 | FileCheck %s --check-prefix=WIDTH
// WIDTH: error: 'llmc.parameter' op expected a multiple of 4 columns for a sparse encoding of 2:4, found 6

// RUN: not llmc-opt %s --prune-magnitude="report=/nowhere/report.json table=false" 2>&1 | FileCheck %s --check-prefix=REPORT
// REPORT: error: report: {{.*}}/nowhere/report.json{{.*}}No such file or directory

llmc.parameter @w : tensor<2x6xf32> = #llmc.file<"w.bin", offset = 0>
func.func @step(%x: tensor<?x6xf32>) -> tensor<?x2xf32> {
  %w = llmc.parameter_value @w : tensor<2x6xf32>
  %y = llmc.linear %x, %w : (tensor<?x6xf32>, tensor<2x6xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
