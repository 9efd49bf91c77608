//===- Meaning.h - kernels made of what operations mean ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An operation that has no emitter in Kernels.h, or whose emitter is switched off, is computed as
// plain arithmetic: its meaning on one row (LLMCToLinalg) becomes loops over memory. Slower than an
// emitter's code, and never refused for want of one.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_KERNELS_MEANING_H
#define LLMC_CONVERSION_KERNELS_MEANING_H

#include "llmc/Conversion/Kernels/KernelTarget.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace llmc {

/// Which operations run by their meaning although there is an emitter for them.
class KernelChoice {
public:
  /// Reads `all` (kernels wherever there are any), `meaning` (none) or
  /// `meaning:OP[,OP…]` (none for operations of these names, such as llmc.gate).
  static llvm::Expected<KernelChoice> parse(llvm::StringRef text);

  /// Says which of the names is no operation, or nothing.
  std::string explainUnknown(mlir::MLIRContext *context) const;
  /// The same of an option `kernels` of a pass, whose errors are reported at the module.
  static mlir::FailureOr<KernelChoice> parseOption(mlir::ModuleOp module, llvm::StringRef text);
  bool usesMeaning(mlir::Operation *op) const;

private:
  bool always = false;
  std::vector<std::string> names;
};

/// Loads the dialects that meanings go through on their way. Comes after loadKernelDialects.
void loadMeaningDialects(mlir::MLIRContext *context);

/// A kernel, and the bytes of scratch that every worker needs for it.
struct MeaningKernel {
  mlir::func::FuncOp function;
  int64_t scratchBytes = 0;
};

/// (begin i, end i [rows], operands p…, result p, scratch p) for an operation that works row by
/// row. Operands and results of activations and vectors are an address each, rounded activations
/// their three planes; rows (!llmc.rows) are their positions. `exactOutput`: rows of the result end
/// at its width, without padding. Reports what CPUs can't run yet.
mlir::FailureOr<MeaningKernel> emitRowMeaning(mlir::ModuleOp module, mlir::Operation *op,
                                              bool exactOutput, const KernelTarget &target);
/// (begin i, end i [rows], indices p, table p, output p, scratch p). Kernels can read the table.
mlir::FailureOr<MeaningKernel> emitEmbeddingMeaning(mlir::ModuleOp module, EmbeddingOp op,
                                                    bool exactOutput, const KernelTarget &target);
/// (begin i, end i [output rows], outputs p, input p, output p, scratch p)
mlir::FailureOr<MeaningKernel> emitOutputRowsMeaning(mlir::ModuleOp module, OutputRowsOp op,
                                                     bool exactOutput, const KernelTarget &target);
/// As emitLinear() has it: (rows i, begin i, end i [tiles], weights p, input p | codes p, scales p,
/// sums p, [bias p], [residual p], output p, scratch p). `add` is what adds a residual, or null.
/// Kernels can read the weight.
mlir::FailureOr<MeaningKernel> emitLinearMeaning(mlir::ModuleOp module, LinearOp op,
                                                 mlir::Operation *add, bool exactOutput,
                                                 const KernelTarget &target);
/// As emitCacheAppend() has it: (begin i, end i [rows], keys p, values p, states p, positions p,
/// sequences p, offset i, scratch p).
mlir::FailureOr<MeaningKernel> emitCacheAppendMeaning(mlir::ModuleOp module, CacheAppendOp op,
                                                      const KernelTarget &target);
/// As emitCacheRound() has it: (begin i, end i [rows], states p, positions p, sequences p, offset
/// i, scratch p).
mlir::FailureOr<MeaningKernel> emitCacheRoundMeaning(mlir::ModuleOp module, CacheRoundOp op,
                                                     const KernelTarget &target);
/// (rows i, begin i, end i [rows], query p, states p, positions p, sequences p, offset i, [sinks
/// p], output p, scratch p). Where the cache chooses positions, one task is all rows, and its
/// scores are updated. Reports one whose positions queries choose together.
mlir::FailureOr<MeaningKernel> emitAttentionMeaning(mlir::ModuleOp module, AttentionOp op,
                                                    bool exactOutput, const KernelTarget &target);

} // namespace llmc

#endif // LLMC_CONVERSION_KERNELS_MEANING_H
