//===- WeightTable.cpp - where parameters lie in the packed weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/LLMCToSPMD/LLMCToSPMD.h"
#include "llmc/Dialect/LLMC/IR/Original.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

#include "mlir/IR/Threading.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;
using namespace llmc;

/// Bytes of a packed parameter, or of any of its type, or an error where kernels can't read that.
static FailureOr<WeightTable::Entry> planParameter(ParameterOp parameter, bool byType = false) {
  RankedTensorType type = parameter.getTensorType();
  Type element = type.getElementType();
  if (!element.isF32() && !element.isF16() && !element.isBF16())
    return parameter.emitOpError("expected weights of f32, f16 or bf16, found ") << element;
  // Far more than any model has, so that no size overflows.
  constexpr int64_t most = int64_t(1) << 44;
  std::optional<int64_t> count = 1;
  for (int64_t size : type.getShape())
    count = count ? llvm::checkedMul(*count, size) : count;
  if (!count || *count > most)
    return parameter.emitOpError("expected at most ") << most << " elements, found " << type;
  if (type.getRank() == 1 && !type.getEncoding())
    return WeightTable::Entry{0, static_cast<int64_t>(llvm::alignTo(type.getDimSize(0), 32) * 4),
                              false};
  if (type.getRank() != 2)
    return parameter.emitOpError("expected a vector or a matrix, found ") << type;
  TiledLayout layout = TiledLayout::get(type);
  if (byType || !layout.isMasked())
    return WeightTable::Entry{0, getMostPackedSize(layout), true};
  FailureOr<ArrayRef<uint8_t>> canonical = getParameterBytes(parameter);
  if (failed(canonical))
    return failure();
  return WeightTable::Entry{0, getPackedSize(layout, *canonical), true};
}

FailureOr<WeightTable> WeightTable::plan(ModuleOp module) {
  return plan(module, /*byTypes=*/false);
}

FailureOr<WeightTable> WeightTable::planByTypes(ModuleOp module) {
  return plan(module, /*byTypes=*/true);
}

FailureOr<WeightTable> WeightTable::plan(ModuleOp module, bool byTypes) {
  WeightTable table;
  SymbolTableCollection symbols;
  bool failed = false;
  module.walk([&](ParameterValueOp read) {
    auto parameter = symbols.lookupNearestSymbolFrom<ParameterOp>(read, read.getParameterAttr());
    if (!parameter || table.entries.contains(parameter))
      return;
    FailureOr<Entry> entry = planParameter(parameter, byTypes);
    if (mlir::failed(entry)) {
      failed = true;
      return;
    }
    entry->offset = table.size;
    table.size += llvm::alignTo(entry->bytes, 64);
    table.entries.insert({parameter, *entry});
  });
  if (failed)
    return failure();
  return table;
}

FailureOr<WeightTable> WeightTable::read(spmd::ProgramOp program) {
  WeightTable table;
  table.size = program.getSizes().getWeightBytes();
  int64_t end = 0; // of the parameter before
  for (Operation &op : program.getWeights().front()) {
    auto parameter = dyn_cast<ParameterOp>(op);
    if (!parameter)
      return op.emitOpError("expected llmc.parameter alone in a program's weights");
    auto offset = parameter->getAttrOfType<IntegerAttr>(spmd::SPMDDialect::offsetAttrName);
    if (!offset)
      return parameter.emitOpError("expected ")
             << spmd::SPMDDialect::offsetAttrName << ", its place in the packed weights";
    FailureOr<Entry> entry = planParameter(parameter);
    if (failed(entry))
      return failure();
    entry->offset = offset.getInt();
    if (entry->offset % 64 != 0 || entry->offset < end || entry->bytes > table.size ||
        entry->offset > table.size - entry->bytes)
      return parameter.emitOpError("expected a place for ")
             << entry->bytes << " bytes at a multiple of 64 between " << end << " and "
             << table.size << ", found " << entry->offset;
    end = entry->offset + entry->bytes;
    table.entries.insert({parameter, *entry});
  }
  return table;
}

void WeightTable::write(spmd::ProgramOp program) const {
  OpBuilder builder = OpBuilder::atBlockEnd(&program.getWeights().front());
  for (const auto &[operation, entry] : entries) {
    Operation *placed = builder.clone(*operation);
    placed->setAttr(spmd::SPMDDialect::offsetAttrName, builder.getI64IntegerAttr(entry.offset));
    // What was rounded is for compression alone.
    placed->removeAttr(originalAttributeName);
  }
}

static LogicalResult packVector(ParameterOp parameter, MutableArrayRef<uint8_t> out) {
  FailureOr<ParameterReader> reader = ParameterReader::get(parameter);
  if (failed(reader))
    return failure();
  std::vector<float> values(reader->getNumColumns());
  reader->readRow(0, values);
  std::memset(out.data(), 0, out.size());
  for (auto [index, value] : llvm::enumerate(values))
    llvm::support::endian::write32le(out.data() + 4 * index, llvm::bit_cast<uint32_t>(value));
  return success();
}

static LogicalResult packMatrix(ParameterOp parameter, MutableArrayRef<uint8_t> out) {
  TiledLayout layout = TiledLayout::get(parameter.getTensorType());
  MLIRContext *context = parameter.getContext();
  if (layout.encoding) {
    FailureOr<ArrayRef<uint8_t>> canonical = getParameterBytes(parameter);
    if (failed(canonical))
      return failure();
    packTables(layout, *canonical, out.data());
    parallelFor(context, 0, layout.tiles, [&](size_t tile) {
      packTile(layout, *canonical, tile, out.data() + layout.getTileOffset(tile));
    });
    packKept(layout, *canonical, out.data());
    return success();
  }
  FailureOr<ParameterReader> reader = ParameterReader::get(parameter);
  if (failed(reader))
    return failure();
  parallelFor(context, 0, layout.tiles, [&](size_t tile) {
    packPlainTile(
        layout, [&](int64_t row, MutableArrayRef<float> values) { reader->readRow(row, values); },
        tile, out.data() + tile * layout.tileBytes);
  });
  return success();
}

LogicalResult WeightTable::pack(MutableArrayRef<uint8_t> out, function_ref<void()> advance) const {
  for (const auto &[operation, entry] : entries) {
    auto parameter = cast<ParameterOp>(operation);
    MutableArrayRef<uint8_t> part = out.slice(entry.offset, entry.bytes);
    if (failed(entry.tiled ? packMatrix(parameter, part) : packVector(parameter, part)))
      return failure();
    // The file of a large model would fill the memory otherwise.
    releaseFile(parameter);
    if (advance)
      advance();
  }
  return success();
}
