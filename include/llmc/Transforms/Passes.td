//===- Passes.td - passes over the language of models -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PASSES_TD
#define LLMC_TRANSFORMS_PASSES_TD

include "llmc/Transforms/KVCache/Passes.td"
include "llmc/Transforms/LowRank/Passes.td"
include "llmc/Transforms/Pruning/Passes.td"
include "llmc/Transforms/Quantization/Passes.td"
include "llmc/Transforms/Rewrites/Passes.td"

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

def InlineBlocks : Pass<"inline-blocks", "::mlir::ModuleOp"> {
  let summary = "Put the bodies of blocks in the place of their calls";
  let description = [{
    Makes @step one flat function: every call to a private function of the module is replaced by the
    function's body, and functions that are called no longer are erased. `outline-blocks` is the way
    back.

    Before:
    ```mlir
    %h1 = call @block(%h0, %rows, %cache0, %up0, …)
    %h2 = call @block(%h1, %rows, %cache1, %up1, …)
    ```
    After:
    ```mlir
    %n0 = llmc.rms_norm %h0, %gain0 …
    …
    %n1 = llmc.rms_norm %h1, %gain1 …
    …
    ```
  }];
}

def OutlineBlocks : Pass<"outline-blocks", "::mlir::ModuleOp"> {
  let summary = "Make one function of identical blocks";
  let description = [{
    Finds runs of operations in @step that differ only in the parameters and caches they take, and
    makes a private function of each, called with the hidden state, the rows, the caches and the
    parameters. Compile time and code size then do not grow with depth.

    @step is cut wherever a single activation is alive. Operations that depend on nothing but rows
    and parameters stay in it. Pieces between cuts are alike if their operations, attributes, types
    and flow of values are; the run of pieces that saves most operations becomes the first function,
    then the next among what is left, down to runs of 4 operations. Calls are never taken into a
    function, so that running the pass again changes nothing.

    Before:
    ```mlir
    %n0 = llmc.rms_norm %h0, %gain0 …
    …
    %n1 = llmc.rms_norm %h1, %gain1 …
    …
    ```
    After:
    ```mlir
    func.func private @block(%h: tensor<?x576xf32>, %rows: !llmc.rows,
                             %cache: !llmc.kv_cache<…>, %gain: tensor<576xf32>, …) -> tensor<?x576xf32> {
      %n = llmc.rms_norm %h, %gain …
      …
    func.func @step(…) {
      %h1 = call @block(%h0, %rows, %cache0, %gain0, …)
      %h2 = call @block(%h1, %rows, %cache1, %gain1, …)
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def PrintStructure : Pass<"print-structure", "::mlir::ModuleOp"> {
  let summary = "Write what each weight is for and which channels belong together";
  let description = [{
    Writes to standard error, and changes nothing:
    - `roles`: what each embedding, linear and norm is for (query, gate, mlp_norm, …), and the block
      that it belongs to, counted from the first attention on.
    - `residual stream`: what its sum is made of, and which linears read it behind which norm.
    - `channels`: outputs and inputs of weights that can only be removed, reordered or scaled
      together. `hidden` are those in the middle of an MLP; a unit of `heads` is a key/value head with
      the query heads that share it, so many rows or columns of each weight as `by` says.
    - `scales`: for each input of linears, the norm or linear that a scale of its columns can be folded
      into, or the reason why there is none.
    - `unknown`: what is not understood, and part of no group.

    All of it follows from the operations and the flow of values; names of parameters and
    architectures play no part.

    A module with
    ```mlir
    %g = llmc.linear %n, %gate : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
    %u = llmc.linear %n, %up : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
    %a = llmc.gate <silu> %g, %u : tensor<?x1536xf32>
    %d = llmc.linear %a, %down : (tensor<?x1536xf32>, tensor<576x1536xf32>) -> tensor<?x576xf32>
    ```
    gives, among others, the lines
    ```
    hidden × 1536: rows of @gate, rows of @up, columns of @down
    up @up → down @down: 1536 factors
    ```
  }];
}

def BoundKeptWeights : Pass<"bound-kept-weights", "::mlir::ModuleOp"> {
  let summary = "Let values of masked parameters say how many weights are kept at most";
  let description = [{
    Gives the values of masked parameters of one shape and one inner encoding the type of the one that
    keeps most, and makes one function of blocks that are identical then. No kernel needs to know
    more: which weights are kept is said by the mask. Compile time and code size then do not grow with
    the number of matrices of which different shares are kept. Parameters stay as they are.

    Before:
    ```mlir
    llmc.parameter @up0 : tensor<1536x576xf32, #llmc.masked<442368, f16>> = …
    llmc.parameter @up1 : tensor<1536x576xf32, #llmc.masked<398131, f16>> = …
    …
    %up0 = llmc.parameter_value @up0 : tensor<1536x576xf32, #llmc.masked<442368, f16>>
    %up1 = llmc.parameter_value @up1 : tensor<1536x576xf32, #llmc.masked<398131, f16>>
    ```
    After:
    ```mlir
    %up0 = llmc.parameter_value @up0 : tensor<1536x576xf32, #llmc.masked<442368, f16>>
    %up1 = llmc.parameter_value @up1 : tensor<1536x576xf32, #llmc.masked<442368, f16>>
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def StripActivationRounding : Pass<"strip-activation-rounding", "::mlir::ModuleOp"> {
  let summary = "Compute linears on their inputs as they are";
  let description = [{
    Takes the rounding of its inputs from every linear, whoever stated it: the model's file, or a pass
    before this one. `llmc compile --activation=none` runs it after all others.

    Before:
    ```mlir
    %y = llmc.linear %x, %w activation <bits = 8, group = 32> :
        (tensor<?x576xf32>, tensor<1536x576xf32, #w>) -> tensor<?x1536xf32>
    ```
    After:
    ```mlir
    %y = llmc.linear %x, %w : (tensor<?x576xf32>, tensor<1536x576xf32, #w>) -> tensor<?x1536xf32>
    ```
  }];
}

#endif // LLMC_TRANSFORMS_PASSES_TD
