//===- Passes.td - from plans to a kernel for GPUs -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_SPMDTOGPU_PASSES_TD
#define LLMC_CONVERSION_SPMDTOGPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertSPMDToGPU : Pass<"convert-spmd-to-gpu", "::mlir::ModuleOp"> {
  let summary = "Make one cooperative kernel of a plan";
  let description = [{
    A step becomes one kernel, launched cooperatively: all thread blocks are resident, each is a
    worker, and none ends before the step does. The kernel takes the members of an `llmc_step` by
    value, in this order: weights, arena, worker_arena, states, tokens, positions, sequences, outputs,
    logits (addresses in global memory), rows, output_rows (i64), and the address of a counter (i64)
    that is zero at the launch.

    - **Stages.** A block has its contiguous share of a stage's pieces, and of that each of its groups
      of 16 threads its own, or all of its threads together where fragments are multiplied.
    - **Barriers** count arrivals: one thread of a block adds 1 to the counter (after a fence that
      releases, for the device), and waits (`acquire`) until all blocks have been there as often as itself. How often
      that is, is known when the program is made, since plans have no loops.
    - **Weights** that a group will read first are asked for (`llvm.intr.prefetch`, or
      `nvvm.cp.async.bulk.prefetch` from sm_90a on) at the first barrier after the linears before them.
    - **Kernels** are those of `convert-spmd-to-cpu`, written on vectors of 16 lanes. Here lane i is
      thread i of a group: a vector of 16 numbers is one register of each thread, and one of 64 bytes,
      the four bytes that stand side by side, is one of 32 bits. Loads and stores of vectors are of
      neighbouring addresses; what is no vector is the same in all threads of a group, and its first
      one stores it, or goes alone through a loop that has none. Sums and maxima of lanes, extracted lanes and look-ups in tables of up to 16
      numbers are shuffles, `llmc.group_dot` is `nvvm.dot.accumulate.4way`, `cpu.take_bytes` is
      `nvvm.prmt`. Before threads read what others of their group have stored, and before they store
      where others may still read, the group waits for each other (`nvvm.bar.warp.sync`).
    - **Linears** of integers in parts of bits, of rounded activations, are products of fragments
      (`nvvm.mma.sync`, m16n8k32, u8 by s8), written for a thread of a block: up to 8 rows cost the
      same, one function takes any number, and no scratch is needed. The warps of a block share out
      the inputs of a tile, leave sums of integers in shared memory (`@shared`), and wait
      (`nvvm.barrier0`) for each other before each output is added up by one thread.

    So operations, encodings of weights and caches, layouts of weights and the order of every sum are
    those of CPUs, an operation without a kernel runs by its meaning here too, and results are the bits
    that a CPU with fma gives, for any number of blocks.

    The triple of the program is set, and the memory of a worker's own is that of a block. Parts of
    models (`spmd.activations`) are refused: calibration runs them, on the host.

    Before:
    ```mlir
    spmd.stage "norm" reads(%0, %1 : …) writes(%2 : …) {
    ^bb0(%x: tensor<?x576xf32>, %gain: tensor<576xf32>):
      %y = llmc.rms_norm %x, %gain {epsilon = 1.0e-5 : f32} : tensor<?x576xf32>, tensor<576xf32>
      spmd.yield %y : tensor<?x576xf32>
    }
    spmd.barrier %step
    ```
    After:
    ```mlir
    %begin, %end = …                         // of the group, from nvvm.read.ptx.sreg.ctaid.x and tid.x
    %any = arith.cmpi ult, %begin, %end : i64
    scf.if %any {
      func.call @rms_norm_576g1e3727C5AC_cuda(%begin, %end, %0, %1, %2) : …
    }
    func.call @grid_barrier(%arrived, %before) : (!llvm.ptr<1>, i64) -> ()
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"cuda\"",
           "cuda[:ARCHITECTURE], e.g. cuda:sm_90a; default: cuda:sm_80">,
    Option<"threads", "threads", "int64_t", /*default=*/"256",
           "Threads of a block: a multiple of 32 up to 1024">,
    Option<"kernels", "kernels", "std::string", /*default=*/"\"all\"",
           "all, meaning or meaning:OP[,OP…]: operations that run by their meaning although there "
           "are kernels for them">
  ];
  let dependentDialects = [
    "::llmc::cpu::CPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect", "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"
  ];
}

#endif // LLMC_CONVERSION_SPMDTOGPU_PASSES_TD
