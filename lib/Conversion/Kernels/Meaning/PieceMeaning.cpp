//===- PieceMeaning.cpp - what a meaning reads and writes of buffers ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PieceMeaning.h"
#include "../WeightDecoder.h"
#include "llmc/Conversion/CPUToLLVM/CPUToLLVM.h"
#include "llmc/Conversion/LLMCToLinalg/Rounding.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"
#include "llmc/Dialect/SPMD/IR/BufferLayout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

Value PieceMeaning::read(ArrayRef<int64_t> shape, Type element, Place place) {
  places.push_back(place);
  return function.read(MemRefType::get(shape, element));
}

Value PieceMeaning::readActivations(int64_t width) {
  return read({1, width}, f32(), {getRowStride(width) * 4, 0});
}

Value PieceMeaning::readRounded(RankedTensorType type) {
  int64_t width = type.getDimSize(1);
  RoundedLayout layout = RoundedLayout::get(width, 1);
  int64_t blocks = layout.codeRow / 32;
  Value codes = read({1, width}, function.builder.getI8Type(), {layout.codeRow, 0});
  Value scales = read({1, blocks}, f32(), {layout.scaleRow, 0});
  (void)read({1, blocks}, f32(), {layout.sumRow, 0});
  Formula formula(function.builder, function.location);
  AffineExpr r = formula.dim(0), k = formula.dim(1);
  return formula.forEach({formula.size(1), formula.size(width)}, f32(),
                         {{codes, {r, k}}, {scales, {r, k.floorDiv(32)}}},
                         [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                           Number code(b, arith::SIToFPOp::create(b, b.getF32Type(), v[0]));
                           return code * Number(b, v[1]);
                         });
}

Value PieceMeaning::readVector(int64_t width) { return read({width}, f32(), {}); }

Value PieceMeaning::readIndex() { return read({1}, function.builder.getI32Type(), {4, 0}); }

Value PieceMeaning::readZero() { return read({1}, function.builder.getI32Type(), {}); }

/// One integer for each of the things that !llmc.rows says of rows.
static Value makeRows(OpBuilder &builder, Location location, Value integer) {
  auto many = RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
  integer = tensor::CastOp::create(builder, location, many, integer);
  return UnrealizedConversionCastOp::create(builder, location, RowsType::get(many.getContext()),
                                            ValueRange{integer, integer, integer})
      .getResult(0);
}

Value PieceMeaning::readRows() {
  return makeRows(function.builder, function.location, readIndex());
}

Value PieceMeaning::readZeroRows() {
  return makeRows(function.builder, function.location, readZero());
}

Value PieceMeaning::readTileOfActivations(int64_t width, int64_t rowBytes) {
  return read({1, width}, f32(), {rowBytes, tileRows * 4});
}

Value PieceMeaning::readTileOfVector(int64_t width) {
  return read({width}, f32(), {0, tileRows * 4});
}

Value PieceMeaning::readPanel(int64_t rows, int64_t columns) {
  auto layout = StridedLayoutAttr::get(function.builder.getContext(), 0, {1, tileRows});
  return readFound(MemRefType::get({rows, columns}, f32(), layout));
}

Value PieceMeaning::readFound(MemRefType type) {
  places.push_back({});
  return function.read(type);
}

Value PieceMeaning::readFoundActivations(int64_t width) { return read({1, width}, f32(), {}); }

