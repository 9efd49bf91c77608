//===- Passes.td - from the language of models to stages of kernels -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_LLMCTOSPMD_PASSES_TD
#define LLMC_CONVERSION_LLMCTOSPMD_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertLLMCToSPMD : Pass<"convert-llmc-to-spmd", "::mlir::ModuleOp"> {
  let summary = "Plan a model's step as stages that all workers run, and generate their kernels";
  let description = [{
    What compiling does between compression and LLVM. Packed weights get their
    places, values of a step theirs in memory, and every operation becomes stages: ranges of
    independent pieces of work that the workers share, with barriers where one needs another's
    results. Kernels are generated once for each encoding and shape, for each of the target's
    variants; a step of one row has functions of its own. `convert-spmd-to-llvm` goes on from there.

    The module is complete: `spmd.program` says what the runtime is told (bytes of packed weights,
    of a worker's and of all workers' memory and of a sequence's caches, how long a text may be) and
    holds the parameters with their places in the packed weights. `llmc-translate --mlir-to-object`
    and `llmc compile` go on from it.

    Before:
    ```mlir
    %y = llmc.linear %x, %w : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
    ```
    After:
    ```mlir
    spmd.barrier %step
    spmd.stage "up" %step, %pieces {
    ^bb0(%begin: i64, %end: i64):
      func.call @linear_1536x576_f32_avx2(%begin, %end, …)
    }
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"host\"",
           "TRIPLE[:VARIANT|CPU,…], e.g. x86_64-linux-gnu:avx2">,
    Option<"maxRows", "max-rows", "int64_t", /*default=*/"128", "Tokens of a step">
  ];
  let dependentDialects = ["::llmc::spmd::SPMDDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

#endif // LLMC_CONVERSION_LLMCTOSPMD_PASSES_TD
