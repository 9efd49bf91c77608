//===- Kernels.h - emitters of the functions that programs are made of ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each emitter adds a private function to a module, or finds the one that an equal specification
// made before, and says in which order its arguments come. Arguments are pointers (p) and i64 (i).
//
// Activations lie as BufferLayout.h says; of rounded ones each plane is an argument. Weights are
// tiled (TiledLayout.h). `begin` and `end` are the caller's share of the work, in tiles or rows as
// said.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_KERNELS_KERNELS_H
#define LLMC_CONVERSION_KERNELS_KERNELS_H

#include "llmc/Conversion/Kernels/KernelTarget.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"
#include "llmc/Dialect/SPMD/IR/BufferLayout.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>

namespace llmc {

/// Loads the dialects that kernels consist of and gives encodings their decode steps. Comes before
/// all else here.
void loadKernelDialects(mlir::MLIRContext *context);

/// Says why kernels can't read a matrix of this type, or nothing.
std::string explainUnsupported(mlir::RankedTensorType weight);

/// output[r, n] = Σ_k input[r, k] · weight[n, k] (+ bias[n]) (+ residual[r, n]).
struct LinearKernel {
  mlir::RankedTensorType weight; ///< before tiling
  bool rounded = false;          ///< the input is rounded activations
  bool oneScale = false;         ///< where it is, of which each row has one scale
  bool bias = false;
  bool residual = false;    ///< may be the output itself
  bool oneRow = false;      ///< for exactly one row
  int64_t outputStride = 0; ///< floats from one row of the output to the next
  bool exactOutput = false; ///< writes no padding: rows end at the output's width

  /// Bytes of scratch that every worker needs.
  int64_t getScratchBytes() const;
  /// Whether the warps of a worker multiply fragments of matrices of integers: the kernel needs no
  /// scratch, and takes any number of rows.
  bool usesFragments(const KernelTarget &target) const;

  /// Which argument is the address of the weights.
  static constexpr unsigned weightsArgument = 3;
};
/// How the weights of a linear kernel lie, as an attribute of its function: tiles of so
/// many bytes, one after the other, the first so many bytes after the start.
struct TilesAttribute {
  int64_t offset, bytes, count;

  static constexpr llvm::StringLiteral name = "tiles";
  /// Nothing for functions without one.
  static std::optional<TilesAttribute> get(mlir::func::FuncOp kernel);
  void set(mlir::func::FuncOp kernel) const;
};
/// (rows i, begin i, end i [tiles], weights p, input p | codes p, scales p, sums p, [bias p],
///  [residual p], output p, scratch p). Kernels can read the weight (explainUnsupported).
mlir::func::FuncOp emitLinear(mlir::ModuleOp module, const LinearKernel &kernel,
                              const KernelTarget &target);
/// Says why `kernel` can't be generated, or nothing.
std::string explainUnsupported(const LinearKernel &kernel);

/// (begin i, end i [rows], input p, gain p, output p)
mlir::func::FuncOp emitRMSNorm(mlir::ModuleOp module, int64_t width, int64_t groups, float epsilon,
                               const KernelTarget &target);
/// (begin i, end i [rows], input p, gain p, [bias p], output p)
mlir::func::FuncOp emitLayerNorm(mlir::ModuleOp module, int64_t width, float epsilon, bool bias,
                                 const KernelTarget &target);
/// Whether there is a kernel for Hadamard matrices of this order: not where their core is large.
bool hasHadamardKernel(int64_t order);
/// (begin i, end i [rows], input p, output p). There is a kernel for `order`.
mlir::func::FuncOp emitHadamard(mlir::ModuleOp module, int64_t width, int64_t order,
                                bool transposed, const KernelTarget &target);
/// (begin i, end i [rows], input p, codes p, scales p, sums p), to integers
mlir::func::FuncOp emitRound(mlir::ModuleOp module, int64_t width, DynamicAttr rounding,
                             const KernelTarget &target);
/// (begin i, end i [rows], input p, output p), to floats
mlir::func::FuncOp emitRoundValues(mlir::ModuleOp module, int64_t width, DynamicAttr rounding,
                                   const KernelTarget &target);

/// Floats of one row of a table of cosines and sines for F frequencies.
inline int64_t getRotationStride(int64_t frequencies) { return 2 * ((frequencies + 15) / 16 * 16); }
/// (begin i, end i [rows], positions p, table p)
mlir::func::FuncOp emitRotationTable(mlir::ModuleOp module, llvm::ArrayRef<float> frequencies,
                                     float scaling, const KernelTarget &target);
struct RotationKernel {
  int64_t width, heads, frequencies;
  bool interleaved;
};
/// (begin i, end i [rows], input p, table p, output p); output may be the input
mlir::func::FuncOp emitRotation(mlir::ModuleOp module, const RotationKernel &kernel,
                                const KernelTarget &target);

/// (begin i, end i [rows], keys p, values p, states p, positions p, sequences p, offset i [of the
///  cache in a state])
mlir::func::FuncOp emitCacheAppend(mlir::ModuleOp module, KVCacheType cache,
                                   const KernelTarget &target);
/// (begin i, end i [rows], states p, positions p, sequences p, offset i): rounds the groups of
/// positions that rows fill, where keys share elements along positions.
mlir::func::FuncOp emitCacheRound(mlir::ModuleOp module, KVCacheType cache,
                                  const KernelTarget &target);
struct AttentionKernel {
  KVCacheType cache;
  int64_t heads;
  float scale;
  std::optional<int64_t> window;
  std::optional<float> softcap;
  llvm::SmallVector<float> slopes; ///< one per head, or none
  bool sinks = false;              ///< one f32 per head, an operand
  bool oneRow = false;             ///< for exactly one row

