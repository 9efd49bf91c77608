//===- LLMCOps.cpp - verifiers of the llmc operations ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The numbered constraints of LLMCOps.td that ODS can't state.
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/CacheLayout.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Dialect/LLMC/IR/ParameterTypes.h"
#include "llmc/Support/Hadamard.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/Support/CheckedArithmetic.h"

using namespace mlir;
using namespace llmc;

#include "llmc/Dialect/LLMC/IR/LLMCOpInterfaces.cpp.inc"

/// Nothing is written: the type of an attention's result follows from the others.
static ParseResult parseAttentionResult(OpAsmParser &, Type query, Type cache, Type &result) {
  auto rows = dyn_cast<RankedTensorType>(query);
  auto type = dyn_cast<KVCacheType>(cache);
  // Others are refused by name when the operation is verified.
  bool follows = rows && type && rows.getRank() == 2 && !rows.isDynamicDim(1);
  result = follows ? AttentionOp::getResultType(rows, type) : query;
  return success();
}

static void printAttentionResult(OpAsmPrinter &, Operation *, Type, Type, Type) {}

#define GET_OP_CLASSES
#include "llmc/Dialect/LLMC/IR/LLMCOps.cpp.inc"

static int64_t getDim(Value value, unsigned dim) {
  return cast<RankedTensorType>(value.getType()).getDimSize(dim);
}

