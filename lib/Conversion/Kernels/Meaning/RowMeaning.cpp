//===- RowMeaning.cpp - kernels that go from row to row by a meaning ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../WeightDecoder.h"
#include "PieceMeaning.h"
#include "llmc/Conversion/Kernels/Meaning.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"
#include "llmc/Dialect/SPMD/IR/BufferLayout.h"
#include "llmc/Dialect/SPMD/IR/RowWise.h"
#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace llmc;

/// The type that a value of rows has where there is one.
static Type getOneRow(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!hasRows(type))
    return type;
  SmallVector<int64_t> shape(tensor.getShape());
  shape[0] = 1;
  return RankedTensorType::get(shape, tensor.getElementType(), tensor.getEncoding());
}

static SmallVector<OpFoldResult> forOneRow(OpBuilder &builder, SmallVector<OpFoldResult> sizes,
                                           Type type) {
  if (hasRows(type))
    sizes[0] = builder.getIndexAttr(1);
  return sizes;
}

/// An operation on the operands of one row, which `mapping` has.
static void cloneForOneRow(OpBuilder &builder, Operation *op, IRMapping &mapping) {
  Location location = op->getLoc();
  auto set = [&](Value value) { mapping.map(op->getResult(0), value); };
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](tensor::DimOp) { set(arith::ConstantIndexOp::create(builder, location, 1)); })
      .Case([&](tensor::EmptyOp) {
        set(tensor::EmptyOp::create(builder, location, getOneRow(op->getResult(0).getType()),
                                    ValueRange()));
      })
      .Case([&](tensor::ExpandShapeOp expand) {
        set(tensor::ExpandShapeOp::create(builder, location, getOneRow(expand.getType()),
                                          mapping.lookup(expand.getSrc()),
                                          expand.getReassociationIndices()));
      })
      .Case([&](tensor::ExtractSliceOp slice) {
        set(tensor::ExtractSliceOp::create(
            builder, location, cast<RankedTensorType>(getOneRow(slice.getType())),
            mapping.lookup(slice.getSource()), slice.getMixedOffsets(),
            forOneRow(builder, slice.getMixedSizes(), slice.getType()), slice.getMixedStrides()));
      })
      .Case([&](tensor::InsertSliceOp slice) {
        set(tensor::InsertSliceOp::create(
            builder, location, mapping.lookup(slice.getSource()), mapping.lookup(slice.getDest()),
            slice.getMixedOffsets(),
            forOneRow(builder, slice.getMixedSizes(), slice.getSourceType()),
            slice.getMixedStrides()));
      })
      .Default([&](Operation *) {
        for (Value result : builder.clone(*op, mapping)->getResults())
          result.setType(getOneRow(result.getType()));
      });
}

/// The result of an operation on the operands of one row.
static Value cloneForOneRow(PieceMeaning &piece, Operation *op, IRMapping mapping) {
  OpBuilder &builder = piece.function.builder;
  auto map = dyn_cast<spmd::MapRowsOp>(op);
  if (!map) {
    cloneForOneRow(builder, op, mapping);
    return mapping.lookup(op->getResult(0));
  }
  Block &body = map.getBody().front();
  for (auto [argument, operand] : llvm::zip(body.getArguments(), map.getInputs()))
    mapping.map(argument, mapping.lookup(operand));
  for (Operation &inner : body.without_terminator())
    cloneForOneRow(builder, &inner, mapping);
  return mapping.lookup(body.getTerminator()->getOperand(0));
}

//===----------------------------------------------------------------------===//
// Rows of operands
//===----------------------------------------------------------------------===//

