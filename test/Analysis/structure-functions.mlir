// RUN: rm -rf %t && mkdir -p %t && cp %s %t/m.mlir
// RUN: %python -c "import array; array.array('f', [i % 7 - 3 for i in range(256)]).tofile(open(r'%t/w', 'wb'))"
// RUN: llmc-opt %t/m.mlir --print-structure -o %t/same.mlir 2>&1 | FileCheck %s
// RUN: llmc-opt %t/m.mlir --prune-channels="ratio=0.5 score=magnitude compensate=false multiple=1 table=false" -o %t/p.mlir
// RUN: FileCheck %s --check-prefix=PRUNED --input-file=%t/p.mlir

// A function that is written out is one as any with a name: what is before it is `up` and what is behind it
// `down`, and channels pass through it. One that looks at another place is none.

// CHECK: mlp_norm @mlp in block 0
// CHECK-NEXT: up @up in block 0
// CHECK-NEXT: down @down in block 0
// CHECK-NEXT: unknown @a
// CHECK-NEXT: unknown @b
// CHECK: hidden × 12: rows of @up, columns of @down
// CHECK-NOT: rows of @a,
// CHECK: scales

// What it is written into becomes as narrow as what it reads, and stays what it was for others.

// PRUNED: llmc.parameter @up : tensor<6x8xf32>
// PRUNED: %[[OLD:.*]] = tensor.empty({{.*}}) : tensor<?x12xf32>
// PRUNED: %[[NEW:.*]] = tensor.empty({{.*}}) : tensor<?x6xf32>
// PRUNED-NEXT: linalg.generic {{.*}} outs(%[[NEW]] : tensor<?x6xf32>)
// PRUNED: linalg.generic {{.*}} outs(%[[OLD]] : tensor<?x12xf32>)

#same = affine_map<(d0, d1) -> (d0, d1)>
#turned = affine_map<(d0, d1) -> (d0, -d1 + 11)>
llmc.parameter @table : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @norm : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @q : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @k : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @v : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @out : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @mlp : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @down : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @a : tensor<12x8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @b : tensor<8x12xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @final : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @head : tensor<16x8xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache0: !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<16x8xf32>
  %e = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %norm = llmc.parameter_value @norm : tensor<8xf32>
  %n = llmc.rms_norm %e, %norm : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %qw = llmc.parameter_value @q : tensor<8x8xf32>
  %q = llmc.linear %n, %qw : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %kw = llmc.parameter_value @k : tensor<8x8xf32>
  %k = llmc.linear %n, %kw : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %vw = llmc.parameter_value @v : tensor<8x8xf32>
  %v = llmc.linear %n, %vw : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %c = llmc.cache_append %cache0, %k, %v, %rows : !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>, tensor<?x8xf32>, tensor<?x8xf32>
  %o = llmc.attention %q, %c, %rows : tensor<?x8xf32>, !llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32> {heads = 2 : i64, scale = 0.5 : f32}
  %outw = llmc.parameter_value @out : tensor<8x8xf32>
  %ao = llmc.linear %o, %outw : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %h = arith.addf %e, %ao : tensor<?x8xf32>
  %mlp = llmc.parameter_value @mlp : tensor<8xf32>
  %m = llmc.rms_norm %h, %mlp : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %c0 = arith.constant 0 : index
  %count = tensor.dim %m, %c0 : tensor<?x8xf32>
  %empty = tensor.empty(%count) : tensor<?x12xf32>
  %upw = llmc.parameter_value @up : tensor<12x8xf32>
  %u = llmc.linear %m, %upw : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %x = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%u : tensor<?x12xf32>) outs(%empty : tensor<?x12xf32>) {
  ^bb0(%in: f32, %to: f32):
    %y = math.exp %in : f32
    linalg.yield %y : f32
  } -> tensor<?x12xf32>
  %downw = llmc.parameter_value @down : tensor<8x12xf32>
  %d = llmc.linear %x, %downw : (tensor<?x12xf32>, tensor<8x12xf32>) -> tensor<?x8xf32>
  %aw = llmc.parameter_value @a : tensor<12x8xf32>
  %a = llmc.linear %m, %aw : (tensor<?x8xf32>, tensor<12x8xf32>) -> tensor<?x12xf32>
  %t = linalg.generic {indexing_maps = [#turned, #same], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<?x12xf32>) outs(%empty : tensor<?x12xf32>) {
  ^bb0(%in: f32, %to: f32):
    %y = math.exp %in : f32
    linalg.yield %y : f32
  } -> tensor<?x12xf32>
  %bw = llmc.parameter_value @b : tensor<8x12xf32>
  %b = llmc.linear %t, %bw : (tensor<?x12xf32>, tensor<8x12xf32>) -> tensor<?x8xf32>
  %h1 = arith.addf %h, %d : tensor<?x8xf32>
  %h2 = arith.addf %h1, %b : tensor<?x8xf32>
  %final = llmc.parameter_value @final : tensor<8xf32>
  %f = llmc.rms_norm %h2, %final : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %headw = llmc.parameter_value @head : tensor<16x8xf32>
  %l = llmc.linear %f, %headw : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %l : tensor<?x16xf32>
}
