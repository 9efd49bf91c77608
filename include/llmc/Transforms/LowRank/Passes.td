//===- Passes.td - passes that make linears of low rank -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_LOWRANK_PASSES_TD
#define LLMC_TRANSFORMS_LOWRANK_PASSES_TD

include "llmc/Calibration/CalibrationOptions.td"
include "llmc/Transforms/CompressionOptions.td"
include "llmc/Transforms/LowRank/LowRankOptions.td"

def FactorizeSVD : Pass<"factorize-svd", "::mlir::ModuleOp"> {
  let summary = "Replace weights by two factors of least error";
  let description = [{
    Makes of each linear of m × n weights two, of r × n and m × r: those whose product is nearest to the
    weights (Eckart and Young 1936, "The approximation of one matrix by another of lower rank"). With
    `keep` k a matrix keeps rank r = ⌊k·m·n / (m + n)⌋; with `allocation=loss` ranks are those of least
    Σ ‖W − W'‖² / ‖W‖² over all layers at the same number of parameters, and some matrices may stay
    whole. It needs no data. The head and the token embedding are left alone.

    Before:
    ```mlir
    %y = llmc.linear %x, %up : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
    ```
    After `factorize-svd{rank=128}`, with `%a` and `%b` read from `@up.factors.A` and `@up.factors.B`:
    ```mlir
    %t = llmc.linear %x, %a : (tensor<?x576xf32>, tensor<128x576xf32>) -> tensor<?x128xf32>
    %y = llmc.linear %t, %b : (tensor<?x128xf32>, tensor<1536x128xf32>) -> tensor<?x1536xf32>
    ```

    Columns of the second factor are orthonormal. A bias goes to it. Weights have to be floats: passes
    that round come afterwards, and find the factors by their names (`only=factors`).

    The report has one line for each matrix that was replaced: its bits per weight are the bytes of
    both factors by its own weights.
  }];
  let options = !listconcat(factorizeOptions, compressionOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def FactorizeASVD : Pass<"factorize-asvd", "::mlir::ModuleOp"> {
  let summary = "Replace weights by two factors, of errors weighed by how large inputs are";
  let description = [{
    As `factorize-svd`, with errors in column j weighed by the mean of |x_j| to the power `alpha`, on
    calibration tokens (Yuan et al. 2023, "ASVD: activation-aware singular value decomposition for
    compressing large language models", section 3.2). Layers are taken in the order of the program, each
    on inputs that come from layers that are factored already.

    Before and after: as with `factorize-svd`. The report gives also the relative error of the
    outputs on the calibration tokens, ‖(W − W')X‖ / ‖WX‖.
  }];
  let options = !listconcat(factorizeOptions, [
    Option<"alpha", "alpha", "double", /*default=*/"0.5", "The power, from 0 to 1">
  ], calibrationOptions, sequentialOptions, compressionOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def FactorizeSVDLLM : Pass<"factorize-svd-llm", "::mlir::ModuleOp"> {
  let summary = "Replace weights by the two factors that change the outputs least";
  let description = [{
    As `factorize-svd`, of the weights multiplied with a triangular root S of the second moment of
    their inputs, S·Sᵀ = X·Xᵀ: the product of the factors is then, of all matrices of its rank, that of
    least ‖(W − W')X‖², which is the sum of the squared singular values that were left out (Wang et al.
    2024, "SVD-LLM: truncation-aware singular value decomposition for large language model
    compression", theorem 3.2). `damp` times the mean of the second moment's diagonal is added to it,
    ten times more where it is not positive definite even so. Layers are taken in the order of the
    program, each on inputs that come from layers that are factored already.

    Before and after: as with `factorize-svd`. The report gives also the relative error of the
    outputs on the calibration tokens, ‖(W − W')X‖ / ‖WX‖.
  }];
  let options = !listconcat(factorizeOptions, dampOption, calibrationOptions, sequentialOptions,
                            compressionOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def RepairLQER : Pass<"repair-lqer", "::mlir::ModuleOp"> {
  let summary = "Add to rounded weights a branch of low rank that makes up for what they lost";
  let description = [{
    Puts beside each linear whose weights were rounded or pruned a second one of low rank, of the part
    of the residual W − W' whose outputs count most: its truncated singular value decomposition, with
    errors in column j weighed by the mean of |x_j| on calibration tokens (Zhang et al. 2024, "LQER:
    low-rank quantization error reconstruction for LLMs", section 3; "L²QER"). With `scaling=none` all
    columns count alike, and it needs no data.

    Parameters that a pass has rounded or pruned name what they were (`llmc.original`): nothing is
    kept twice, and a module in a file refers to the file that the weights were in. Where they were in
    memory alone, as behind `rotate` in the same run, they are gone once the module is written: repair
    in the same run, or name a module that has them (`original`).

    Before:
    ```mlir
    llmc.parameter @up : tensor<1536x576xf32, #w> = … {llmc.original = [tensor<1536x576xf32>, #llmc.file<…>]}
    …
    %y = llmc.linear %x, %up : (tensor<?x576xf32>, tensor<1536x576xf32, #w>) -> tensor<?x1536xf32>
    ```
    After `repair-lqer{rank=32}`, with `%a` and `%b` read from `@up.repair.A` and `@up.repair.B`:
    ```mlir
    %q = llmc.linear %x, %up : (tensor<?x576xf32>, tensor<1536x576xf32, #w>) -> tensor<?x1536xf32>
    %t = llmc.linear %x, %a : (tensor<?x576xf32>, tensor<32x576xf16>) -> tensor<?x32xf32>
    %r = llmc.linear %t, %b : (tensor<?x32xf32>, tensor<1536x32xf16>) -> tensor<?x1536xf32>
    %y = arith.addf %r, %q : tensor<?x1536xf32>
    ```

    Passes that round find the factors by their names (`only=repair`). Weights that are what they were
    stay without a branch, and so do the head and the token embedding.

    The report gives the bytes of the branches, and the errors that are left.
  }];
  let options = !listconcat(repairOptions, [
    Option<"scaling", "scaling", "::llmc::ResidualScaling",
           /*default=*/"::llmc::ResidualScaling::Mean", "How columns of the residual are weighed",
           [{::llvm::cl::values(
               clEnumValN(::llmc::ResidualScaling::Mean, "mean", "by the mean of |x_j|"),
               clEnumValN(::llmc::ResidualScaling::None, "none", "all alike"))}]>
  ], calibrationOptions, sequentialOptions, compressionOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect"];
}

def RepairEoRA : Pass<"repair-eora", "::mlir::ModuleOp"> {
  let summary = "Add to rounded weights the branch of low rank that changes the outputs least";
  let description = [{
    As `repair-lqer`, of the residual multiplied with a root of the second moment of the inputs: the
    branch is then, of all of its rank, that of least ‖(W − W' − B·A)X‖ (Liu et al. 2024, "EoRA:
    training-free compensation for compressed LLM with eigenspace low-rank approximation", section 3,
    which takes the root in the second moment's eigenspace; a triangular one gives the same product).
    `damp` is that of `quantize-gptq`.

    Before and after: as with `repair-lqer`.
  }];
  let options = !listconcat(repairOptions, dampOption, calibrationOptions, sequentialOptions,
                            compressionOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect"];
}

#endif // LLMC_TRANSFORMS_LOWRANK_PASSES_TD