  int64_t getScratchBytes() const;
  /// Rows that go together where they are of one sequence.
  int64_t getRowsAtOnce() const;
};
/// (rows i, begin i, end i [tasks], query p, states p, positions p, sequences p, offset i, [sinks
/// p],
///  output p, scratch p). Tasks of one row are its heads; of many, they are the heads of the cache
///  times the
/// blocks of getRowsAtOnce() rows, the last one shorter. Where the cache chooses positions, tasks
/// are its heads, of one row and of many, and its scores are updated.
mlir::func::FuncOp emitAttention(mlir::ModuleOp module, const AttentionKernel &kernel,
                                 const KernelTarget &target);

/// (begin i, end i [rows], indices p, table p, output p). Kernels can read the table.
mlir::func::FuncOp emitEmbedding(mlir::ModuleOp module, mlir::RankedTensorType table,
                                 const KernelTarget &target);
/// (begin i, end i [rows], input p, output p)
mlir::func::FuncOp emitActivation(mlir::ModuleOp module, int64_t width, Nonlinearity function,
                                  const KernelTarget &target);
/// (begin i, end i [rows], gate p, up p, output p)
mlir::func::FuncOp emitGate(mlir::ModuleOp module, int64_t width, Nonlinearity function,
                            const KernelTarget &target);
/// (begin i, end i [rows], input p, output p)
mlir::func::FuncOp emitScale(mlir::ModuleOp module, int64_t width, float factor,
                             const KernelTarget &target);
/// (begin i, end i [rows], left p, right p, output p)
mlir::func::FuncOp emitAdd(mlir::ModuleOp module, int64_t width, const KernelTarget &target);
/// (begin i, end i [rows], input p, output p): llmc.take_columns
mlir::func::FuncOp emitTakeColumns(mlir::ModuleOp module, int64_t width,
                                   llvm::ArrayRef<int32_t> columns, const KernelTarget &target);
/// (begin i, end i [rows], input p, output p): llmc.clear_columns
mlir::func::FuncOp emitClearColumns(mlir::ModuleOp module, int64_t width,
                                    llvm::ArrayRef<int32_t> columns, const KernelTarget &target);
/// (begin i, end i [output rows], outputs p, input p, output p)
mlir::func::FuncOp emitGatherRows(mlir::ModuleOp module, int64_t width, const KernelTarget &target);

} // namespace llmc

#endif // LLMC_CONVERSION_KERNELS_KERNELS_H
