// Nodes that can't be raised are reported all at once, by operator.

// RUN: llmc-opt %s --raise-onnx --verify-diagnostics

// expected-error-re @below {{cannot raise {{[0-9]+}} nodes of the graph}}
module attributes {onnx.opsets = {ai.onnx = 23 : i64, com.microsoft = 1 : i64}} {
onnx.graph @main attributes {input_dims = [["b", "r"], ["b", "", "p", ""], ["b", "", "p", ""]],
                             input_names = ["ids", "past_key", "past_value"],
                             output_dims = [[]], output_names = ["logits"],
                             output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>, %pk: tensor<?x2x?x4xf32>, %pv: tensor<?x2x?x4xf32>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %table3 = onnx.initializer "table3" : tensor<1x8x8xf32> = dense<0.0> : tensor<1x8x8xf32>
  %table0 = onnx.initializer "table0" : tensor<8x0xf32> = dense<0.0> : tensor<8x0xf32>
  %w88 = onnx.initializer "w88" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %w89 = onnx.initializer "w89" : tensor<8x8xf32> = dense<0.0> : tensor<8x8xf32>
  %w80 = onnx.initializer "w80" : tensor<8x0xf32> = dense<0.0> : tensor<8x0xf32>
  %w48 = onnx.initializer "w48" : tensor<4x8xf32> = dense<0.0> : tensor<4x8xf32>
  %w44 = onnx.initializer "w44" : tensor<4x4xf32> = dense<0.0> : tensor<4x4xf32>
  %w68 = onnx.initializer "w68" : tensor<6x8xf32> = dense<0.0> : tensor<6x8xf32>
  %w118 = onnx.initializer "w118" : tensor<11x8xf32> = dense<0.0> : tensor<11x8xf32>
  %w18 = onnx.initializer "w18" : tensor<1x8xf32> = dense<0.0> : tensor<1x8xf32>
  %w811 = onnx.initializer "w811" : tensor<8x11xf32> = dense<0.0> : tensor<8x11xf32>
  %w812 = onnx.initializer "w812" : tensor<8x11xf32> = dense<0.0> : tensor<8x11xf32>
  %w8x144 = onnx.initializer "w8x144" : tensor<8x144xf32> = dense<0.0> : tensor<8x144xf32>
  %w8x58 = onnx.initializer "w8x58" : tensor<8x58xf32> = dense<0.0> : tensor<8x58xf32>
  %w8x32 = onnx.initializer "w8x32" : tensor<8x32xf32> = dense<0.0> : tensor<8x32xf32>
  %c1118 = onnx.initializer "c1118" : tensor<1x11x8xf32> = dense<0.0> : tensor<1x11x8xf32>
  %c2118 = onnx.initializer "c2118" : tensor<2x11x8xf32> = dense<0.0> : tensor<2x11x8xf32>
  %c1411 = onnx.initializer "c1411" : tensor<1x4x11xf32> = dense<0.0> : tensor<1x4x11xf32>
  %g4 = onnx.initializer "g4" : tensor<4xf32> = dense<0.0> : tensor<4xf32>
  %g8 = onnx.initializer "g8" : tensor<8xf32> = dense<0.0> : tensor<8xf32>
  %g11 = onnx.initializer "g11" : tensor<11xf32> = dense<0.0> : tensor<11xf32>
  %cos2 = onnx.initializer "cos2" : tensor<1x11x2xf32> = dense<0.0> : tensor<1x11x2xf32>
  %cos3 = onnx.initializer "cos3" : tensor<1x11x3xf32> = dense<0.0> : tensor<1x11x3xf32>
  %t42 = onnx.initializer "t42" : tensor<4x2xf32> = dense<0.0> : tensor<4x2xf32>
  %t642 = onnx.initializer "t642" : tensor<64x2xf32> = dense<0.0> : tensor<64x2xf32>
  %wide = onnx.initializer "wide" : tensor<8x5000xf32> = dense<0.0> : tensor<8x5000xf32>
  %w5000 = onnx.initializer "w5000" : tensor<5000x8xf32> = dense<0.0> : tensor<5000x8xf32>
  %half = onnx.initializer "half" : tensor<f32> = dense<0.5> : tensor<f32>
  %tiny = onnx.initializer "tiny" : tensor<f32> = dense<1.0e-39> : tensor<f32>
  %tiny.low = onnx.initializer "tiny.low" : tensor<f32> = dense<-1.0e-39> : tensor<f32>
  %far = onnx.initializer "far" : tensor<f32> = dense<-1000.0> : tensor<f32>
  %low = onnx.initializer "low" : tensor<f32> = dense<-1.0e9> : tensor<f32>
  %huge = onnx.initializer "huge" : tensor<f32> = dense<1.0e30> : tensor<f32>
  %two = onnx.initializer "two" : tensor<f32> = dense<2.0> : tensor<f32>
  %three = onnx.initializer "three" : tensor<f32> = dense<3.0> : tensor<f32>
  %eps = onnx.initializer "eps" : tensor<f32> = dense<1.0e-5> : tensor<f32>
  %fone = onnx.initializer "fone" : tensor<f32> = dense<1.0> : tensor<f32>
  %fzero = onnx.initializer "fzero" : tensor<f32> = dense<0.0> : tensor<f32>
  %steps = onnx.initializer "steps" : tensor<8xf32> = dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> : tensor<8xf32>
  %freqs = onnx.initializer "freqs" : tensor<1x1x2x4xf32> = dense<[[[[1.0, 0.5, 1.0, 0.5], [0.9, 0.4, 0.9, 0.4]]]]> : tensor<1x1x2x4xf32>
  %m1 = onnx.initializer "m1" : tensor<1xi64> = dense<-1> : tensor<1xi64>
  %i99 = onnx.initializer "i99" : tensor<1xi64> = dense<-99> : tensor<1xi64>
  %i0 = onnx.initializer "i0" : tensor<1xi64> = dense<0> : tensor<1xi64>
  %i1 = onnx.initializer "i1" : tensor<1xi64> = dense<1> : tensor<1xi64>
  %i2 = onnx.initializer "i2" : tensor<1xi64> = dense<2> : tensor<1xi64>
  %i4 = onnx.initializer "i4" : tensor<1xi64> = dense<4> : tensor<1xi64>
  %i6 = onnx.initializer "i6" : tensor<1xi64> = dense<6> : tensor<1xi64>
  %i8 = onnx.initializer "i8" : tensor<1xi64> = dense<8> : tensor<1xi64>
  %i9 = onnx.initializer "i9" : tensor<1xi64> = dense<-9> : tensor<1xi64>
  %s0 = onnx.initializer "s0" : tensor<i64> = dense<0> : tensor<i64>
  %s1 = onnx.initializer "s1" : tensor<i64> = dense<1> : tensor<i64>
  %s2 = onnx.initializer "s2" : tensor<i64> = dense<2> : tensor<i64>
  %s18 = onnx.initializer "s18" : tensor<i64> = dense<18> : tensor<i64>
  %s28 = onnx.initializer "s28" : tensor<i64> = dense<28> : tensor<i64>
  %s29 = onnx.initializer "s29" : tensor<i64> = dense<29> : tensor<i64>
  %shape4 = onnx.initializer "shape4" : tensor<4xi64> = dense<[0, 0, 2, 4]> : tensor<4xi64>
  %shapet = onnx.initializer "shapet" : tensor<3xi64> = dense<[11, 1, 8]> : tensor<3xi64>
  %shapem = onnx.initializer "shapem" : tensor<3xi64> = dense<[1, 8, 11]> : tensor<3xi64>
  %shape2 = onnx.initializer "shape2" : tensor<2xi64> = dense<[11, 8]> : tensor<2xi64>
  %shapep = onnx.initializer "shapep" : tensor<3xi64> = dense<[1, 2, 72]> : tensor<3xi64>
  %shape144 = onnx.initializer "shape144" : tensor<4xi64> = dense<[11, 2, 18, 4]> : tensor<4xi64>
  %shape58 = onnx.initializer "shape58" : tensor<4xi64> = dense<[11, 1, 29, 2]> : tensor<4xi64>
  %shape32 = onnx.initializer "shape32" : tensor<4xi64> = dense<[11, 1, 4, 8]> : tensor<4xi64>
  %shapek = onnx.initializer "shapek" : tensor<3xi64> = dense<[1, 29, 8]> : tensor<3xi64>
  %shape3 = onnx.initializer "shape3" : tensor<3xi64> = dense<[2, 11, 4]> : tensor<3xi64>
  %shaper = onnx.initializer "shaper" : tensor<3xi64> = dense<[1, 11, 1]> : tensor<3xi64>
  %shapeh = onnx.initializer "shapeh" : tensor<4xi64> = dense<[1, 11, 1, 1]> : tensor<4xi64>
  %shape8 = onnx.initializer "shape8" : tensor<3xi64> = dense<[1, 11, 8]> : tensor<3xi64>
  %e1 = onnx.initializer "e1" : tensor<5xi64> = dense<[600, 1, 2, 11, 4]> : tensor<5xi64>
  %col = onnx.initializer "col" : tensor<2xi64> = dense<[1, 29]> : tensor<2xi64>
  %row = onnx.initializer "row" : tensor<2xi64> = dense<[11, 1]> : tensor<2xi64>
  %pad3 = onnx.initializer "pad3" : tensor<4xi64> = dense<[3, 1, 1, 1]> : tensor<4xi64>
  %h0001 = onnx.initializer "h0001" : tensor<4xi64> = dense<[0, 0, 0, 1]> : tensor<4xi64>
  %h001 = onnx.initializer "h001" : tensor<3xi64> = dense<[0, 0, 1]> : tensor<3xi64>
  %h0101 = onnx.initializer "h0101" : tensor<4xi64> = dense<[0, 1, 0, 1]> : tensor<4xi64>
  %h010 = onnx.initializer "h010" : tensor<3xi64> = dense<[0, 1, 0]> : tensor<3xi64>
  %true = onnx.initializer "true" : tensor<i1> = dense<true> : tensor<i1>
  %mixed = onnx.initializer "mixed" : tensor<8xi1> = dense<[true, false, true, true, true, true, true, true]> : tensor<8xi1>
  %codes = onnx.initializer "codes" : tensor<4x1x8xui8> = dense<0> : tensor<4x1x8xui8>
  %codesf = onnx.initializer "codesf" : tensor<4x1x8xf32> = dense<0.0> : tensor<4x1x8xf32>
  %scales = onnx.initializer "scales" : tensor<4x1xf32> = dense<1.0> : tensor<4x1xf32>
  %order = onnx.initializer "order" : tensor<8xi32> = dense<7> : tensor<8xi32>
  %bias1 = onnx.initializer "bias1" : tensor<1xf32> = dense<0.0> : tensor<1xf32>
  %qtable = onnx.initializer "qtable" : tensor<8x4xui8> = dense<0> : tensor<8x4xui8>
  %qscales = onnx.initializer "qscales" : tensor<8x1xf32> = dense<1.0> : tensor<8x1xf32>
  %far64 = onnx.initializer "far64" : tensor<100x100xf64> = #llmc.file<"absent", offset = 0>
  %w864 = onnx.initializer "w864" : tensor<8x1000xf64> = #llmc.file<"absent", offset = 0>
  %g5000 = onnx.initializer "g5000" : tensor<5000xf64> = #llmc.file<"absent", offset = 0>
  %farcodes = onnx.initializer "farcodes" : tensor<8x1024xui8> = #llmc.file<"absent", offset = 0>
  %farscales = onnx.initializer "farscales" : tensor<8x128xf32> = dense<1.0> : tensor<8x128xf32>
  %i3 = onnx.initializer "i3" : tensor<1xi64> = dense<3> : tensor<1xi64>
  %i11 = onnx.initializer "i11" : tensor<1xi64> = dense<11> : tensor<1xi64>
  %w1000 = onnx.initializer "w1000" : tensor<1000x8xf32> = dense<0.0> : tensor<1000x8xf32>
  %e2b = onnx.initializer "e2b" : tensor<5xi64> = dense<[1, 600, 2, 4, 29]> : tensor<5xi64>
  %freq1 = onnx.initializer "freq1" : tensor<1x1x1xf32> = dense<0.5> : tensor<1x1x1xf32>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "MatMul"(%x, %w88) {name = "y", output_names = ["y"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  %yh = onnx.node "Reshape"(%y, %shape4) {name = "yh", output_names = ["yh"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %q = onnx.node "Transpose"(%yh) {name = "q", node_attributes = {perm = array<i64: 0, 2, 1, 3>}, output_names = ["q"]}
      : (!onnx.untyped) -> !onnx.untyped
  %k0 = onnx.node "MatMul"(%x, %w89) {name = "k0", output_names = ["k0"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  %k1 = onnx.node "Reshape"(%k0, %shape4) {name = "k1", output_names = ["k1"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %kh = onnx.node "Transpose"(%k1) {name = "kh", node_attributes = {perm = array<i64: 0, 2, 1, 3>}, output_names = ["kh"]}
      : (!onnx.untyped) -> !onnx.untyped
  %kc = onnx.node "Concat"(%pk, %kh) {name = "kc", node_attributes = {axis = 2}, output_names = ["kc"]}
      : (tensor<?x2x?x4xf32>, !onnx.untyped) -> !onnx.untyped
  %kt = onnx.node "Transpose"(%kc) {name = "kt", node_attributes = {perm = array<i64: 0, 1, 3, 2>}, output_names = ["kt"]}
      : (!onnx.untyped) -> !onnx.untyped
  %vc = onnx.node "Concat"(%pv, %kh) {name = "vc", node_attributes = {axis = 2}, output_names = ["vc"]}
      : (tensor<?x2x?x4xf32>, !onnx.untyped) -> !onnx.untyped
  %scores = onnx.node "MatMul"(%q, %kt) {name = "scores", output_names = ["scores"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %soft = onnx.node "Softmax"(%scores) {name = "soft", output_names = ["soft"]}
      : (!onnx.untyped) -> !onnx.untyped
  %mean = onnx.node "ReduceMean"(%x, %m1) {name = "mean", output_names = ["mean"]}
      : (!onnx.untyped, tensor<1xi64>) -> !onnx.untyped
  %square = onnx.node "Pow"(%x, %two) {name = "square", output_names = ["square"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  %var = onnx.node "ReduceMean"(%square, %m1) {name = "var", output_names = ["var"]}
      : (!onnx.untyped, tensor<1xi64>) -> !onnx.untyped
  %var.eps = onnx.node "Add"(%var, %eps) {name = "var.eps", output_names = ["var.eps"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  %root = onnx.node "Sqrt"(%var.eps) {name = "root", output_names = ["root"]}
      : (!onnx.untyped) -> !onnx.untyped
  %centered = onnx.node "Sub"(%x, %mean) {name = "centered", output_names = ["centered"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %sigmoid = onnx.node "Sigmoid"(%x) {name = "sigmoid", output_names = ["sigmoid"]}
      : (!onnx.untyped) -> !onnx.untyped
  %relu = onnx.node "Relu"(%x) {name = "relu", output_names = ["relu"]}
      : (!onnx.untyped) -> !onnx.untyped
  %xt = onnx.node "Transpose"(%x) {name = "xt", node_attributes = {perm = array<i64: 0, 2, 1>}, output_names = ["xt"]}
      : (!onnx.untyped) -> !onnx.untyped
  %x2 = onnx.node "Reshape"(%x, %shape2) {name = "x2", output_names = ["x2"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  %xr = onnx.node "Reshape"(%x, %shapet) {name = "xr", output_names = ["xr"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  %yr = onnx.node "Reshape"(%y, %shapet) {name = "yr", output_names = ["yr"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  %rows0 = onnx.node "Range"(%s18, %s29, %s1) {name = "rows0", output_names = ["rows0"]}
      : (tensor<i64>, tensor<i64>, tensor<i64>) -> !onnx.untyped
  %columns0 = onnx.node "Range"(%s0, %s29, %s1) {name = "columns0", output_names = ["columns0"]}
      : (tensor<i64>, tensor<i64>, tensor<i64>) -> !onnx.untyped
  %rows = onnx.node "Reshape"(%rows0, %row) {name = "rows", output_names = ["rows"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  %columns = onnx.node "Reshape"(%columns0, %col) {name = "columns", output_names = ["columns"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  %causal = onnx.node "LessOrEqual"(%columns, %rows) {name = "causal", output_names = ["causal"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %places0 = onnx.node "Cast"(%rows0) {name = "places0", node_attributes = {to = 1}, output_names = ["places0"]}
      : (!onnx.untyped) -> !onnx.untyped
  %places = onnx.node "Reshape"(%places0, %shaper) {name = "places", output_names = ["places"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  // Views of rows.
  // expected-note @below {{'rows.scores': expected rows of the model as operand}}
  %rows.scores = onnx.node "RMSNormalization"(%soft, %g11) {name = "rows.scores", output_names = ["rows.scores"]}
      : (!onnx.untyped, tensor<11xf32>) -> !onnx.untyped
  // expected-note @below {{'rows.absent': expected input 2}}
  %rows.absent:3 = onnx.node "GroupQueryAttention"(%x, %x, %none, %pk, %pv, %s28, %s29) {domain = "com.microsoft", name = "rows.absent", node_attributes = {num_heads = 2, kv_num_heads = 2}, output_names = ["rows.absent.0", "rows.absent.1", "rows.absent.2"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.absent, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<i64>, tensor<i64>) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  // expected-note @below {{'rows.last': expected rows whose columns are the last axis}}
  %rows.last = onnx.node "RMSNormalization"(%xt, %g11) {name = "rows.last", output_names = ["rows.last"]}
      : (!onnx.untyped, tensor<11xf32>) -> !onnx.untyped
  // expected-note @below {{'cast.rows': expected rows to stay numbers and tokens to stay integers}}
  %cast.rows = onnx.node "Cast"(%x) {name = "cast.rows", node_attributes = {to = 7}, output_names = ["cast.rows"]}
      : (!onnx.untyped) -> !onnx.untyped
  %cast.tokens = onnx.node "Cast"(%ids) {name = "cast.tokens", node_attributes = {to = 1}, output_names = ["cast.tokens"]}
      : (tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'transpose.scores': expected attention scores to keep rows and keys as their last axes}}
  %transpose.scores = onnx.node "Transpose"(%scores) {name = "transpose.scores", output_names = ["transpose.scores"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'slice.tokens': expected all elements to stay, in their order}}
  %slice.tokens = onnx.node "Slice"(%ids, %m1, %i99, %i1, %m1) {name = "slice.tokens", output_names = ["slice.tokens"]}
      : (tensor<?x?xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'gather.places': expected where elements go not to depend on tokens}}
  %gather.places = onnx.node "Gather"(%x, %x) {name = "gather.places", output_names = ["gather.places"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'reshape.past': expected the cache to be joined with new rows as it comes in}}
  %reshape.past = onnx.node "Reshape"(%pk, %shapep) {name = "reshape.past", output_names = ["reshape.past"]}
      : (tensor<?x2x?x4xf32>, tensor<3xi64>) -> !onnx.untyped
  // expected-note @below {{'reshape.mix': it mixes rows with columns}}
  %reshape.mix = onnx.node "Reshape"(%x, %shapem) {name = "reshape.mix", output_names = ["reshape.mix"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  // expected-note @below {{'concat.three': expected the cache to be joined with one operand}}
  %concat.three = onnx.node "Concat"(%pk, %kh, %kh) {name = "concat.three", node_attributes = {axis = 2}, output_names = ["concat.three"]}
      : (tensor<?x2x?x4xf32>, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %q.last = onnx.node "Slice"(%q, %m1, %i11, %i2) {name = "q.last", output_names = ["q.last"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'concat.last': expected new keys or values of shape batch × heads × rows × size}}
  %concat.last = onnx.node "Concat"(%pk, %q.last) {name = "concat.last", node_attributes = {axis = 2}, output_names = ["concat.last"]}
      : (tensor<?x2x?x4xf32>, !onnx.untyped) -> !onnx.untyped
  %y144.flat = onnx.node "MatMul"(%x, %w8x144) {name = "y144.flat", output_names = ["y144.flat"]}
      : (!onnx.untyped, tensor<8x144xf32>) -> !onnx.untyped
  %y144 = onnx.node "Reshape"(%y144.flat, %shape144) {name = "y144", output_names = ["y144"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  // expected-note @below {{'concat.axis': expected the cache to grow along axis 2}}
  %concat.axis = onnx.node "Concat"(%pk, %y144) {name = "concat.axis", node_attributes = {axis = 0}, output_names = ["concat.axis"]}
      : (tensor<?x2x?x4xf32>, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'concat.constant': expected rows of the model alone to be joined}}
  %concat.constant = onnx.node "Concat"(%x, %c1118) {name = "concat.constant", node_attributes = {axis = 2}, output_names = ["concat.constant"]}
      : (!onnx.untyped, tensor<1x11x8xf32>) -> !onnx.untyped
  // expected-note @below {{'concat.bases': expected parts of one matrix to be joined}}
  %concat.bases = onnx.node "Concat"(%x, %y) {name = "concat.bases", node_attributes = {axis = 2}, output_names = ["concat.bases"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'concat.mix': it mixes rows with columns}}
  %concat.mix = onnx.node "Concat"(%x, %x) {name = "concat.mix", node_attributes = {axis = 1}, output_names = ["concat.mix"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'applied': it is applied to rows of the model}}
  %applied = onnx.node "CumSum"(%x, %i1) {name = "applied", output_names = ["applied"]}
      : (!onnx.untyped, tensor<1xi64>) -> !onnx.untyped

  // Linears.
  // expected-note @below {{'linear.axis': expected rows whose columns are the last axis}}
  %linear.axis = onnx.node "MatMul"(%xt, %w118) {name = "linear.axis", output_names = ["linear.axis"]}
      : (!onnx.untyped, tensor<11x8xf32>) -> !onnx.untyped
  // expected-note @below {{'linear.outputs': expected 1 to 1048576 outputs, found 0}}
  %linear.outputs = onnx.node "MatMul"(%x, %w80) {name = "linear.outputs", output_names = ["linear.outputs"]}
      : (!onnx.untyped, tensor<8x0xf32>) -> !onnx.untyped
  // expected-note @below {{'linear.constant': expected rows times a constant matrix}}
  %linear.constant = onnx.node "MatMul"(%x, %table3) {name = "linear.constant", output_names = ["linear.constant"]}
      : (!onnx.untyped, tensor<1x8x8xf32>) -> !onnx.untyped
  // expected-note @below {{'linear.first': expected rows as the first operand}}
  %linear.first = onnx.node "MatMul"(%c1411, %x) {name = "linear.first", output_names = ["linear.first"]}
      : (tensor<1x4x11xf32>, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'linear.scores': expected the softmax of scores times values}}
  %linear.scores = onnx.node "MatMul"(%scores, %vc) {name = "linear.scores", output_names = ["linear.scores"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %y58.flat = onnx.node "MatMul"(%x, %w8x58) {name = "y58.flat", output_names = ["y58.flat"]}
      : (!onnx.untyped, tensor<8x58xf32>) -> !onnx.untyped
  %y58 = onnx.node "Reshape"(%y58.flat, %shape58) {name = "y58", output_names = ["y58"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  // expected-note @below {{'linear.values': expected values with heads before rows}}
  %linear.values = onnx.node "MatMul"(%soft, %y58) {name = "linear.values", output_names = ["linear.values"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %y32.flat = onnx.node "MatMul"(%x, %w8x32) {name = "y32.flat", output_names = ["y32.flat"]}
      : (!onnx.untyped, tensor<8x32xf32>) -> !onnx.untyped
  %y32 = onnx.node "Reshape"(%y32.flat, %shape32) {name = "y32", output_names = ["y32"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  // expected-note @below {{'linear.keys': expected queries times transposed keys}}
  %linear.keys = onnx.node "MatMul"(%q, %y32) {name = "linear.keys", output_names = ["linear.keys"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'gemm.bias': expected a constant bias as wide as the result}}
  %gemm.bias = onnx.node "Gemm"(%x2, %w88, %w118) {name = "gemm.bias", output_names = ["gemm.bias"]}
      : (!onnx.untyped, tensor<8x8xf32>, tensor<11x8xf32>) -> !onnx.untyped
  // expected-note @below {{'nbits.codes': expected constant bytes of codes, scales, and zero points as bytes, as numbers or none}}
  %nbits.codes = onnx.node "MatMulNBits"(%x, %codesf, %scales) {domain = "com.microsoft", name = "nbits.codes", node_attributes = {K = 8, N = 4, block_size = 16}, output_names = ["nbits.codes"]}
      : (!onnx.untyped, tensor<4x1x8xf32>, tensor<4x1xf32>) -> !onnx.untyped
  // expected-note @below {{'nbits.order': expected a g_idx that counts up by blocks, or that permutes the inputs of 4- or 8-bit weights without zero points as codes}}
  %nbits.order = onnx.node "MatMulNBits"(%x, %codes, %scales, %none, %order) {domain = "com.microsoft", name = "nbits.order", node_attributes = {K = 8, N = 4, block_size = 16}, output_names = ["nbits.order"]}
      : (!onnx.untyped, tensor<4x1x8xui8>, tensor<4x1xf32>, !onnx.absent, tensor<8xi32>) -> !onnx.untyped
  // expected-note @below {{'nbits.sizes': expected codes and scales for N × K weights in blocks}}
  %nbits.sizes = onnx.node "MatMulNBits"(%x, %codes, %scales) {domain = "com.microsoft", name = "nbits.sizes", node_attributes = {K = 8, N = 4, block_size = 32}, output_names = ["nbits.sizes"]}
      : (!onnx.untyped, tensor<4x1x8xui8>, tensor<4x1xf32>) -> !onnx.untyped
  // expected-note @below {{'nbits.bias': expected a bias as wide as the result}}
  %nbits.bias = onnx.node "MatMulNBits"(%x, %codes, %scales, %none, %none, %bias1) {domain = "com.microsoft", name = "nbits.bias", node_attributes = {K = 8, N = 4, block_size = 16}, output_names = ["nbits.bias"]}
      : (!onnx.untyped, tensor<4x1x8xui8>, tensor<4x1xf32>, !onnx.absent, !onnx.absent, tensor<1xf32>) -> !onnx.untyped
  %slice.part = onnx.node "Slice"(%x, %i0, %i4, %i2) {name = "slice.part", output_names = ["slice.part"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'use.part': expected all of a matrix, found 4 of its 8 columns}}
  %use.part = onnx.node "MatMul"(%slice.part, %w48) {name = "use.part", output_names = ["use.part"]}
      : (!onnx.untyped, tensor<4x8xf32>) -> !onnx.untyped
  %slice.back = onnx.node "Slice"(%x, %m1, %i9, %i2, %m1) {name = "slice.back", output_names = ["slice.back"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'use.back': expected the columns of a matrix in their order}}
  %use.back = onnx.node "MatMul"(%slice.back, %w88) {name = "use.back", output_names = ["use.back"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  %absent = onnx.node "MatMul"(%x, %w864) {name = "absent", output_names = ["absent"]}
      : (!onnx.untyped, tensor<8x1000xf64>) -> !onnx.untyped
  %use.absent = onnx.node "Relu"(%absent) {name = "use.absent", output_names = ["use.absent"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'use.weights': cannot read its weights}}
  %use.weights = onnx.node "MatMul"(%use.absent, %w1000) {name = "use.weights", output_names = ["use.weights"]}
      : (!onnx.untyped, tensor<1000x8xf32>) -> !onnx.untyped
  %joined.rows = onnx.node "Transpose"(%kc) {name = "joined.rows", node_attributes = {perm = array<i64: 0, 2, 1, 3>}, output_names = ["joined.rows"]}
      : (!onnx.untyped) -> !onnx.untyped
  %joined = onnx.node "Reshape"(%joined.rows, %shapek) {name = "joined", output_names = ["joined"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  // expected-note @below {{'use.joined': expected rows of the step alone, found them joined with the cache}}
  %use.joined = onnx.node "MatMul"(%joined, %w88) {name = "use.joined", output_names = ["use.joined"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  %scaled = onnx.node "Mul"(%x, %steps) {name = "scaled", output_names = ["scaled"]}
      : (!onnx.untyped, tensor<8xf32>) -> !onnx.untyped
  // expected-note @below {{'use.scaled': expected one factor for all columns}}
  %use.scaled = onnx.node "MatMul"(%scaled, %w88) {name = "use.scaled", output_names = ["use.scaled"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  %apart.low = onnx.node "Slice"(%x, %i0, %i2, %i2) {name = "apart.low", output_names = ["apart.low"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  %apart.high = onnx.node "Slice"(%x, %i4, %i8, %i2) {name = "apart.high", output_names = ["apart.high"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  %apart = onnx.node "Concat"(%apart.low, %apart.high) {name = "apart", node_attributes = {axis = 2}, output_names = ["apart"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'use.apart': expected all of a matrix, found 6 of its 8 columns}}
  %use.apart = onnx.node "MatMul"(%apart, %w68) {name = "use.apart", output_names = ["use.apart"]}
      : (!onnx.untyped, tensor<6x8xf32>) -> !onnx.untyped
  %large = onnx.node "Mul"(%x, %huge) {name = "large", output_names = ["large"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  %double = onnx.node "Mul"(%large, %huge) {name = "double", output_names = ["double"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'use.double': expected rows times a number of fp32, found 1}}
  %use.double = onnx.node "MatMul"(%double, %w88) {name = "use.double", output_names = ["use.double"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped

  // Embeddings.
  // expected-note @below {{'gather.rank': expected tokens to choose rows of a constant matrix}}
  %gather.rank = onnx.node "Gather"(%table3, %ids) {name = "gather.rank", output_names = ["gather.rank"]}
      : (tensor<1x8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'gather.width': expected rows of 1 to 1048576 columns, found 0}}
  %gather.width = onnx.node "Gather"(%table0, %ids) {name = "gather.width", output_names = ["gather.width"]}
      : (tensor<8x0xf32>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'gather.file': cannot read its table}}
  %gather.file = onnx.node "Gather"(%far64, %ids) {name = "gather.file", output_names = ["gather.file"]}
      : (tensor<100x100xf64>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'blocks.codes': expected tokens to choose rows of bytes of codes}}
  %blocks.codes = onnx.node "GatherBlockQuantized"(%table, %ids, %scales) {domain = "com.microsoft", name = "blocks.codes", node_attributes = {bits = 4}, output_names = ["blocks.codes"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>, tensor<4x1xf32>) -> !onnx.untyped
  // expected-note @below {{'blocks.sizes': expected codes and scales for a table in blocks}}
  %blocks.sizes = onnx.node "GatherBlockQuantized"(%qtable, %ids, %scales) {domain = "com.microsoft", name = "blocks.sizes", node_attributes = {bits = 4, block_size = 16}, output_names = ["blocks.sizes"]}
      : (tensor<8x4xui8>, tensor<?x?xi64>, tensor<4x1xf32>) -> !onnx.untyped
  // expected-note @below {{'blocks.file': cannot read its table}}
  %blocks.file = onnx.node "GatherBlockQuantized"(%farcodes, %ids, %farscales) {domain = "com.microsoft", name = "blocks.file", node_attributes = {bits = 4, block_size = 16}, output_names = ["blocks.file"]}
      : (tensor<8x1024xui8>, tensor<?x?xi64>, tensor<8x128xf32>) -> !onnx.untyped

  // Norms and activations.
  // expected-note @below {{'rms.gain': expected a norm over the last axis with a constant gain}}
  %rms.gain = onnx.node "RMSNormalization"(%x, %g4) {name = "rms.gain", output_names = ["rms.gain"]}
      : (!onnx.untyped, tensor<4xf32>) -> !onnx.untyped
  // expected-note @below {{'layer.bias': expected a norm over the last axis with a constant gain and bias}}
  %layer.bias = onnx.node "LayerNormalization"(%x, %g8, %g4) {name = "layer.bias", output_names = ["layer.bias"]}
      : (!onnx.untyped, tensor<8xf32>, tensor<4xf32>) -> !onnx.untyped
  // expected-note @below {{'skip.shape': expected rows of one shape}}
  %skip.shape = onnx.node "SkipSimplifiedLayerNormalization"(%x, %yr, %g8) {domain = "com.microsoft", name = "skip.shape", output_names = ["skip.shape"]}
      : (!onnx.untyped, !onnx.untyped, tensor<8xf32>) -> !onnx.untyped
  // expected-note @below {{'skip.gain': expected a constant gain and no bias of the sum}}
  %skip.gain = onnx.node "SkipSimplifiedLayerNormalization"(%x, %y, %g4) {domain = "com.microsoft", name = "skip.gain", output_names = ["skip.gain"]}
      : (!onnx.untyped, !onnx.untyped, tensor<4xf32>) -> !onnx.untyped
  // expected-note @below {{'use.centered': expected the difference to the mean to be divided by a deviation}}
  %use.centered = onnx.node "MatMul"(%centered, %w88) {name = "use.centered", output_names = ["use.centered"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  %x5000 = onnx.node "Gather"(%wide, %ids) {name = "x5000", output_names = ["x5000"]}
      : (tensor<8x5000xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %layer.file = onnx.node "LayerNormalization"(%x5000, %g5000) {name = "layer.file", output_names = ["layer.file"]}
      : (!onnx.untyped, tensor<5000xf64>) -> !onnx.untyped
  // expected-note @below {{'use.layer.file': cannot read its gain or bias}}
  %use.layer.file = onnx.node "MatMul"(%layer.file, %w5000) {name = "use.layer.file", output_names = ["use.layer.file"]}
      : (!onnx.untyped, tensor<5000x8xf32>) -> !onnx.untyped
  %layer.heads = onnx.node "LayerNormalization"(%yh, %g4) {name = "layer.heads", output_names = ["layer.heads"]}
      : (!onnx.untyped, tensor<4xf32>) -> !onnx.untyped
  // expected-note @below {{'use.layer.heads': expected a layer norm over whole rows}}
  %use.layer.heads = onnx.node "Reshape"(%layer.heads, %shape8) {name = "use.layer.heads", output_names = ["use.layer.heads"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  %softplus = onnx.node "Softplus"(%x) {name = "softplus", output_names = ["softplus"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note-re @below {{'use.softplus': expected one of relu, {{.*}}, relu squared, a tanh or what plain operators compute of each element, found Softplus}}
  %use.softplus = onnx.node "MatMul"(%softplus, %w88) {name = "use.softplus", output_names = ["use.softplus"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  // expected-note @below {{'reduce.axis': expected a reduction over the last axis}}
  %reduce.axis = onnx.node "ReduceMean"(%x, %i1) {name = "reduce.axis", output_names = ["reduce.axis"]}
      : (!onnx.untyped, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'reduce.function': expected the mean of rows or of their squares}}
  %reduce.function = onnx.node "ReduceMean"(%sigmoid, %m1) {name = "reduce.function", output_names = ["reduce.function"]}
      : (!onnx.untyped, tensor<1xi64>) -> !onnx.untyped
  %square.last = onnx.node "Pow"(%xt, %two) {name = "square.last", output_names = ["square.last"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'reduce.rows': expected a reduction over columns}}
  %reduce.rows = onnx.node "ReduceMean"(%square.last, %m1) {name = "reduce.rows", output_names = ["reduce.rows"]}
      : (!onnx.untyped, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'mean.minus': expected a mean to be scaled or raised by a constant}}
  %mean.minus = onnx.node "Sub"(%mean, %fone) {name = "mean.minus", output_names = ["mean.minus"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'mean.where': expected a mean or root of rows to become part of a norm}}
  %mean.where = onnx.node "Where"(%true, %mean, %mean) {name = "mean.where", output_names = ["mean.where"]}
      : (tensor<i1>, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'mean.exp': expected a mean or root of rows to become part of a norm}}
  %mean.exp = onnx.node "Exp"(%mean) {name = "mean.exp", output_names = ["mean.exp"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'mean.other': expected the mean of the rows that it is taken from}}
  %mean.other = onnx.node "Sub"(%y, %mean) {name = "mean.other", output_names = ["mean.other"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'mean.divides': expected rows to be divided by the root of their mean square}}
  %mean.divides = onnx.node "Div"(%x, %mean) {name = "mean.divides", output_names = ["mean.divides"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'root.other': expected the mean square of the rows that are divided}}
  %root.other = onnx.node "Div"(%y, %root) {name = "root.other", output_names = ["root.other"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped

  // Arithmetic on rows.
  // expected-note @below {{'max.three': expected a function of one operand}}
  %max.three = onnx.node "Max"(%x, %x, %y) {name = "max.three", output_names = ["max.three"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'clip.absent': expected a function of one operand}}
  %clip.absent = onnx.node "Clip"(%x, %none, %fone) {name = "clip.absent", output_names = ["clip.absent"]}
      : (!onnx.untyped, !onnx.absent, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'clip.rows': expected constant bounds}}
  %clip.rows = onnx.node "Clip"(%x, %y) {name = "clip.rows", output_names = ["clip.rows"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'clip.tiny': expected bounds whose reciprocal is a number of fp32}}
  %clip.tiny = onnx.node "Clip"(%x, %tiny.low, %tiny) {name = "clip.tiny", output_names = ["clip.tiny"]}
      : (!onnx.untyped, tensor<f32>, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'max.far': expected bounds of at most ±461}}
  %max.far = onnx.node "Max"(%x, %far) {name = "max.far", output_names = ["max.far"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'where.tokens': expected a condition that does not depend on tokens}}
  %where.tokens = onnx.node "Where"(%x, %y, %x) {name = "where.tokens", output_names = ["where.tokens"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'where.mixed': expected a condition that is the same for all elements}}
  %where.mixed = onnx.node "Where"(%mixed, %x, %y) {name = "where.mixed", output_names = ["where.mixed"]}
      : (tensor<8xi1>, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'where.constant': expected the rows of the model to be chosen}}
  %where.constant = onnx.node "Where"(%true, %c1118, %x) {name = "where.constant", output_names = ["where.constant"]}
      : (tensor<i1>, tensor<1x11x8xf32>, !onnx.untyped) -> !onnx.untyped
  %slice.step = onnx.node "Slice"(%y, %i0, %i8, %i2, %i2) {name = "slice.step", output_names = ["slice.step"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'bias.step': expected a bias of neighbouring columns}}
  %bias.step = onnx.node "Add"(%slice.step, %g4) {name = "bias.step", output_names = ["bias.step"]}
      : (!onnx.untyped, tensor<4xf32>) -> !onnx.untyped
  // expected-note @below {{'bias.rows': expected a bias of a linear or an embedding of positions}}
  %bias.rows = onnx.node "Add"(%x, %c1118) {name = "bias.rows", output_names = ["bias.rows"]}
      : (!onnx.untyped, tensor<1x11x8xf32>) -> !onnx.untyped
  // expected-note @below {{'sub.constant': expected rows and a constant to be multiplied or added}}
  %sub.constant = onnx.node "Sub"(%x, %g8) {name = "sub.constant", output_names = ["sub.constant"]}
      : (!onnx.untyped, tensor<8xf32>) -> !onnx.untyped
  // expected-note @below {{'mul.shape': expected a constant that broadcasts to the rows}}
  %mul.shape = onnx.node "Mul"(%x, %c2118) {name = "mul.shape", output_names = ["mul.shape"]}
      : (!onnx.untyped, tensor<2x11x8xf32>) -> !onnx.untyped
  %turned = onnx.node "Mul"(%x, %places) {name = "turned", output_names = ["turned"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'turned.twice': expected rows that are multiplied by positions once}}
  %turned.twice = onnx.node "Mul"(%turned, %places) {name = "turned.twice", output_names = ["turned.twice"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'gate.shape': expected a gate of the shape of what it gates}}
  %gate.shape = onnx.node "Mul"(%relu, %yr) {name = "gate.shape", output_names = ["gate.shape"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %gate.plain = onnx.node "Mul"(%x, %y) {name = "gate.plain", output_names = ["gate.plain"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %div.rows = onnx.node "Div"(%x, %y) {name = "div.rows", output_names = ["div.rows"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %sub.rows = onnx.node "Sub"(%x, %y) {name = "sub.rows", output_names = ["sub.rows"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'add.shape': expected rows of one shape}}
  %add.shape = onnx.node "Add"(%x, %yr) {name = "add.shape", output_names = ["add.shape"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %turned.sum = onnx.node "Add"(%turned, %turned) {name = "turned.sum", output_names = ["turned.sum"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'turned.more': expected two terms of a rotation}}
  %turned.more = onnx.node "Add"(%turned.sum, %turned) {name = "turned.more", output_names = ["turned.more"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %z1 = onnx.node "MatMul"(%x, %w811) {name = "z1", output_names = ["z1"]}
      : (!onnx.untyped, tensor<8x11xf32>) -> !onnx.untyped
  %z2 = onnx.node "MatMul"(%x, %w812) {name = "z2", output_names = ["z2"]}
      : (!onnx.untyped, tensor<8x11xf32>) -> !onnx.untyped
  %zt = onnx.node "Transpose"(%z2) {name = "zt", node_attributes = {perm = array<i64: 0, 2, 1>}, output_names = ["zt"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'add.axis': expected rows of one width}}
  %add.axis = onnx.node "Add"(%z1, %zt) {name = "add.axis", output_names = ["add.axis"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped

  // Rotations.
  // expected-note @below {{'use.turned': expected an even number of rotated columns, found 0}}
  %use.turned = onnx.node "MatMul"(%turned, %w88) {name = "use.turned", output_names = ["use.turned"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  // expected-note @below {{'use.turned.sum': expected columns that are rotated in pairs}}
  %use.turned.sum = onnx.node "MatMul"(%turned.sum, %w88) {name = "use.turned.sum", output_names = ["use.turned.sum"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  %left = onnx.node "Slice"(%x, %i0, %i4, %i2) {name = "left", output_names = ["left"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  %right = onnx.node "Slice"(%x, %i4, %i8, %i2) {name = "right", output_names = ["right"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  %swapped = onnx.node "Concat"(%right, %left) {name = "swapped", node_attributes = {axis = 2}, output_names = ["swapped"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %swapped.turned = onnx.node "Mul"(%swapped, %places) {name = "swapped.turned", output_names = ["swapped.turned"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %same.sign = onnx.node "Add"(%turned, %swapped.turned) {name = "same.sign", output_names = ["same.sign"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %minus = onnx.node "Neg"(%right) {name = "minus", output_names = ["minus"]}
      : (!onnx.untyped) -> !onnx.untyped
  %quarter = onnx.node "Concat"(%minus, %left) {name = "quarter", node_attributes = {axis = 2}, output_names = ["quarter"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %quarter.turned = onnx.node "Mul"(%quarter, %places) {name = "quarter.turned", output_names = ["quarter.turned"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %no.angle = onnx.node "Add"(%turned, %quarter.turned) {name = "no.angle", output_names = ["no.angle"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %x4 = onnx.node "Reshape"(%x, %shape4) {name = "x4", output_names = ["x4"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %places4 = onnx.node "Reshape"(%places0, %shapeh) {name = "places4", output_names = ["places4"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %angles = onnx.node "Mul"(%places4, %freqs) {name = "angles", output_names = ["angles"]}
      : (!onnx.untyped, tensor<1x1x2x4xf32>) -> !onnx.untyped
  %cosines = onnx.node "Cos"(%angles) {name = "cosines", output_names = ["cosines"]}
      : (!onnx.untyped) -> !onnx.untyped
  %sines = onnx.node "Sin"(%angles) {name = "sines", output_names = ["sines"]}
      : (!onnx.untyped) -> !onnx.untyped
  %x4.low = onnx.node "Slice"(%x4, %i0, %i2, %i3) {name = "x4.low", output_names = ["x4.low"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  %x4.high = onnx.node "Slice"(%x4, %i2, %i4, %i3) {name = "x4.high", output_names = ["x4.high"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  %x4.minus = onnx.node "Neg"(%x4.high) {name = "x4.minus", output_names = ["x4.minus"]}
      : (!onnx.untyped) -> !onnx.untyped
  %x4.turned = onnx.node "Concat"(%x4.minus, %x4.low) {name = "x4.turned", node_attributes = {axis = 3}, output_names = ["x4.turned"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %x4.cos = onnx.node "Mul"(%x4, %cosines) {name = "x4.cos", output_names = ["x4.cos"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %x4.sin = onnx.node "Mul"(%x4.turned, %sines) {name = "x4.sin", output_names = ["x4.sin"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %uneven = onnx.node "Add"(%x4.cos, %x4.sin) {name = "uneven", output_names = ["uneven"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %angle = onnx.node "Mul"(%places, %freq1) {name = "angle", output_names = ["angle"]}
      : (!onnx.untyped, tensor<1x1x1xf32>) -> !onnx.untyped
  %cosine = onnx.node "Cos"(%angle) {name = "cosine", output_names = ["cosine"]}
      : (!onnx.untyped) -> !onnx.untyped
  %sine = onnx.node "Sin"(%angle) {name = "sine", output_names = ["sine"]}
      : (!onnx.untyped) -> !onnx.untyped
  %left.low = onnx.node "Slice"(%x, %i0, %i2, %i2) {name = "left.low", output_names = ["left.low"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  %left.high = onnx.node "Slice"(%x, %i2, %i4, %i2) {name = "left.high", output_names = ["left.high"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  %left.minus = onnx.node "Neg"(%left.high) {name = "left.minus", output_names = ["left.minus"]}
      : (!onnx.untyped) -> !onnx.untyped
  %left.turned = onnx.node "Concat"(%left.minus, %left.low) {name = "left.turned", node_attributes = {axis = 2}, output_names = ["left.turned"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %left.cos = onnx.node "Mul"(%left, %cosine) {name = "left.cos", output_names = ["left.cos"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %left.sin = onnx.node "Mul"(%left.turned, %sine) {name = "left.sin", output_names = ["left.sin"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %rest.low = onnx.node "Add"(%left.cos, %left.sin) {name = "rest.low", output_names = ["rest.low"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %rest.high = onnx.node "Slice"(%turned, %i4, %i8, %i2) {name = "rest.high", output_names = ["rest.high"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  %rest = onnx.node "Concat"(%rest.low, %rest.high) {name = "rest", node_attributes = {axis = 2}, output_names = ["rest"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'use.same.sign': expected a rotation of each pair of columns}}
  %use.same.sign = onnx.node "MatMul"(%same.sign, %w88) {name = "use.same.sign", output_names = ["use.same.sign"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  // expected-note @below {{'use.no.angle': expected angles that are a frequency times the position}}
  %use.no.angle = onnx.node "MatMul"(%no.angle, %w88) {name = "use.no.angle", output_names = ["use.no.angle"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  %uneven.flat = onnx.node "Reshape"(%uneven, %shape8) {name = "uneven.flat", output_names = ["uneven.flat"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  %uneven.heads = onnx.node "Reshape"(%uneven.flat, %shape4) {name = "uneven.heads", output_names = ["uneven.heads"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %uneven.keys = onnx.node "Transpose"(%uneven.heads) {name = "uneven.keys", node_attributes = {perm = array<i64: 0, 2, 1, 3>}, output_names = ["uneven.keys"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'uneven.values': expected the same frequencies in every head}}
  %uneven.values = onnx.node "Attention"(%uneven.keys, %kh, %kh, %none) {name = "uneven.values", node_attributes = {is_causal = 1}, output_names = ["uneven.values"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, !onnx.absent) -> !onnx.untyped
  // expected-note @below {{'use.rest': expected the columns that are not rotated to stand last}}
  %use.rest = onnx.node "MatMul"(%rest, %w88) {name = "use.rest", output_names = ["use.rest"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  %last.turned = onnx.node "Mul"(%xt, %places0) {name = "last.turned", output_names = ["last.turned"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %yt = onnx.node "Transpose"(%y) {name = "yt", node_attributes = {perm = array<i64: 0, 2, 1>}, output_names = ["yt"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'last.sum': expected rotated heads with the head size as last axis}}
  %last.sum = onnx.node "Add"(%last.turned, %yt) {name = "last.sum", output_names = ["last.sum"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'rotary.heads': expected heads of which an even number of columns is rotated}}
  %rotary.heads = onnx.node "RotaryEmbedding"(%x, %cos2, %cos2) {name = "rotary.heads", node_attributes = {num_heads = 3}, output_names = ["rotary.heads"]}
      : (!onnx.untyped, tensor<1x11x2xf32>, tensor<1x11x2xf32>) -> !onnx.untyped
  // expected-note @below {{'rotary.angles': expected known angles of rows × 2}}
  %rotary.angles = onnx.node "RotaryEmbedding"(%x, %cos3, %cos3) {name = "rotary.angles", node_attributes = {num_heads = 2}, output_names = ["rotary.angles"]}
      : (!onnx.untyped, tensor<1x11x3xf32>, tensor<1x11x3xf32>) -> !onnx.untyped
  %rotary = onnx.node "RotaryEmbedding"(%x, %cos2, %cos2) {name = "rotary", node_attributes = {num_heads = 2}, output_names = ["rotary"]}
      : (!onnx.untyped, tensor<1x11x2xf32>, tensor<1x11x2xf32>) -> !onnx.untyped
  // expected-note @below {{'rotary.twice': expected rows that are rotated once}}
  %rotary.twice = onnx.node "RotaryEmbedding"(%rotary, %cos2, %cos2) {name = "rotary.twice", node_attributes = {num_heads = 2}, output_names = ["rotary.twice"]}
      : (!onnx.untyped, tensor<1x11x2xf32>, tensor<1x11x2xf32>) -> !onnx.untyped
  // expected-note @below {{'rotary.tokens': expected known positions that count up from the past}}
  %rotary.tokens = onnx.node "RotaryEmbedding"(%x, %t42, %t42, %ids) {name = "rotary.tokens", node_attributes = {num_heads = 2}, output_names = ["rotary.tokens"]}
      : (!onnx.untyped, tensor<4x2xf32>, tensor<4x2xf32>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'rotary.far': expected positions inside the tables}}
  %rotary.far = onnx.node "RotaryEmbedding"(%x, %t42, %t42, %rows0) {name = "rotary.far", node_attributes = {num_heads = 2}, output_names = ["rotary.far"]}
      : (!onnx.untyped, tensor<4x2xf32>, tensor<4x2xf32>, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'contrib.tokens': expected known positions that count up from the past}}
  %contrib.tokens = onnx.node "RotaryEmbedding"(%x, %ids, %t42, %t42) {domain = "com.microsoft", name = "contrib.tokens", node_attributes = {num_heads = 2}, output_names = ["contrib.tokens"]}
      : (!onnx.untyped, tensor<?x?xi64>, tensor<4x2xf32>, tensor<4x2xf32>) -> !onnx.untyped
  // expected-note @below {{'contrib.far': expected positions inside the tables}}
  %contrib.far = onnx.node "RotaryEmbedding"(%x, %rows0, %t42, %t42) {domain = "com.microsoft", name = "contrib.far", node_attributes = {num_heads = 2}, output_names = ["contrib.far"]}
      : (!onnx.untyped, !onnx.untyped, tensor<4x2xf32>, tensor<4x2xf32>) -> !onnx.untyped

  // Scores and masks.
  // expected-note @below {{'softmax.rows': expected a softmax over the last axis}}
  %softmax.rows = onnx.node "Softmax"(%x) {name = "softmax.rows", node_attributes = {axis = 0}, output_names = ["softmax.rows"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'isnan.rows': expected the softmax of attention scores}}
  %isnan.rows = onnx.node "IsNaN"(%x) {name = "isnan.rows", output_names = ["isnan.rows"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'scores.where': expected scores to be chosen by a known mask, and a large negative number elsewhere}}
  %scores.where = onnx.node "Where"(%causal, %scores, %fzero) {name = "scores.where", output_names = ["scores.where"]}
      : (!onnx.untyped, !onnx.untyped, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'scores.late': expected a mask before the softmax}}
  %scores.late = onnx.node "Where"(%causal, %soft, %low) {name = "scores.late", output_names = ["scores.late"]}
      : (!onnx.untyped, !onnx.untyped, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'scores.tanh': expected tanh of plain scores}}
  %scores.tanh = onnx.node "Tanh"(%soft) {name = "scores.tanh", output_names = ["scores.tanh"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'scores.sigmoid': it is applied to attention scores}}
  %scores.sigmoid = onnx.node "Sigmoid"(%scores) {name = "scores.sigmoid", output_names = ["scores.sigmoid"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'scores.twice': expected attention scores and a constant}}
  %scores.twice = onnx.node "Add"(%scores, %scores) {name = "scores.twice", output_names = ["scores.twice"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %tanh = onnx.node "Tanh"(%scores) {name = "tanh", output_names = ["tanh"]}
      : (!onnx.untyped) -> !onnx.untyped
  %tanh.two = onnx.node "Mul"(%tanh, %two) {name = "tanh.two", output_names = ["tanh.two"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'tanh.three': expected capped scores to be scaled once}}
  %tanh.three = onnx.node "Mul"(%tanh.two, %three) {name = "tanh.three", output_names = ["tanh.three"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'scores.minus': expected attention scores to be scaled, capped or masked}}
  %scores.minus = onnx.node "Sub"(%scores, %fone) {name = "scores.minus", output_names = ["scores.minus"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'open': expected a causal mask, with or without a window}}
  %open = onnx.node "MatMul"(%soft, %vc) {name = "open", output_names = ["open"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %squares = onnx.node "Mul"(%columns, %columns) {name = "squares", output_names = ["squares"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %added = onnx.node "Add"(%scores, %squares) {name = "added", output_names = ["added"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %added.soft = onnx.node "Softmax"(%added) {name = "added.soft", output_names = ["added.soft"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'added.values': expected a mask of zeros and large negative numbers, or numbers in proportion to the position, found 1.000000}}
  %added.values = onnx.node "MatMul"(%added.soft, %vc) {name = "added.values", output_names = ["added.values"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %half.rows = onnx.node "Div"(%rows, %s2) {name = "half.rows", output_names = ["half.rows"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %after = onnx.node "GreaterOrEqual"(%columns, %half.rows) {name = "after", output_names = ["after"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %windows = onnx.node "And"(%causal, %after) {name = "windows", output_names = ["windows"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %windows.scores = onnx.node "Where"(%windows, %scores, %low) {name = "windows.scores", output_names = ["windows.scores"]}
      : (!onnx.untyped, !onnx.untyped, tensor<f32>) -> !onnx.untyped
  %windows.soft = onnx.node "Softmax"(%windows.scores) {name = "windows.soft", output_names = ["windows.soft"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'windows.values': expected one window for all rows}}
  %windows.values = onnx.node "MatMul"(%windows.soft, %vc) {name = "windows.values", output_names = ["windows.values"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped

  // Attention.
  %masked = onnx.node "Where"(%causal, %scores, %low) {name = "masked", output_names = ["masked"]}
      : (!onnx.untyped, !onnx.untyped, tensor<f32>) -> !onnx.untyped
  %masked.soft = onnx.node "Softmax"(%masked) {name = "masked.soft", output_names = ["masked.soft"]}
      : (!onnx.untyped) -> !onnx.untyped
  %values.narrow = onnx.node "Slice"(%vc, %i0, %i2, %i3) {name = "values.narrow", output_names = ["values.narrow"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  // expected-note @below {{'attention.size': expected as many keys as values, of one size}}
  %attention.size = onnx.node "MatMul"(%masked.soft, %values.narrow) {name = "attention.size", output_names = ["attention.size"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'attention.cache': expected a cache for keys and values alike}}
  %attention.cache = onnx.node "Attention"(%q, %kc, %kh, %causal) {name = "attention.cache", output_names = ["attention.cache"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %k.one = onnx.node "Slice"(%kt, %i0, %i1, %i1) {name = "k.one", output_names = ["k.one"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  %v.one = onnx.node "Slice"(%vc, %i0, %i1, %i1) {name = "v.one", output_names = ["v.one"]}
      : (!onnx.untyped, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !onnx.untyped
  %one.scores = onnx.node "MatMul"(%q, %k.one) {name = "one.scores", output_names = ["one.scores"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %causal3 = onnx.node "Expand"(%causal, %pad3) {name = "causal3", output_names = ["causal3"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %batch.scores = onnx.node "Where"(%causal3, %one.scores, %low) {name = "batch.scores", output_names = ["batch.scores"]}
      : (!onnx.untyped, !onnx.untyped, tensor<f32>) -> !onnx.untyped
  %batch.soft = onnx.node "Softmax"(%batch.scores) {name = "batch.soft", output_names = ["batch.soft"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'batch.values': expected as many outputs as queries, of one size}}
  %batch.values = onnx.node "MatMul"(%batch.soft, %v.one) {name = "batch.values", output_names = ["batch.values"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %q.wide = onnx.node "Expand"(%q, %e1) {name = "q.wide", output_names = ["q.wide"]}
      : (!onnx.untyped, tensor<5xi64>) -> !onnx.untyped
  %k.wide = onnx.node "Expand"(%kt, %e2b) {name = "k.wide", output_names = ["k.wide"]}
      : (!onnx.untyped, tensor<5xi64>) -> !onnx.untyped
  // expected-note @below {{'wide.scores': expected heads of 1 to 1048576 columns in all}}
  %wide.scores = onnx.node "MatMul"(%q.wide, %k.wide) {name = "wide.scores", output_names = ["wide.scores"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %q.four = onnx.node "Gather"(%q, %h0101) {name = "q.four", node_attributes = {axis = 1}, output_names = ["q.four"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %k.four = onnx.node "Gather"(%kt, %h0001) {name = "k.four", node_attributes = {axis = 1}, output_names = ["k.four"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %v.four = onnx.node "Gather"(%vc, %h0001) {name = "v.four", node_attributes = {axis = 1}, output_names = ["v.four"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %s.four = onnx.node "MatMul"(%q.four, %k.four) {name = "s.four", output_names = ["s.four"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %m.four = onnx.node "Where"(%causal, %s.four, %low) {name = "m.four", output_names = ["m.four"]}
      : (!onnx.untyped, !onnx.untyped, tensor<f32>) -> !onnx.untyped
  %p.four = onnx.node "Softmax"(%m.four) {name = "p.four", output_names = ["p.four"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'attention.four': expected key/value heads that are shared evenly}}
  %attention.four = onnx.node "MatMul"(%p.four, %v.four) {name = "attention.four", output_names = ["attention.four"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %q.three = onnx.node "Gather"(%q, %h010) {name = "q.three", node_attributes = {axis = 1}, output_names = ["q.three"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  %k.three = onnx.node "Gather"(%kt, %h001) {name = "k.three", node_attributes = {axis = 1}, output_names = ["k.three"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  %v.three = onnx.node "Gather"(%vc, %h001) {name = "v.three", node_attributes = {axis = 1}, output_names = ["v.three"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  %s.three = onnx.node "MatMul"(%q.three, %k.three) {name = "s.three", output_names = ["s.three"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %m.three = onnx.node "Where"(%causal, %s.three, %low) {name = "m.three", output_names = ["m.three"]}
      : (!onnx.untyped, !onnx.untyped, tensor<f32>) -> !onnx.untyped
  %p.three = onnx.node "Softmax"(%m.three) {name = "p.three", output_names = ["p.three"]}
      : (!onnx.untyped) -> !onnx.untyped
  %attention.three = onnx.node "MatMul"(%p.three, %v.three) {name = "attention.three", output_names = ["attention.three"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'attention.axis': expected heads before rows}}
  %attention.axis = onnx.node "Attention"(%yh, %yh, %yh) {name = "attention.axis", output_names = ["attention.axis"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'attention.past': expected the cache as it comes in}}
  %attention.past = onnx.node "Attention"(%q, %kh, %kh, %none, %kh, %kh) {name = "attention.past", output_names = ["attention.past"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, !onnx.absent, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'attention.heads': expected heads that divide a width of 8, found 3}}
  %attention.heads = onnx.node "Attention"(%x, %x, %x) {name = "attention.heads", node_attributes = {q_num_heads = 3, kv_num_heads = 3}, output_names = ["attention.heads"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'attention.shares': expected key/value heads that divide the query's}}
  %attention.shares = onnx.node "Attention"(%x, %x, %x) {name = "attention.shares", node_attributes = {q_num_heads = 2, kv_num_heads = 4}, output_names = ["attention.shares"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'attention.tokens': expected a mask that does not depend on tokens}}
  %attention.tokens = onnx.node "Attention"(%q, %kc, %vc, %scores) {name = "attention.tokens", output_names = ["attention.tokens"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'attention.both': expected is_causal to have the cache as inputs past_key and past_value, found keys that were joined with it}}
  %attention.both = onnx.node "Attention"(%q, %kc, %vc, %causal) {name = "attention.both", node_attributes = {is_causal = 1}, output_names = ["attention.both"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %q3 = onnx.node "Reshape"(%q, %shape3) {name = "q3", output_names = ["q3"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  // expected-note @below {{'gqa.batch': expected a query of one sequence}}
  %gqa.batch:3 = onnx.node "GroupQueryAttention"(%q3, %q3, %q3, %pk, %pv, %s28, %s29) {domain = "com.microsoft", name = "gqa.batch", node_attributes = {num_heads = 2, kv_num_heads = 2}, output_names = ["gqa.batch.0", "gqa.batch.1", "gqa.batch.2"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<i64>, tensor<i64>) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  // expected-note @below {{'gqa.lengths': expected lengths of one full sequence as inputs 5 and 6}}
  %gqa.lengths:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pk, %pv, %s28, %s28) {domain = "com.microsoft", name = "gqa.lengths", node_attributes = {num_heads = 2, kv_num_heads = 2}, output_names = ["gqa.lengths.0", "gqa.lengths.1", "gqa.lengths.2"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<i64>, tensor<i64>) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  // expected-note @below {{'gqa.sinks': expected a constant sink for each of 2 heads}}
  %gqa.sinks:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pk, %pv, %s28, %s29, %none, %none, %none, %none, %t642) {domain = "com.microsoft", name = "gqa.sinks", node_attributes = {num_heads = 2, kv_num_heads = 2}, output_names = ["gqa.sinks.0", "gqa.sinks.1", "gqa.sinks.2"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<i64>, tensor<i64>, !onnx.absent, !onnx.absent, !onnx.absent, !onnx.absent, tensor<64x2xf32>) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  // expected-note @below {{'gqa.tables': expected tables of angles}}
  %gqa.tables:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pk, %pv, %s28, %s29) {domain = "com.microsoft", name = "gqa.tables", node_attributes = {num_heads = 2, kv_num_heads = 2, do_rotary = 1}, output_names = ["gqa.tables.0", "gqa.tables.1", "gqa.tables.2"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<i64>, tensor<i64>) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  // expected-note @below {{'gqa.angles': expected tables of angles that are a frequency times the position}}
  %gqa.angles:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pk, %pv, %s28, %s29, %t642, %t642) {domain = "com.microsoft", name = "gqa.angles", node_attributes = {num_heads = 2, kv_num_heads = 2, do_rotary = 1}, output_names = ["gqa.angles.0", "gqa.angles.1", "gqa.angles.2"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<i64>, tensor<i64>, tensor<64x2xf32>, tensor<64x2xf32>) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  // expected-note @below {{'gqa.positions': expected known positions that count up from the past}}
  %gqa.positions:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pk, %pv, %s28, %s29, %t642, %t642, %ids) {domain = "com.microsoft", name = "gqa.positions", node_attributes = {num_heads = 2, kv_num_heads = 2, do_rotary = 1}, output_names = ["gqa.positions.0", "gqa.positions.1", "gqa.positions.2"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<i64>, tensor<i64>, tensor<64x2xf32>, tensor<64x2xf32>, tensor<?x?xi64>) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  // expected-note @below {{'gqa.norms': expected norms of queries and keys alike}}
  %gqa.norms:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pk, %pv, %s28, %s29, %none, %none, %none, %none, %none, %none, %none, %g4) {domain = "com.microsoft", name = "gqa.norms", node_attributes = {num_heads = 2, kv_num_heads = 2}, output_names = ["gqa.norms.0", "gqa.norms.1", "gqa.norms.2"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<i64>, tensor<i64>, !onnx.absent, !onnx.absent, !onnx.absent, !onnx.absent, !onnx.absent, !onnx.absent, !onnx.absent, tensor<4xf32>) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  // expected-note @below {{'gqa.gain': expected constant gains of norms as wide as a head}}
  %gqa.gain:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pk, %pv, %s28, %s29, %none, %none, %none, %none, %none, %none, %none, %g8, %g8) {domain = "com.microsoft", name = "gqa.gain", node_attributes = {num_heads = 2, kv_num_heads = 2}, output_names = ["gqa.gain.0", "gqa.gain.1", "gqa.gain.2"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<i64>, tensor<i64>, !onnx.absent, !onnx.absent, !onnx.absent, !onnx.absent, !onnx.absent, !onnx.absent, !onnx.absent, tensor<8xf32>, tensor<8xf32>) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  // expected-note @below {{'gqa.past': expected the cache as it comes in}}
  %gqa.past:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %kh, %kh, %s28, %s29) {domain = "com.microsoft", name = "gqa.past", node_attributes = {num_heads = 2, kv_num_heads = 2}, output_names = ["gqa.past.0", "gqa.past.1", "gqa.past.2"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, !onnx.untyped, !onnx.untyped, tensor<i64>, tensor<i64>) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  onnx.yield %x : !onnx.untyped
}
}
