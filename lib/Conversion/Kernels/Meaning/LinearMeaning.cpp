//===- LinearMeaning.cpp - linears by their meaning ---===//
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

#include "mlir/IR/IRMapping.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace llmc;

namespace {

/// Outputs of a linear, and of what is added to it, for one row.
class LinearTile {
public:
  LinearTile(LinearOp op, Operation *add, int64_t outputs, int64_t outputBytes);

  PieceMeaning piece;
};

} // namespace

LinearTile::LinearTile(LinearOp op, Operation *add, int64_t outputs, int64_t outputBytes)
    : piece(op.getLoc()) {
  auto weight = cast<RankedTensorType>(op.getWeight().getType());
  auto input = cast<RankedTensorType>(op.getInput().getType());
  IRMapping mapping;
  mapping.map(op.getWeight(), piece.readPanel(outputs, weight.getDimSize(1)));
  mapping.map(op.getInput(), isRoundedActivations(input)
                                 ? piece.readRounded(input)
                                 : piece.readActivations(input.getDimSize(1)));
  if (op.getBias())
    mapping.map(op.getBias(), piece.readTileOfVector(outputs));
  OpBuilder &builder = piece.function.builder;
  auto type = RankedTensorType::get({1, outputs}, builder.getF32Type());
  auto clone = [&](Operation *original) {
    Value result = builder.clone(*original, mapping)->getResult(0);
    result.setType(type);
    return result;
  };
  Value result = clone(op);
  if (add) {
    mapping.map(op.getResult(), result);
    Value residual = add->getOperand(0) == op.getResult() ? add->getOperand(1) : add->getOperand(0);
    int64_t rowBytes = getRowStride(weight.getDimSize(0)) * 4;
    mapping.map(residual, piece.readTileOfActivations(outputs, rowBytes));
    result = clone(add);
  }
  piece.writeTileOfActivations(result, outputBytes);
}

FailureOr<MeaningKernel> llmc::emitLinearMeaning(ModuleOp module, LinearOp op, Operation *add,
                                                 bool exactOutput, const KernelTarget &target) {
  auto weight = cast<RankedTensorType>(op.getWeight().getType());
  TiledLayout layout = TiledLayout::get(weight);
  int64_t stride = exactOutput ? layout.rows : getRowStride(layout.rows);
  int64_t whole = layout.rows / tileRows, left = layout.rows % tileRows;
  func::FuncOp decode = emitDecodePanel(module, weight, target);
  // Tiles of 16 outputs, and a shorter one.
  std::optional<LinearTile> full, last;
  uint64_t hash = llvm::xxh3_64bits(decode.getName());
  for (auto [tile, outputs] : {std::pair(&full, whole ? tileRows : 0), std::pair(&last, left)}) {
    if (outputs == 0)
      continue;
    tile->emplace(op, add, outputs, stride * 4);
    hash = 31 * hash + (*tile)->piece.getHash();
  }
  std::string name = getMeaningName(op, hash, target);
  if (std::optional<MeaningKernel> existing = findMeaning(module, name))
    return *existing;
  int64_t panelBytes = getPanelBytes(weight), scratchBytes = 0;
  for (std::optional<LinearTile> *tile : {&full, &last}) {
    if (!*tile)
      continue;
    if (failed((*tile)->piece.lower()))
      return failure();
    scratchBytes = std::max(scratchBytes, (*tile)->piece.getScratchBytes());
  }
  LinearTile &any = full ? *full : *last;
  size_t count = any.piece.getNumAddresses();
  KernelBuilder k(module, name, "iii" + std::string(count + 1, 'p'), target);
  Value panel = k.argument(3 + count), own = k.offset(panel, panelBytes);
  SmallVector<Value> bases{panel};
  for (size_t i = 1; i < count; ++i)
    bases.push_back(k.argument(3 + i));
  auto emitTile = [&](std::optional<LinearTile> &tile, Value index) {
    if (!tile)
      return;
    k.loop(k.integer(0), k.argument(0), 1,
           [&](Value row) { tile->piece.inlineAt(k, bases, row, index, own); });
  };
  k.loop(k.argument(1), k.argument(2), 1, [&](Value index) {
    Value from = getTileAddress(k, layout, k.argument(3), index);
    func::CallOp::create(k.builder, k.location, decode, ValueRange{k.argument(3), from, panel});
    k.ifThen(k.lessInteger(index, k.integer(whole)), [&] { emitTile(full, index); });
    k.ifThen(k.equal(index, k.integer(layout.tiles - 1)), [&] {
      if (left)
        emitTile(last, index);
      k.loop(k.integer(0), k.argument(0), 1, [&](Value row) {
        Value output = k.offset(bases.back(), k.mul(row, stride * 4));
        for (int64_t i = layout.rows; i < stride; ++i)
          k.store(k.real(k.f32(), 0.0), k.offset(output, i * 4));
      });
    });
  });
  return finishMeaning(k.finish(), panelBytes + scratchBytes);
}
