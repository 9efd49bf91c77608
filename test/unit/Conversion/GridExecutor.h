//===- GridExecutor.h - kernels for GPUs, run on this machine ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel's own code, down to the NVVM dialect, whose operations become calls of what is here:
// every thread of every block is a fiber, all of them alive until the kernel ends, as a cooperative
// launch has it. Threads run one at a time, until they wait for others. Which goes on then is drawn
// from a seed: a wait that is missing shows as other numbers for some seeds, since a thread that
// does not wait runs far ahead of others.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_CONVERSION_GRIDEXECUTOR_H
#define LLMC_TEST_UNIT_CONVERSION_GRIDEXECUTOR_H

#include "llmc/program.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <vector>

namespace llvm::orc {
class LLJIT;
}

namespace llmc::test {

class GridExecutor {
public:
  /// `program` as convert-spmd-to-gpu leaves it. Compiling takes longer than running: LLVM's
  /// optimizations are left out at level None.
  static llvm::Expected<GridExecutor>
  compile(mlir::ModuleOp program, llvm::CodeGenOptLevel level = llvm::CodeGenOptLevel::None);
  GridExecutor(GridExecutor &&);
  ~GridExecutor();

  unsigned getThreads() const { return threads; } ///< of a block

  /// Addresses that steps have asked for before they needed them, with the bytes of each.
  using Prefetched = std::vector<std::pair<const void *, int64_t>>;
  const Prefetched &getPrefetched() const { return prefetched; }

  /// Runs a step on `blocks` blocks, which count themselves at `arrived`. Fails where threads wait
  /// for what never comes.
  llvm::Error run(const llmc_step &step, unsigned blocks, uint64_t seed, int64_t *arrived);
  /// The same with a counter of its own.
  llvm::Error run(const llmc_step &step, unsigned blocks, uint64_t seed) {
    int64_t arrived = 0;
    return run(step, blocks, seed, &arrived);
  }

private:
  GridExecutor();

  using Kernel = void (*)(const void *weights, void *arena, void *workerArena, void *states,
                          const void *tokens, const void *positions, const void *sequences,
                          const void *outputs, void *logits, int64_t rows, int64_t outputRows,
                          int64_t *arrived);

  std::unique_ptr<llvm::orc::LLJIT> jit;
  Kernel kernel = nullptr;
  unsigned threads = 0;
  Prefetched prefetched;
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_CONVERSION_GRIDEXECUTOR_H
