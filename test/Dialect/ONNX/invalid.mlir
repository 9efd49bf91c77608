// RUN: llmc-opt %s -split-input-file -verify-diagnostics

// Graphs.

// expected-error @+1 {{expected dimension names for 1 inputs, found 0}}
onnx.graph @main attributes {input_dims = [], input_names = ["a"], output_dims = [],
                             output_names = [], output_types = []} {
^bb0(%a: tensor<?xf32>):
  onnx.yield
}

// -----

// expected-error @+1 {{expected types and dimension names for 1 outputs, found 1 and 0}}
onnx.graph @main attributes {input_dims = [["n"]], input_names = ["a"], output_dims = [],
                             output_names = ["b"], output_types = [tensor<?xf32>]} {
^bb0(%a: tensor<?xf32>):
  onnx.yield %a : tensor<?xf32>
}

// -----

// expected-error @+1 {{expected names of the dimensions of each input, found [1]}}
onnx.graph @main attributes {input_dims = [[1]], input_names = ["a"], output_dims = [],
                             output_names = [], output_types = []} {
^bb0(%a: tensor<?xf32>):
  onnx.yield
}

// -----

// expected-error @+1 {{expected names of the dimensions of each output, found "n"}}
onnx.graph @main attributes {input_dims = [["n"]], input_names = ["a"], output_dims = ["n"],
                             output_names = ["a"], output_types = [tensor<?xf32>]} {
^bb0(%a: tensor<?xf32>):
  onnx.yield %a : tensor<?xf32>
}

// -----

// expected-error @+1 {{expected 1 arguments, one per name, found 2}}
onnx.graph @main attributes {input_dims = [["n"]], input_names = ["a"], output_dims = [],
                             output_names = [], output_types = []} {
^bb0(%a: tensor<?xf32>, %b: tensor<?xf32>):
  onnx.yield
}

// -----

// expected-error @+1 {{expected a body that ends with onnx.yield}}
onnx.graph @main attributes {input_dims = [["n"]], input_names = ["a"], output_dims = [],
                             output_names = [], output_types = []} {
^bb0(%a: tensor<?xf32>):
  %none = onnx.absent
}

// -----

// expected-error @+1 {{expected 0 yielded values, one per name, found 1}}
onnx.graph @main attributes {input_dims = [["n"]], input_names = ["a"], output_dims = [],
                             output_names = [], output_types = []} {
^bb0(%a: tensor<?xf32>):
  onnx.yield %a : tensor<?xf32>
}

// -----

// Functions.

// expected-error @+1 {{expected 2 arguments, one per name, found 1}}
onnx.function @"local::f" attributes {defaults = {}, domain = "local", function_name = "f",
    input_names = ["a", "b"], opsets = {}, output_names = [], parameters = []} {
^bb0(%a: !onnx.untyped):
  onnx.yield
}

// -----

// Initializers.

// expected-error @+1 {{expected a static shape, found 'tensor<?xf32>'}}
%a = onnx.initializer "a" : tensor<?xf32> = #llmc.file<"w", offset = 0>

// -----

// expected-error @+1 {{expected elements that are numbers or strings, found 'index'}}
%a = onnx.initializer "a" : tensor<4xindex> = #llmc.file<"w", offset = 0>

// -----

// expected-error @+1 {{expected a list of strings as data, found ["a", 1]}}
%a = onnx.initializer "a" : tensor<2x!onnx.string> = ["a", 1]

// -----

// expected-error @+1 {{expected 2 strings, found 1}}
%a = onnx.initializer "a" : tensor<2x!onnx.string> = ["a"]

// -----

// expected-error @+1 {{expected data in one piece, found strides 1, 2}}
%a = onnx.initializer "a" : tensor<2x2xf32> = #llmc.file<"w", offset = 0, strides = [1, 2]>

// -----

// expected-error @+1 {{expected #llmc.file or elements as data, found "text"}}
%a = onnx.initializer "a" : tensor<2xf32> = "text"

// -----

// expected-error @+1 {{expected elements of type 'tensor<2xf32>', found 'tensor<3xf32>'}}
%a = onnx.initializer "a" : tensor<2xf32> = dense<0.0> : tensor<3xf32>

// -----

// Nodes.

// expected-error @+1 {{expected 1 output names, found 2}}
%a = onnx.node "Constant"() {output_names = ["a", "b"]} : () -> !onnx.untyped

// -----

// expected-error @+1 {{expected 1 graph names, found 0}}
%a = onnx.node "If"() {output_names = ["a"]} : () -> !onnx.untyped {
  onnx.yield
}

// -----

// expected-error @+1 {{expected graphs that end with onnx.yield}}
%a = onnx.node "If"() {graphs = ["then_branch"], output_names = ["a"]} : () -> !onnx.untyped {
  %none = onnx.absent
}