FailureOr<Value> PieceMeaning::readOperand(Operation *op, Value operand) {
  Type type = operand.getType();
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (isActivations(type))
    return readActivations(tensor.getDimSize(1));
  if (isRoundedActivations(type))
    return readRounded(tensor);
  if (isa<RowsType>(type))
    return readRows();
  if (tensor && tensor.getRank() == 1 && tensor.isDynamicDim(0) &&
      tensor.getElementType().isInteger(32))
    return readIndex();
  // Vectors of weights lie as fp32, which llmc's operations take for any type.
  if (tensor && tensor.getRank() == 1 && tensor.hasStaticShape() &&
      (isa<LLMCDialect>(op->getDialect()) || tensor.getElementType().isF32()))
    return readVector(tensor.getDimSize(0));
  return op->emitOpError("has no meaning on CPUs yet with an operand ") << type;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

void PieceMeaning::write(Value tensor, Place place) {
  auto type = cast<RankedTensorType>(tensor.getType());
  places.push_back(place);
  function.write(tensor, MemRefType::get(type.getShape(), type.getElementType()));
}

void PieceMeaning::writeFound(Value tensor, MemRefType type) {
  places.push_back({});
  function.write(tensor, type);
}

void PieceMeaning::writeActivations(Value tensor, bool exact) {
  int64_t width = cast<RankedTensorType>(tensor.getType()).getDimSize(1);
  int64_t stride = exact ? width : getRowStride(width);
  paddings.push_back({places.size(), width, stride, f32()});
  write(tensor, {stride * 4, 0});
}

void PieceMeaning::writeTileOfActivations(Value tensor, int64_t rowBytes) {
  write(tensor, {rowBytes, tileRows * 4});
}

void PieceMeaning::writeRounded(Value tensor, DynamicAttr rounding) {
  int64_t width = cast<RankedTensorType>(tensor.getType()).getDimSize(1);
  RoundedLayout layout = RoundedLayout::get(width, 1);
  int64_t blocks = layout.codeRow / 32, group = rounding.getGroupSize(width);
  OpBuilder &builder = function.builder;
  Formula formula(builder, function.location);
  AffineExpr r = formula.dim(0), k = formula.dim(1);
  OpFoldResult one = formula.size(1);
  Value maxima = buildGroupMaxima(formula, tensor, rounding);
  Value codes = formula.forEach({one, formula.size(width)}, builder.getI8Type(),
                                {{tensor, {r, k}}, {maxima, {r, k.floorDiv(group)}}},
                                [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                                  Number scale = getScale(Number(b, v[1]), rounding);
                                  Number code = roundToCode(Number(b, v[0]), scale, rounding);
                                  return arith::FPToSIOp::create(b, b.getI8Type(), code);
                                });
  Value scales =
      formula.forEach({one, formula.size(blocks)}, f32(), {{maxima, {r, k.floorDiv(group / 32)}}},
                      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                        return getScale(Number(b, v[0]), rounding);
                      });
  Value sums =
      formula.reduce({one, formula.size(blocks)}, {r, k.floorDiv(32)}, builder.getF32FloatAttr(0),
                     {{codes, {r, k}}}, [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                       Number code(b, arith::SIToFPOp::create(b, b.getF32Type(), v[0]));
                       return Number(b, v[1]) + code;
                     });
  paddings.push_back({places.size(), width, layout.codeRow, builder.getI8Type()});
  write(codes, {layout.codeRow, 0});
  write(scales, {layout.scaleRow, 0});
  write(sums, {layout.sumRow, 0});
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

uint64_t PieceMeaning::getHash() {
  SmallVector<uint64_t> words{function.getHash()};
  for (const Place &place : places)
    words.append({static_cast<uint64_t>(place.rowBytes), static_cast<uint64_t>(place.tileBytes)});
  return llvm::xxh3_64bits(
      ArrayRef(reinterpret_cast<const uint8_t *>(words.data()), words.size() * sizeof(uint64_t)));
}

std::string llmc::getMeaningName(Operation *op, uint64_t hash, const KernelTarget &target) {
  return ("meaning_" + op->getName().stripDialect() + "_" + llvm::utohexstr(hash) + "_" +
          target.name)
      .str();
}

/// The attribute of a kernel that says how much scratch it takes, i64.
static constexpr StringLiteral scratchBytesAttrName = "scratch_bytes";

std::optional<MeaningKernel> llmc::findMeaning(ModuleOp module, StringRef name) {
  auto function = module.lookupSymbol<func::FuncOp>(name);
  auto bytes =
      function ? function->getAttrOfType<IntegerAttr>(scratchBytesAttrName) : IntegerAttr();
  if (!bytes)
    return std::nullopt;
  return MeaningKernel{function, bytes.getInt()};
}

MeaningKernel llmc::finishMeaning(func::FuncOp function, int64_t scratchBytes) {
  function->setAttr(scratchBytesAttrName, Builder(function).getI64IntegerAttr(scratchBytes));
  function->setAttr(vectorizedAttrName, Builder(function).getUnitAttr());
  return {function, scratchBytes};
}

void PieceMeaning::inlineAt(KernelBuilder &k, ArrayRef<Value> bases, Value row, Value tile,
                            Value scratch) {
  SmallVector<Value> addresses;
  for (auto [base, place] : llvm::zip(bases, places)) {
    Value address = place.rowBytes ? k.offset(base, k.mul(row, place.rowBytes)) : base;
    addresses.push_back(place.tileBytes ? k.offset(address, k.mul(tile, place.tileBytes))
                                        : address);
  }
  function.inlineAt(k, addresses, scratch);
  for (const Padding &padding : paddings) {
    Value zero = padding.element.isF32() ? k.real(padding.element, 0.0) : k.integer(k.i8(), 0);
    int64_t bytes = padding.element.getIntOrFloatBitWidth() / 8;
    for (int64_t i = padding.width; i < padding.stride; ++i)
      k.store(zero, k.offset(addresses[padding.place], i * bytes));
  }
}

int64_t llmc::getPanelBytes(RankedTensorType weight) {
  return getBlocksPerRow(weight.getDimSize(1)) * blockInputs * tileRows * 4;
}

func::FuncOp llmc::emitDecodePanel(ModuleOp module, RankedTensorType weight,
                                   const KernelTarget &target) {
  std::string name = "decode_panel_" + getWeightName(weight) + "_" + target.name.str();
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  TiledLayout layout = TiledLayout::get(weight);
  std::unique_ptr<WeightDecoder> decoder = getWeightDecoder(weight);
  KernelBuilder k(module, name, "ppp", target);
  Value tile = k.argument(1), panel = k.argument(2);
  constexpr int64_t columnBytes = tileRows * 4;
  if (decoder) {
    k.loop(k.integer(0), k.integer(layout.getBlocks()), 1, [&](Value block) {
      Value to = k.offset(panel, k.mul(block, blockInputs * columnBytes));
      for (auto [n, decoded] :
           llvm::enumerate(decoder->decodeBlock(k, {k.argument(0), tile}, block)))
        k.storeVector(decoded, k.offset(to, static_cast<int64_t>(n) * columnBytes));
    });
    return k.finish();
  }
  int64_t bytes = layout.element.getIntOrFloatBitWidth() / 8 * tileRows;
  k.loop(k.integer(0), k.integer(layout.columns), 1, [&](Value column) {
    Value values = k.loadAsFloats(layout.element, k.offset(tile, k.mul(column, bytes)));
    k.storeVector(values, k.offset(panel, k.mul(column, columnBytes)));
  });
  return k.finish();
}
