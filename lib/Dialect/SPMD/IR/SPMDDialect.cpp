//===- SPMDDialect.cpp - the spmd dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/ParameterTypes.h"
#include "llmc/Dialect/SPMD/IR/BufferLayout.h"
#include "llmc/Dialect/SPMD/IR/RowWise.h"
#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::spmd;

#include "llmc/Dialect/SPMD/IR/SPMDDialect.cpp.inc"
#include "llmc/Dialect/SPMD/IR/SPMDEnums.cpp.inc"

static ParseResult parseExtent(AsmParser &parser, Extent &extent);
static void printExtent(AsmPrinter &printer, Extent extent);

#define GET_ATTRDEF_CLASSES
#include "llmc/Dialect/SPMD/IR/SPMDAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "llmc/Dialect/SPMD/IR/SPMDTypes.cpp.inc"

#define GET_OP_CLASSES
#include "llmc/Dialect/SPMD/IR/SPMDOps.cpp.inc"

void SPMDDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "llmc/Dialect/SPMD/IR/SPMDAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "llmc/Dialect/SPMD/IR/SPMDTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "llmc/Dialect/SPMD/IR/SPMDOps.cpp.inc"
      >();
}

LogicalResult SPMDDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() == offsetAttrName) {
    auto offset = dyn_cast<IntegerAttr>(attribute.getValue());
    if (!offset || !offset.getType().isInteger(64) || offset.getInt() < 0)
      return op->emitError("expected an i64 of 0 or more as ")
             << offsetAttrName << ", found " << attribute.getValue();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

/// `, rows` or `, output_rows`, or nothing.
static ParseResult parseExtent(AsmParser &parser, Extent &extent) {
  extent = Extent::Whole;
  if (failed(parser.parseOptionalComma()))
    return success();
  SMLoc location = parser.getCurrentLocation();
  StringRef keyword;
  if (parser.parseKeyword(&keyword))
    return failure();
  std::optional<Extent> found = symbolizeExtent(keyword);
  if (!found || *found == Extent::Whole)
    return parser.emitError(location) << "expected rows or output_rows, found " << keyword;
  extent = *found;
  return success();
}

static void printExtent(AsmPrinter &printer, Extent extent) {
  if (extent != Extent::Whole)
    printer << ", " << stringifyExtent(extent);
}

static LogicalResult checkOffset(Operation *op, StringRef what, int64_t offset) {
  if (offset < 0)
    return op->emitOpError("expected ") << what << " of 0 or more, found " << offset;
  return success();
}

LogicalResult FrameOp::verify() { return checkOffset(*this, "an offset", getOffset()); }
LogicalResult BufferOp::verify() { return checkOffset(*this, "an offset", getOffset()); }
LogicalResult ActivationsOp::verify() { return checkOffset(*this, "an index", getIndex()); }

/// Whether a buffer of `value` can be what a step comes with as `input`.
static bool isOfInput(Input input, Type value) {
  if (input == Input::Rows)
    return isa<RowsType>(value);
  if (input == Input::Logits)
    return isActivations(value);
  auto tensor = dyn_cast<RankedTensorType>(value);
  return tensor && tensor.getRank() == 1 && tensor.getElementType().isInteger(32);
}

LogicalResult InputOp::verify() {
  Type value = getType().getValue();
  if (!isOfInput(getInput(), value))
    return emitOpError("expected a buffer of what the input is, found one of ") << value;
  return success();
}

LogicalResult StateOp::verify() {
  if (!isa<KVCacheType>(getType().getValue()))
    return emitOpError("expected the buffer of a cache, found ") << getType();
  return checkOffset(*this, "an offset", getOffset());
}

LogicalResult WeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto module = (*this)->getParentOfType<ModuleOp>();
  auto programs = module.getOps<ProgramOp>();
  auto parameter = programs.empty()
                       ? nullptr
                       : symbols.lookupSymbolIn<ParameterOp>(*programs.begin(), getParameterAttr());
  if (!parameter)
    return emitOpError("expected a parameter of the module's program, found ")
           << getParameterAttr();
  if (!hasValueOfType(parameter, getType().getValue()))
    return emitOpError("expected a buffer of ") << parameter.getType() << ", found " << getType();
  return success();
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

/// Compares types of values with those of the buffers that they come from or go to.
static LogicalResult compare(StageOp op, StringRef what, ValueRange buffers, TypeRange values) {
  if (buffers.size() != values.size())
    return op.emitOpError("expected ")
           << buffers.size() << " " << what << ", found " << values.size();
  for (auto [buffer, value] : llvm::zip(buffers, values))
    if (Type expected = cast<BufferType>(buffer.getType()).getValue(); expected != value)
      return op.emitOpError("expected ") << what << " of " << expected << ", found " << value;
  return success();
}

LogicalResult StageOp::verify() {
  Block &body = getBody().front();
  if (failed(compare(*this, "arguments of the body", getReads(), body.getArgumentTypes())))
    return failure();
  return compare(*this, "values that the body yields", getWrites(),
                 body.getTerminator()->getOperandTypes());
}

SmallVector<Value> MapRowsOp::getRowOperands() {
  SmallVector<Value> rows;
  llvm::copy_if(getInputs(), std::back_inserter(rows),
                [](Value input) { return hasRows(input.getType()); });
  return rows;
}

LogicalResult MapRowsOp::verify() {
  Block &body = getBody().front();
  if (body.getArgumentTypes() != TypeRange(getInputs().getTypes()))
    return emitOpError("expected arguments of the body of the operands' types");
  auto yield = dyn_cast_or_null<YieldOp>(body.empty() ? nullptr : &body.back());
  if (!yield || yield.getValues().getTypes() != TypeRange(getResult().getType()))
    return emitOpError("expected a body that yields ") << getResult().getType();
  for (Operation &op : body.without_terminator())
    if (std::string reason = explainNotRowWise(&op); !reason.empty())
      return op.emitOpError(reason);
  return success();
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

LogicalResult EntryOp::verifySymbolUses(SymbolTableCollection &symbols) {
  for (FlatSymbolRefAttr name : {getRowAttr(), getRowsAttr()}) {
    auto function = symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, name);
    if (!function)
      return emitOpError("expected a function, found ") << name;
    FunctionType type = function.getFunctionType();
    if (type.getNumInputs() != 1 || !isa<StepType>(type.getInput(0)) || type.getNumResults() != 0)
      return emitOpError("expected functions that take a step and give nothing, found ")
             << name << " of type " << type;
  }
  return success();
}

LogicalResult ProgramOp::verify() {
  SizesAttr sizes = getSizes();
  for (int64_t count : {sizes.getVocabulary(), sizes.getPositions(), sizes.getMaxRows()})
    if (count < 0 || count > INT32_MAX)
      return emitOpError("expected counts of 0 to ") << INT32_MAX << ", found " << count;
  for (int64_t bytes : {sizes.getWeightBytes(), sizes.getArenaBytes(), sizes.getWorkerArenaBytes(),
                        sizes.getStateBytes()})
    if (bytes < 0)
      return emitOpError("expected sizes of 0 bytes or more, found ") << bytes;
  for (auto region : getState().getAsRange<RegionAttr>()) {
    if (region.getOffset() < 0 || region.getStride() < 0 || region.getBlock() < 1 ||
        region.getBlock() > INT32_MAX)
      return emitOpError("expected an offset and a stride of 0 or more and a block of 1 to ")
             << INT32_MAX << ", found " << region;
    int64_t kept = region.getKept();
    if (kept < 0 || kept > INT32_MAX || kept % region.getBlock() != 0 || region.getRecent() < 0 ||
        region.getRecent() > kept)
      return emitOpError("expected whole blocks that are kept, at most ")
             << INT32_MAX << ", and no more recent positions, found " << region;
    // Counts are of 31 bits, the others of 63: all has room in 128.
    __int128 positions = kept != 0 ? kept
                                   : (__int128(sizes.getPositions()) + region.getBlock() - 1) /
                                         region.getBlock() * region.getBlock();
    if (region.getOffset() + positions * region.getStride() > sizes.getStateBytes())
      return emitOpError("expected regions inside ")
             << sizes.getStateBytes() << " bytes of state, found " << region;
  }
  for (Operation &op : *(*this)->getBlock())
    // Tables of constants are a target's.
    if (&op != getOperation() && !isa<func::FuncOp, EntryOp>(op) &&
        op.getName().getStringRef() != "llvm.mlir.global")
      return emitOpError("expected functions, entries and tables alone beside it, found ")
             << op.getName();
  return success();
}
