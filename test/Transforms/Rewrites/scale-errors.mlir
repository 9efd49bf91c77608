// RUN: not llmc-opt %s --scale-awq="search-samples=0" 2>&1 | FileCheck %s --check-prefix=SAMPLES
// SAMPLES: error: search-samples: expected at least 1, found 0

// RUN: not llmc-opt %s --scale-awq="format=int9" 2>&1 | FileCheck %s --check-prefix=FORMAT
// FORMAT: error: format: expected {{.*}}, found 'int9'

// RUN: not llmc-opt %s --scale-awq="head-format=int:8" 2>&1 | FileCheck %s --check-prefix=HEAD
// HEAD: no such option head-format

// RUN: not llmc-opt %s --scale-smoothquant="search-samples=0 alpha=search" 2>&1 | FileCheck %s --check-prefix=SAMPLES
// RUN: not llmc-opt %s --scale-smoothquant="alpha=half" 2>&1 | FileCheck %s --check-prefix=ALPHA
// ALPHA: error: alpha: expected a number from 0 to 1 or 'search', found 'half'

// RUN: not llmc-opt %s --scale-smoothquant="alpha=1.5" 2>&1 | FileCheck %s --check-prefix=RANGE
// RANGE: error: alpha: expected a number from 0 to 1 or 'search', found '1.5'

// RUN: not llmc-opt %s --scale-smoothquant="bits=4" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: bits: expected alpha=search with it, found alpha=0.5

// RUN: not llmc-opt %s --scale-smoothquant="alpha=0.4 search-samples=2" 2>&1 | FileCheck %s --check-prefix=SEARCH
// SEARCH: error: search-samples: expected alpha=search with it, found alpha=0.4

module {
}

// RUN: not llmc-opt %s --scale-awq="table=false" 2>&1 | FileCheck %s --check-prefix=STEP
// RUN: not llmc-opt %s --fold-norms 2>&1 | FileCheck %s --check-prefix=STEP
// STEP: error: expected a raised module, with a function @step, found none
