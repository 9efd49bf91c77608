// RUN: llmc-opt %s --convert-llmc-to-linalg | FileCheck %s

// CHECK-DAG: #[[PART:.*]] = affine_map<(d0, d1) -> (d0, d1 floordiv 8)>
// CHECK-DAG: #[[IN_PART:.*]] = affine_map<(d0, d1) -> (d1 mod 8)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d0)>

// CHECK-LABEL: func.func @rms_norm
// CHECK: %[[SQUARES:.*]] = linalg.generic {indexing_maps = [#[[ALL:.*]], #[[ALL]], #[[PART]]], iterator_types = ["parallel", "reduction"]} ins(%[[X:.*]], %[[X]] : {{.*}}) outs(%{{.*}} : tensor<?x4xf32>)
// CHECK: linalg.generic {indexing_maps = [#[[ALL]], #[[PART]], #[[IN_PART]], #[[ALL]]], {{.*}} ins(%[[X]], %[[SQUARES]], %{{.*}}
// CHECK: %[[ROOT:.*]] = math.sqrt
// CHECK-NEXT: %[[NORMAL:.*]] = arith.divf %{{.*}}, %[[ROOT]]
// CHECK-NEXT: arith.mulf %[[NORMAL]]
// CHECK-NOT: llmc
func.func @rms_norm(%x: tensor<?x32xf32>, %gain: tensor<8xf32>) -> tensor<?x32xf32> {
  %y = llmc.rms_norm %x, %gain : tensor<?x32xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32, groups = 4 : i64}
  return %y : tensor<?x32xf32>
}

// CHECK-LABEL: func.func @layer_norm
// CHECK: %[[SUMS:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<?xf32>)
// CHECK: %[[CENTRED:.*]] = linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]], #[[ALL]]], {{.*}} ins(%{{.*}}, %[[SUMS]]
// CHECK: arith.subf
// CHECK: %[[SQUARES:.*]] = linalg.generic {{.*}} ins(%[[CENTRED]], %[[CENTRED]]
// CHECK: linalg.generic {{.*}} ins(%[[CENTRED]], %[[SQUARES]], %{{.*}}, %{{.*}} : tensor<?x32xf32>, tensor<?xf32>, tensor<32xf32>, tensor<32xf32>)
// CHECK-NOT: llmc
func.func @layer_norm(%x: tensor<?x32xf32>, %gain: tensor<32xf32>, %bias: tensor<32xf32>) -> tensor<?x32xf32> {
  %y = llmc.layer_norm %x, %gain bias %bias : tensor<?x32xf32>, tensor<32xf32>, tensor<32xf32> {epsilon = 1.0e-5 : f32}
  return %y : tensor<?x32xf32>
}
