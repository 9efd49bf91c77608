//===- KernelTestSupport.h - kernels compiled in memory and run ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels take the way that programs take: emitter, spmd lowering, LLVM's passes, an object file,
// which is then linked into this process.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_CONVERSION_KERNELTESTSUPPORT_H
#define LLMC_TEST_UNIT_CONVERSION_KERNELTESTSUPPORT_H

#include "llmc/Conversion/Kernels/Kernels.h"

#include "gtest/gtest.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace llvm::orc {
class LLJIT;
}

namespace llmc::test {

/// A variant as it can be run here: as it is, or with group_dot lowered to plain arithmetic. What
/// is plain is compiled without LLVM's optimizations: it says what the others have to compute, and
/// it need not be fast.
struct TestTarget {
  std::string label; ///< "avx2", "plain:avx512vnni"
  KernelTarget target;
  bool plain = false;
};

/// Every variant of this machine's architecture, natively where the CPU can run it, else through
/// its plain lowering; at least one with fma is plain. Kernels without products of integers need
/// fewer: none of variants that differ in these alone but one, nothing plain of what runs natively,
/// and LLVM's optimizations for those alone that agree on bits. Under sanitizers the best one
/// alone.
std::vector<TestTarget> getTestTargets(bool integerProducts = true);

using Emitter = std::function<mlir::func::FuncOp(mlir::ModuleOp, const KernelTarget &)>;

/// Kernels compiled for one target.
class CompiledKernels {
public:
  CompiledKernels(mlir::MLIRContext &context, const TestTarget &target,
                  llvm::ArrayRef<Emitter> emitters);
  ~CompiledKernels();

  /// Runs the kernel of the emitter at `index`; arguments are pointers and integers.
  template <typename... Arguments>
  void run(size_t index, Arguments... arguments) {
    reinterpret_cast<void (*)(decltype(asWord(arguments))...)>(addresses[index])(
        asWord(arguments)...);
  }

private:
  static uint64_t asWord(const void *pointer) { return reinterpret_cast<uint64_t>(pointer); }
  static uint64_t asWord(int64_t number) { return static_cast<uint64_t>(number); }

  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::vector<uint64_t> addresses;
};

/// Memory at a multiple of 64 bytes with guards on both sides; the end of its life checks them.
class Memory {
public:
  explicit Memory(size_t bytes, uint8_t fill = 0);
  ~Memory();
  Memory(const Memory &) = delete;

  uint8_t *data() { return bytes.data() + begin; }
  template <typename T>
  T *as() {
    return reinterpret_cast<T *>(data());
  }
  size_t size() const { return count; }

private:
  static constexpr size_t guard = 256;
  std::vector<uint8_t> bytes;
  size_t begin, count;
};

/// Rows of activations, each padded with zeros. A new one is filled with NaN where a kernel is to
/// write.
class Rows {
public:
  /// For a kernel to write.
  Rows(int64_t count, int64_t width);
  /// Uniform in [-range, range).
  static std::unique_ptr<Rows> random(int64_t count, int64_t width, uint64_t seed,
                                      float range = 1.0f);

  float *data() { return memory.as<float>(); }
  float &at(int64_t row, int64_t column) { return data()[row * stride + column]; }
  /// Expects zeros after every row.
  void expectPadding(const std::string &what);
  void append(std::vector<uint8_t> &bytes);

  const int64_t count, width, stride;

private:
  Memory memory;
};

/// Runs `body` with the kernels of every target. It appends what they computed to `bytes`, which
/// all targets with fma must agree on.
void forEachTarget(
    mlir::MLIRContext &context, llvm::ArrayRef<Emitter> emitters,
    llvm::function_ref<void(const TestTarget &, CompiledKernels &, std::vector<uint8_t> &bytes)>
        body,
    bool integerProducts = true);

/// A context with every dialect that kernels are made of.
std::unique_ptr<mlir::MLIRContext> makeContext();

/// A float rounded to f16 or f32 and back.
float roundTo(float value, mlir::Type type);

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_CONVERSION_KERNELTESTSUPPORT_H
