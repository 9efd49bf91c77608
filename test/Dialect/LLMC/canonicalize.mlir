// RUN: llmc-opt --canonicalize %s | FileCheck %s

// CHECK-LABEL: func.func @output_rows_of_output_rows
// CHECK-SAME:    %[[X:.*]]: tensor<?x64xf32>, %[[ROWS:.*]]: !llmc.rows
func.func @output_rows_of_output_rows(%x: tensor<?x64xf32>, %rows: !llmc.rows) -> tensor<?x64xf32> {
  // CHECK-NEXT: %[[KEPT:.*]] = llmc.output_rows %[[X]], %[[ROWS]]
  // CHECK-NEXT: return %[[KEPT]]
  %kept = llmc.output_rows %x, %rows : tensor<?x64xf32> -> tensor<?x64xf32>
  %again = llmc.output_rows %kept, %rows : tensor<?x64xf32> -> tensor<?x64xf32>
  return %again : tensor<?x64xf32>
}

// Other rows are another question.
// CHECK-LABEL: func.func @output_rows_of_other_rows
func.func @output_rows_of_other_rows(%x: tensor<?x64xf32>, %first: !llmc.rows, %second: !llmc.rows)
    -> tensor<?x64xf32> {
  // CHECK-COUNT-2: llmc.output_rows
  %kept = llmc.output_rows %x, %first : tensor<?x64xf32> -> tensor<?x64xf32>
  %again = llmc.output_rows %kept, %second : tensor<?x64xf32> -> tensor<?x64xf32>
  return %again : tensor<?x64xf32>
}

// CHECK-LABEL: func.func @relu_of_relu
// CHECK-SAME:    %[[X:.*]]: tensor<?x64xf32>
func.func @relu_of_relu(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // CHECK-NEXT: %[[Y:.*]] = llmc.activation <relu> %[[X]]
  // CHECK-NEXT: return %[[Y]]
  %y = llmc.activation <relu> %x : tensor<?x64xf32>
  %z = llmc.activation <relu> %y : tensor<?x64xf32>
  return %z : tensor<?x64xf32>
}

// The others give something else when they are applied twice.
// CHECK-LABEL: func.func @silu_of_silu
func.func @silu_of_silu(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // CHECK-COUNT-2: llmc.activation <silu>
  %y = llmc.activation <silu> %x : tensor<?x64xf32>
  %z = llmc.activation <silu> %y : tensor<?x64xf32>
  return %z : tensor<?x64xf32>
}

// CHECK-LABEL: func.func @scale_by_one
// CHECK-SAME:    %[[X:.*]]: tensor<?x64xf32>
func.func @scale_by_one(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // CHECK-NEXT: %[[Y:.*]] = llmc.scale %[[X]] by 2.000000e+00
  // CHECK-NEXT: return %[[Y]]
  %one = llmc.scale %x by 1.0 : tensor<?x64xf32>
  %y = llmc.scale %one by 2.0 : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
