// RUN: llmc-opt %s --convert-llmc-to-linalg | FileCheck %s

// Order 24 = 12 · 2 in blocks: sums and differences of neighbours, then the core's signs over every
// second element of a block.

// CHECK-DAG: #[[FIRST:.*]] = affine_map<(d0, d1) -> (d0, (d1 floordiv 2) * 2)>
// CHECK-DAG: #[[SECOND:.*]] = affine_map<(d0, d1) -> (d0, (d1 floordiv 2) * 2 + 1)>
// CHECK-DAG: #[[MIXED:.*]] = affine_map<(d0, d1, d2) -> (d0, (d1 floordiv 24) * 24 + d2 * 2 + d1 mod 2)>
// CHECK-DAG: #[[CORE:.*]] = affine_map<(d0, d1, d2) -> (d2, (d1 floordiv 2) mod 12)>

// CHECK-LABEL: func.func @blocks
// CHECK: %[[SUMS:.*]] = linalg.generic {indexing_maps = [#[[FIRST]], #[[SECOND]], {{.*}}], iterator_types = ["parallel", "parallel"]}
// CHECK: linalg.generic {indexing_maps = [#[[MIXED]], #[[CORE]], {{.*}}], iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[SUMS]], %{{.*}} : tensor<?x48xf32>, tensor<12x12xf32>)
// CHECK-NOT: llmc
func.func @blocks(%x: tensor<?x48xf32>) -> tensor<?x48xf32> {
  %y = llmc.hadamard %x : tensor<?x48xf32> {order = 24 : i64}
  return %y : tensor<?x48xf32>
}
