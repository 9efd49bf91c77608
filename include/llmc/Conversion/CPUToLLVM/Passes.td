//===- Passes.td - from stages to the LLVM dialect -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_CPUTOLLVM_PASSES_TD
#define LLMC_CONVERSION_CPUTOLLVM_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertCPUToLLVM : Pass<"convert-cpu-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Turn stages and kernels into the LLVM dialect";
  let description = [{
    What compiling does last before LLVM itself. A step becomes a structure of the llmc_step's
    address, the worker's index and the number of workers; a stage a range of its pieces, which the
    worker computes unless it is empty; a barrier a call of the one that the step names. `spmd.entry`
    becomes a function `void (ptr, i32, i32)`, an llmc_step_function of `llmc/program.h`.
    `llmc.group_dot`, `cpu.table_lookup` and `cpu.take_bytes` become what the target of their function
    says: this is the one place where instruction sets differ. Everything else is plain arithmetic on
    vectors, which goes through upstream's conversions, and functions carry the CPU and features of
    their target. `spmd.program` goes: what it says stands in the object beside the code.

    Before:
    ```mlir
    cpu.stage "up" %step, %pieces {
    ^bb0(%begin: i64, %end: i64):
      func.call @linear_1536x576_f32_avx2(%begin, %end, …)
    }
    ```
    After:
    ```mlir
    %0 = llvm.mul %pieces, %worker : i64
    %begin = llvm.udiv %0, %workers : i64
    …
    %any = llvm.icmp "ult" %begin, %end : i64
    llvm.cond_br %any, ^bb1, ^bb2
    ^bb1:
    llvm.call @linear_1536x576_f32_avx2(%begin, %end, …)
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
                           "::mlir::cf::ControlFlowDialect", "::mlir::func::FuncDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

#endif // LLMC_CONVERSION_CPUTOLLVM_PASSES_TD