/// Reports `found` where it is not `expected`; `what` names the quantity.
static LogicalResult expectSize(Operation *op, StringRef what, int64_t expected, int64_t found) {
  if (expected == found)
    return success();
  auto describe = [](int64_t size) {
    return ShapedType::isDynamic(size) ? std::string("a dynamic size") : std::to_string(size);
  };
  return op->emitOpError() << "expected " << what << " of " << describe(expected) << ", found "
                           << describe(found);
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

LogicalResult ParameterOp::verify() {
  RankedTensorType type = getTensorType();
  FailureOr<int64_t> size = getParameterByteSize(type, [&] { return emitOpError(); });
  if (failed(size))
    return failure();
  if (auto file = dyn_cast<FileAttr>(getData())) {
    if (file.getStrides().empty())
      return success();
    if (type.getEncoding())
      return emitOpError("expected no strides with an encoded type, found ")
             << file.getStrides().size();
    if (static_cast<int64_t>(file.getStrides().size()) != type.getRank())
      return emitOpError("expected ")
             << type.getRank() << " strides, one per dimension, found " << file.getStrides().size();
    return success();
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(getData());
  if (!resource)
    return emitOpError("expected #llmc.file or a dense resource as data, found ") << getData();
  auto bytesType = dyn_cast<RankedTensorType>(resource.getType());
  if (!bytesType || bytesType.getRank() != 1 || !bytesType.getElementType().isInteger(8))
    return emitOpError("expected a resource of type tensor<")
           << *size << "xi8>, found " << resource.getType();
  return expectSize(*this, "a resource size", *size, bytesType.getDimSize(0));
}

bool llmc::hasValueOfType(ParameterOp parameter, Type type) {
  RankedTensorType own = parameter.getTensorType();
  auto value = dyn_cast<RankedTensorType>(type);
  auto kept = dyn_cast_or_null<MaskedAttr>(own.getEncoding());
  auto most = value ? dyn_cast_or_null<MaskedAttr>(value.getEncoding()) : MaskedAttr();
  if (kept && most && kept.getKept() < most.getKept())
    own = RankedTensorType::get(own.getShape(), own.getElementType(),
                                MaskedAttr::get(own.getContext(), most.getKept(), kept.getInner()));
  return own == type;
}

LogicalResult ParameterValueOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto parameter = symbols.lookupNearestSymbolFrom<ParameterOp>(*this, getParameterAttr());
  if (!parameter)
    return emitOpError("expected the name of an llmc.parameter, found ") << getParameterAttr();
  if (!hasValueOfType(parameter, getType())) {
    InFlightDiagnostic diagnostic = emitOpError("expected the parameter's type ")
                                    << parameter.getType() << ", found " << getType();
    diagnostic.attachNote(parameter.getLoc()) << "the parameter is declared here";
    return diagnostic;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

LogicalResult OutputRowsOp::verify() {
  return expectSize(*this, "a result width", getDim(getInput(), 1), getDim(getResult(), 1));
}

LogicalResult EmbeddingOp::verify() {
  if (failed(expectSize(*this, "a result width", getDim(getTable(), 1), getDim(getResult(), 1))))
    return failure();
  return expectSize(*this, "a number of result rows", getDim(getIndices(), 0),
                    getDim(getResult(), 0));
}

LogicalResult LinearOp::verify() {
  if (failed(expectSize(*this, "a weight width", getDim(getInput(), 1), getDim(getWeight(), 1))) ||
      failed(expectSize(*this, "a result width", getDim(getWeight(), 0), getDim(getResult(), 1))) ||
      failed(expectSize(*this, "a number of result rows", getDim(getInput(), 0),
                        getDim(getResult(), 0))))
    return failure();
  if (Attribute encoding = cast<RankedTensorType>(getInput().getType()).getEncoding();
      getActivation() && encoding)
    return emitOpError("expected an input that is not rounded yet, found one of ") << encoding;
  if (Value bias = getBias())
    return expectSize(*this, "a bias width", getDim(getWeight(), 0), getDim(bias, 0));
  return success();
}

bool LinearOp::absorbs(Operation *user) { return isa<arith::AddFOp>(user); }

LogicalResult RMSNormOp::verify() {
  int64_t width = getDim(getInput(), 1), groups = getGroups();
  if (groups <= 0 || width % groups != 0)
    return emitOpError("expected groups that divide the width ") << width << ", found " << groups;
  return expectSize(*this, "a gain width", width / groups, getDim(getGain(), 0));
}

LogicalResult LayerNormOp::verify() {
  int64_t width = getDim(getInput(), 1);
  if (failed(expectSize(*this, "a gain width", width, getDim(getGain(), 0))))
    return failure();
  if (Value bias = getBias())
    return expectSize(*this, "a bias width", width, getDim(bias, 0));
  return success();
}

LogicalResult HadamardOp::verify() {
  int64_t width = getDim(getInput(), 1), order = getOrder();
  if (order <= 0 || width % order != 0)
    return emitOpError("expected an order that divides the width ") << width << ", found " << order;
  if (!Hadamard::get(order))
    return emitOpError("expected an order of a known Hadamard matrix, such as ")
           << getHadamardBlock(width) << ", found " << order;
  return success();
}

LogicalResult RopeOp::verify() {
  int64_t width = getDim(getInput(), 1), heads = getHeads();
  if (heads <= 0 || width % heads != 0)
    return emitOpError("expected heads that divide the width ") << width << ", found " << heads;
  int64_t pairs = getFrequencies().size();
  if (pairs == 0 || 2 * pairs > width / heads)
    return emitOpError("expected 1 to ") << width / heads / 2 << " frequencies for a head of "
                                         << width / heads << ", found " << pairs;
  return success();
}

DynamicAttr RoundOp::getRounding() {
  return cast<DynamicAttr>(cast<RankedTensorType>(getType()).getEncoding());
}

LogicalResult RoundOp::verify() {
  auto input = cast<RankedTensorType>(getInput().getType());
  auto result = cast<RankedTensorType>(getType());
  if (input.getEncoding())
    return emitOpError("expected an input without encoding, found ") << input;
  auto rounding = dyn_cast_or_null<DynamicAttr>(result.getEncoding());
  if (!rounding || !rounding.isInteger() || result != input.cloneWithEncoding(rounding))
    return emitOpError("expected the input's type with an encoding #llmc.dynamic of integers as "
                       "result, found ")
           << result;
  return success();
}

LogicalResult RoundValuesOp::verify() {
  if (getRounding().isInteger())
    return emitOpError("expected a rounding to floats, found one to integers: ") << getRounding();
  return success();
}

LogicalResult RotationTableOp::verify() {
  int64_t width = getDim(getResult(), 1), frequencies = getFrequencies().size();
  if (frequencies == 0)
    return emitOpError("expected at least one frequency");
  if (width % 2 != 0 || width < 2 * frequencies)
    return emitOpError("expected an even width of at least ")
           << 2 * frequencies << ", found " << width;
  return success();
}

LogicalResult RotateOp::verify() {
  int64_t width = getDim(getInput(), 1), heads = getHeads(), pairs = getPairs();
  if (heads <= 0 || width % heads != 0)
    return emitOpError("expected heads that divide the width ") << width << ", found " << heads;
  if (pairs <= 0 || pairs > width / heads / 2)
    return emitOpError("expected 1 to ")
           << width / heads / 2 << " pairs for a head of " << width / heads << ", found " << pairs;
  int64_t table = getDim(getTable(), 1);
  if (table % 2 != 0 || table < 2 * pairs)
    return emitOpError("expected a table of an even width of at least ")
           << 2 * pairs << ", found " << table;
  return success();
}

LogicalResult CacheAppendOp::verify() {
  KVCacheType cache = getCache().getType();
  if (failed(expectSize(*this, "a key width", cache.getHeads() * cache.getHeadSize(),
                        getDim(getKeys(), 1))))
    return failure();
  return expectSize(*this, "a value width", cache.getValueHeads() * cache.getValueSize(),
                    getDim(getValues(), 1));
}

LogicalResult CacheRoundOp::verify() {
  if (CacheEncodingInterface keys = getCache().getType().getKeys(); getCachePositions(keys) == 1)
    return emitOpError("expected keys that share elements along positions, found ") << keys;
  return success();
}

void AttentionOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), &getCacheMutable());
  if (getUpdated())
    effects.emplace_back(MemoryEffects::Write::get(), &getCacheMutable());
}

