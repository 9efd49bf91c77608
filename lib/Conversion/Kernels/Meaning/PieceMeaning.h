//===- PieceMeaning.h - what a meaning reads and writes of buffers ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_MEANING_PIECEMEANING_H
#define LLMC_LIB_CONVERSION_KERNELS_MEANING_PIECEMEANING_H

#include "MeaningFunction.h"
#include "llmc/Conversion/Kernels/Meaning.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

namespace llmc {

/// A meaning on one row, or on one row and one tile of 16 outputs of a linear, and where in buffers
/// these lie (BufferLayout.h).
class PieceMeaning {
public:
  using Value = mlir::Value;

  explicit PieceMeaning(mlir::Location location) : function(location) {}

  // Each takes the next address, rounded activations the next three.
  Value readActivations(int64_t width);
  Value readRounded(mlir::RankedTensorType type); ///< what the integers stand for
  Value readVector(int64_t width);                ///< of weights
  Value readIndex();                              ///< an integer of each row
  Value readRows();                               ///< !llmc.rows, out of positions
  /// `width` floats from 16 times the tile on: of activations, of a vector.
  Value readTileOfActivations(int64_t width, int64_t rowBytes);
  Value readTileOfVector(int64_t width);
  /// An operand of an operation that works row by row.
  mlir::FailureOr<Value> readOperand(mlir::Operation *op, Value operand);

  /// `exact`: without the zeros that rows end with.
  void writeActivations(Value tensor, bool exact);
  void writeTileOfActivations(Value tensor, int64_t rowBytes);
  /// Rounds rows and writes the three planes.
  void writeRounded(Value tensor, DynamicAttr rounding);

  // Addresses that say themselves where the row in hand is.

  /// Weights of 16 rows, of which `rows` are the matrix': element [n, k] is n + 16 · k floats on.
  Value readPanel(int64_t rows, int64_t columns);
  /// A single integer that is zero.
  Value readZero();
  Value readZeroRows(); ///< !llmc.rows, out of one
  /// A row that the kernel finds.
  Value readFoundActivations(int64_t width);
  /// Anything that the kernel finds.
  Value readFound(mlir::MemRefType type);
  void writeFound(Value tensor, mlir::MemRefType type);

  mlir::LogicalResult lower() { return function.lower(); }
  /// Tells pieces apart. Before lower() alone.
  uint64_t getHash();
  size_t getNumAddresses() const { return places.size(); }
  int64_t getScratchBytes() const { return function.getScratchBytes(); }

  /// Moves the piece of `row` and, where there are any, `tile` into a kernel, once. `bases` are
  /// those of buffers, or addresses as they are.
  void inlineAt(KernelBuilder &k, llvm::ArrayRef<Value> bases, Value row, Value tile,
                Value scratch);

  MeaningFunction function;

private:
  /// Bytes from one row, or one tile, to the next; 0 where that doesn't matter.
  struct Place {
    int64_t rowBytes = 0, tileBytes = 0;
  };
  /// Elements that a row ends with after its `width` ones: zeros up to `stride`.
  struct Padding {
    size_t place;
    int64_t width, stride;
    mlir::Type element;
  };

  mlir::Type f32() { return function.builder.getF32Type(); }
  Value read(llvm::ArrayRef<int64_t> shape, mlir::Type element, Place place);
  void write(Value tensor, Place place);

  llvm::SmallVector<Place> places;
  llvm::SmallVector<Padding> paddings;
};

/// A name for the kernel of an operation and pieces of this hash.
std::string getMeaningName(mlir::Operation *op, uint64_t hash, const KernelTarget &target);

/// The kernel of that name, if it was made before.
std::optional<MeaningKernel> findMeaning(mlir::ModuleOp module, llvm::StringRef name);
/// What `function`, now complete, is as a kernel; findMeaning() finds it.
MeaningKernel finishMeaning(mlir::func::FuncOp function, int64_t scratchBytes);

/// Makes 16 rows of fp32 of a tile of weights: (matrix p, tile p, panel p), as
/// PieceMeaning::readPanel() reads them. Kernels can read the weight.
mlir::func::FuncOp emitDecodePanel(mlir::ModuleOp module, mlir::RankedTensorType weight,
                                   const KernelTarget &target);
/// Bytes of such a panel.
int64_t getPanelBytes(mlir::RankedTensorType weight);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_MEANING_PIECEMEANING_H
