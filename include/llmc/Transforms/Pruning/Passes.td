//===- Passes.td - passes that leave out layers -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_PASSES_TD
#define LLMC_TRANSFORMS_PRUNING_PASSES_TD

include "llmc/Calibration/CalibrationOptions.td"

/// Where a pass reports that leaves out parts of a model.
defvar structureReportOptions = [
  Option<"table", "table", "bool", /*default=*/"true",
         "Print what was done, and the model's size before and after, to the standard error stream">,
  Option<"report", "report", "std::string", /*default=*/"\"\"",
         "Write the same as JSON to this file">
];

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

def DropLayers : Pass<"drop-layers", "::mlir::ModuleOp"> {
  let summary = "Leave out the layers that change the residual stream least";
  let description = [{
    Runs the model on calibration tokens and measures the influence of every layer: the mean over all
    tokens of 1 − cos(x, y), where x enters the layer and y leaves it (Men et al. 2024, "ShortGPT:
    layers in large language models are more redundant than you expect", section 3.1). The `count`
    layers of least influence, or a share of all (`ratio`), are left out: what reads y reads x. Their
    weights and caches go with them; the names of all others stay. The first and the last layer are
    always kept. With `layers` those are left out, and nothing is run.

    A layer begins where a single activation is alive before an attention and ends where the next one
    begins. Where values go around that place, as where layers share keys and values, several
    attentions are one layer. Weights of any encoding may be left out.

    Before:
    ```mlir
    func.func @step(…, %cache0: …, %cache1: …, %cache2: …, …)
      %h1 = call @block(%h0, %rows, %cache0, %norm0, …)
      %h2 = call @block(%h1, %rows, %cache1, %norm1, …)
      %h3 = call @block(%h2, %rows, %cache2, %norm2, …)
    ```
    After `drop-layers{layers=1}`:
    ```mlir
    func.func @step(…, %cache0: …, %cache2: …, …)
      %h1 = call @block(%h0, %rows, %cache0, %norm0, …)
      %h3 = call @block(%h1, %rows, %cache2, %norm2, …)
    ```

    The report has a line for each layer with its influence, and the parameters of the model, their
    bytes, and the operations that its linears take for a token, 2 for a weight, before and after.
  }];
  let options = !listconcat([
    Option<"count", "count", "std::string", /*default=*/"\"\"", "Layers to leave out">,
    Option<"ratio", "ratio", "std::string", /*default=*/"\"\"",
           "In place of count: the share of the layers to leave out">,
    ListOption<"layers", "layers", "int64_t",
               "In place of both: numbers of the layers to leave out, counted from 0">
  ], calibrationOptions, structureReportOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def ShareLayers : Pass<"share-layers", "::mlir::ModuleOp"> {
  let summary = "Let neighbouring layers compute with one set of weights";
  let description = [{
    Lets each `group` layers that follow each other read the parameters of the first of them, which are
    stored once (Liu et al. 2024, "MobileLLM: optimizing sub-billion parameter language models for
    on-device use cases", section 3.4). What is computed and cached stays as much. `weights` says what
    becomes of the parameters of a group: with `first` those of its first layer stand for all, with
    `mean` their means do. Weights of any encoding can be shared, but only of floats means be taken.

    Layers share what they read in the same places: their operations and the types of their parameters
    have to agree. From `begin` to before `end` layers are grouped, by default all; the last group has
    fewer where their number is no multiple. It needs no data. The model is another one afterwards
    and has to be trained again, if it was not made to share.

    Before:
    ```mlir
    %h1 = call @block(%h0, %rows, %cache0, %norm0, …)
    %h2 = call @block(%h1, %rows, %cache1, %norm1, …)
    ```
    After, without `@norm1` and the others of its layer:
    ```mlir
    %h1 = call @block(%h0, %rows, %cache0, %norm0, …)
    %h2 = call @block(%h1, %rows, %cache1, %norm0, …)
    ```

    The report has a line for each group, and the model's size before and after as with `drop-layers`.
  }];
  let options = !listconcat([
    Option<"group", "group", "int64_t", /*default=*/"2", "Layers that share their weights">,
    Option<"weights", "weights", "::llmc::SharedWeights", /*default=*/"::llmc::SharedWeights::First",
           "What becomes of the weights of a group",
           [{::llvm::cl::values(
               clEnumValN(::llmc::SharedWeights::First, "first", "those of its first layer stay"),
               clEnumValN(::llmc::SharedWeights::Mean, "mean", "the mean of its layers'"))}]>,
    Option<"begin", "begin", "int64_t", /*default=*/"0", "The first layer that shares">,
    Option<"end", "end", "int64_t", /*default=*/"-1", "The first layer behind those; -1: none is">
  ], structureReportOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

#endif // LLMC_TRANSFORMS_PRUNING_PASSES_TD
