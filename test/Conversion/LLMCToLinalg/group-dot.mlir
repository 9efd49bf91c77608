// RUN: llmc-opt %s --convert-llmc-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @dot
// CHECK: arith.extui %{{.*}} : vector<64xi8> to vector<64xi32>
// CHECK: arith.extsi %{{.*}} : vector<64xi8> to vector<64xi32>
// CHECK-COUNT-2: arith.muli
// CHECK: vector.shape_cast %{{.*}} : vector<64xi32> to vector<16x4xi32>
// CHECK: vector.multi_reduction <add>, %{{.*}}, %{{.*}} [1] : vector<16x4xi32> to vector<16xi32>
// CHECK-NOT: llmc
func.func @dot(%w0: vector<64xi8>, %w1: vector<64xi8>, %a0: vector<64xi8>, %a1: vector<64xi8>) -> vector<16xi32> {
  %d = llmc.group_dot (%w0, %w1), (%a0, %a1) {max_weight = 15 : i64}
    : (vector<64xi8>, vector<64xi8>), (vector<64xi8>, vector<64xi8>) -> vector<16xi32>
  return %d : vector<16xi32>
}
