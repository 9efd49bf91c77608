//===- Passes.td - passes over the language of models -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PASSES_TD
#define LLMC_TRANSFORMS_PASSES_TD

include "llmc/Calibration/CalibrationOptions.td"
include "llmc/Transforms/LowRank/Passes.td"
include "llmc/Transforms/Pruning/Passes.td"
include "llmc/Transforms/Pruning/PruningOptions.td"
include "llmc/Transforms/Quantization/QuantizationOptions.td"

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

//===----------------------------------------------------------------------===//
// Rewrites: the model computes the same afterwards
//===----------------------------------------------------------------------===//

/// Which inputs a pass scales, and where it reports.
defvar scalingOptions = [
  ListOption<"ignore", "ignore", "std::string",
             "Regular expressions: inputs of parameters whose name one of them matches are left alone">,
  ListOption<"only", "only", "std::string",
             "Regular expressions: inputs of parameters whose name none of them matches are left alone">,
  Option<"table", "table", "bool", /*default=*/"true",
         "Print a line for each input to the standard error stream">
];

def FoldNorms : Pass<"fold-norms", "::mlir::ModuleOp"> {
  let summary = "Make the gains of norms a part of the weights behind them";
  let description = [{
    Multiplies the columns of weights with the gain of the norm that makes their input, and sets the
    gain to ones; a layer norm's bias becomes a part of the linears' biases. The model computes the
    same: products are taken in fp64 and rounded to fp32 once.

    Norms stay as they are, with a remark, where something else than linears reads them, where a
    weight behind them is used elsewhere too (a head that is the token embedding), or where heads
    share a gain. Weights have to be floats: rewrites come before roundings.

    Before:
    ```mlir
    %n = llmc.rms_norm %x, %gain : tensor<?x576xf32>, tensor<576xf32> {epsilon = 1.0e-5 : f32}
    %u = llmc.linear %n, %up : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
    ```
    After, with `%gain` of ones and `%up` times what it was, the same; and a layer norm
    ```mlir
    %n = llmc.layer_norm %x, %gain bias %b : tensor<?x768xf32>, tensor<768xf32>, tensor<768xf32> {epsilon = 1.0e-5 : f32}
    %u = llmc.linear %n, %up : (tensor<?x768xf32>, tensor<3072x768xf32>) -> tensor<?x3072xf32>
    ```
    becomes
    ```mlir
    %n = llmc.layer_norm %x, %gain : tensor<?x768xf32>, tensor<768xf32> {epsilon = 1.0e-5 : f32}
    %u = llmc.linear %n, %up bias %c : (tensor<?x768xf32>, tensor<3072x768xf32>, tensor<3072xf32>) -> tensor<?x3072xf32>
    ```
  }];
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def ScaleAWQ : Pass<"scale-awq", "::mlir::ModuleOp"> {
  let summary = "Scale channels so that rounding spares the weights of large inputs";
  let description = [{
    Multiplies the columns of weights with factors, and divides what makes their inputs by them: the
    model computes the same, but weights that meet large inputs are rounded on a finer grid (Lin et
    al. 2023, "AWQ: activation-aware weight quantization for LLM compression and acceleration"). It
    rounds nothing itself: `quantize-rtn` or another rounding of the same format follows.

    With a the mean magnitude of each input on the calibration tokens, factors are s = a^r, at least
    10^-4, divided by √(max s · min s), for the r of 0, 0.05, … 0.95 with the least error of the
    block's outputs on `search-samples` of the samples when weights are rounded to the format that the
    options name. With r = 0 nothing is changed: only what is better than that is.

    Factors are folded into the norm before queries, keys and values, into that before gate and up,
    into up before down, and into values before the output projection; where query heads share a value
    head, they share its factors. Inputs that nothing can be folded into stay as they are, and so do
    those of which some reader is not selected (`only`, `ignore`), and the head. Products are taken in
    fp64 and rounded to fp32.

    Before and after, with other values of `%gain`, `%gate` and `%up`:
    ```mlir
    %n = llmc.rms_norm %x, %gain : tensor<?x576xf32>, tensor<576xf32> {epsilon = 1.0e-5 : f32}
    %g = llmc.linear %n, %gate : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
    %u = llmc.linear %n, %up : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
    ```

    The report has a line for each input, under the name of the first weight that reads it: r, and
    the error Σ‖y' − y‖² / Σ‖y‖² of the block's outputs y with r = 0 and with this one.
  }];
  let options = !listconcat(weightFormatOptions, scalingOptions, calibrationOptions, [
    Option<"searchSamples", "search-samples", "int64_t", /*default=*/"1",
           "Samples that the blocks are run on in the search">
  ]);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def ScaleSmoothQuant : Pass<"scale-smoothquant", "::mlir::ModuleOp"> {
  let summary = "Scale channels so that inputs are easy to round";
  let description = [{
    Divides what makes the inputs of linears by factors and multiplies the columns of their weights
    with them: the model computes the same, but large channels of the inputs, which would take the
    scale of all others with them when inputs are rounded, become smaller at the cost of weights (Xiao
    et al. 2022, "SmoothQuant: accurate and efficient post-training quantization for large language
    models"). It rounds nothing itself: a rounding with `activation=i8` follows.

    Factors are s_j = max|X_j|^α / max|W_j|^(1 − α), at least 10^-5, with maxima over the calibration
    tokens and over all weights that read input j; 1 where either is 0. With `alpha=search` each input
    gets the α of 0, 0.05, … 1 with the least error of the block's outputs when its weights are
    rounded to integers of `bits` bits and it is rounded to 8 bits, and stays as it is where none is
    better. Where factors are folded in and what the report says is as with `scale-awq`.

    Before and after, with other values of `%gain` and `%up`:
    ```mlir
    %n = llmc.rms_norm %x, %gain : tensor<?x576xf32>, tensor<576xf32> {epsilon = 1.0e-5 : f32}
    %u = llmc.linear %n, %up : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
    ```
  }];
  let options = !listconcat([
    Option<"alpha", "alpha", "std::string", /*default=*/"\"0.5\"",
           "How much of the inputs' size goes into the weights, 0 to 1, or 'search'">,
    Option<"bits", "bits", "unsigned", /*default=*/"8", "With alpha=search: bits of a weight">,
    Option<"groupSize", "group-size", "std::string", /*default=*/"\"channel\"",
           "With alpha=search: weights of a row that share a scale, a number, 'channel' or 'tensor'">,
    Option<"activationGroup", "activation-group", "int64_t", /*default=*/"32",
           "With alpha=search: inputs that share a scale, a multiple of 32">,
    Option<"searchSamples", "search-samples", "int64_t", /*default=*/"1",
           "With alpha=search: samples that the blocks are run on">
  ], scalingOptions, calibrationOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def Rotate : Pass<"rotate", "::mlir::ModuleOp"> {
  let summary = "Change the basis of channels so that weights are easy to round";
  let description = [{
    Multiplies the channels between weights with an orthogonal matrix and undoes it in what reads
    them. The model computes the same, but no channel and no weight stands out any more, so that
    rounding loses less (Ashkboos et al. 2024, "QuaRot: outlier-free 4-bit inference in rotated LLMs";
    Liu et al. 2024, "SpinQuant: LLM quantization with learned rotations"). Products are taken in fp64
    and rounded to fp32 once. Weights have to be floats: rewrites come before roundings.

    | `where` | what is rotated | at run time |
    |---------|-----------------|-------------|
    | `residual` | the residual stream: rows of embeddings, outputs of what adds to it, inputs of what reads it | nothing |
    | `values` | the values of each head: outputs of v, inputs of o | nothing |
    | `down` | the inputs of the linears that end MLPs | an `llmc.hadamard` before each |
    | `keys` | queries and keys of each head, behind their positions | an `llmc.hadamard` of each |

    The last two are always of kind `hadamard`, and of blocks where the order would have a core above
    60. Rotated keys round better (`quantize-kv-cache`). With `where=free` the first two are rotated
    where the model allows it, and a warning says what stands in the way where it does not; else that
    is an error.

    Gains of norms that read the residual stream are folded first (`fold-norms`), but where all
    channels have the same; layer norms become RMS norms, and what writes to the stream loses its mean
    over the channels. Where an embedding is the head too, the gain before it can't be folded: both
    stay in the old basis, and an `llmc.hadamard` stands behind the embedding and another, the way
    back, before the last norm. With `head=untied`, of given matrices, of Hadamard matrices whose core
    is above 60, and of layer norms, the head becomes a parameter of its own instead, `NAME.head`.

    | `kind` | the matrix |
    |--------|------------|
    | `hadamard` | signs / √n: Sylvester's and Paley's matrices of order m · 2^k, m = 1, 12, 20, 28, 36, …; of the largest order that divides the width, block after block |
    | `randomized` | the same behind signs that `seed` chooses |
    | `given` | those of a file of safetensors (`matrices`): `residual` and `values`, of F64 or F32, x·Q for rows x; what they lack of orthogonality, at most 10^-5, is made up for |

    Before:
    ```mlir
    %d = llmc.linear %a, %down : (tensor<?x1536xf32>, tensor<576x1536xf32>) -> tensor<?x576xf32>
    …
    %logits = llmc.linear %n, %table : (tensor<?x576xf32>, tensor<49152x576xf32>) -> tensor<?x49152xf32>
    ```
    After `rotate{where=residual,values,down head=untied}`, with `%head` read from `@table.head`:
    ```mlir
    %r = llmc.hadamard %a : tensor<?x1536xf32> {order = 1536 : i64}
    %d = llmc.linear %r, %down : (tensor<?x1536xf32>, tensor<576x1536xf32>) -> tensor<?x576xf32>
    …
    %logits = llmc.linear %n, %head : (tensor<?x576xf32>, tensor<49152x576xf32>) -> tensor<?x49152xf32>
    ```
  }];
  let options = [
    ListOption<"where", "where", "std::string",
               "What is rotated: residual, values, down, keys; free: residual and values where that can "
               "be; default: residual and values, which have to be">,
    Option<"kind", "kind", "::llmc::RotationKind", /*default=*/"::llmc::RotationKind::Hadamard",
           "The matrix",
           [{::llvm::cl::values(
               clEnumValN(::llmc::RotationKind::Hadamard, "hadamard", "Hadamard matrices"),
               clEnumValN(::llmc::RotationKind::Randomized, "randomized",
                          "Hadamard matrices behind random signs"),
               clEnumValN(::llmc::RotationKind::Given, "given", "matrices of a file"))}]>,
    Option<"head", "head", "::llmc::HeadRotation", /*default=*/"::llmc::HeadRotation::Online",
           "With where=residual: what becomes of a head that is the embedding",
           [{::llvm::cl::values(
               clEnumValN(::llmc::HeadRotation::Online, "online",
                          "the same, where an operation can rotate what is between, else untied"),
               clEnumValN(::llmc::HeadRotation::Untied, "untied", "a parameter of its own"))}]>,
    Option<"seed", "seed", "uint64_t", /*default=*/"0", "With kind=randomized: chooses the signs">,
    Option<"matrices", "matrices", "std::string", /*default=*/"\"\"",
           "With kind=given: the file of safetensors that they are in">
  ];
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

//===----------------------------------------------------------------------===//
// Quantization
//===----------------------------------------------------------------------===//

def QuantizeRTN : Pass<"quantize-rtn", "::mlir::ModuleOp"> {
  let summary = "Round weights to grouped integers, each to the nearest";
  let description = [{
    Stores the weights of linears as `#llmc.grouped`, every weight rounded to the nearest number of
    its group's grid (round-to-nearest, RTN). It needs no data: the baseline that calibrated methods
    improve on. With `format=nf4` they become `#llmc.nf4`: the largest magnitude of a group is its
    scale, or with `mse` the scale of least squared error that a search finds; there are no zero
    points and no integers to multiply, so that inputs are not rounded. The same holds of floats of a
    byte or less, `#llmc.float`: `fp4`, `fp8` and `fp8-e5m2` take any group and type of scales (the
    largest magnitude over the largest number); `mxfp4`, `mxfp6`, `mxfp6-e3m2`, `mxfp8`,
    `mxfp8-e5m2` and `mxint8` are those of OCP Microscaling Formats v1.0 (sections 5 and 6.3), where
    weights above the largest number become it; in `nvfp4` the scale of the matrix makes the largest
    weight 6 times the largest scale, 448. `mxint8` is `#llmc.grouped`: its inputs can be rounded. So
    can those of `#llmc.ternary` (`ternary`: the scale is the mean magnitude of a group, or what a search
    finds, and weights are rounded to −1, 0 or 1 of them), `#llmc.codebook` (`codebook`: the numbers that
    lose least, as with `quantize-codebook` where all inputs count alike) and `#llmc.trellis`.

    With `symmetric` the weight of largest magnitude in a group becomes −2^(bits−1) scales, so that
    all codes are used (the scale has whatever sign that takes), or one less, so that the grid is the
    same on both sides: what loses less in squares. Else scales are
    (max − min) / (2^bits − 1) of a range that includes 0 (with `zero=float`: of the weights' own
    range). With `mse` each group gets the grid of least squared error that a search over wider and
    narrower ranges finds, its scale fitted by least squares; by default only calibrated passes
    search, since nothing here says which errors cost more than others. A last group is shorter where
    the width is no multiple of `group-size`.

    The head and the token embedding, which are most of a small model, are stored as `head-format`
    says, by default in 8 bits, which loses nothing that can be measured; weights that `formats` names,
    as it says: `formats=down=int:8,gate=mxfp4`. Weights that are rounded already stay as they are, with
    a remark, so that passes can follow each other, each for other weights; with `requantize` their
    decoded values are rounded.

    Three options need inputs, for which the model is run on calibration tokens as with `quantize-gptq`,
    each linear on inputs that come from layers that are rounded already; without them nothing is
    run, and options of calibration are refused.

    - `mse=inputs` clips the largest weights of each group at 1, 0.95, … 0.55 of the largest, whatever
      changes the outputs of the row least, in squares over the inputs (as the code of Lin et al. 2023,
      "AWQ", does after the scales that `scale-awq` finds). There every group is looked at by itself;
      here beside the errors of the others, of which those before it are clipped already, so that no
      row loses more than without clipping. Queries and keys are not clipped, of which the products
      count, nor is what has no inputs.
    - `activation=i8-static` rounds inputs in the range that calibration saw, by one scale for a
      matrix, which then stands in the IR; the other passes that calibrate do so too. A head of a
      `head-format` other than `same` is treated as with `i8`. What layers have in common but for such
      ranges is no longer the same code.
    - `activation-outliers` leaves columns of the inputs as they are whose magnitude in calibration, of
      the model before it is rounded, is above the number given (6 in Dettmers et al. 2022, "LLM.int8():
      8-bit matrix multiplication for transformers at scale", where columns are found while running).
      They are multiplied with what the weight had for them, unrounded, a parameter `NAME.outliers`, and
      are in no scale of the others. The other passes that calibrate have it too. A head of a
      `head-format` other than `same` has no outliers. Layers differ by their columns, and are no longer
      the same code:
      ```mlir
      %few = llmc.take_columns %x [3, 17] : tensor<?x576xf32> -> tensor<?x2xf32>
      %rest = llmc.clear_columns %x [3, 17] : tensor<?x576xf32>
      %a = llmc.linear %rest, %up activation <bits = 8, group = row> : …
      %b = llmc.linear %few, %up.outliers : (tensor<?x2xf32>, tensor<1536x2xf32>) -> tensor<?x1536xf32>
      %y = arith.addf %b, %a : tensor<?x1536xf32>
      ```

    Before:
    ```mlir
    llmc.parameter @up : tensor<1536x576xf32> = #llmc.file<"model.onnx.data", offset = 81920>
    %w = llmc.parameter_value @up : tensor<1536x576xf32>
    %y = llmc.linear %x, %w : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
    ```
    After `quantize-rtn{bits=4 group-size=32}`:
    ```mlir
    #w = #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>
    llmc.parameter @up : tensor<1536x576xf32, #w> = dense_resource<up> : tensor<497664xi8>
    %w = llmc.parameter_value @up : tensor<1536x576xf32, #w>
    %y = llmc.linear %x, %w activation <bits = 8, group = 32> :
        (tensor<?x576xf32>, tensor<1536x576xf32, #w>) -> tensor<?x1536xf32>
    ```

    The report gives, for each parameter, the bits per weight and the relative error
    ‖W − W'‖ / ‖W‖ (Frobenius), and where inputs were seen that of the outputs, ‖(W − W')X‖ / ‖WX‖. It
    is a table, a file of JSON (`report`), and one remark `quantize-rtn` a parameter.
  }];
  let options = !listconcat(quantizationOptions, calibrationOptions, sequentialOptions,
                            compressionOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def QuantizeHQQ : Pass<"quantize-hqq", "::mlir::ModuleOp"> {
  let summary = "Round weights to grouped integers whose minima let outliers weigh little";
  let description = [{
    Stores the weights of linears as `#llmc.grouped` with a floating-point minimum in each group, by
    half-quadratic quantization (Badri and Shaji 2023, "Half-quadratic quantization of large machine
    learning models", section 3). It needs no data. The scale is that of a grid that covers the
    group; the minimum is moved so that the errors are least in the norm |·|^`norm`: in turns an
    outlier is split off every error, x = sign(e)·max(|e| − |e|^(norm−1) / beta, 0), and the minimum
    becomes the mean of what the weights less their outliers are away from their codes' steps; beta
    grows by a hundredth each time. It ends with the sum of |w − w'| no longer falling.

    The IR changes as with `quantize-rtn{symmetric=false zero=float}`; after `quantize-hqq`:
    ```mlir
    #w = #llmc.grouped<bits = 4, group = 64, zero = float, scale = f16>
    llmc.parameter @up : tensor<1536x576xf32, #w> = dense_resource<up> : tensor<497664xi8>
    ```

    The head and the token embedding are stored as `head-format` says, and what `formats` stores as
    another format than int as that, rounded to nearest. The report is that of `quantize-rtn`.
  }];
  let options = !listconcat([
    Option<"groupSize", "group-size", "std::string", /*default=*/"\"64\"",
           "Inputs that share a scale: a number, 'channel' (a whole row) or 'tensor'">,
    Option<"norm", "norm", "double", /*default=*/"0.7",
           "The power that errors are measured by, above 0 and up to 1">,
    Option<"beta", "beta", "double", /*default=*/"10",
           "How much what is left of an error counts beside its outlier">,
    Option<"iterations", "iterations", "unsigned", /*default=*/"20",
           "How often minima and outliers are fitted to each other, at most">
  ], roundingOptions, compressionOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def QuantizeGPTQ : Pass<"quantize-gptq", "::mlir::ModuleOp"> {
  let summary = "Round weights to grouped integers so that the layers' outputs change least";
  let description = [{
    Runs the model on calibration tokens with the code that ships, and rounds the weights of each
    linear column by column; what a column loses is made up for by the columns still to come, in the
    way that is best for the inputs seen (Frantar et al. 2022, "GPTQ: accurate post-training
    quantization for generative pre-trained transformers"). Layers are taken in the order of the
    program, each on inputs that come from layers that are rounded already.

    With H = Σ x·xᵀ over the inputs, `damp` times the mean of H's diagonal is added to it, ten times
    more where H is not positive definite even so. Inputs that are always zero get weights of zero.
    Grids are those of `quantize-rtn`, but that a search weighs the error in each column by what it
    costs once later columns have made up for it: 1 / U_jj², where H⁻¹ = Uᵀ·U. Each is fitted when its
    first column is rounded, or with `static-groups` before anything is. `act-order` takes columns in
    descending order of H_jj, which needs `static-groups` where a row has several groups, so that
    running needs no gather.

    The IR changes as with `quantize-rtn`:
    ```mlir
    llmc.parameter @up : tensor<1536x576xf32> = #llmc.file<"model.onnx.data", offset = 81920>
    ```
    becomes with `quantize-gptq{bits=4}`
    ```mlir
    llmc.parameter @up : tensor<1536x576xf32, #llmc.grouped<bits = 4, group = 128, zero = none, scale = f16>> = …
    ```

    The token embedding and a head of a `head-format` other than `same` are rounded to nearest.

    The report gives for each calibrated parameter also the relative error of its outputs on the
    calibration tokens, ‖(W − W')X‖ / ‖WX‖.
  }];
  let options = !listconcat(quantizationOptions, [
    Option<"damp", "damp", "double", /*default=*/"0.01",
           "What is added to the second moment's diagonal, as a part of its mean">,
    Option<"actOrder", "act-order", "bool", /*default=*/"false",
           "Round columns in descending order of their inputs' second moment">,
    Option<"staticGroups", "static-groups", "bool", /*default=*/"false",
           "Fit all grids before anything is rounded">
  ], calibrationOptions, sequentialOptions, compressionOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def QuantizeCodebook : Pass<"quantize-codebook", "::mlir::ModuleOp"> {
  let summary = "Round weights to numbers that are learned from them";
  let description = [{
    Stores the weights of linears as `#llmc.codebook`: each is one of 2^`bits` numbers, which are those
    of its row, of `sharing` rows together, or of its matrix. They lose least, in squares, where the
    error of a weight counts as much as its input does on calibration tokens: h_j = Σ x_j², the diagonal
    of the inputs' second moment (Kim et al. 2023, "SqueezeLLM: dense-and-sparse quantization", section
    4.1, where h is the Fisher information; its outliers are not kept apart). Layers are taken in the
    order of the program, each on inputs that come from layers that are rounded already.

    Numbers of a row are found exactly, by dynamic programming over its weights in their order (Wang and
    Song 2011, "Ckmeans.1d.dp: optimal k-means clustering in one dimension by dynamic programming");
    where rows share them, over 4096 groups of weights of about the same size, in units of their
    rows' root mean square. They are then rounded to 8 bits times a scale of the row, so that products
    with rounded inputs are integers. Nothing makes up for errors, unlike with
    `quantize-gptq{format=codebook}`; without data, `quantize-rtn{format=codebook}` lets all weights
    count alike.

    The IR changes as with `quantize-rtn`; after `quantize-codebook{bits=4}`:
    ```mlir
    #w = #llmc.codebook<bits = 4, rows = 1, scale = f16>
    llmc.parameter @up : tensor<1536x576xf32, #w> = dense_resource<up> : tensor<470016xi8>
    ```

    What `formats` stores as another format, the token embedding, and a head of a `head-format` other
    than `same` are rounded to nearest. The report is that of `quantize-gptq`.
  }];
  let options = !listconcat([
    Option<"sharing", "sharing", "std::string", /*default=*/"\"row\"",
           "Rows that share a table: 'row' (each has its own), a multiple of 16, or 'matrix'">
  ], roundingOptions, calibrationOptions, sequentialOptions, compressionOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

//===----------------------------------------------------------------------===//
// Pruning
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

    With `allocation` matrices lose different shares, `sparsity` on the mean, by the scores |w|·‖x‖ in
    the model as it was, which is run for them first. `global` is one threshold for all. `owl` spares
    layers in which more weights stand out: the share D of a layer's scores that are above 5 times their
    mean tells its sparsity, which falls as D grows and is within 0.08 of the mean (Yin et al. 2024,
    "Outlier weighed layerwise sparsity (OWL): a missing secret sauce for pruning LLMs to high
    sparsity", section 3.2).

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

//===----------------------------------------------------------------------===//
// The cache
//===----------------------------------------------------------------------===//

def QuantizeKVCache : Pass<"quantize-kv-cache", "::mlir::ModuleOp"> {
  let summary = "Store keys and values in fewer bits";
  let description = [{
    Gives all caches of a model other encodings of keys and values. What the step's rows append is
    rounded; attention reads it exactly and computes in fp32 as before.

    | name | encoding | of a head of 64, bytes | |
    |------|----------|-----|---|
    | `f32` | `#llmc.plain<f32>` | 256 | as the model computes them |
    | `f16` | `#llmc.plain<f16>` | 128 | numbers up to 65504, which keys and values of models in half precision keep to |
    | `bf16` | `#llmc.plain<bf16>` | 128 | the range of f32, and 8 bits less of it than f16 keeps |
    | `i8`  | `#llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>` | 66 | integers up to 127 times a scale that each head has at each position: the largest magnitude / 127 |
    | `i4`  | `#llmc.grouped<bits = 4, group = 64, zero = none, scale = f16>` | 34 | integers up to 7 times a scale of every 64 numbers: the largest magnitude / 7 |
    | `i3`  | `#llmc.grouped<bits = 3, group = 64, zero = float, scale = f16>` | 28 | integers up to 7 times a scale, above a minimum, of every 64 numbers |
    | `i2`  | `#llmc.grouped<bits = 2, group = 64, zero = float, scale = f16>` | 20 | integers up to 3 times a scale, above a minimum, of every 64 numbers |
    | `fp8` | `#llmc.float<f8E4M3FN, group = channel, scale = f16>` | 66 | floats up to 448 times a scale that each head has at each position |
    | `nf4` | `#llmc.nf4<group = 64, scale = f16>` | 34 | quantiles of the normal distribution times the largest magnitude of every 64 numbers |
    | `lloydmax4`, `lloydmax3`, `lloydmax2`, `lloydmax1` | `#llmc.lloyd_max<bits = 4, group = 64, scale = f16>` … | 34, 26, 18, 10 | levels of least error for the normal distribution times a scale of every 64 numbers |

    An attribute that is an encoding of caches may stand for a name. With `keys-along=positions` keys
    of `i8`, `i4`, `i3` and `i2` share a scale and a minimum with those of the same channel at `keys-group`
    positions (`#llmc.position_grouped`): some channels of keys are large everywhere (Liu et al. 2024,
    "KIVI", section 3.2). Each is kept in f16 until its group is full.

    The newest `residual` positions, and the first `sinks`, are read as f16 where they are rounded
    otherwise: most of what rounding loses is lost there. Which they are depends on positions alone,
    so that decode and prefill agree to the bit, and so do sessions that were taken back or forked
    (`!llmc.kv_cache`). Numbers that are stored as floats are not kept twice.

    `keys-formats` and `values-formats` name the formats of some caches: those whose number, as
    `llmc inspect` counts them from 0 on, is what an expression matches, the first that does:
    `keys-formats=0|1=f16,2.=i4:32` gives the first two f16, and those from 20 to 29 i4 with a scale
    for 32 numbers.

    By default keys become i8 and values i4, 100 bytes for a head of 64 at a position where f32 takes
    512. Keys and values round better behind `rotate{where=keys,values}`, which is a pass of its own
    and stands before this one; i4 keys need it, or `keys-along=positions`.

    Before:
    ```mlir
    func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                    %cache: !llmc.kv_cache<3x64, capacity = 2048, keys = f32, values = f32>) …
    ```
    After `quantize-kv-cache{keys=f16}`:
    ```mlir
    func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                    %cache: !llmc.kv_cache<3x64, capacity = 2048, keys = f16,
                        values = #llmc.grouped<bits = 4, group = 64, zero = none, scale = f16>,
                        residual = 32, sinks = 4>) …
    ```

    The report is a line on the standard error stream (`table`) and one remark `quantize-kv-cache`:
    what a position takes, and the state of a session, which is that of all positions, with what is
    kept exactly for steps of up to 128 tokens (`--max-rows`).
  }];
  let options = [
    Option<"keys", "keys", "std::string", /*default=*/"\"i8\"",
           "How keys are stored: a name or an attribute">,
    Option<"values", "values", "std::string", /*default=*/"\"i4\"",
           "How values are stored: a name or an attribute">,
    Option<"keysGroup", "keys-group", "int64_t", /*default=*/"0",
           "With keys of formats that have scales: numbers of a head that share one; 0: all for i8 "
           "and fp8, 64 for others, 32 along positions">,
    Option<"valuesGroup", "values-group", "int64_t", /*default=*/"0",
           "With values of formats that have scales: numbers of a head that share one; 0: all for "
           "i8 and fp8, 64 for others">,
    ListOption<"keysFormats", "keys-formats", "std::string",
               "Pairs REGEX=FORMAT[:GROUP]: how the keys of caches are stored whose number is what an "
               "expression matches, the first that does. With keys-along=positions formats of "
               "integers share scales along positions">,
    ListOption<"valuesFormats", "values-formats", "std::string",
               "The same of values">,
    Option<"keysAlong", "keys-along", "std::string", /*default=*/"\"channels\"",
           "What keys of integers share a scale with: channels of their position, or positions of "
           "their channel">,
    Option<"residual", "residual", "int64_t", /*default=*/"32",
           "The newest positions, which are read as f16">,
    Option<"sinks", "sinks", "int64_t", /*default=*/"4",
           "The first positions, which are read as f16">,
    Option<"table", "table", "bool", /*default=*/"true",
           "Print what a position takes to the standard error stream">
  ];
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def EvictKVCache : Pass<"evict-kv-cache", "::mlir::ModuleOp"> {
  let summary = "Keep fewer positions of keys and values";
  let description = [{
    Lets attention read `budget` positions and no others, so that a session's state does not grow with
    the text: it has room for these and for the rows of a step (`--max-rows`), and how many bytes that
    is is known when the model is compiled.

    | policy | positions that a token reads | source |
    |--------|------------------------------|--------|
    | `window` | the newest `budget`, itself among them | sliding windows, as Beltagy et al. 2020, "Longformer", section 3.1 |
    | `sinks` | the first `sinks` and the newest `budget − sinks` | Xiao et al. 2024, "Efficient streaming language models with attention sinks", section 3.2 |
    | `h2o` | the first `sinks`, the newest `recent`, and of all others those, `budget` together, that attention has given most weight so far | Zhang et al. 2023, "H2O: Heavy-hitter oracle for efficient generative inference of large language models", section 4 |

    Most models give much weight to the first positions, whatever stands there, and fail without them:
    `window` is for models that were trained so. A position keeps the rotation of its place in the text
    (the paper counts places in the cache instead), so that keys are stored as they are read, and what
    a token reads depends on positions alone (with `h2o` on the text before it, too). Decode gives the bits of prefill however tokens are cut
    into steps, and a text of at most `budget` tokens gives the bits of a model that keeps all. The
    text is still bounded by the positions that the model has been trained for, its context.

    With `h2o` each head of keys and values chooses its own (`!llmc.kv_cache`): a token that leaves the
    newest takes the place of the chosen one with the least score, unless its own is less, and a score
    is the sum of the weights that all queries so far have given. This is decided token by token, in
    prompts too, whose tokens attention therefore takes one after the other. Keys that share a scale
    along positions, and attention with slopes (ALiBi), which needs places in the text, are refused.

    Sessions fork as they do otherwise. They go back as far as the state has room for, at least the
    rows of a step less one; after going back further, or at all with `h2o`, the next evaluation starts
    with all tokens that are left.

    A layer whose attention has a window of its own keeps the positions of that window, no others, and
    at most `budget`: with a budget above it the bits stay the same, in less memory.

    Before:
    ```mlir
    %cache: !llmc.kv_cache<3x64, capacity = 2048, keys = f16, values = f16>
    ```
    After `evict-kv-cache{budget=256}`:
    ```mlir
    %cache: !llmc.kv_cache<3x64, capacity = 2048, keys = f16, values = f16, budget = 256, first = 4>
    ```

    The report is a line on the standard error stream (`table`) and one remark `evict-kv-cache`: the
    state of a session, for steps of up to 128 tokens.
  }];
  let options = [
    Option<"policy", "policy", "std::string", /*default=*/"\"sinks\"",
           "Which positions stay: window, sinks or h2o">,
    Option<"budget", "budget", "int64_t", /*default=*/"0",
           "Positions that a token reads; has to be given">,
    Option<"sinks", "sinks", "int64_t", /*default=*/"-1",
           "The first positions, which stay; -1: 4, and there are none with policy=window">,
    Option<"recent", "recent", "int64_t", /*default=*/"0",
           "With policy=h2o: the newest positions, which are read whatever their score; 0: half of "
           "the budget">,
    Option<"table", "table", "bool", /*default=*/"true",
           "Print what the state takes to the standard error stream">
  ];
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

#endif // LLMC_TRANSFORMS_PASSES_TD
