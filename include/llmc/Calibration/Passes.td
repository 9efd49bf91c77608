//===- Passes.td - calibration as a pass -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CALIBRATION_PASSES_TD
#define LLMC_CALIBRATION_PASSES_TD

include "llmc/Calibration/CalibrationOptions.td"

def Calibrate : Pass<"calibrate", "::mlir::ModuleOp"> {
  let summary = "Save statistics of the inputs of linears";
  let description = [{
    Runs the model on calibration tokens, with the code that the compiler generates, and saves what
    is known of every linear's input x to a safetensors file: `second_moment` is Σ x·xᵀ (the Hessian
    of GPTQ, Frantar et al. 2022, but for a factor), `mean`, `mean_magnitude` the mean of |x|,
    `max_magnitude` its maximum and `variance` the mean of (x − mean)², all over the rows of all samples. Passes that need statistics take
    the file as `statistics`; it is refused for any other model.

    The module is left as it is. Before and after:
    ```mlir
    %y = llmc.linear %x, %w : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
    ```
    and the file has `NAME.second_moment`, 576 × 576, under the name of the first weight that %x
    meets.
  }];
  let options = !listconcat([
    ListOption<"statistics", "kinds", "std::string",
               "second_moment, mean, mean_magnitude, max_magnitude, variance; default: all">
  ], calibrationOptions);
}

#endif // LLMC_CALIBRATION_PASSES_TD
