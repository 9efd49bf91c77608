// RUN: llmc-opt %s --convert-llmc-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @functions
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]
// CHECK: arith.maximumf
// CHECK: linalg.generic
// CHECK: arith.negf
// CHECK-NEXT: math.exp
// CHECK: arith.divf
// CHECK-NEXT: arith.mulf
// CHECK: linalg.generic
// CHECK: math.erf
// CHECK: linalg.generic
// CHECK: arith.constant 4.471500e-02 : f32
// CHECK: math.tanh
// CHECK: linalg.generic
// CHECK: arith.constant 1.702
// CHECK: math.exp
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: arith.divf
// CHECK-NEXT: linalg.yield
// CHECK: linalg.generic
// CHECK: arith.negf
// CHECK: arith.maximumf
// CHECK: arith.negf
// CHECK: arith.maximumf
// CHECK-NEXT: linalg.yield
// CHECK-NOT: llmc
func.func @functions(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = llmc.activation <relu> %x : tensor<?x8xf32>
  %1 = llmc.activation <silu> %0 : tensor<?x8xf32>
  %2 = llmc.activation <gelu> %1 : tensor<?x8xf32>
  %3 = llmc.activation <gelu_tanh> %2 : tensor<?x8xf32>
  %4 = llmc.activation <gelu_quick> %3 : tensor<?x8xf32>
  %5 = llmc.activation <sigmoid> %4 : tensor<?x8xf32>
  %6 = llmc.activation <hardtanh> %5 : tensor<?x8xf32>
  return %6 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @gate
// CHECK: linalg.generic {{.*}} ins(%[[GATE:.*]], %[[UP:.*]] : tensor<?x8xf32>, tensor<?x8xf32>)
// CHECK-NEXT: ^bb0(%{{.*}}: f32, %[[UP_ELEMENT:.*]]: f32, %{{.*}}: f32):
// CHECK: %[[F:.*]] = arith.maximumf
// CHECK-NEXT: arith.mulf %[[F]], %[[UP_ELEMENT]]
func.func @gate(%gate: tensor<?x8xf32>, %up: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = llmc.gate <relu> %gate, %up : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @scale
// CHECK: linalg.generic
// CHECK: %[[FACTOR:.*]] = arith.constant 1.250000e+01 : f32
// CHECK: arith.mulf %{{.*}}, %[[FACTOR]]
func.func @scale(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = llmc.scale %x by 12.5 : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
