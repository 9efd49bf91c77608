//===- Passes.td - passes after which a model computes the same -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_REWRITES_PASSES_TD
#define LLMC_TRANSFORMS_REWRITES_PASSES_TD

include "llmc/Calibration/CalibrationOptions.td"
include "llmc/Transforms/Quantization/QuantizationOptions.td"

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
    over the channels. Where an embedding is the head too, the gain before it can't be folded: it is
    multiplied with in the old basis, with an `llmc.hadamard`, the way back, before the last norm and
    another before the head. With `head=untied`, of given matrices, of Hadamard matrices whose core
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
                          "the same, where operations can rotate what its norm reads, else untied"),
               clEnumValN(::llmc::HeadRotation::Untied, "untied", "a parameter of its own"))}]>,
    Option<"seed", "seed", "uint64_t", /*default=*/"0", "With kind=randomized: chooses the signs">,
    Option<"matrices", "matrices", "std::string", /*default=*/"\"\"",
           "With kind=given: the file of safetensors that they are in">
  ];
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

#endif // LLMC_TRANSFORMS_REWRITES_PASSES_TD
