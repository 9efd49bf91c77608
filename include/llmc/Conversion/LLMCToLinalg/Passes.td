//===- Passes.td - the meaning of models as a pass -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_LLMCTOLINALG_PASSES_TD
#define LLMC_CONVERSION_LLMCTOLINALG_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertLLMCToLinalg : Pass<"convert-llmc-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Write models as plain arithmetic on tensors";
  let description = [{
    The meaning of every operation of the `llmc` dialect, as its description in LLMCOps.td says it:
    `linalg.generic` over fp32 tensors, one for each sum, maximum or formula. Nothing is fused, tiled
    or approximated. What the fast kernels compute is tested against what this computes.

    Values become plain tensors:

    | llmc                            | plain                                                       |
    |---------------------------------|-------------------------------------------------------------|
    | `!llmc.rows`                    | `tensor<?xi32>` of sequences, of positions, and of the rows whose logits are wanted |
    | `!llmc.kv_cache<h×s, capacity c, keys k, values v>` | a `tensor<?×c×h×n×e>` for each plane of k, then of v, of n elements e in a head: `tensor<?×c×h×s×f16>` for f16. The first dimension is the sequence |
    | a tensor with an encoding       | the fp32 tensor of its values                               |
    | `llmc.parameter`                | `arith.constant` of its bytes, decoded where it is used     |

    Caches are updated in place before and are values after: a function that takes caches also
    returns them, after its other results, as they are at its end. An attention reads what the last
    append before it made.

    Before:
    ```mlir
    func.func @layer(%x: tensor<?x8xf32>, %w: tensor<4x8xf32>) -> tensor<?x4xf32> {
      %y = llmc.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
      return %y : tensor<?x4xf32>
    }
    ```
    After:
    ```mlir
    #rk = affine_map<(r, n, k) -> (r, k)>
    #nk = affine_map<(r, n, k) -> (n, k)>
    #rn = affine_map<(r, n, k) -> (r, n)>
    func.func @layer(%x: tensor<?x8xf32>, %w: tensor<4x8xf32>) -> tensor<?x4xf32> {
      …
      %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x4xf32>) -> tensor<?x4xf32>
      %y = linalg.generic {indexing_maps = [#rk, #nk, #rn],
                           iterator_types = ["parallel", "parallel", "reduction"]}
          ins(%x, %w : tensor<?x8xf32>, tensor<4x8xf32>) outs(%zeros : tensor<?x4xf32>) {
      ^bb0(%a: f32, %b: f32, %sum: f32):
        %product = arith.mulf %a, %b : f32
        %next = arith.addf %sum, %product : f32
        linalg.yield %next : f32
      } -> tensor<?x4xf32>
      return %y : tensor<?x4xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"];
}

#endif // LLMC_CONVERSION_LLMCTOLINALG_PASSES_TD
