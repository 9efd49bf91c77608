//===- Passes.td - from plans to kernels for CPUs -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_SPMDTOCPU_PASSES_TD
#define LLMC_CONVERSION_SPMDTOCPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertSPMDToCPU : Pass<"convert-spmd-to-cpu", "::mlir::ModuleOp"> {
  let summary = "Choose kernels for the stages of a plan, and generate them";
  let description = [{
    Chooses for each operation of a stage a kernel, generated once for each encoding and shape and
    for each of the target's variants, and for each stage its number of pieces: rows, tiles of 16
    rows of a weight, heads. Buffers become addresses. A stage of several operations runs them row
    by row, and what only the next of them reads stays in a row of the worker's own memory.
    `convert-cpu-to-llvm` goes on from there.

    An operation that there is no kernel for runs by its meaning: what it computes for one row, as
    `convert-llmc-to-linalg` writes it, becomes loops over the row's own memory and a part of the
    worker's, of a size that is known here. `kernels` says which others do, whose results then differ
    by rounding alone.

    Before a worker waits at a barrier, or leaves a stage of rows to others, it asks for the first
    4 KiB of its share of each matrix that is multiplied next (a stage "prefetch"): kernels ask for
    all that follows themselves.

    Each function of the plan becomes one for each variant, each variant has an entry, and the
    program's triple and the memory of a worker's own are set. `llmc-translate --mlir-to-object` and
    `llmc compile` go on from it.

    Before:
    ```mlir
    spmd.stage "up" reads(%0, %1 : …) writes(%2 : …) {
    ^bb0(%x: tensor<?x576xf32>, %w: tensor<1536x576xf32>):
      %y = llmc.linear %x, %w : (tensor<?x576xf32>, tensor<1536x576xf32>) -> tensor<?x1536xf32>
      spmd.yield %y : tensor<?x1536xf32>
    }
    ```
    After:
    ```mlir
    %tiles = arith.constant 96 : i64
    cpu.stage "up" %step, %tiles {
    ^bb0(%begin: i64, %end: i64):
      func.call @linear_1536x576_f32_rows_o1536_avx2(%rows, %begin, %end, %1, %0, %2, %scratch) : …
    }
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"host\"",
           "TRIPLE[:VARIANT|CPU,…], e.g. x86_64-linux-gnu:avx2">,
    Option<"kernels", "kernels", "std::string", /*default=*/"\"all\"",
           "all, meaning or meaning:OP[,OP…]: operations that run by their meaning although there "
           "are kernels for them">
  ];
  let dependentDialects = [
    "::llmc::cpu::CPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::mlir::vector::VectorDialect"
  ];
}

#endif // LLMC_CONVERSION_SPMDTOCPU_PASSES_TD