/// What attention can't do, and has to say, where a cache chooses positions.
static LogicalResult verifyChosenPositions(AttentionOp op) {
  KVCacheType cache = op.getCache().getType();
  if (!cache.choosesPositions()) {
    if (op.getUpdated())
      return op.emitOpError("expected no updated cache where it chooses no positions, found ")
             << op.getUpdated().getType();
    return success();
  }
  if (op.getWindow())
    return op.emitOpError("expected no window over a cache that chooses ")
           << cache.getHeavy() << " positions, found one of " << *op.getWindow();
  if (op.getSlopes())
    return op.emitOpError("expected no slopes over a cache that chooses ")
           << cache.getHeavy() << " positions, which it does not know the places of";
  if (!op.getUpdated())
    return op.emitOpError("expected to give the cache that it updates, ") << cache;
  if (op.getUpdated().getType() != cache)
    return op.emitOpError("expected an updated cache of ")
           << cache << ", found " << op.getUpdated().getType();
  for (Value read : {Value(op.getCache()), Value(op.getUpdated())})
    for (Operation *user : read.getUsers())
      if (user != op && isa<AttentionOp>(user))
        return user->emitOpError("expected a cache that chooses ")
               << cache.getHeavy()
               << " positions to be read once in a step, found another attention "
               << "that reads it";
  return success();
}

LogicalResult AttentionOp::verify() {
  KVCacheType cache = getCache().getType();
  int64_t heads = getHeads();
  if (heads <= 0 || heads % cache.getHeads() != 0)
    return emitOpError("expected heads that the cache's ")
           << cache.getHeads() << " heads divide, found " << heads;
  if (std::optional<uint64_t> window = getWindow(); window && static_cast<int64_t>(*window) <= 0)
    return emitOpError("expected a positive window, found ") << static_cast<int64_t>(*window);
  if (getWindow() && cache.getFirst() != 0)
    return emitOpError("expected no window over a cache that keeps its first ")
           << cache.getFirst() << " positions, found one of " << *getWindow();
  if (failed(verifyChosenPositions(*this)))
    return failure();
  if (std::optional<ArrayRef<float>> slopes = getSlopes()) {
    if (static_cast<int64_t>(slopes->size()) != heads)
      return emitOpError("expected ") << heads << " slopes, found " << slopes->size();
    for (float slope : *slopes)
      if (!std::isfinite(slope))
        return emitOpError("expected finite slopes, found ") << slope;
  }
  if (getSinks() && failed(expectSize(*this, "one sink per head", heads, getDim(getSinks(), 0))))
    return failure();
  // A product beyond 63 bits is wider than any query.
  int64_t width = llvm::checkedMul(heads, cache.getHeadSize()).value_or(INT64_MAX);
  if (failed(expectSize(*this, "a query width", width, getDim(getQuery(), 1))))
    return failure();
  if (RankedTensorType expected = getResultType(getQuery().getType(), cache);
      getResult().getType() != expected)
    return emitOpError("expected a result of ") << expected << ", found " << getResult().getType();
  return success();
}

RankedTensorType AttentionOp::getResultType(RankedTensorType query, KVCacheType cache) {
  int64_t heads = query.getDimSize(1) / cache.getHeadSize();
  int64_t width = llvm::checkedMul(heads, cache.getValueSize()).value_or(INT64_MAX);
  return RankedTensorType::get({query.getDimSize(0), width}, query.getElementType());
}

LogicalResult ScaleOp::verify() {
  if (!getFactor().isFinite())
    return emitOpError("expected a finite factor, found ") << getFactorAttr();
  return success();
}

LogicalResult GroupDotOp::verify() {
  // Weights and activations are the two halves of the operands.
  if (getNumOperands() % 2 != 0)
    return emitOpError("expected as many activations as weights, found ")
           << getNumOperands() << " operands";
  size_t steps = getWeights().size();
  if (steps < 1 || steps > 64)
    return emitOpError("expected 1 to 64 steps, found ") << steps;
  if (getMaxWeight() < 1 || getMaxWeight() > 255)
    return emitOpError("expected max_weight of 1 to 255, found ") << getMaxWeight();
  return success();
}
