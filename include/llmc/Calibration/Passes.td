//===- Passes.td - calibration as a pass -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CALIBRATION_PASSES_TD
#define LLMC_CALIBRATION_PASSES_TD

include "mlir/Pass/PassBase.td"

def Calibrate : Pass<"calibrate", "::mlir::ModuleOp"> {
  let summary = "Save statistics of the inputs of linears";
  let description = [{
    Runs the model on calibration tokens, with the code that the compiler generates, and saves what
    is known of every linear's input x to a safetensors file: `second_moment` is Σ x·xᵀ (the Hessian
    of GPTQ, Frantar et al. 2022, but for a factor), `mean`, `mean_magnitude` the mean of |x| and
    `max_magnitude` its maximum, all over the rows of all samples. Passes that need statistics take
    the file as `statistics`; it is refused for any other model.

    The module is left as it is. Before and after:
    ```mlir
    %y = llmc.linear %x, %w : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
    ```
    and the file has `NAME.second_moment`, 576 × 576, under the name of the first weight that %x
    meets.
  }];
  let options = [
    Option<"calibration", "calibration", "std::string", /*default=*/"",
           "Text (UTF-8) or .npy file of token ids; default: the model writes its own">,
    Option<"tokenizer", "tokenizer", "std::string", /*default=*/"",
           "tokenizer.json, or its folder; default: beside the files of the parameters">,
    Option<"samples", "samples", "int64_t", /*default=*/"128", "Samples to run">,
    Option<"sequenceLength", "sequence-length", "int64_t", /*default=*/"512", "Tokens of a sample">,
    Option<"seed", "seed", "uint64_t", /*default=*/"0", "Chooses the samples">,
    Option<"memory", "memory", "int64_t", /*default=*/"1024",
           "MiB of rows to keep in memory; what is beyond lies in a temporary file">,
    Option<"saveStatistics", "save-statistics", "std::string", /*default=*/"",
           "File to write (safetensors)">,
    Option<"resume", "resume", "std::string", /*default=*/"",
           "Folder in which an interrupted run leaves what it has, for the next one to go on">,
    Option<"threads", "threads", "unsigned", /*default=*/"0",
           "Threads; 0: as many as the process may run on">,
    ListOption<"statistics", "kinds", "std::string",
               "second_moment, mean, mean_magnitude, max_magnitude; default: all">
  ];
}

#endif // LLMC_CALIBRATION_PASSES_TD
