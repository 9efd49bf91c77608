//===- HostCode.h - planned programs compiled and run on this machine ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_HOSTCODE_H
#define LLMC_LIB_CALIBRATION_HOSTCODE_H

#include "llmc/Conversion/SPMDToCPU/SPMDToCPU.h"
#include "llmc/program.h"

#include "llvm/ADT/FunctionExtras.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <optional>

struct llmc_pool;
namespace llvm::orc {
class LLJIT;
}

namespace llmc {

/// This machine, with the best of the compiler's variants that it runs; nothing where there is
/// none.
std::optional<Target> getHostTarget();

/// Memory for generated code: whole pages of zeros, which take memory as they are written and give
/// it back to the system at the end.
class Pages {
public:
  Pages() = default;
  explicit Pages(size_t size);
  uint8_t *data() const { return memory.get(); }
  float *floats() const { return reinterpret_cast<float *>(memory.get()); }
  size_t size() const { return bytes; }

private:
  struct Unmap {
    size_t bytes;
    void operator()(uint8_t *memory) const;
  };
  std::unique_ptr<uint8_t, Unmap> memory{nullptr, Unmap{0}};
  size_t bytes = 0;
};

/// The threads that run everything.
class Workers {
public:
  /// 0 threads: as many as the process may run on.
  static llvm::Expected<Workers> create(unsigned threads);

  unsigned size() const { return threads; }
  void runStep(llmc_step_function function, llmc_step &step);
  /// Calls `work` once for every index below `count`, in any order, on any worker.
  void run(int64_t count, llvm::function_ref<void(int64_t index, unsigned worker)> work);

private:
  struct Destroy {
    void operator()(llmc_pool *pool) const;
  };
  std::unique_ptr<llmc_pool, Destroy> pool;
  unsigned threads = 0;
};

/// How far code is optimized that reads so many bytes of weights in all, once for each row: not at
/// all where LLVM would take longer than the code. Kernels say what is fused and in which order
/// sums go, so that results are the same bits.
llvm::CodeGenOptLevel chooseOptLevel(int64_t weightBytes, int64_t rows);

/// A program planned for getHostTarget(), in memory.
class HostCode {
public:
  /// Without LLVM's optimizations at level None: what runs once, and need not be fast.
  static llvm::Expected<HostCode>
  compile(mlir::OwningOpRef<mlir::ModuleOp> planned,
          llvm::CodeGenOptLevel level = llvm::CodeGenOptLevel::Aggressive);
  HostCode();
  HostCode(HostCode &&);
  HostCode &operator=(HostCode &&);
  ~HostCode();

  llmc_step_function step = nullptr;
  int64_t arenaBytes = 0, workerArenaBytes = 0, stateBytes = 0;

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_HOSTCODE_H
