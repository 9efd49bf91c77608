//===- Passes.td - the raise as a pass -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_ONNXTOLLMC_PASSES_TD
#define LLMC_CONVERSION_ONNXTOLLMC_PASSES_TD

include "mlir/Pass/PassBase.td"

def NormalizeONNX : Pass<"normalize-onnx", "::mlir::ModuleOp"> {
  let summary = "Write an ONNX graph in the operators that the raise knows";
  let description = [{
    The first step of `raise-onnx`, as a pass to look at:
    - calls of the model's own functions are replaced by their nodes;
    - operators that fuse others are written as the nodes that they stand for, which keep the name
      and the location of the node that they replace; sequences as the tensors in them, Einsum as
      products of matrices;
    - of the outputs the logits stay, the others are left out: caches silently, what holds something
      of its own with a remark;
    - caches of any layout (keys and values in one tensor, positions before heads, no batch) become
      inputs of batch × heads × past × size;
    - an `If` whose branches are the same goes away.

    Before:
    ```mlir
    %y = onnx.node "FusedMatMul"(%a, %b) {domain = "com.microsoft", node_attributes = {transB = 1 : i64}, …}
    ```
    After:
    ```mlir
    %t = onnx.node "Transpose"(%b) {node_attributes = {perm = array<i64: 0, 1, 3, 2>}, …}
    %y = onnx.node "MatMul"(%a, %t) {…}
    ```
  }];
  let dependentDialects = ["::llmc::carrier::ONNXDialect"];
}

def RaiseONNX : Pass<"raise-onnx", "::mlir::ModuleOp"> {
  let summary = "Raise an ONNX graph to the language of models";
  let description = [{
    Finds what the graph of a decoder means and writes it down as `llmc` operations: linears with
    out × in weights, embeddings, norms, rotations, attention over caches updated in place.

    The graph is run at chosen lengths to learn all shapes, positions, masks and angles as numbers;
    reshapes and transposes become views of rows; functions are recognized by their values, masks by
    what they let through, rotations by their angles. So it does not matter how an exporter spelled
    them. What was seen at one length is checked in the graph's other regimes: without a past and
    with one, with one row and with several, at the first positions and the last ones of the
    context, and around every number that a mask, an angle or a condition is computed from. Where a
    graph behaves otherwise at longer texts, the context ends there, and a remark says so.

    The program gives logits. Where other outputs hold rows too, such as hidden states, the one with
    `logits` in its name is taken, and a remark names those left out.

    Rows that DynamicQuantizeLinear rounds for MatMulInteger are rounded to 8 bits in groups of 32,
    not with one scale for all rows, so that no row depends on another.

    Integers with DequantizeLinear become `#llmc.grouped` parameters where they share scales along
    the inputs, else their values. Tables of angles in fp16 or bf16 give the frequencies behind
    them: powers of one number, over factors of the first and the last where a scaling for longer
    contexts left those, as far as the tables' rounding allows.

    With `check-import` the graph as it stands is run operator by operator, and the result as the
    compiled program that it becomes; where logits differ, the raise fails, and the message names the
    first position and the first layer that do.

    Before:
    ```mlir
    %y = onnx.node "MatMul"(%x, %w) {…} : (…) -> tensor<?x?x1536xf32>
    ```
    After:
    ```mlir
    %y = llmc.linear %x, %w : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
    ```
  }];
  let options = [
    Option<"context", "context", "int64_t", /*default=*/"0",
           "Positions that caches hold; 0: as many as the model's tables and conditions allow, at most "
           "2048">,
    Option<"checkImport", "check-import", "::llmc::ImportCheck",
           /*default=*/"::llmc::ImportCheck::Off",
           "Compare the result with the graph run operator by operator: off, quick or full",
           "::llmc::getImportCheckValues()">
  ];
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect",
                           "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // LLMC_CONVERSION_ONNXTOLLMC_PASSES_TD
