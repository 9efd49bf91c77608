//===- Passes.td - passes that leave out weights, channels, heads and layers -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_PASSES_TD
#define LLMC_TRANSFORMS_PRUNING_PASSES_TD

include "llmc/Calibration/CalibrationOptions.td"
include "llmc/Transforms/CompressionOptions.td"
include "llmc/Transforms/Pruning/PruningOptions.td"
include "llmc/Transforms/Quantization/QuantizationOptions.td"

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

//===----------------------------------------------------------------------===//
// Channels and heads
//===----------------------------------------------------------------------===//

/// What is scored, and how much of it is left out.
defvar unitOptions = [
  Option<"ratio", "ratio", "double", /*default=*/"0.1",
         "The share of all that is left out, by the weights that go with it">,
  Option<"score", "score", "::llmc::UnitScore", /*default=*/"::llmc::UnitScore::FLAP",
         "What tells which are left out",
         [{::llvm::cl::values(
             clEnumValN(::llmc::UnitScore::FLAP, "flap", "how much their inputs vary, and weights"),
             clEnumValN(::llmc::UnitScore::Wanda, "wanda", "how large their inputs are, and weights"),
             clEnumValN(::llmc::UnitScore::Magnitude, "magnitude", "weights alone"))}]>,
  Option<"allocation", "allocation", "::llmc::UnitAllocation",
         /*default=*/"::llmc::UnitAllocation::Global", "How layers are held against each other",
         [{::llvm::cl::values(
             clEnumValN(::llmc::UnitAllocation::Global, "global",
                        "scores in standard deviations from their layer's mean, one threshold"),
             clEnumValN(::llmc::UnitAllocation::Uniform, "uniform", "the same share of each"))}]>,
  Option<"compensate", "compensate", "bool", /*default=*/"true",
         "Let biases make up for the mean of what is left out">
];

/// Which of them a pass takes in, and what its walk needs.
defvar unitWalkOptions = !listconcat([
  ListOption<"ignore", "ignore", "std::string",
             "Regular expressions: what is read by parameters whose name one of them matches is left alone">,
  ListOption<"only", "only", "std::string",
             "Regular expressions: what is read by parameters whose name none of them matches is left alone">,
  Option<"statistics", "statistics", "std::string", /*default=*/"\"\"",
         "Read the statistics from a file that save-statistics wrote; nothing is run">
], calibrationOptions, structureReportOptions);

