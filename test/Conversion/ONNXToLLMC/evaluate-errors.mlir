// Nodes that can't be evaluated are reported all at once, by operator.

// RUN: llmc-opt %s --raise-onnx --verify-diagnostics

// expected-error @below {{cannot raise 80 nodes of the graph}}
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
onnx.graph @main attributes {input_dims = [["batch", "rows"]], input_names = ["ids"],
                             output_dims = [[]], output_names = ["logits"],
                             output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x4xf32> = dense<0.0> : tensor<8x4xf32>
  %zero = onnx.initializer "zero" : tensor<1xi64> = dense<0> : tensor<1xi64>
  %one = onnx.initializer "one" : tensor<1xi64> = dense<1> : tensor<1xi64>
  %two = onnx.initializer "two" : tensor<1xi64> = dense<2> : tensor<1xi64>
  %five = onnx.initializer "five" : tensor<1xi64> = dense<5> : tensor<1xi64>
  %minus2 = onnx.initializer "minus2" : tensor<1xi64> = dense<-2> : tensor<1xi64>
  %far = onnx.initializer "far" : tensor<1xi64> = dense<67108864> : tensor<1xi64>
  %far3 = onnx.initializer "far3" : tensor<3xi64> = dense<[4096, 4096, 4]> : tensor<3xi64>
  %seven = onnx.initializer "seven" : tensor<1xi64> = dense<7> : tensor<1xi64>
  %s0 = onnx.initializer "s0" : tensor<i64> = dense<0> : tensor<i64>
  %s1 = onnx.initializer "s1" : tensor<i64> = dense<1> : tensor<i64>
  %f0 = onnx.initializer "f0" : tensor<f32> = dense<0.0> : tensor<f32>
  %f2 = onnx.initializer "f2" : tensor<2xf32> = dense<0.0> : tensor<2xf32>
  %f3 = onnx.initializer "f3" : tensor<3xf32> = dense<0.0> : tensor<3xf32>
  %m23 = onnx.initializer "m23" : tensor<2x3xf32> = dense<0.0> : tensor<2x3xf32>
  %m32 = onnx.initializer "m32" : tensor<3x2xf32> = dense<0.0> : tensor<3x2xf32>
  %c222 = onnx.initializer "c222" : tensor<2x2x2xf32> = dense<0.0> : tensor<2x2x2xf32>
  %i2 = onnx.initializer "i2" : tensor<2xi64> = dense<[0, 1]> : tensor<2xi64>
  %zz = onnx.initializer "zz" : tensor<2xi64> = dense<[0, 0]> : tensor<2xi64>
  %axes17 = onnx.initializer "axes17" : tensor<17xi64> = dense<0> : tensor<17xi64>
  %i21 = onnx.initializer "i21" : tensor<2x1xi64> = dense<[[0], [1]]> : tensor<2x1xi64>
  %i24 = onnx.initializer "i24" : tensor<2x4xi64> = dense<0> : tensor<2x4xi64>
  %i35 = onnx.initializer "i35" : tensor<3x1xi64> = dense<5> : tensor<3x1xi64>
  %codes = onnx.initializer "codes" : tensor<4x2x8xui8> = dense<0> : tensor<4x2x8xui8>
  %codes2 = onnx.initializer "codes2" : tensor<4x16xui8> = dense<0> : tensor<4x16xui8>
  %scales = onnx.initializer "scales" : tensor<4x2xf32> = dense<1.0> : tensor<4x2xf32>
  %wide = onnx.initializer "wide" : tensor<3xi64> = dense<[1048576, 1048576, 1]> : tensor<3xi64>
  %long = onnx.initializer "long" : tensor<2xi64> = dense<[1, 8192]> : tensor<2xi64>
  %tall = onnx.initializer "tall" : tensor<2xi64> = dense<[8192, 1]> : tensor<2xi64>
  %square = onnx.initializer "square" : tensor<2xi64> = dense<[4096, 4096]> : tensor<2xi64>
  %i31 = onnx.initializer "i31" : tensor<3xi64> = dense<[1, 1, 1]> : tensor<3xi64>
  %m5 = onnx.initializer "m5" : tensor<2xi64> = dense<[3, -5]> : tensor<2xi64>
  %m24 = onnx.initializer "m24" : tensor<2xi64> = dense<[2, 4]> : tensor<2xi64>
  %true = onnx.initializer "true" : tensor<i1> = dense<true> : tensor<i1>
  %inf4 = onnx.initializer "inf4" : tensor<2xi64> = dense<[-1, 4]> : tensor<2xi64>
  %c333 = onnx.initializer "c333" : tensor<3x2x3xf32> = dense<0.0> : tensor<3x2x3xf32>
  %m33 = onnx.initializer "m33" : tensor<3x3xf32> = dense<0.0> : tensor<3x3xf32>
  %many.shape = onnx.initializer "many.shape" : tensor<2xi64> = dense<[16384, 1]> : tensor<2xi64>
  %many3 = onnx.initializer "many3" : tensor<3xi64> = dense<[256, 256, 256]> : tensor<3xi64>
  %wide4 = onnx.initializer "wide4" : tensor<4xi64> = dense<[1048576, 1048576, 29, 4]> : tensor<4xi64>
  %wide1 = onnx.initializer "wide1" : tensor<1048576x1048576x2xf32> = #llmc.file<"absent", offset = 0>
  %many = onnx.node "ConstantOfShape"(%many.shape) {name = "many", node_attributes = {value = dense<0> : tensor<1xi64>}, output_names = ["many"]}
      : (tensor<2xi64>) -> !onnx.untyped
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x4xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %tall1 = onnx.node "ConstantOfShape"(%tall) {name = "tall1", output_names = ["tall1"]}
      : (tensor<2xi64>) -> !onnx.untyped
  %long1 = onnx.node "ConstantOfShape"(%long) {name = "long1", output_names = ["long1"]}
      : (tensor<2xi64>) -> !onnx.untyped
  %square1 = onnx.node "ConstantOfShape"(%square) {name = "square1", output_names = ["square1"]}
      : (tensor<2xi64>) -> !onnx.untyped

  // Elementwise operators.
  // expected-note @below {{'add.shapes': expected shapes that broadcast}}
  %add.shapes = onnx.node "Add"(%m23, %m32) {name = "add.shapes", output_names = ["add.shapes"]}
      : (tensor<2x3xf32>, tensor<3x2xf32>) -> !onnx.untyped
  // expected-note @below {{'add.absent': expected all inputs to be given}}
  %add.absent = onnx.node "Max"(%f0, %none, %f0) {name = "add.absent", output_names = ["add.absent"]}
      : (tensor<f32>, !onnx.absent, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'add.large': expected a smaller result, found 67108864 elements}}
  %add.large = onnx.node "Add"(%tall1, %long1) {name = "add.large", output_names = ["add.large"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'div.zero': an integer is divided by 0}}
  %div.zero = onnx.node "Div"(%one, %zero) {name = "div.zero", output_names = ["div.zero"]}
      : (tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'where.shapes': expected shapes that broadcast}}
  %where.shapes = onnx.node "Where"(%true, %m23, %m32) {name = "where.shapes", output_names = ["where.shapes"]}
      : (tensor<i1>, tensor<2x3xf32>, tensor<3x2xf32>) -> !onnx.untyped
  // expected-note @below {{'where.large': expected a smaller result, found 67108864 elements}}
  %where.large = onnx.node "Where"(%true, %tall1, %long1) {name = "where.large", output_names = ["where.large"]}
      : (tensor<i1>, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'mul.one': expected at least 2 inputs}}
  %mul.one = onnx.node "Mul"(%x) {name = "mul.one", output_names = ["mul.one"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'relu.two': found 2 inputs, expected at most 1}}
  %relu.two = onnx.node "Relu"(%x, %none) {name = "relu.two", output_names = ["relu.two"]}
      : (!onnx.untyped, !onnx.absent) -> !onnx.untyped

  // Operators that move elements.
  // expected-note @below {{'reshape.unknown': its shape depends on values that are not known}}
  %reshape.unknown = onnx.node "Reshape"(%x, %ids) {name = "reshape.unknown", output_names = ["reshape.unknown"]}
      : (!onnx.untyped, tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'reshape.zero': a 0 stands where the input has no dimension}}
  %reshape.zero = onnx.node "Reshape"(%f0, %zero) {name = "reshape.zero", output_names = ["reshape.zero"]}
      : (tensor<f32>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'reshape.negative': expected dimensions of -1 or more, found -5}}
  %reshape.negative = onnx.node "Reshape"(%m23, %m5) {name = "reshape.negative", output_names = ["reshape.negative"]}
      : (tensor<2x3xf32>, tensor<2xi64>) -> !onnx.untyped

  // expected-note @below {{'reshape.minus': cannot infer a dimension of 6 elements}}
  %reshape.minus = onnx.node "Reshape"(%m23, %inf4) {name = "reshape.minus", output_names = ["reshape.minus"]}
      : (tensor<2x3xf32>, tensor<2xi64>) -> !onnx.untyped
  // expected-note @below {{'reshape.count': expected a shape of 6 elements, found 5}}
  %reshape.count = onnx.node "Reshape"(%m23, %five) {name = "reshape.count", output_names = ["reshape.count"]}
      : (tensor<2x3xf32>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'flatten.axis': expected an axis inside the rank}}
  %flatten.axis = onnx.node "Flatten"(%m23) {name = "flatten.axis", node_attributes = {axis = 3}, output_names = ["flatten.axis"]}
      : (tensor<2x3xf32>) -> !onnx.untyped
  // expected-note @below {{'unsqueeze.unknown': expected known axes}}
  %unsqueeze.unknown = onnx.node "Unsqueeze"(%m23, %ids) {name = "unsqueeze.unknown", output_names = ["unsqueeze.unknown"]}
      : (tensor<2x3xf32>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'unsqueeze.many': expected at most 16 axes}}
  %unsqueeze.many = onnx.node "Unsqueeze"(%m23, %axes17) {name = "unsqueeze.many", output_names = ["unsqueeze.many"]}
      : (tensor<2x3xf32>, tensor<17xi64>) -> !onnx.untyped
  // expected-note @below {{'unsqueeze.twice': expected distinct axes inside the rank}}
  %unsqueeze.twice = onnx.node "Unsqueeze"(%m23, %zz) {name = "unsqueeze.twice", output_names = ["unsqueeze.twice"]}
      : (tensor<2x3xf32>, tensor<2xi64>) -> !onnx.untyped
  // expected-note @below {{'squeeze.size': expected axes of size 1}}
  %squeeze.size = onnx.node "Squeeze"(%m23, %zero) {name = "squeeze.size", output_names = ["squeeze.size"]}
      : (tensor<2x3xf32>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'transpose.count': expected a permutation of 2 axes}}
  %transpose.count = onnx.node "Transpose"(%m23) {name = "transpose.count", node_attributes = {perm = array<i64: 0>}, output_names = ["transpose.count"]}
      : (tensor<2x3xf32>) -> !onnx.untyped
  // expected-note @below {{'transpose.twice': expected a permutation of the axes}}
  %transpose.twice = onnx.node "Transpose"(%m23) {name = "transpose.twice", node_attributes = {perm = array<i64: 0, 0>}, output_names = ["transpose.twice"]}
      : (tensor<2x3xf32>) -> !onnx.untyped
  // expected-note @below {{'slice.unknown': its bounds depend on values that are not known}}
  %slice.unknown = onnx.node "Slice"(%m23, %ids, %one) {name = "slice.unknown", output_names = ["slice.unknown"]}
      : (tensor<2x3xf32>, tensor<?x?xi64>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'slice.many': expected at most 16 axes}}
  %slice.many = onnx.node "Slice"(%m23, %axes17, %axes17) {name = "slice.many", output_names = ["slice.many"]}
      : (tensor<2x3xf32>, tensor<17xi64>, tensor<17xi64>) -> !onnx.untyped
  // expected-note @below {{'slice.step': expected axes inside the rank and steps other than 0}}
  %slice.step = onnx.node "Slice"(%m23, %zero, %one, %zero, %zero) {name = "slice.step", output_names = ["slice.step"]}
      : (tensor<2x3xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'split.axis': expected an axis inside the rank}}
  %split.axis:2 = onnx.node "Split"(%m23) {name = "split.axis", node_attributes = {axis = 2}, output_names = ["split.axis.0", "split.axis.1"]}
      : (tensor<2x3xf32>) -> (!onnx.untyped, !onnx.untyped)
  // expected-note @below {{'split.sum': expected 2 parts that sum to 2}}
  %split.sum:2 = onnx.node "Split"(%m23, %i2) {name = "split.sum", node_attributes = {axis = 0}, output_names = ["split.sum.0", "split.sum.1"]}
      : (tensor<2x3xf32>, tensor<2xi64>) -> (!onnx.untyped, !onnx.untyped)
  // expected-note @below {{'gather.axis': expected an axis inside the rank}}
  %gather.axis = onnx.node "Gather"(%m23, %one) {name = "gather.axis", node_attributes = {axis = 2}, output_names = ["gather.axis"]}
      : (tensor<2x3xf32>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'gather.index': expected indices below 2, found 5}}
  %gather.index = onnx.node "Gather"(%m23, %five) {name = "gather.index", output_names = ["gather.index"]}
      : (tensor<2x3xf32>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'gather.large': expected a smaller result, found 67108864 elements}}
  %gather.large = onnx.node "Gather"(%square1, %many) {name = "gather.large", output_names = ["gather.large"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'elements.rank': expected indices of the input's rank}}
  %elements.rank = onnx.node "GatherElements"(%m23, %one) {name = "elements.rank", output_names = ["elements.rank"]}
      : (tensor<2x3xf32>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'elements.index': expected indices inside the input}}
  %elements.index = onnx.node "GatherElements"(%m23, %i35) {name = "elements.index", output_names = ["elements.index"]}
      : (tensor<2x3xf32>, tensor<3x1xi64>) -> !onnx.untyped
  // expected-note @below {{'nd.batch': expected indices of rank above batch_dims}}
  %nd.batch = onnx.node "GatherND"(%m23, %one) {name = "nd.batch", node_attributes = {batch_dims = 1}, output_names = ["nd.batch"]}
      : (tensor<2x3xf32>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'nd.depth': expected index tuples inside the input's rank}}
  %nd.depth = onnx.node "GatherND"(%m23, %i24) {name = "nd.depth", output_names = ["nd.depth"]}
      : (tensor<2x3xf32>, tensor<2x4xi64>) -> !onnx.untyped
  // expected-note @below {{'nd.dims': expected input and indices of the same batch dimensions}}
  %nd.dims = onnx.node "GatherND"(%c222, %i35) {name = "nd.dims", node_attributes = {batch_dims = 1}, output_names = ["nd.dims"]}
      : (tensor<2x2x2xf32>, tensor<3x1xi64>) -> !onnx.untyped
  // expected-note @below {{'nd.index': expected indices inside the input}}
  %nd.index = onnx.node "GatherND"(%m23, %i35) {name = "nd.index", output_names = ["nd.index"]}
      : (tensor<2x3xf32>, tensor<3x1xi64>) -> !onnx.untyped
  // expected-note @below {{'nd.large': expected a smaller result, found 67108864 elements}}
  %nd.large = onnx.node "GatherND"(%square1, %many) {name = "nd.large", output_names = ["nd.large"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'concat.axis': expected an axis inside the rank}}
  %concat.axis = onnx.node "Concat"(%m23, %m23) {name = "concat.axis", node_attributes = {axis = 2}, output_names = ["concat.axis"]}
      : (tensor<2x3xf32>, tensor<2x3xf32>) -> !onnx.untyped
  // expected-note @below {{'concat.rank': expected inputs of one rank}}
  %concat.rank = onnx.node "Concat"(%m23, %c222) {name = "concat.rank", node_attributes = {axis = 0}, output_names = ["concat.rank"]}
      : (tensor<2x3xf32>, tensor<2x2x2xf32>) -> !onnx.untyped
  // expected-note @below {{'concat.shape': expected inputs that differ along the axis alone}}
  %concat.shape = onnx.node "Concat"(%m23, %m32) {name = "concat.shape", node_attributes = {axis = 0}, output_names = ["concat.shape"]}
      : (tensor<2x3xf32>, tensor<3x2xf32>) -> !onnx.untyped
  // expected-note @below {{'expand.unknown': its shape depends on values that are not known}}
  %expand.unknown = onnx.node "Expand"(%m23, %ids) {name = "expand.unknown", output_names = ["expand.unknown"]}
      : (tensor<2x3xf32>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'expand.shape': expected a shape that the input broadcasts to}}
  %expand.shape = onnx.node "Expand"(%m23, %five) {name = "expand.shape", output_names = ["expand.shape"]}
      : (tensor<2x3xf32>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'expand.large': expected a smaller result, found 67108864 elements}}
  %expand.large = onnx.node "Expand"(%f0, %far) {name = "expand.large", output_names = ["expand.large"]}
      : (tensor<f32>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'tile.count': expected one known repeat per dimension}}
  %tile.count = onnx.node "Tile"(%m23, %one) {name = "tile.count", output_names = ["tile.count"]}
      : (tensor<2x3xf32>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'tile.negative': expected repeats of 0 or more}}
  %tile.negative = onnx.node "Tile"(%f2, %minus2) {name = "tile.negative", output_names = ["tile.negative"]}
      : (tensor<2xf32>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'tile.large': expected a smaller result, found 134217728 elements}}
  %tile.large = onnx.node "Tile"(%c222, %many3) {name = "tile.large", output_names = ["tile.large"]}
      : (tensor<2x2x2xf32>, tensor<3xi64>) -> !onnx.untyped

  // Operators that make, sum or scan.
  // expected-note @below {{'reduce.unknown': expected known axes}}
  %reduce.unknown = onnx.node "ReduceSum"(%m23, %ids) {name = "reduce.unknown", output_names = ["reduce.unknown"]}
      : (tensor<2x3xf32>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'reduce.axis': expected axes inside the rank}}
  %reduce.axis = onnx.node "ReduceSum"(%m23, %five) {name = "reduce.axis", output_names = ["reduce.axis"]}
      : (tensor<2x3xf32>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'cumsum.unknown': expected a known axis}}
  %cumsum.unknown = onnx.node "CumSum"(%m23, %ids) {name = "cumsum.unknown", output_names = ["cumsum.unknown"]}
      : (tensor<2x3xf32>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'cumsum.axis': expected an axis inside the rank}}
  %cumsum.axis = onnx.node "CumSum"(%m23, %five) {name = "cumsum.axis", output_names = ["cumsum.axis"]}
      : (tensor<2x3xf32>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'range.unknown': its bounds depend on values that are not known}}
  %range.unknown = onnx.node "Range"(%s0, %ids, %s1) {name = "range.unknown", output_names = ["range.unknown"]}
      : (tensor<i64>, tensor<?x?xi64>, tensor<i64>) -> !onnx.untyped
  // expected-note @below {{'range.scalar': expected scalar bounds}}
  %range.scalar = onnx.node "Range"(%s0, %i2, %s1) {name = "range.scalar", output_names = ["range.scalar"]}
      : (tensor<i64>, tensor<2xi64>, tensor<i64>) -> !onnx.untyped
  // expected-note @below {{'range.step': expected a smaller range}}
  %range.step = onnx.node "Range"(%s0, %s1, %s0) {name = "range.step", output_names = ["range.step"]}
      : (tensor<i64>, tensor<i64>, tensor<i64>) -> !onnx.untyped
  // expected-note @below {{'constant.none': expected a numeric value}}
  %constant.none = onnx.node "Constant"() {name = "constant.none", output_names = ["constant.none"]}
      : () -> !onnx.untyped
  // expected-note @below {{'shape.unknown': its shape depends on values that are not known}}
  %shape.unknown = onnx.node "ConstantOfShape"(%ids) {name = "shape.unknown", output_names = ["shape.unknown"]}
      : (tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'shape.large': expected a smaller result, found 67108864 elements}}
  %shape.large = onnx.node "ConstantOfShape"(%far) {name = "shape.large", output_names = ["shape.large"]}
      : (tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'shape.value': expected a value of one element}}
  %shape.value = onnx.node "ConstantOfShape"(%one) {name = "shape.value", node_attributes = {value = dense<[1, 2]> : tensor<2xi64>}, output_names = ["shape.value"]}
      : (tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'trilu.rank': expected a matrix and a known offset}}
  %trilu.rank = onnx.node "Trilu"(%f2) {name = "trilu.rank", output_names = ["trilu.rank"]}
      : (tensor<2xf32>) -> !onnx.untyped
  // expected-note @below {{'scatter.depth': expected index tuples inside the input's rank}}
  %scatter.depth = onnx.node "ScatterND"(%m23, %i24, %f2) {name = "scatter.depth", output_names = ["scatter.depth"]}
      : (tensor<2x3xf32>, tensor<2x4xi64>, tensor<2xf32>) -> !onnx.untyped
  // expected-note @below {{'scatter.updates': expected 6 updates, found 2}}
  %scatter.updates = onnx.node "ScatterND"(%m23, %i21, %f2) {name = "scatter.updates", output_names = ["scatter.updates"]}
      : (tensor<2x3xf32>, tensor<2x1xi64>, tensor<2xf32>) -> !onnx.untyped
  // expected-note @below {{'scatter.index': expected indices inside the input}}
  %scatter.index = onnx.node "ScatterND"(%m23, %i35, %m33) {name = "scatter.index", output_names = ["scatter.index"]}
      : (tensor<2x3xf32>, tensor<3x1xi64>, tensor<3x3xf32>) -> !onnx.untyped

  // Products and layers.
  // expected-note @below {{'matmul.rank': expected matrices}}
  %matmul.rank = onnx.node "MatMul"(%x, %f3) {name = "matmul.rank", output_names = ["matmul.rank"]}
      : (!onnx.untyped, tensor<3xf32>) -> !onnx.untyped
  // expected-note @below {{'matmul.inner': expected 3 rows of the second matrix, found 2}}
  %matmul.inner = onnx.node "MatMul"(%m23, %m23) {name = "matmul.inner", output_names = ["matmul.inner"]}
      : (tensor<2x3xf32>, tensor<2x3xf32>) -> !onnx.untyped
  // expected-note @below {{'matmul.batch': expected shapes that broadcast}}
  %matmul.batch = onnx.node "MatMul"(%c222, %c333) {name = "matmul.batch", output_names = ["matmul.batch"]}
      : (tensor<2x2x2xf32>, tensor<3x2x3xf32>) -> !onnx.untyped
  // expected-note @below {{'matmul.large': expected a smaller product of matrices of 16777216 elements and 4096 columns}}
  %matmul.large = onnx.node "MatMul"(%square1, %square1) {name = "matmul.large", output_names = ["matmul.large"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'gemm.rank': expected matrices}}
  %gemm.rank = onnx.node "Gemm"(%f2, %m23) {name = "gemm.rank", output_names = ["gemm.rank"]}
      : (tensor<2xf32>, tensor<2x3xf32>) -> !onnx.untyped
  // expected-note @below {{'gemm.inner': expected 3 rows of the second matrix, found 2}}
  %gemm.inner = onnx.node "Gemm"(%m23, %m23) {name = "gemm.inner", output_names = ["gemm.inner"]}
      : (tensor<2x3xf32>, tensor<2x3xf32>) -> !onnx.untyped
  // expected-note @below {{'nbits.width': expected an input of width K and a positive N}}
  %nbits.width = onnx.node "MatMulNBits"(%x, %codes, %scales) {domain = "com.microsoft", name = "nbits.width", node_attributes = {K = 32, N = 4}, output_names = ["nbits.width"]}
      : (!onnx.untyped, tensor<4x2x8xui8>, tensor<4x2xf32>) -> !onnx.untyped
  // expected-note @below {{'blocks.rank': expected a table of rank 2}}
  %blocks.rank = onnx.node "GatherBlockQuantized"(%codes, %ids, %scales) {domain = "com.microsoft", name = "blocks.rank", node_attributes = {bits = 4}, output_names = ["blocks.rank"]}
      : (tensor<4x2x8xui8>, tensor<?x?xi64>, tensor<4x2xf32>) -> !onnx.untyped
  // expected-note @below {{'blocks.bits': expected 2, 4 or 8 bits, found 3}}
  %blocks.bits = onnx.node "GatherBlockQuantized"(%codes2, %ids, %scales) {domain = "com.microsoft", name = "blocks.bits", node_attributes = {bits = 3}, output_names = ["blocks.bits"]}
      : (tensor<4x16xui8>, tensor<?x?xi64>, tensor<4x2xf32>) -> !onnx.untyped
  // expected-note @below {{'gqa.heads': expected a query of rank 3 and head counts that divide}}
  %gqa.heads = onnx.node "GroupQueryAttention"(%x, %x, %x, %none, %none, %s0, %s0) {domain = "com.microsoft", name = "gqa.heads", node_attributes = {num_heads = 2, kv_num_heads = 0}, output_names = ["gqa.heads"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, !onnx.absent, !onnx.absent, tensor<i64>, tensor<i64>) -> !onnx.untyped
  // expected-note @below {{'gqa.width': expected a query of 3 heads, found a width of 4}}
  %gqa.width = onnx.node "GroupQueryAttention"(%x, %x, %x, %none, %none, %s0, %s0) {domain = "com.microsoft", name = "gqa.width", node_attributes = {num_heads = 3, kv_num_heads = 3}, output_names = ["gqa.width"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, !onnx.absent, !onnx.absent, tensor<i64>, tensor<i64>) -> !onnx.untyped
  // expected-note @below {{'attention.rank': expected query, keys and values of rank 3 or 4}}
  %attention.rank = onnx.node "Attention"(%x, %m23, %m23) {name = "attention.rank", output_names = ["attention.rank"]}
      : (!onnx.untyped, tensor<2x3xf32>, tensor<2x3xf32>) -> !onnx.untyped
  // expected-note @below {{'attention.heads': expected numbers of heads}}
  %attention.heads = onnx.node "Attention"(%x, %x, %x) {name = "attention.heads", output_names = ["attention.heads"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped) -> !onnx.untyped

  // All operators.
  // expected-note @below {{'sizes.input': expected inputs of known sizes, of at most 1099511627776 elements and rank 16}}
  %sizes.input = onnx.node "Relu"(%wide1) {name = "sizes.input", output_names = ["sizes.input"]}
      : (tensor<1048576x1048576x2xf32>) -> !onnx.untyped
  // expected-note @below {{'sizes.output': expected a result of at most 1099511627776 elements and rank 16}}
  %sizes.output = onnx.node "Expand"(%x, %wide4) {name = "sizes.output", output_names = ["sizes.output"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  // expected-note @below {{'outputs': expected 1 outputs}}
  %outputs:2 = onnx.node "Relu"(%m23) {name = "outputs", output_names = ["outputs.0", "outputs.1"]}
      : (tensor<2x3xf32>) -> (!onnx.untyped, !onnx.untyped)
  // expected-note @below {{'if.tokens': its condition depends on values that are not known}}
  %if.tokens = onnx.node "If"(%ids) {name = "if.tokens", output_names = ["if.tokens"]}
      : (tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'if.graph': expected a graph 'then_branch'}}
  %if.graph = onnx.node "If"(%true) {name = "if.graph", output_names = ["if.graph"]}
      : (tensor<i1>) -> !onnx.untyped
  // expected-note @below {{Conv (domain ai.onnx, version 23), 2 nodes, e.g. 'unknown': this operator is not known}}
  %unknown = onnx.node "Conv"(%x) {name = "unknown", output_names = ["unknown"]}
      : (!onnx.untyped) -> !onnx.untyped
  %unknown.too = onnx.node "Conv"(%x) {name = "unknown.too", output_names = ["unknown.too"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{Relu (domain example.com, version not stated), 1 node, e.g. 'unknown.domain': this operator is not known}}
  %unknown.domain = onnx.node "Relu"(%x) {domain = "example.com", name = "unknown.domain", output_names = ["unknown.domain"]}
      : (!onnx.untyped) -> !onnx.untyped
  onnx.yield %x : !onnx.untyped
}
}
