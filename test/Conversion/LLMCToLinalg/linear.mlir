// RUN: llmc-opt %s --convert-llmc-to-linalg | FileCheck %s

// CHECK-DAG: #[[RK:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[GROUP:.*]] = affine_map<(d0, d1) -> (d0, d1 floordiv 32)>
// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>

// CHECK-LABEL: func.func @sum
// CHECK: %[[WIDE:.*]] = arith.extf {{.*}} : tensor<4x40xf16> to tensor<4x40xf32>
// CHECK: linalg.fill ins(%{{.*}} : f32) outs(%{{.*}} : tensor<?x4xf32>)
// CHECK: %[[SUM:.*]] = linalg.generic {indexing_maps = [#[[X]], #[[W]], #[[Y]]], iterator_types = ["parallel", "parallel", "reduction"]} ins(%{{.*}}, %[[WIDE]]
// CHECK: arith.mulf
// CHECK-NEXT: arith.addf
// CHECK: linalg.generic {{.*}} ins(%[[SUM]], %{{.*}} : tensor<?x4xf32>, tensor<4xf32>)
// CHECK-NOT: llmc
func.func @sum(%x: tensor<?x40xf32>, %w: tensor<4x40xf16>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  %y = llmc.linear %x, %w bias %b
    : (tensor<?x40xf32>, tensor<4x40xf16>, tensor<4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// A last group may be shorter: 40 inputs are two groups of 32.

// CHECK-LABEL: func.func @rounded
// CHECK: %[[MAX:.*]] = linalg.generic {indexing_maps = [#[[RK]], #[[GROUP]]], iterator_types = ["parallel", "reduction"]} ins(%{{.*}} : tensor<?x40xf32>) outs(%{{.*}} : tensor<?x2xf32>)
// CHECK: math.absf
// CHECK-NEXT: arith.maximumf
// CHECK: %[[ROUNDED:.*]] = linalg.generic {indexing_maps = [#[[RK]], #[[GROUP]], #[[RK]]]
// CHECK: %[[SCALE:.*]] = arith.divf
// CHECK: math.roundeven
// CHECK: arith.mulf %{{.*}}, %[[SCALE]]
// CHECK: linalg.generic {{.*}} ins(%[[ROUNDED]], %{{.*}} : tensor<?x40xf32>, tensor<4x40xf32>)
func.func @rounded(%x: tensor<?x40xf32>, %w: tensor<4x40xf32>) -> tensor<?x4xf32> {
  %y = llmc.linear %x, %w activation <bits = 8, group = 32>
    : (tensor<?x40xf32>, tensor<4x40xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