def PruneChannels : Pass<"prune-channels", "::mlir::ModuleOp"> {
  let summary = "Leave out channels in the middle of MLPs";
  let description = [{
    Makes MLPs narrower: channels between their linears are left out, rows of gate and up and columns
    of down, where they count least for what down computes (An et al. 2024, "Fluctuation-based adaptive
    structured pruning for large language models", sections 3.2 to 3.4; "FLAP"). Scores of a channel j
    of inputs x with the weights W of down:

    | `score` | |
    |---------|---|
    | `flap` | Var(x_j) · ‖W_:,j‖² |
    | `wanda` | √(mean of x_j²) · ‖W_:,j‖₁ |
    | `magnitude` | ‖W_:,j‖ |

    With `allocation=global` scores become standard deviations from their layer's mean, and the lowest
    of all layers go, so that each layer gets its own width. Widths are then rounded to the nearest
    multiple of `multiple`, which kernels and groups of weights like; at least so many channels stay.

    What channels that are left out gave on the mean, W_:,j · mean(x_j), becomes a part of down's bias
    (`compensate`), which gets one where it had none: over the calibration tokens the mean error of
    what down computes is zero. Statistics are of the model as it was. Without compensation
    `magnitude` needs no data.

    MLPs with a norm over their channels, and those that share weights, stay as they are, with a remark.
    Weights have to be floats: structure comes before rounding.

    Before:
    ```mlir
    %u = llmc.linear %n, %up : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
    %a = llmc.activation <gelu> %u : tensor<?x1536xf32>
    %d = llmc.linear %a, %down : (tensor<?x1536xf32>, tensor<576x1536xf32>) -> tensor<?x576xf32>
    ```
    After, where 128 channels of this layer are left out:
    ```mlir
    %u = llmc.linear %n, %up : (tensor<?x576xf32>, tensor<1408x576xf32>) -> tensor<?x1408xf32>
    %a = llmc.activation <gelu> %u : tensor<?x1408xf32>
    %d = llmc.linear %a, %down bias %b : (tensor<?x1408xf32>, tensor<576x1408xf32>, tensor<576xf32>) -> tensor<?x576xf32>
    ```

    The report has a line for each MLP with its width before and after, and the model's size before and
    after as with `drop-layers`.
  }];
  let options = !listconcat(unitOptions, [
    Option<"multiple", "multiple", "int64_t", /*default=*/"32", "What widths are multiples of">
  ], unitWalkOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def PruneHeads : Pass<"prune-heads", "::mlir::ModuleOp"> {
  let summary = "Leave out heads of attention";
  let description = [{
    Leaves out key/value heads with all query heads that share them: rows of queries, keys and values,
    columns of the output projection, and the heads of the caches. Scores, the share that goes, how
    biases make up for it and what is reported are as with `prune-channels`, where a head's score is
    the sum of its channels', and x is what attention computes. At least one key/value head of each
    attention stays.

    Attentions with a norm over all heads, and those that share weights or caches, stay as they are,
    with a remark. Weights have to be floats: structure comes before rounding.

    Before, with 9 query heads and 3 of keys and values:
    ```mlir
    %c = llmc.cache_append %cache, %k, %v, %rows : !llmc.kv_cache<3x64, …>, tensor<?x192xf32>, tensor<?x192xf32>
    %a = llmc.attention %q, %c, %rows : tensor<?x576xf32>, !llmc.kv_cache<3x64, …> {heads = 9 : i64, scale = 0.125 : f32}
    %o = llmc.linear %a, %out : (tensor<?x576xf32>, tensor<576x576xf32>) -> tensor<?x576xf32>
    ```
    After, where one key/value head is left out:
    ```mlir
    %c = llmc.cache_append %cache, %k, %v, %rows : !llmc.kv_cache<2x64, …>, tensor<?x128xf32>, tensor<?x128xf32>
    %a = llmc.attention %q, %c, %rows : tensor<?x384xf32>, !llmc.kv_cache<2x64, …> {heads = 6 : i64, scale = 0.125 : f32}
    %o = llmc.linear %a, %out bias %b : (tensor<?x384xf32>, tensor<576x384xf32>, tensor<576xf32>) -> tensor<?x576xf32>
    ```
  }];
  let options = !listconcat(unitOptions, unitWalkOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

//===----------------------------------------------------------------------===//
// The residual stream
//===----------------------------------------------------------------------===//

def Slice : Pass<"slice", "::mlir::ModuleOp"> {
  let summary = "Leave out the residual stream's directions of least variance";
  let description = [{
    Makes the residual stream narrower, and with it all matrices that write to it and read it (Ashkboos
    et al. 2024, "SliceGPT: compress large language models by deleting rows and columns", sections 3.2
    to 3.4). At every place where norms read the stream it gets a basis of its own: the eigenvectors of
    the second moment of what the norm gives there, over calibration tokens, by falling eigenvalue.
    The first of them stay, as many as `width` or `keep` says; weights that read are multiplied with
    them, W ← W·Q, those that write W ← Qᵀ·W, and between two places with the bases P and Q stands a
    linear of the weight Qᵀ·P, on the stream itself. In fp64 all of them together give what the model
    gave; what is lost is what lies in the others.

    Before that gains and biases of norms become a part of what reads them, and norms that take the
    mean off become RMS norms of a stream that has none, as with `rotate{where=residual}`. An
    embedding that is the head as well stays as it is and stays one: a linear of its own lies between it
    and the stream on either side. Norms count the channels that are left: their gains and epsilons make
    up for the others. Statistics are of the model as it was.

    A linear at each place costs as many weights as the square of the width, so that little is gained
    before much is left out: a width at which the model would be larger is refused. With `keep=1` it
    stays as it is. Models whose stream can't be rotated, such as those with a norm on what is added to
    it, and those whose layers share weights, are refused. Weights have to be floats: structure comes
    before rounding. The stream is no sum of what layers add afterwards: passes that need that refuse.

    Before:
    ```mlir
    %n = llmc.rms_norm %h0, %norm : tensor<?x576xf32>, tensor<576xf32> {epsilon = 1.0e-5 : f32}
    …
    %o = llmc.linear %a, %out : (tensor<?x576xf32>, tensor<576x576xf32>) -> tensor<?x576xf32>
    %h1 = arith.addf %h0, %o : tensor<?x576xf32>
    ```
    After `slice{width=384}`:
    ```mlir
    %n = llmc.rms_norm %h0, %norm : tensor<?x384xf32>, tensor<384xf32> {epsilon = 1.5e-5 : f32}
    …
    %o = llmc.linear %a, %out : (tensor<?x576xf32>, tensor<384x576xf32>) -> tensor<?x384xf32>
    %r = llmc.linear %h0, %between : (tensor<?x384xf32>, tensor<384x384xf32>) -> tensor<?x384xf32>
    %h1 = arith.addf %r, %o : tensor<?x384xf32>
    ```

    The report has a line for each place, named by the first weight that reads there, with the share of
    the sum of eigenvalues that stays, and the model's size before and after as with `drop-layers`.
  }];
  let options = !listconcat([
    Option<"keep", "keep", "std::string", /*default=*/"\"\"",
           "The share of the stream's channels that stays, above 0 and at most 1; default: 0.75">,
    Option<"width", "width", "int64_t", /*default=*/"0", "In place of keep: how many channels stay">,
    Option<"multiple", "multiple", "int64_t", /*default=*/"32",
           "With `keep`: what the width is a multiple of">
  ], calibrationOptions, structureReportOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

def PruneMagnitude : Pass<"prune-magnitude", "::mlir::ModuleOp"> {
  let summary = "Keep weights of largest magnitude";
  let description = [{
    Keeps of each M weights that stand side by side in a row the N of largest magnitude (of the same
    magnitude, those that come first), or with `sparsity` the largest of each matrix; the others become
    zero. Kept ones are stored as `#llmc.sparse`, or as `#llmc.masked` where the pattern is none, or one
    whose positions would take more than a bit a weight. It needs no data.

    Kept weights stay what they are: floats, or the codes of a weight that is rounded already, whose
    decoded values are compared. Passes that round weights afterwards round those that are kept and
    leave the others zero. Weights that are pruned already stay as they are, with a remark.

    Before:
    ```mlir
    llmc.parameter @up : tensor<1536x576xf32> = #llmc.file<"model.onnx.data", offset = 81920>
    ```
    After `prune-magnitude{pattern=2:4}`:
    ```mlir
    llmc.parameter @up : tensor<1536x576xf32, #llmc.sparse<2:4, f32>> = dense_resource<up> : tensor<1990656xi8>
    ```
    and after `quantize-rtn{group-size=32}` then, or if that came first:
    ```mlir
    #w = #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>
    llmc.parameter @up : tensor<1536x576xf32, #llmc.sparse<2:4, #w>> = dense_resource<up> : tensor<387072xi8>
    ```

    Where inputs are rounded and weights have floating-point minima, products are integers no longer
    once weights are pruned, for which no code stands: their inputs are not rounded then, and a
    warning says so.

    With `allocation=global` the largest of all matrices together are kept, of each 1 of 100 at least.

    The report is that of `quantize-rtn`: its error is what the weights left out are of all.
  }];
  let options = !listconcat(patternOptions, compressionOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def PruneWanda : Pass<"prune-wanda", "::mlir::ModuleOp"> {
  let summary = "Keep weights that count most for the outputs";
  let description = [{
    Runs the model on calibration tokens, and keeps of each M weights that stand side by side in a row
    the N of largest |w|·‖x‖, where ‖x‖ is the norm of the weight's inputs (Sun et al. 2024, "A simple
    and effective pruning approach for large language models", section 3; "Wanda"), or with `sparsity`
    those of each row. Layers are taken in the order of the program, each on inputs that come from
    layers that are pruned already.

    With `allocation` matrices lose different shares, `sparsity` of all their weights, by the scores
    |w|·‖x‖ in the model as it was, which is run for them first. `global` is one threshold for all. `owl`
    spares layers in which more weights stand out: the share D of a layer's scores that are above 5
    times their mean tells its sparsity, which falls as D grows, by 0.16 from the layer of fewest to that
    of most (Yin et al. 2024, "Outlier weighed layerwise sparsity (OWL): a missing secret sauce for
    pruning LLMs to high sparsity", section 3.2).

    Kept weights stay what they are, as with `prune-magnitude`, and are stored in the same way.

    Before:
    ```mlir
    llmc.parameter @up : tensor<1536x576xf32> = #llmc.file<"model.onnx.data", offset = 81920>
    ```
    After `prune-wanda{pattern=2:4}`:
    ```mlir
    llmc.parameter @up : tensor<1536x576xf32, #llmc.sparse<2:4, f32>> = dense_resource<up> : tensor<1990656xi8>
    ```

    The report gives the relative errors of the weights, and of their outputs on the calibration
    tokens, ‖(W − W')X‖ / ‖WX‖. With `include-head` a head that a linear reads is pruned; a token
    embedding of its own has no inputs and is left alone.
  }];
  let options = !listconcat(patternOptions, calibrationOptions, sequentialOptions,
                            compressionOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def PruneSparseGPT : Pass<"prune-sparsegpt", "::mlir::ModuleOp"> {
  let summary = "Prune weights, and let the others make up for them";
  let description = [{
    Runs the model on calibration tokens, and prunes the weights of each linear column by column; what
    a column loses is made up for by the columns still to come, in the way that is best for the inputs
    seen (Frantar and Alistarh 2023, "SparseGPT: massive language models can be accurately pruned in
    one-shot"). Layers are taken in the order of the program, each on inputs that come from layers
    that are pruned already.

    With H = Σ x·xᵀ over the inputs, dampened as by `quantize-gptq`, and H⁻¹ = Uᵀ·U, the loss of a
    weight is w² / U_jj². Of each M weights that stand side by side in a row the N of largest loss are
    kept, chosen when the first of them is reached, by what the weights have become by then. With
    `sparsity` those of largest loss in each 128 columns are kept, in all rows together; `allocation`
    spreads it over matrices as by `prune-wanda`.

    With `format` kept weights are rounded in the same loop, and the options of `quantize-gptq` say
    how: what rounding loses is made up for together with what pruning loses (section 3.5). Without
    `include-head` the token embedding and the head are rounded to nearest, as `head-format` says, and
    not pruned. Without a format kept weights are floats, and no other weight changes.

    Before:
    ```mlir
    llmc.parameter @up : tensor<1536x576xf32> = #llmc.file<"model.onnx.data", offset = 81920>
    ```
    After `prune-sparsegpt{pattern=2:4}`:
    ```mlir
    llmc.parameter @up : tensor<1536x576xf32, #llmc.sparse<2:4, f32>> = dense_resource<up> : tensor<1990656xi8>
    ```
    and after `prune-sparsegpt{pattern=2:4 format=int group-size=32}`:
    ```mlir
    #w = #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>
    llmc.parameter @up : tensor<1536x576xf32, #llmc.sparse<2:4, #w>> = dense_resource<up> : tensor<387072xi8>
    ```

    Weights that are pruned already stay as they are, with a remark. The report is that of
    `quantize-gptq`.
  }];
  let options = !listconcat([
    Option<"format", "format", "std::string", /*default=*/"\"none\"",
           "How kept weights are stored: none (as floats), or a format of quantize-gptq, to which they "
           "are rounded in the same loop">
  ], patternOptions, [
    Option<"damp", "damp", "double", /*default=*/"0.01",
           "What is added to the second moment's diagonal, as a part of its mean">
  ], gridOptions, calibrationOptions, sequentialOptions, compressionOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

#endif // LLMC_TRANSFORMS_PRUNING_PASSES_TD
