//===- SPMDBase.td - the spmd dialect, and the step that all levels below know ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_SPMD_IR_SPMDBASE_TD
#define LLMC_DIALECT_SPMD_IR_SPMDBASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"

def SPMD_Dialect : Dialect {
  let name = "spmd";
  let cppNamespace = "::llmc::spmd";
  let summary = "Plans: who computes what, and when, on any target";
  let description = [{
    A step is a function that every worker runs (a thread, a block of threads, a rank). Its work is
    cut into stages, whose bodies are the model's own operations on tensors; a barrier stands
    between stages that depend on each other. Values that cross stages have a place, a buffer at a
    static offset of the function's frame, of the weights or of a sequence's state.

    ```mlir
    func.func private @step_rows(%step: !spmd.step) {
      %frame = spmd.arena %step
      %x = spmd.buffer %frame[0] : !spmd.buffer<tensor<?x576xf32>, rows>
      %w = spmd.weight %step @layers.0.up : !spmd.buffer<tensor<1536x576xf32>>
      %y = spmd.buffer %frame[294912] : !spmd.buffer<tensor<?x1536xf32>, rows>
      …
      spmd.barrier %step
      spmd.stage "layers.0.up" reads(%x, %w : …) writes(%y : …) {
      ^bb0(%a: tensor<?x576xf32>, %b: tensor<1536x576xf32>):
        %c = llmc.linear %a, %b : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
        spmd.yield %c : tensor<?x1536xf32>
      }
    ```

    A stage means what its body means; how many pieces it has, and which code computes them, is a
    target's to choose (`convert-spmd-to-cpu`). Only rows, of activations and of weights, are ever
    shared out, never a sum: results do not depend on the number of workers.

    `spmd.entry` makes two functions, for one row and for any number, one step. `spmd.program` says
    what the runtime is told, and where each parameter lies in the packed weights: with it a module
    is all that an object is made of.
  }];
  let extraClassDeclaration = [{
    /// The attribute of a program's parameters that says where they lie in the packed weights, i64.
    static constexpr ::llvm::StringLiteral offsetAttrName = "spmd.offset";
    /// The attribute of functions that are planned for steps of one row.
    static constexpr ::llvm::StringLiteral oneRowAttrName = "spmd.one_row";
  }];
  let hasOperationAttrVerify = 1;
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
}

def SPMD_Step : TypeDef<SPMD_Dialect, "Step"> {
  let mnemonic = "step";
  let summary = "What is computed (an llmc_step), and which worker of how many computes";
}

#endif // LLMC_DIALECT_SPMD_IR_SPMDBASE_TD
