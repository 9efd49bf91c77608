// RUN: rm -rf %t && mkdir %t && cp %s %t/model.mlir && %python %S/../Translate/Inputs/make_weights.py %t/weights.bin
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(24) %% 32)"
// RUN: llmc-opt %t/model.mlir -o %t/out.mlir \
// RUN:   --calibrate="calibration=%t/tokens.npy samples=4 sequence-length=6 kinds=mean,second_moment save-statistics=%t/statistics" \
// RUN:   2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t/out.mlir
// RUN: %python -c "import sys; sys.stdout.buffer.write(open('%t/statistics', 'rb').read(1000))" | FileCheck %s --check-prefix=FILE
// RUN: llmc-opt %t/model.mlir -o %t/out.mlir --calibrate="calibration=self samples=2 sequence-length=6 save-statistics=%t/own" 2>&1 | FileCheck %s --check-prefix=REMARK --implicit-check-not=warning
// RUN: llmc-opt %t/model.mlir -o %t/out.mlir --calibrate="samples=2 sequence-length=6 save-statistics=%t/default" 2>&1 | FileCheck %s --check-prefixes=NO-TOKENIZER,REMARK
// RUN: cmp %t/own %t/default
// RUN: not llmc-opt %s --calibrate 2>&1 | FileCheck %s --check-prefix=NO-FILE
// RUN: not llmc-opt %s --calibrate=kinds=median 2>&1 | FileCheck %s --check-prefix=KINDS
// RUN: not llmc-opt %t/model.mlir --calibrate="samples=4 sequence-length=9 save-statistics=%t/none" 2>&1 | FileCheck %s --check-prefix=LENGTH
// RUN: not llmc-opt %t/model.mlir --calibrate="kinds=mean first-token-weight=2 save-statistics=%t/none" 2>&1 | FileCheck %s --check-prefix=WEIGHT

// NO-TOKENIZER: warning: calibration: cannot read '{{.*}}tokenizer.json': No such file or directory: the model writes its own text
// REMARK: remark: calibrate: tokens {{.*}} s, compile {{.*}} s, forward {{.*}} s, statistics {{.*}} s, visit {{.*}} s
// FILE-DAG: "format":"llmc-statistics"
// FILE-DAG: {\"head\":\"head\",\"key\":\"key\"}
// FILE-DAG: "key.second_moment":{"data_offsets":[{{[0-9]+}},{{[0-9]+}}],"dtype":"F64","shape":[8,8]}
// FILE-DAG: "head.mean":{"data_offsets":[{{[0-9]+}},{{[0-9]+}}],"dtype":"F32","shape":[8]}
// FILE-NOT: magnitude
// NO-FILE: error: calibrate: expected save-statistics or save-tokens, a file to write
// KINDS: error: calibrate: expected kinds among second_moment, mean, mean_magnitude, max_magnitude and variance, found median
// WEIGHT: error: calibration: expected no first-token-weight where no second moments are asked for
// LENGTH: error: calibration: expected a sequence-length of at most the model's 8, found 9

// The module is left as it is.
// CHECK: llmc.parameter @key : tensor<4x8xf32> = #llmc.file<"weights.bin", offset = 1056>
// CHECK: llmc.linear %{{.*}}, %{{.*}} : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>

!cache = !llmc.kv_cache<1x4, capacity = 8, keys = f32, values = f32>

llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"weights.bin", offset = 0>
llmc.parameter @key : tensor<4x8xf32> = #llmc.file<"weights.bin", offset = 1056>
llmc.parameter @head : tensor<32x8xf32> = #llmc.file<"weights.bin", offset = 1184>

func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %key = llmc.parameter_value @key : tensor<4x8xf32>
  %head = llmc.parameter_value @head : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %k = llmc.linear %h, %key : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %full = llmc.cache_append %cache, %k, %k, %rows : !cache, tensor<?x4xf32>, tensor<?x4xf32>
  %a = llmc.attention %h, %full, %rows : tensor<?x8xf32>, !cache {heads = 2 : i64, scale = 0.5 : f32}
  %sum = arith.addf %h, %a : tensor<?x8xf32>
  %o = llmc.output_rows %sum, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %y = llmc.linear %o, %head : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
