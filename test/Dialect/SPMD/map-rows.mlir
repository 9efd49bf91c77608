// Which tensor algebra keeps rows apart.

// RUN: llmc-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<?x8xf32>, %w: tensor<8xf32>) -> tensor<?x8xf32> {
  %y = spmd.map_rows (%x, %w) {
  ^bb0(%a: tensor<?x8xf32>, %b: tensor<8xf32>):
    %0 = arith.constant 0 : index
    %rows = tensor.dim %a, %0 : tensor<?x8xf32>
    %empty = tensor.empty(%rows) : tensor<?x8xf32>
    %c = linalg.generic {
        indexing_maps = [affine_map<(r, c) -> (r, c)>, affine_map<(r, c) -> (c)>,
                         affine_map<(r, c) -> (r, c)>],
        iterator_types = ["parallel", "parallel"]}
        ins(%a, %b : tensor<?x8xf32>, tensor<8xf32>) outs(%empty : tensor<?x8xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %p = arith.mulf %l, %r : f32
      linalg.yield %p : f32
    } -> tensor<?x8xf32>
    spmd.yield %c : tensor<?x8xf32>
  } : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // expected-error @+1 {{expected arguments of the body of the operands' types}}
  %y = spmd.map_rows (%x) {
  ^bb0(%a: tensor<?x4xf32>):
    spmd.yield %a : tensor<?x4xf32>
  } : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @f(%x: tensor<?x8xf32>) -> tensor<?x4xf32> {
  // expected-error @+1 {{expected a body that yields 'tensor<?x4xf32>'}}
  %y = spmd.map_rows (%x) {
  ^bb0(%a: tensor<?x8xf32>):
    spmd.yield %a : tensor<?x8xf32>
  } : (tensor<?x8xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = spmd.map_rows (%x) {
  ^bb0(%a: tensor<?x8xf32>):
    // expected-error @+1 {{expected operations of linalg, tensor, arith and math}}
    %b = llmc.activation <relu> %a : tensor<?x8xf32>
    spmd.yield %b : tensor<?x8xf32>
  } : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = spmd.map_rows (%x) {
  ^bb0(%a: tensor<?x8xf32>):
    // expected-error @+1 {{expected rows at dimension 0 of what it reads and writes, and nowhere else}}
    %b = linalg.generic {
        indexing_maps = [affine_map<(r, c) -> (c, r)>, affine_map<(r, c) -> (r, c)>],
        iterator_types = ["parallel", "parallel"]}
        ins(%a : tensor<?x8xf32>) outs(%a : tensor<?x8xf32>) {
    ^bb0(%l: f32, %o: f32):
      linalg.yield %l : f32
    } -> tensor<?x8xf32>
    spmd.yield %b : tensor<?x8xf32>
  } : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = spmd.map_rows (%x) {
  ^bb0(%a: tensor<?x8xf32>):
    // expected-error @+1 {{expected a body that does not ask which row it computes}}
    %b = linalg.generic {
        indexing_maps = [affine_map<(r, c) -> (r, c)>], iterator_types = ["parallel", "parallel"]}
        outs(%a : tensor<?x8xf32>) {
    ^bb0(%o: f32):
      %row = linalg.index 0 : index
      %i = arith.index_cast %row : index to i32
      %v = arith.sitofp %i : i32 to f32
      linalg.yield %v : f32
    } -> tensor<?x8xf32>
    spmd.yield %b : tensor<?x8xf32>
  } : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = spmd.map_rows (%x) {
  ^bb0(%a: tensor<?x8xf32>):
    // expected-error @+1 {{expected a body that reads no tensors}}
    %b = linalg.generic {
        indexing_maps = [affine_map<(r, c) -> (r, c)>], iterator_types = ["parallel", "parallel"]}
        outs(%a : tensor<?x8xf32>) {
    ^bb0(%o: f32):
      %0 = arith.constant 0 : index
      %v = tensor.extract %a[%0, %0] : tensor<?x8xf32>
      linalg.yield %v : f32
    } -> tensor<?x8xf32>
    spmd.yield %b : tensor<?x8xf32>
  } : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = spmd.map_rows (%x) {
  ^bb0(%a: tensor<?x8xf32>):
    %0 = arith.constant 0 : index
    // expected-error @+1 {{expected the number of rows to be a size alone}}
    %rows = tensor.dim %a, %0 : tensor<?x8xf32>
    %i = arith.index_cast %rows : index to i32
    spmd.yield %a : tensor<?x8xf32>
  } : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = spmd.map_rows (%x) {
  ^bb0(%a: tensor<?x8xf32>):
    %0 = arith.constant 0 : index
    %rows = tensor.dim %a, %0 : tensor<?x8xf32>
    // expected-error @+1 {{expected slices that keep all rows, of places that are known}}
    %b = tensor.extract_slice %a[1, 0] [%rows, 8] [1, 1] : tensor<?x8xf32> to tensor<?x8xf32>
    spmd.yield %b : tensor<?x8xf32>
  } : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = spmd.map_rows (%x) {
  ^bb0(%a: tensor<?x8xf32>):
    // expected-error @+1 {{expected reshapes that keep rows as dimension 0}}
    %b = tensor.collapse_shape %a [[0, 1]] : tensor<?x8xf32> into tensor<?xf32>
    spmd.yield %a : tensor<?x8xf32>
  } : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = spmd.map_rows (%x) {
  ^bb0(%a: tensor<?x8xf32>):
    // expected-error @+1 {{does not say that it keeps rows apart}}
    %b = tensor.concat dim(1) %a, %a : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x16xf32>
    spmd.yield %a : tensor<?x8xf32>
  } : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @f(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %y = spmd.map_rows (%x) {
  ^bb0(%a: tensor<?x?xf32>):
    // expected-error @+1 {{expected sizes that are known but for the number of rows, found tensor<?x?xf32>}}
    %b = math.exp %a : tensor<?x?xf32>
    spmd.yield %b : tensor<?x?xf32>
  } : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}
