// RUN: rm -rf %t && mkdir %t && cp %S/quantize-gptq.mlir %t/model.mlir && %python %S/../../Translate/Inputs/make_weights.py %t/weights.bin
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(16) * 5 %% 32)"

// RUN: not llmc-opt %t/model.mlir --quantize-gptq="damp=-0.5" 2>&1 | FileCheck %s --check-prefix=DAMP
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="damp=nan" 2>&1 | FileCheck %s --check-prefix=NAN
// DAMP: error: damp: expected a number from 0 to 1, found -5.0{{0*}}e-01
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
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="tokenizer=%t" 2>&1 | FileCheck %s --check-prefix=NO-TEXT
// NO-TEXT: error: calibration: expected a text to read with tokenizer '{{.*}}', found none
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="tokenizer=%t calibration=%t/tokens.npy" 2>&1 | FileCheck %s --check-prefix=TOKENS
// TOKENS: error: calibration: expected a text to read with tokenizer '{{.*}}', found a file of tokens
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="memory=-1" 2>&1 | FileCheck %s --check-prefix=MEMORY
// MEMORY: error: calibration: expected a bound of memory that is not negative, found -1{{$}}

// Before anything is run.
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="report=%t/none/r.json calibration=%t/absent.npy" 2>&1 | FileCheck %s --check-prefix=REPORT
// REPORT: error: report: cannot write '{{.*}}r.json'

// Nothing is left of what failed.
// RUN: not ls %t/q.mlir %t/q.safetensors
