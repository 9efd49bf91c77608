// What is wrong with a model as a whole.

// RUN: llmc-opt %s --raise-onnx="context=2048" --split-input-file --verify-diagnostics

// Modules.

// expected-error @below {{expected onnx.graph @main}}
module {
}

// -----

// Inputs.

// expected-error @below {{expected inputs that hold tokens, positions, a mask or a cache, found 'pixels' (tensor<?x3x?x?xf32>), 'type' (tensor<?xi64>)}}
onnx.graph @main attributes {input_dims = [[], [], []], input_names = ["ids", "pixels", "type"],
    output_dims = [[]], output_names = ["x"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>, %pixels: tensor<?x3x?x?xf32>, %type: tensor<?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "Relu"(%pixels) {name = "y", output_names = ["y"]}
      : (tensor<?x3x?x?xf32>) -> !onnx.untyped
  %z = onnx.node "Neg"(%type) {name = "z", output_names = ["z"]}
      : (tensor<?xi64>) -> !onnx.untyped
  onnx.yield %x : !onnx.untyped
}

// -----

// Two inputs of tokens.

// expected-error @below {{expected one input of tokens, a matrix of integers, found 2: 'ids', 'more' (export the model with input_ids, attention_mask and position_ids as names)}}
onnx.graph @main attributes {input_dims = [[], []], input_names = ["ids", "more"],
    output_dims = [[]], output_names = ["x"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>, %more: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "Gather"(%table, %more) {name = "y", output_names = ["y"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  onnx.yield %x : !onnx.untyped
}

// -----

// Outputs.

// expected-error-re @below {{expected outputs to be logits and the cache, found 'y': expected one of relu, {{.*}}, relu squared, a tanh or what plain operators compute of each element, found Softplus}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "Softplus"(%x) {name = "y", output_names = ["y"]}
      : (!onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// Two outputs of logits.

// expected-error @below {{expected one output of logits beside the cache, found 2: 'x', 'y' (name the one with logits 'logits')}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[], []], output_names = ["x", "y"], output_types = [!onnx.untyped, !onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "Relu"(%x) {name = "y", output_names = ["y"]}
      : (!onnx.untyped) -> !onnx.untyped
  onnx.yield %x, %y : !onnx.untyped, !onnx.untyped
}

// -----

// An output that does not depend on tokens.

// expected-error @below {{expected outputs to be logits and the cache, found 'table'}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["table"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  onnx.yield %table : tensor<8x8xf32>
}

// -----

// No logits.

// expected-error @below {{expected an output of logits, found none}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [], output_names = [], output_types = []} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  onnx.yield
}

// -----

// Logits that are no matrix.

// expected-error @below {{cannot compute the logits: expected one factor for all columns}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %steps = onnx.initializer "steps" : tensor<8xf32> = dense<[1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]> : tensor<8xf32>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "Mul"(%x, %steps) {name = "y", output_names = ["y"]}
      : (!onnx.untyped, tensor<8xf32>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// Functions.

onnx.function @"local::f" attributes {defaults = {}, domain = "local", function_name = "f",
    input_names = ["a"], opsets = {}, output_names = ["b"], parameters = []} {
^bb0(%a: !onnx.untyped):
  onnx.yield %a : !onnx.untyped
}

onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["x"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  // expected-error @below {{expected at most 1 inputs for 'local::f', found 2}}
  %x = onnx.node "f"(%ids, %table) {domain = "local", name = "x", output_names = ["x"]}
      : (tensor<?x?xi64>, tensor<8x8xf32>) -> !onnx.untyped
  onnx.yield %x : !onnx.untyped
}

// -----

// More outputs than a function has.

onnx.function @"local::f" attributes {defaults = {}, domain = "local", function_name = "f",
    input_names = ["a"], opsets = {}, output_names = ["b"], parameters = []} {
^bb0(%a: !onnx.untyped):
  onnx.yield %a : !onnx.untyped
}

onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["x#0"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  // expected-error @below {{expected at most 1 outputs of 'local::f', found 2}}
  %x:2 = onnx.node "f"(%ids) {domain = "local", name = "x", output_names = ["x.0", "x.1"]}
      : (tensor<?x?xi64>) -> (!onnx.untyped, !onnx.untyped)
  onnx.yield %x#0 : !onnx.untyped
}

// -----

// Graphs as attributes of a call.

onnx.function @"local::f" attributes {defaults = {}, domain = "local", function_name = "f",
    input_names = ["a"], opsets = {}, output_names = ["b"], parameters = []} {
^bb0(%a: !onnx.untyped):
  onnx.yield %a : !onnx.untyped
}

onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["x"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  // expected-error @below {{expected no graphs as attributes of a call of 'local::f', found 1}}
  %x = onnx.node "f"(%ids) {domain = "local", graphs = ["body"], name = "x", output_names = ["x"]}
      : (tensor<?x?xi64>) -> !onnx.untyped {
    onnx.yield
  }
  onnx.yield %x : !onnx.untyped
}

// -----

// A function that calls itself.

onnx.function @"local::f" attributes {defaults = {}, domain = "local", function_name = "f",
    input_names = ["a"], opsets = {}, output_names = ["b"], parameters = []} {
^bb0(%a: !onnx.untyped):
  // expected-error @below {{expected functions that call each other at most 32 deep, found more at 'local::f' (does it call itself?)}}
  %b = onnx.node "f"(%a) {domain = "local", output_names = ["b"]} : (!onnx.untyped) -> !onnx.untyped
  onnx.yield %b : !onnx.untyped
}

onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["x"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %x = onnx.node "f"(%ids) {domain = "local", name = "x", output_names = ["x"]}
      : (tensor<?x?xi64>) -> !onnx.untyped
  onnx.yield %x : !onnx.untyped
}

// -----

// A condition that changes with the length.

// expected-note @below {{the largest that works is --context=99}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["z"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %w88 = onnx.initializer "w88" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %hundred = onnx.initializer "hundred" : tensor<i64> = dense<100> : tensor<i64>
  %one = onnx.initializer "one" : tensor<i64> = dense<1> : tensor<i64>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "Relu"(%x) {name = "y", output_names = ["y"]}
      : (!onnx.untyped) -> !onnx.untyped
  %shape = onnx.node "Shape"(%ids) {name = "shape", output_names = ["shape"]}
      : (tensor<?x?xi64>) -> !onnx.untyped
  %length = onnx.node "Gather"(%shape, %one) {name = "length", output_names = ["length"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %short = onnx.node "Less"(%length, %hundred) {name = "short", output_names = ["short"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %u = onnx.node "MatMul"(%x, %w88) {name = "u", output_names = ["u"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  // expected-error @below {{expected a condition that is the same at every length, found it changed at 256 rows without a past}}
  %z = onnx.node "Where"(%short, %x, %u) {name = "z", output_names = ["z"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %z : !onnx.untyped
}

// -----

// Operators that are not known are counted also where what feeds them was not.

// expected-error @below {{cannot raise 2 nodes of the graph}}
module attributes {onnx.opsets = {ai.onnx = 17 : i64}} {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  // expected-note @below {{Odd (domain ai.onnx, version 17), 2 nodes, e.g. 'x': this operator is not known}}
  %x = onnx.node "Odd"(%ids) {name = "x", output_names = ["x"]} : (tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "Odd"(%x) {name = "y", output_names = ["y"]} : (!onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}

// -----

// A branch that is taken at some lengths.

// expected-note @below {{the largest that works is --context=99}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %hundred = onnx.initializer "hundred" : tensor<i64> = dense<100> : tensor<i64>
  %one = onnx.initializer "one" : tensor<i64> = dense<1> : tensor<i64>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %shape = onnx.node "Shape"(%ids) {name = "shape", output_names = ["shape"]}
      : (tensor<?x?xi64>) -> !onnx.untyped
  %length = onnx.node "Gather"(%shape, %one) {name = "length", output_names = ["length"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %short = onnx.node "Less"(%length, %hundred) {name = "short", output_names = ["short"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  // expected-error @below {{expected a condition that is the same at every length, found it changed at 256 rows without a past}}
  %y = onnx.node "If"(%short) {graphs = ["then_branch", "else_branch"], name = "y", output_names = ["y"]}
      : (!onnx.untyped) -> !onnx.untyped {
    %b = onnx.node "Relu"(%x) {output_names = ["b"]} : (!onnx.untyped) -> !onnx.untyped
    onnx.yield %b : !onnx.untyped
  }, {
    %b = onnx.node "Identity"(%x) {output_names = ["b"]} : (!onnx.untyped) -> !onnx.untyped
    onnx.yield %b : !onnx.untyped
  }
  onnx.yield %y : !onnx.untyped
}

// -----

// A branch that is taken for one token alone.

onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %two = onnx.initializer "two" : tensor<i64> = dense<2> : tensor<i64>
  %one = onnx.initializer "one" : tensor<i64> = dense<1> : tensor<i64>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %shape = onnx.node "Shape"(%ids) {name = "shape", output_names = ["shape"]}
      : (tensor<?x?xi64>) -> !onnx.untyped
  %length = onnx.node "Gather"(%shape, %one) {name = "length", output_names = ["length"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %short = onnx.node "Less"(%length, %two) {name = "short", output_names = ["short"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  // expected-error @below {{expected a condition that is the same at every length, found it changed at 1 row without a past}}
  %y = onnx.node "If"(%short) {graphs = ["then_branch", "else_branch"], name = "y", output_names = ["y"]}
      : (!onnx.untyped) -> !onnx.untyped {
    %b = onnx.node "Relu"(%x) {output_names = ["b"]} : (!onnx.untyped) -> !onnx.untyped
    onnx.yield %b : !onnx.untyped
  }, {
    %b = onnx.node "Identity"(%x) {output_names = ["b"]} : (!onnx.untyped) -> !onnx.untyped
    onnx.yield %b : !onnx.untyped
  }
  onnx.yield %y : !onnx.untyped
}

// -----

// A number that changes with the length.

onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["z"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %w88 = onnx.initializer "w88" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %one = onnx.initializer "one" : tensor<i64> = dense<1> : tensor<i64>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %shape = onnx.node "Shape"(%ids) {name = "shape", output_names = ["shape"]}
      : (tensor<?x?xi64>) -> !onnx.untyped
  %length = onnx.node "Gather"(%shape, %one) {name = "length", output_names = ["length"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %number = onnx.node "Cast"(%length) {name = "number", node_attributes = {to = 1}, output_names = ["number"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-error @below {{expected a number that is the same at every length, found 2.900000e+01 at 29 rows without a past and 1.000000e+00 at 1 row without a past}}
  %y = onnx.node "Mul"(%x, %number) {name = "y", output_names = ["y"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %z = onnx.node "Div"(%y, %number) {name = "z", output_names = ["z"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %z : !onnx.untyped
}

// -----

// A window that changes with the length.

// expected-note @below {{the largest that works is --context=99}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %shape4 = onnx.initializer "shape4" : tensor<4xi64> = dense<[0, 0, 2, 4]> : tensor<4xi64>
  %s0 = onnx.initializer "s0" : tensor<i64> = dense<0> : tensor<i64>
  %s1 = onnx.initializer "s1" : tensor<i64> = dense<1> : tensor<i64>
  %col = onnx.initializer "col" : tensor<2xi64> = dense<[-1, 1]> : tensor<2xi64>
  %row = onnx.initializer "row" : tensor<2xi64> = dense<[1, -1]> : tensor<2xi64>
  %flat = onnx.initializer "flat" : tensor<3xi64> = dense<[0, 0, 8]> : tensor<3xi64>
  %low = onnx.initializer "low" : tensor<f32> = dense<-1.0e9> : tensor<f32>
  %w = onnx.initializer "w" : tensor<i64> = dense<4> : tensor<i64>
  %hundred = onnx.initializer "hundred" : tensor<i64> = dense<100> : tensor<i64>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %xh = onnx.node "Reshape"(%x, %shape4) {name = "xh", output_names = ["xh"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %q = onnx.node "Transpose"(%xh) {name = "q", node_attributes = {perm = array<i64: 0, 2, 1, 3>}, output_names = ["q"]}
      : (!onnx.untyped) -> !onnx.untyped
  %k = onnx.node "Transpose"(%xh) {name = "k", node_attributes = {perm = array<i64: 0, 2, 3, 1>}, output_names = ["k"]}
      : (!onnx.untyped) -> !onnx.untyped
  %scores = onnx.node "MatMul"(%q, %k) {name = "scores", output_names = ["scores"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %shape = onnx.node "Shape"(%ids) {name = "shape", output_names = ["shape"]}
      : (tensor<?x?xi64>) -> !onnx.untyped
  %length = onnx.node "Gather"(%shape, %s1) {name = "length", output_names = ["length"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %places = onnx.node "Range"(%s0, %length, %s1) {name = "places", output_names = ["places"]}
      : (tensor<i64>, !onnx.untyped, tensor<i64>) -> !onnx.untyped
  %rows = onnx.node "Reshape"(%places, %col) {name = "rows", output_names = ["rows"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  %columns = onnx.node "Reshape"(%places, %row) {name = "columns", output_names = ["columns"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  %long = onnx.node "Div"(%length, %hundred) {name = "long", output_names = ["long"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %size = onnx.node "Add"(%long, %w) {name = "size", output_names = ["size"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %first = onnx.node "Sub"(%rows, %size) {name = "first", output_names = ["first"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %after = onnx.node "Greater"(%columns, %first) {name = "after", output_names = ["after"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %before = onnx.node "LessOrEqual"(%columns, %rows) {name = "before", output_names = ["before"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %causal = onnx.node "And"(%after, %before) {name = "causal", output_names = ["causal"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %masked = onnx.node "Where"(%causal, %scores, %low) {name = "masked", output_names = ["masked"]}
      : (!onnx.untyped, !onnx.untyped, tensor<f32>) -> !onnx.untyped
  %soft = onnx.node "Softmax"(%masked) {name = "soft", output_names = ["soft"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-error @below {{expected attention to see as far at every length, found the last 4 at 29 rows without a past and the last 6 at 256 rows without a past}}
  %mixed = onnx.node "MatMul"(%soft, %q) {name = "mixed", output_names = ["mixed"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %merged = onnx.node "Transpose"(%mixed) {name = "merged", node_attributes = {perm = array<i64: 0, 2, 1, 3>}, output_names = ["merged"]}
      : (!onnx.untyped) -> !onnx.untyped
  %y = onnx.node "Reshape"(%merged, %flat) {name = "y", output_names = ["y"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// A mask that is causal for short texts alone.

// expected-note @below {{the largest that works is --context=102}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %shape4 = onnx.initializer "shape4" : tensor<4xi64> = dense<[0, 0, 2, 4]> : tensor<4xi64>
  %s0 = onnx.initializer "s0" : tensor<i64> = dense<0> : tensor<i64>
  %s1 = onnx.initializer "s1" : tensor<i64> = dense<1> : tensor<i64>
  %col = onnx.initializer "col" : tensor<2xi64> = dense<[-1, 1]> : tensor<2xi64>
  %row = onnx.initializer "row" : tensor<2xi64> = dense<[1, -1]> : tensor<2xi64>
  %flat = onnx.initializer "flat" : tensor<3xi64> = dense<[0, 0, 8]> : tensor<3xi64>
  %low = onnx.initializer "low" : tensor<f32> = dense<-1.0e9> : tensor<f32>
  %hundred = onnx.initializer "hundred" : tensor<i64> = dense<100> : tensor<i64>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %xh = onnx.node "Reshape"(%x, %shape4) {name = "xh", output_names = ["xh"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %q = onnx.node "Transpose"(%xh) {name = "q", node_attributes = {perm = array<i64: 0, 2, 1, 3>}, output_names = ["q"]}
      : (!onnx.untyped) -> !onnx.untyped
  %k = onnx.node "Transpose"(%xh) {name = "k", node_attributes = {perm = array<i64: 0, 2, 3, 1>}, output_names = ["k"]}
      : (!onnx.untyped) -> !onnx.untyped
  %scores = onnx.node "MatMul"(%q, %k) {name = "scores", output_names = ["scores"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %shape = onnx.node "Shape"(%ids) {name = "shape", output_names = ["shape"]}
      : (tensor<?x?xi64>) -> !onnx.untyped
  %length = onnx.node "Gather"(%shape, %s1) {name = "length", output_names = ["length"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %places = onnx.node "Range"(%s0, %length, %s1) {name = "places", output_names = ["places"]}
      : (tensor<i64>, !onnx.untyped, tensor<i64>) -> !onnx.untyped
  %rows = onnx.node "Reshape"(%places, %col) {name = "rows", output_names = ["rows"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  %columns = onnx.node "Reshape"(%places, %row) {name = "columns", output_names = ["columns"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  %before = onnx.node "LessOrEqual"(%columns, %rows) {name = "before", output_names = ["before"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %far = onnx.node "Greater"(%rows, %hundred) {name = "far", output_names = ["far"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %causal = onnx.node "Or"(%before, %far) {name = "causal", output_names = ["causal"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %masked = onnx.node "Where"(%causal, %scores, %low) {name = "masked", output_names = ["masked"]}
      : (!onnx.untyped, !onnx.untyped, tensor<f32>) -> !onnx.untyped
  %soft = onnx.node "Softmax"(%masked) {name = "soft", output_names = ["soft"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-error @below {{at 256 rows without a past: expected a causal mask, with or without a window}}
  %mixed = onnx.node "MatMul"(%soft, %q) {name = "mixed", output_names = ["mixed"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %merged = onnx.node "Transpose"(%mixed) {name = "merged", node_attributes = {perm = array<i64: 0, 2, 1, 3>}, output_names = ["merged"]}
      : (!onnx.untyped) -> !onnx.untyped
  %y = onnx.node "Reshape"(%merged, %flat) {name = "y", output_names = ["y"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// Rotations that stop growing.

// expected-error @below {{expected angles in proportion to the position; at position 1.010000e+02 of 256 rows without a past expected}}
// expected-note @below {{the largest that works is --context=101}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %shape4 = onnx.initializer "shape4" : tensor<4xi64> = dense<[0, 0, 2, 4]> : tensor<4xi64>
  %s0 = onnx.initializer "s0" : tensor<i64> = dense<0> : tensor<i64>
  %s1 = onnx.initializer "s1" : tensor<i64> = dense<1> : tensor<i64>
  %col = onnx.initializer "col" : tensor<2xi64> = dense<[-1, 1]> : tensor<2xi64>
  %row = onnx.initializer "row" : tensor<2xi64> = dense<[1, -1]> : tensor<2xi64>
  %flat = onnx.initializer "flat" : tensor<3xi64> = dense<[0, 0, 8]> : tensor<3xi64>
  %low = onnx.initializer "low" : tensor<f32> = dense<-1.0e9> : tensor<f32>
  %turn = onnx.initializer "turn" : tensor<3xi64> = dense<[1, -1, 1]> : tensor<3xi64>
  %freq = onnx.initializer "freq" : tensor<4xf32> = dense<[1.0, 0.01, 1.0, 0.01]> : tensor<4xf32>
  %i0 = onnx.initializer "i0" : tensor<1xi64> = dense<0> : tensor<1xi64>
  %i2 = onnx.initializer "i2" : tensor<1xi64> = dense<2> : tensor<1xi64>
  %i3 = onnx.initializer "i3" : tensor<1xi64> = dense<3> : tensor<1xi64>
  %i4 = onnx.initializer "i4" : tensor<1xi64> = dense<4> : tensor<1xi64>
  %limit = onnx.initializer "limit" : tensor<f32> = dense<100.0> : tensor<f32>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %xh = onnx.node "Reshape"(%x, %shape4) {name = "xh", output_names = ["xh"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %q = onnx.node "Transpose"(%xh) {name = "q", node_attributes = {perm = array<i64: 0, 2, 1, 3>}, output_names = ["q"]}
      : (!onnx.untyped) -> !onnx.untyped
  %shape = onnx.node "Shape"(%ids) {name = "shape", output_names = ["shape"]}
      : (tensor<?x?xi64>) -> !onnx.untyped
  %length = onnx.node "Gather"(%shape, %s1) {name = "length", output_names = ["length"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %places = onnx.node "Range"(%s0, %length, %s1) {name = "places", output_names = ["places"]}
      : (tensor<i64>, !onnx.untyped, tensor<i64>) -> !onnx.untyped
  %places.f = onnx.node "Cast"(%places) {name = "places.f", node_attributes = {to = 1}, output_names = ["places.f"]}
      : (!onnx.untyped) -> !onnx.untyped
  %turns = onnx.node "Reshape"(%places.f, %turn) {name = "turns", output_names = ["turns"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  %limited = onnx.node "Min"(%turns, %limit) {name = "limited", output_names = ["limited"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  %angles = onnx.node "Mul"(%limited, %freq) {name = "angles", output_names = ["angles"]}
      : (!onnx.untyped, tensor<4xf32>) -> !onnx.untyped
  %cos = onnx.node "Cos"(%angles) {name = "cos", output_names = ["cos"]}
      : (!onnx.untyped) -> !onnx.untyped
  %sin = onnx.node "Sin"(%angles) {name = "sin", output_names = ["sin"]}
      : (!onnx.untyped) -> !onnx.untyped
  %left = onnx.node "Slice"(%q, %i0, %i2, %i3) {name = "left", output_names = ["left"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  %right = onnx.node "Slice"(%q, %i2, %i4, %i3) {name = "right", output_names = ["right"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  %minus = onnx.node "Neg"(%right) {name = "minus", output_names = ["minus"]}
      : (!onnx.untyped) -> !onnx.untyped
  %turned = onnx.node "Concat"(%minus, %left) {name = "turned", node_attributes = {axis = 3}, output_names = ["turned"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %q.cos = onnx.node "Mul"(%q, %cos) {name = "q.cos", output_names = ["q.cos"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %q.sin = onnx.node "Mul"(%turned, %sin) {name = "q.sin", output_names = ["q.sin"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %rotated = onnx.node "Add"(%q.cos, %q.sin) {name = "rotated", output_names = ["rotated"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %k = onnx.node "Transpose"(%rotated) {name = "k", node_attributes = {perm = array<i64: 0, 1, 3, 2>}, output_names = ["k"]}
      : (!onnx.untyped) -> !onnx.untyped
  %scores = onnx.node "MatMul"(%rotated, %k) {name = "scores", output_names = ["scores"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %rows = onnx.node "Reshape"(%places, %col) {name = "rows", output_names = ["rows"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  %columns = onnx.node "Reshape"(%places, %row) {name = "columns", output_names = ["columns"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  %causal = onnx.node "LessOrEqual"(%columns, %rows) {name = "causal", output_names = ["causal"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %masked = onnx.node "Where"(%causal, %scores, %low) {name = "masked", output_names = ["masked"]}
      : (!onnx.untyped, !onnx.untyped, tensor<f32>) -> !onnx.untyped
  %soft = onnx.node "Softmax"(%masked) {name = "soft", output_names = ["soft"]}
      : (!onnx.untyped) -> !onnx.untyped
  %mixed = onnx.node "MatMul"(%soft, %q) {name = "mixed", output_names = ["mixed"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %merged = onnx.node "Transpose"(%mixed) {name = "merged", node_attributes = {perm = array<i64: 0, 2, 1, 3>}, output_names = ["merged"]}
      : (!onnx.untyped) -> !onnx.untyped
  %y = onnx.node "Reshape"(%merged, %flat) {name = "y", output_names = ["y"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// A graph that runs at short lengths alone.

// expected-error @below {{cannot run the graph at 2048 positions: node 'part': an integer is divided by 0}}
// expected-note @below {{the largest that works is --context=2047}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %shape4 = onnx.initializer "shape4" : tensor<4xi64> = dense<[0, 0, 2, 4]> : tensor<4xi64>
  %s0 = onnx.initializer "s0" : tensor<i64> = dense<0> : tensor<i64>
  %s1 = onnx.initializer "s1" : tensor<i64> = dense<1> : tensor<i64>
  %col = onnx.initializer "col" : tensor<2xi64> = dense<[-1, 1]> : tensor<2xi64>
  %row = onnx.initializer "row" : tensor<2xi64> = dense<[1, -1]> : tensor<2xi64>
  %flat = onnx.initializer "flat" : tensor<3xi64> = dense<[0, 0, 8]> : tensor<3xi64>
  %low = onnx.initializer "low" : tensor<f32> = dense<-1.0e9> : tensor<f32>
  %full = onnx.initializer "full" : tensor<i64> = dense<2048> : tensor<i64>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %xh = onnx.node "Reshape"(%x, %shape4) {name = "xh", output_names = ["xh"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %q = onnx.node "Transpose"(%xh) {name = "q", node_attributes = {perm = array<i64: 0, 2, 1, 3>}, output_names = ["q"]}
      : (!onnx.untyped) -> !onnx.untyped
  %k = onnx.node "Transpose"(%xh) {name = "k", node_attributes = {perm = array<i64: 0, 2, 3, 1>}, output_names = ["k"]}
      : (!onnx.untyped) -> !onnx.untyped
  %scores = onnx.node "MatMul"(%q, %k) {name = "scores", output_names = ["scores"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %shape = onnx.node "Shape"(%ids) {name = "shape", output_names = ["shape"]}
      : (tensor<?x?xi64>) -> !onnx.untyped
  %length = onnx.node "Gather"(%shape, %s1) {name = "length", output_names = ["length"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %left = onnx.node "Sub"(%length, %full) {name = "left", output_names = ["left"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %part = onnx.node "Div"(%s1, %left) {name = "part", output_names = ["part"]}
      : (tensor<i64>, !onnx.untyped) -> !onnx.untyped
  %places = onnx.node "Range"(%s0, %length, %s1) {name = "places", output_names = ["places"]}
      : (tensor<i64>, !onnx.untyped, tensor<i64>) -> !onnx.untyped
  %rows = onnx.node "Reshape"(%places, %col) {name = "rows", output_names = ["rows"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  %columns = onnx.node "Reshape"(%places, %row) {name = "columns", output_names = ["columns"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  %causal = onnx.node "LessOrEqual"(%columns, %rows) {name = "causal", output_names = ["causal"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %masked = onnx.node "Where"(%causal, %scores, %low) {name = "masked", output_names = ["masked"]}
      : (!onnx.untyped, !onnx.untyped, tensor<f32>) -> !onnx.untyped
  %soft = onnx.node "Softmax"(%masked) {name = "soft", output_names = ["soft"]}
      : (!onnx.untyped) -> !onnx.untyped
  %mixed = onnx.node "MatMul"(%soft, %q) {name = "mixed", output_names = ["mixed"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %merged = onnx.node "Transpose"(%mixed) {name = "merged", node_attributes = {perm = array<i64: 0, 2, 1, 3>}, output_names = ["merged"]}
      : (!onnx.untyped) -> !onnx.untyped
  %y = onnx.node "Reshape"(%merged, %flat) {name = "y", output_names = ["y"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
