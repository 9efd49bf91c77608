// RUN: llmc-opt %s --convert-cpu-to-llvm --split-input-file --verify-diagnostics

// expected-error @+1 {{expected an attribute cpu.target, which says what a dot product becomes}}
func.func @dot(%a: vector<64xi8>, %b: vector<64xi8>) -> vector<16xi32> {
  %sum = llmc.group_dot (%a), (%b) {max_weight = 15 : i64}
      : (vector<64xi8>), (vector<64xi8>) -> vector<16xi32>
  return %sum : vector<16xi32>
}

// -----

// expected-error @+1 {{expected an attribute cpu.target, which says what a look-up becomes}}
func.func @lookup(%indices: vector<16xi32>) -> vector<16xf32> {
  %found = cpu.table_lookup [0.0, 1.0][%indices] : vector<16xi32> -> vector<16xf32>
  return %found : vector<16xf32>
}

// -----

// expected-error @+1 {{expected a step to be an argument of a function}}
func.func @same(%step: !spmd.step) -> !spmd.step {
  return %step : !spmd.step
}

// -----

func.func @cast(%address: !llvm.ptr) {
  // expected-error @+1 {{expected a step to be an argument of a function}}
  %step = builtin.unrealized_conversion_cast %address : !llvm.ptr to !spmd.step
  return
}

// -----

func.func @loop(%step: !spmd.step, %low: index, %high: index) {
  // expected-error @+1 {{expected a step to be an argument of a function}}
  scf.for %i = %low to %high step %high iter_args(%again = %step) -> (!spmd.step) {
    scf.yield %again : !spmd.step
  }
  return
}

// -----

// expected-error @+1 {{expected the body of a function that takes a step}}
func.func private @elsewhere(!spmd.step)

// -----

func.func private @step_rows(%step: !spmd.step) {
  return
}
// expected-error @+1 {{expected a target #cpu.target, which convert-spmd-to-cpu gives a plan}}
spmd.entry @step row @step_rows rows @step_rows

// -----

// What has no conversion, such as a model that was not planned.

func.func @model(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // expected-error @+1 {{has no conversion to the LLVM dialect}}
  %y = llmc.activation <relu> %x : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
