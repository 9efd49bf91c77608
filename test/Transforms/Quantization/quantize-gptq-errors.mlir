// RUN: rm -rf %t && mkdir %t && cp %S/quantize-gptq.mlir %t/model.mlir && %python %S/../../Translate/Inputs/make_weights.py %t/weights.bin
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(16) * 5 %% 32)"

// RUN: not llmc-opt %t/model.mlir --quantize-gptq="damp=-0.5" 2>&1 | FileCheck %s --check-prefix=DAMP
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="damp=nan" 2>&1 | FileCheck %s --check-prefix=NAN
// DAMP: error: damp: expected a number from 0 to 1, found -0.5{{$}}
// NAN: error: damp: expected a number from 0 to 1, found

// RUN: not llmc-opt %t/model.mlir --quantize-gptq="act-order group-size=32" 2>&1 | FileCheck %s --check-prefix=ORDER
// ORDER: error: act-order: expected static-groups=true or group-size=channel with it

// RUN: not llmc-opt %t/model.mlir --quantize-gptq="bits=1" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: expected at least 2 bits without a zero point, found 1

// RUN: not llmc-opt %t/model.mlir --quantize-gptq="ignore=[" 2>&1 | FileCheck %s --check-prefix=REGEX
// REGEX: error: ignore: expected a regular expression, found '['

// RUN: not llmc-opt %t/model.mlir -o %t/q.mlir --quantize-gptq="calibration=%t/absent.npy samples=1 sequence-length=8" 2>&1 | FileCheck %s --check-prefix=ABSENT
// ABSENT: error: {{.*}}absent.npy

// RUN: not llmc-opt %t/model.mlir -o %t/q.mlir --quantize-gptq="statistics=%t/tokens.npy group-size=channel" 2>&1 | FileCheck %s --check-prefix=FOREIGN
// FOREIGN: error: {{.*}}tokens.npy

// What would have no effect.
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="statistics=%t/s samples=3" 2>&1 | FileCheck %s --check-prefix=SAMPLES
// SAMPLES: error: calibration: expected no samples, sequence-length or seed where statistics are read and no text
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="statistics=%t/s first-token-weight=3" 2>&1 | FileCheck %s --check-prefix=WEIGHT
// WEIGHT: error: calibration: expected no first-token-weight where statistics are read: they have theirs
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="tokenizer=%t statistics=%t/s" 2>&1 | FileCheck %s --check-prefix=NO-TEXT
// NO-TEXT: error: calibration: expected a text to read with tokenizer '{{.*}}', found none
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="tokenizer=%t calibration=%t/tokens.npy" 2>&1 | FileCheck %s --check-prefix=TOKENS
// TOKENS: error: calibration: expected a text to read with tokenizer '{{.*}}', found a file of tokens
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="memory=-1" 2>&1 | FileCheck %s --check-prefix=MEMORY
// MEMORY: error: calibration: expected a bound of memory that is not negative, found -1{{$}}

// RUN: not llmc-opt %t/model.mlir --quantize-gptq="tokenizer=%t sequence-length=8" 2>&1 | FileCheck %s --check-prefix=NO-TOKENIZER
// NO-TOKENIZER: error: cannot read '{{.*}}tokenizer.json': No such file or directory
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="calibration=self statistics=%t/s" 2>&1 | FileCheck %s --check-prefix=SELF
// SELF: error: calibration: expected no calibration=self where statistics are read: nothing is run

// Outputs leave alone what is read, and each other.
// RUN: cp %t/weights.bin %t/kept && echo text > %t/text
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="report=%t/weights.bin" 2>&1 | FileCheck %s --check-prefix=OVER-WEIGHTS
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="report=%t/weights.bin" 2>&1 | FileCheck %s --check-prefix=OVER-WEIGHTS
// OVER-WEIGHTS: error: expected another report than '{{.*}}weights.bin', which the module's tensors lie in
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="save-statistics=%t/model.mlir" 2>&1 | FileCheck %s --check-prefix=OVER-MODULE
// OVER-MODULE: error: expected another file of statistics than '{{.*}}model.mlir', which is the input
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="calibration=%t/tokens.npy save-tokens=%t/tokens.npy" 2>&1 | FileCheck %s --check-prefix=OVER-TEXT
// OVER-TEXT: error: expected another file of tokens than '{{.*}}tokens.npy', which is the calibration text
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="tokenizer=%t/text save-tokens=%t/text" 2>&1 | FileCheck %s --check-prefix=OVER-TOKENIZER
// OVER-TOKENIZER: error: expected another file of tokens than '{{.*}}text', which is the tokenizer
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="save-tokens=%t/tokenizer.json" 2>&1 | FileCheck %s --check-prefix=BESIDE
// BESIDE: error: expected another file of tokens than '{{.*}}tokenizer.json', which is a file of the tokenizer
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="statistics=%t/text report=%t/text" 2>&1 | FileCheck %s --check-prefix=OVER-STATISTICS
// OVER-STATISTICS: error: expected another report than '{{.*}}text', which statistics are read from
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="save-tokens=%t/new report=%t/new" 2>&1 | FileCheck %s --check-prefix=TWICE
// TWICE: error: expected another report than '{{.*}}new', which tokens go to
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="save-tokens=%t/new save-statistics=%t/new" 2>&1 | FileCheck %s --check-prefix=BOTH
// BOTH: error: expected another file of tokens than '{{.*}}new', where the file of statistics goes
// RUN: cmp %t/weights.bin %t/kept && not ls %t/new

// Before anything is run.
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="report=%t/none/r.json calibration=%t/absent.npy" 2>&1 | FileCheck %s --check-prefix=REPORT
// REPORT: error: report: cannot write '{{.*}}r.json'

// Nothing is left of what failed.
// RUN: not ls %t/q.mlir %t/q.safetensors