FailureOr<MeaningKernel> llmc::emitRowMeaning(ModuleOp module, Operation *op, bool exactOutput,
                                              const KernelTarget &target) {
  PieceMeaning piece(op->getLoc());
  IRMapping operands;
  for (Value operand : op->getOperands()) {
    FailureOr<Value> value = piece.readOperand(op, operand);
    if (failed(value))
      return failure();
    operands.map(operand, *value);
  }
  if (auto round = dyn_cast<RoundOp>(op))
    piece.writeRounded(operands.lookup(round.getInput()), round.getRounding());
  else
    piece.writeActivations(cloneForOneRow(piece, op, operands), exactOutput);
  std::string name = getMeaningName(op, piece.getHash(), target);
  if (std::optional<MeaningKernel> existing = findMeaning(module, name))
    return *existing;
  if (failed(piece.lower()))
    return failure();
  size_t count = piece.getNumAddresses();
  KernelBuilder k(module, name, "ii" + std::string(count + 1, 'p'), target);
  SmallVector<Value> bases;
  for (size_t i = 0; i < count; ++i)
    bases.push_back(k.argument(2 + i));
  k.loop(k.argument(0), k.argument(1), 1,
         [&](Value row) { piece.inlineAt(k, bases, row, Value(), k.argument(2 + count)); });
  return finishMeaning(k.finish(), piece.getScratchBytes());
}

//===----------------------------------------------------------------------===//
// Rows that are found
//===----------------------------------------------------------------------===//

/// A kernel of rows that are chosen by an index: `find` says where the chosen row is, which
/// together with an index of zero is what the meaning is given.
static FailureOr<MeaningKernel>
emitFoundRows(ModuleOp module, StringRef name, PieceMeaning &piece, int64_t ownScratch,
              const KernelTarget &target,
              function_ref<Value(KernelBuilder &k, Value index, Value scratch)> find) {
  if (std::optional<MeaningKernel> existing = findMeaning(module, name))
    return *existing;
  if (failed(piece.lower()))
    return failure();
  // The zero, what finding takes, what the meaning takes.
  constexpr int64_t zeroBytes = 64;
  KernelBuilder k(module, name, "iipppp", target);
  Value zero = k.argument(5), own = k.offset(zero, zeroBytes);
  k.store(k.integer(k.i32(), 0), zero);
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value index = k.load(k.i32(), k.offset(k.argument(2), k.mul(row, 4)));
    Value found = find(k, k.extendSigned(index, k.i64()), own);
    piece.inlineAt(k, {zero, found, k.argument(4)}, row, Value(), k.offset(own, ownScratch));
  });
  return finishMeaning(k.finish(), zeroBytes + ownScratch + piece.getScratchBytes());
}

FailureOr<MeaningKernel> llmc::emitEmbeddingMeaning(ModuleOp module, EmbeddingOp op,
                                                    bool exactOutput, const KernelTarget &target) {
  auto table = cast<RankedTensorType>(op.getTable().getType());
  TiledLayout layout = TiledLayout::get(table);
  PieceMeaning piece(op.getLoc());
  IRMapping operands;
  operands.map(op.getIndices(), piece.readZero());
  operands.map(op.getTable(), piece.readPanel(1, layout.columns));
  piece.writeActivations(cloneForOneRow(piece, op, operands), exactOutput);
  func::FuncOp decode = emitDecodePanel(module, table, target);
  // What the panel is made of is not told by its values.
  uint64_t hash = piece.getHash() ^ llvm::xxh3_64bits(decode.getName());
  return emitFoundRows(module, getMeaningName(op, hash, target), piece, getPanelBytes(table),
                       target, [&](KernelBuilder &k, Value index, Value panel) {
                         Value tile = k.div(index, tileRows);
                         Value from = getTileAddress(k, layout, k.argument(3), tile);
                         func::CallOp::create(k.builder, k.location, decode,
                                              ValueRange{k.argument(3), from, panel});
                         Value lane = k.rem(index, k.integer(tileRows));
                         return k.offset(panel, k.mul(lane, 4));
                       });
}

FailureOr<MeaningKernel> llmc::emitOutputRowsMeaning(ModuleOp module, OutputRowsOp op,
                                                     bool exactOutput, const KernelTarget &target) {
  int64_t width = op.getInput().getType().getDimSize(1);
  PieceMeaning piece(op.getLoc());
  IRMapping operands;
  operands.map(op.getRows(), piece.readZeroRows());
  operands.map(op.getInput(), piece.readFoundActivations(width));
  piece.writeActivations(cloneForOneRow(piece, op, operands), exactOutput);
  return emitFoundRows(module, getMeaningName(op, piece.getHash(), target), piece,
                       /*ownScratch=*/0, target, [&](KernelBuilder &k, Value index, Value) {
                         return k.offset(k.argument(3), k.mul(index, getRowStride(width) * 4));
                       });
}
