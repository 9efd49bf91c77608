// RUN: not llmc-opt %s --quantize-rtn="group-size=0" 2>&1 | FileCheck %s --check-prefix=SIZE
// SIZE: error: group-size: expected a positive number, 'channel' or 'tensor', found '0'

// RUN: not llmc-opt %s --quantize-rtn="group-size=row" 2>&1 | FileCheck %s --check-prefix=WORD
// WORD: error: group-size: expected a positive number, 'channel' or 'tensor', found 'row'

// RUN: not llmc-opt %s --quantize-rtn="format=int5" 2>&1 | FileCheck %s --check-prefix=FORMAT
// FORMAT: error: format: expected int, nf4, fp4, {{.*}} or {{.*}}, found 'int5'

// RUN: not llmc-opt %s --quantize-rtn="bits=9" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: expected 1 to 8 bits, found 9

// RUN: not llmc-opt %s --quantize-rtn="bits=1" 2>&1 | FileCheck %s --check-prefix=ONE
// ONE: error: expected at least 2 bits without a zero point, found 1

// RUN: not llmc-opt %s --quantize-rtn="group-size=48" 2>&1 | FileCheck %s --check-prefix=I8
// I8: error: group-size: expected a multiple of 32 with activation=i8, found 48

// RUN: not llmc-opt %s --quantize-rtn="activation-group=33" 2>&1 | FileCheck %s --check-prefix=GROUP
// GROUP: error: expected an activation group that is a multiple of 32, found 33

// RUN: not llmc-opt %s --quantize-rtn="zero=float" 2>&1 | FileCheck %s --check-prefix=SYMMETRIC
// SYMMETRIC: error: zero: expected symmetric=false with zero=float

// RUN: not llmc-opt %s --quantize-rtn="activation=none activation-group=64" 2>&1 | FileCheck %s --check-prefix=EXACT
// EXACT: error: activation-group: expected activation=i8 with it, found activation=none

// RUN: llmc-opt %s --quantize-rtn="ignore=lm_head table=false" 2>&1 | FileCheck %s --check-prefix=UNMATCHED
// UNMATCHED: warning: ignore: no weight's name matches 'lm_head'

// RUN: not llmc-opt %s --quantize-rtn="ignore=(" 2>&1 | FileCheck %s --check-prefix=REGEX
// REGEX: error: ignore: expected a regular expression, found '('

// RUN: llmc-opt %s --quantize-rtn="only=lm_head table=false" 2>&1 | FileCheck %s --check-prefix=ONLY
// ONLY: warning: only: no weight's name matches 'lm_head'

// RUN: not llmc-opt %s --quantize-rtn="only=(" 2>&1 | FileCheck %s --check-prefix=ONLY-REGEX
// ONLY-REGEX: error: only: expected a regular expression, found '('

// RUN: not llmc-opt %s --quantize-rtn="head-format=int:9" 2>&1 | FileCheck %s --check-prefix=HEAD-BITS
// HEAD-BITS: error: expected 1 to 8 bits, found 9

// RUN: not llmc-opt %s --quantize-rtn="head-format=int:eight" 2>&1 | FileCheck %s --check-prefix=HEAD-NUMBER
// HEAD-NUMBER: error: head-format: expected a number of bits in 'int:eight', found 'eight'

// RUN: not llmc-opt %s --quantize-rtn="head-format=int:8:all" 2>&1 | FileCheck %s --check-prefix=HEAD-GROUP
// HEAD-GROUP: error: head-format: expected a positive number, 'channel' or 'tensor' in 'int:8:all', found 'all'

// RUN: not llmc-opt %s --quantize-rtn="head-format=8" 2>&1 | FileCheck %s --check-prefix=HEAD
// HEAD: error: format: expected int, {{.*}}, found '8'

// RUN: not llmc-opt %s --quantize-rtn="formats=down" 2>&1 | FileCheck %s --check-prefix=PAIR
// PAIR: error: formats: expected REGEX=FORMAT, found 'down'

// RUN: not llmc-opt %s --quantize-rtn="formats=(=nf4" 2>&1 | FileCheck %s --check-prefix=PAIR-REGEX
// PAIR-REGEX: error: formats: expected a regular expression, found '('

// RUN: not llmc-opt %s --quantize-rtn="formats=down=mxfp4:5" 2>&1 | FileCheck %s --check-prefix=PAIR-BITS
// PAIR-BITS: error: bits: expected 4 with format=mxfp4, found 5

// RUN: not llmc-opt %s --quantize-rtn="formats=down=nf4 activation=i8" 2>&1 | FileCheck %s --check-prefix=PAIR-I8
// PAIR-I8: error: activation: expected activation=none with format=nf4, whose weights are no integers, found activation=i8

// RUN: llmc-opt %s --quantize-rtn="formats=lm_head=nf4 table=false" 2>&1 | FileCheck %s --check-prefix=PAIR-UNMATCHED
// PAIR-UNMATCHED: warning: formats: no weight's name matches 'lm_head'

// RUN: not llmc-opt %s --quantize-rtn="sharing=matrix" 2>&1 | FileCheck %s --check-prefix=SHARING
// SHARING: error: sharing: expected format=codebook with it, found format=int

// RUN: not llmc-opt %s --quantize-rtn="bit=4" 2>&1 | FileCheck %s --check-prefix=OPTION
// OPTION: no such option bit

// RUN: not llmc-opt %s --quantize-rtn="zero=none" 2>&1 | FileCheck %s --check-prefix=ZERO
// ZERO: for the --zero option: expected integer or float, found 'none'

// RUN: not llmc-opt %s --quantize-rtn="report=/nowhere/report.json table=false" 2>&1 | FileCheck %s --check-prefix=REPORT
// REPORT: error: report: {{.*}}/nowhere/report.json{{.*}}No such file or directory

// RUN: rm -rf %t && mkdir -p %t && cp %s %t/model.mlir
// RUN: llmc-translate --import-onnx --carrier %source_dir/models/tiny/model.onnx -o %t/carrier.mlir
// RUN: not llmc-opt %t/carrier.mlir --quantize-rtn -o %t/out.mlir 2>&1 | FileCheck %s --check-prefix=CARRIER
// CARRIER: error: expected a raised module, found one of the carrier: --raise-onnx raises it

// RUN: sed 's/^.*MISSING: //' %s > %t/missing.mlir
// RUN: not llmc-opt %t/missing.mlir --quantize-rtn -o %t/out.mlir 2>&1 | FileCheck %s --check-prefix=FILE
// RUN: not ls %t/out.mlir %t/out.safetensors
// FILE: error: 'llmc.parameter' op cannot read '{{.*}}none.bin'

// MISSING: llmc.parameter @w : tensor<32x32xf32> = #llmc.file<"none.bin", offset = 0>
// MISSING: func.func @step(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
// MISSING: %w = llmc.parameter_value @w : tensor<32x32xf32>
// MISSING: %y = llmc.linear %x, %w : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
// MISSING: return %y : tensor<?x32xf32>
// MISSING: }
