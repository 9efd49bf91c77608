// RUN: split-file %s %t
// RUN: %python -c "open(r'%t/w', 'wb').write(bytes(range(256)) * 2)"
// RUN: llmc-opt %t/model.mlir --convert-llmc-to-linalg | FileCheck %t/model.mlir

//--- model.mlir
// CHECK-DAG: #[[BYTE:.*]] = affine_map<(d0, d1, d2) -> (d0, (d1 * 3 + d2) floordiv 8)>
// CHECK-DAG: #[[BIT:.*]] = affine_map<(d0, d1, d2) -> (d2)>
// CHECK-DAG: #[[GROUP:.*]] = affine_map<(d0, d1) -> (d0, d1 floordiv 8)>
// CHECK-NOT: llmc
llmc.parameter @plain : tensor<4x8xf32> = #llmc.file<"w", offset = 128>
llmc.parameter @turned : tensor<4x8xf16> = #llmc.file<"w", offset = 64, strides = [1, 4]>
llmc.parameter @codes : tensor<4x20xf32, #llmc.grouped<bits = 3, group = 8, zero = integer, scale = f16>> = #llmc.file<"w", offset = 0>

// CHECK-LABEL: func.func @get_plain
// CHECK-NEXT: %[[W:.*]] = arith.constant dense_resource<plain> : tensor<4x8xf32>
// CHECK-NEXT: return %[[W]]
func.func @get_plain() -> tensor<4x8xf32> {
  %w = llmc.parameter_value @plain : tensor<4x8xf32>
  return %w : tensor<4x8xf32>
}

// CHECK-LABEL: func.func @get_turned
// CHECK: %[[W:.*]] = arith.constant dense_resource<turned> : tensor<32xf16>
// CHECK: linalg.generic
// CHECK: tensor.extract %[[W]]
func.func @get_turned() -> tensor<4x8xf16> {
  %w = llmc.parameter_value @turned : tensor<4x8xf16>
  return %w : tensor<4x8xf16>
}

// 8 bytes of codes a row, then at a multiple of 64 bytes three scales a row, then as many zero points.

// CHECK-LABEL: func.func @get_codes() -> tensor<4x20xf32>
// CHECK: %[[BYTES:.*]] = arith.constant dense_resource<codes> : tensor<140xi8>
// CHECK: tensor.extract_slice %[[BYTES]][0] [32] [1]
// CHECK: arith.constant dense<[1, 2, 4]> : tensor<3xi32>
// CHECK: linalg.generic {indexing_maps = [#[[BYTE]], #[[BIT]], #{{.*}}], iterator_types = ["parallel", "parallel", "reduction"]}
// CHECK: tensor.extract_slice %[[BYTES]][64] [24] [1]
// CHECK: arith.constant dense<[1, 256]> : tensor<2xi16>
// CHECK: arith.bitcast %{{.*}} : tensor<4x3xi16> to tensor<4x3xf16>
// CHECK: tensor.extract_slice %[[BYTES]][128] [12] [1]
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[GROUP]], #[[GROUP]], #{{.*}}], iterator_types = ["parallel", "parallel"]}
// CHECK: arith.truncf %{{.*}} : f64 to f32
func.func @get_codes() -> tensor<4x20xf32, #llmc.grouped<bits = 3, group = 8, zero = integer, scale = f16>> {
  %w = llmc.parameter_value @codes : tensor<4x20xf32, #llmc.grouped<bits = 3, group = 8, zero = integer, scale = f16>>
  return %w : tensor<4x20xf32, #llmc.grouped<bits = 3, group = 8, zero = integer, scale = f16>>
}
