//===- Passes.td - from the language of models to plans -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_LLMCTOSPMD_PASSES_TD
#define LLMC_CONVERSION_LLMCTOSPMD_PASSES_TD

include "mlir/Pass/PassBase.td"

def MaterializeSharedValues : Pass<"materialize-shared-values", "::mlir::ModuleOp"> {
  let summary = "Make values of what several layers compute for themselves";
  let description = [{
    Linears that round the same rows in the same way, and rotations of the same rows by the same
    angles, share what they compute: it becomes a value of its own, `llmc.round` for the rows,
    `llmc.rotation_table` for the cosines and sines. A function that others call is given its
    tables, so that blocks do not compute them again. `convert-llmc-to-spmd` does this first.

    Before:
    ```mlir
    %q = llmc.linear %x, %wq activation <bits = 8, group = 32> : …
    %k = llmc.linear %x, %wk activation <bits = 8, group = 32> : …
    %r = llmc.rope %q, %rows : tensor<?x64xf32> {heads = 1 : i64, frequencies = array<f32: …>}
    ```
    After:
    ```mlir
    %t = llmc.rotation_table %rows : tensor<?x64xf32> {frequencies = array<f32: …>, …}
    %c = llmc.round %x : tensor<?x64xf32> -> tensor<?x64xf32, #llmc.dynamic<bits = 8, group = 32>>
    %q = llmc.linear %c, %wq : …
    %k = llmc.linear %c, %wk : …
    %r = llmc.rotate %q, %t : tensor<?x64xf32>, tensor<?x64xf32> {heads = 1 : i64, pairs = 32 : i64}
    ```
  }];
  let dependentDialects = ["::llmc::LLMCDialect"];
}

def ConvertLLMCToSPMD : Pass<"convert-llmc-to-spmd", "::mlir::ModuleOp"> {
  let summary = "Plan a model's step as stages that all workers run";
  let description = [{
    Decides the order of a step's operations, which of them share a stage, where barriers stand and
    where values lie: packed weights get their places, caches theirs in a sequence's state, values
    that cross stages theirs in memory. A stage's body holds the model's own operations on tensors:
    nothing here knows of a target, which `convert-spmd-to-cpu` chooses kernels for.

    Operations that work row by row and follow each other without a barrier share a stage (a norm
    and the rounding of its rows, rotations and the append to the cache), and a linear takes the
    rows that it adds to along. A step of one row is planned on its own, with its own memory.

    The plan is complete: `spmd.program` says what the runtime is told (bytes of packed weights, of
    all workers' memory and of a sequence's caches, how long a text may be) and holds the parameters
    with their places in the packed weights.

    Before:
    ```mlir
    %y = llmc.linear %x, %w : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
    ```
    After:
    ```mlir
    spmd.barrier %step
    spmd.stage "up" reads(%0, %1 : !spmd.buffer<tensor<?x576xf32>, rows>,
                                   !spmd.buffer<tensor<1536x576xf32>>)
                    writes(%2 : !spmd.buffer<tensor<?x1536xf32>, rows>) {
    ^bb0(%x: tensor<?x576xf32>, %w: tensor<1536x576xf32>):
      %y = llmc.linear %x, %w : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
      spmd.yield %y : tensor<?x1536xf32>
    }
    ```
  }];
  let options = [
    Option<"maxRows", "max-rows", "int64_t", /*default=*/"128", "Tokens of a step">
  ];
  let dependentDialects = ["::llmc::LLMCDialect", "::llmc::spmd::SPMDDialect",
                           "::mlir::func::FuncDialect"];
}

#endif // LLMC_CONVERSION_LLMCTOSPMD_PASSES_TD
