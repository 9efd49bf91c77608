//===- Passes.td - passes that round weights -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_PASSES_TD
#define LLMC_TRANSFORMS_QUANTIZATION_PASSES_TD

include "llmc/Calibration/CalibrationOptions.td"
include "llmc/Transforms/Quantization/QuantizationOptions.td"

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

def QuantizeSpQR : Pass<"quantize-spqr", "::mlir::ModuleOp"> {
  let summary = "Round weights but for a few outliers, to integers whose scales are integers too";
  let description = [{
    The sparse-quantized representation of Dettmers et al. 2023 ("SpQR: a sparse-quantized representation
    for near-lossless LLM weight compression", algorithm 1): the loop of `quantize-gptq` over groups so
    small that their scales and zero points are rounded as well (`#llmc.bilevel`), beside outliers that
    stay as they are (`#llmc.outliers`).

    A weight is an outlier by what its group loses less without it: where the grid covers the other
    weights alone and they alone are rounded, in squares that count by 1 / U_jj² as `quantize-gptq` has
    it (section 3). Each row has the share `outliers` of its weights, those of which that is most, and
    they are chosen among the weights as they were, before any is rounded. (In the paper a threshold
    decides, when a group is reached; rows have as many as are above it.) What is listed of an outlier
    is what it has become by the time its column is reached, in f16, so that it makes up for errors of
    the weights before it and has none to be made up for but that of f16.

    Scales of a group are chosen among those that the groups of `scale-group` share, with the zero point
    that goes with them best, when its first column is rounded; which scales these are is fitted to the
    weights as they were. (In the paper groups of rows share them.)

    The IR changes as with `quantize-rtn`; after `quantize-spqr`:
    ```mlir
    #w = #llmc.outliers<6 x f16, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 16, scale = f16>>
    llmc.parameter @up : tensor<1536x576xf32, #w> = dense_resource<up> : tensor<423936xi8>
    ```

    What `formats` stores as integers with groups has outliers too; other formats have none, which a remark
    says. The token
    embedding and a head of a `head-format` other than `same` are rounded to nearest, without outliers.
    The report is that of `quantize-gptq`.
  }];
  let options = !listconcat([
    Option<"groupSize", "group-size", "std::string", /*default=*/"\"\"",
           "Inputs that share a scale and a zero point; default: 16">,
    Option<"scaleBits", "scale-bits", "unsigned", /*default=*/"3",
           "Bits of the scale of a group, with `bits` together at most 8; 0: scales are floats, as those of "
           "`quantize-gptq{symmetric=false}`">,
    Option<"scaleGroup", "scale-group", "int64_t", /*default=*/"16",
           "Groups that share what their scales are multiples of">,
    Option<"outliers", "outliers", "double", /*default=*/"0.01",
           "The share of the weights of each row that stay as they are">,
    Option<"mse", "mse", "::llmc::ClipSearch", /*default=*/"::llmc::ClipSearch::Auto",
           "Search the grid of each group that loses least, instead of one that covers all of it",
           [{::llvm::cl::values(
               clEnumValN(::llmc::ClipSearch::Auto, "auto", "where calibration says what errors cost"),
               clEnumValN(::llmc::ClipSearch::On, "true", "always"),
               clEnumValN(::llmc::ClipSearch::Off, "false", "never"))}]>,
    Option<"damp", "damp", "double", /*default=*/"0.01",
           "What is added to the second moment's diagonal, as a part of its mean">
  ], roundingOptions, calibrationOptions, sequentialOptions, compressionOptions);
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

#endif // LLMC_TRANSFORMS_QUANTIZATION_PASSES_TD
