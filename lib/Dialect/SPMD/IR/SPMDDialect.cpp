//===- SPMDDialect.cpp - the spmd dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

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
  if (attribute.getName() == targetAttrName && !isa<TargetAttr>(attribute.getValue()))
    return op->emitError("expected #spmd.target as ")
           << targetAttrName << ", found " << attribute.getValue();
  if (attribute.getName() == offsetAttrName) {
    auto offset = dyn_cast<IntegerAttr>(attribute.getValue());
    if (!offset || !offset.getType().isInteger(64) || offset.getInt() < 0)
      return op->emitError("expected an i64 of 0 or more as ")
             << offsetAttrName << ", found " << attribute.getValue();
  }
  return success();
}

LogicalResult FieldOp::verify() {
  int64_t stride = getStride();
  if (stride < 0 || (stride != 0 && getField() != Field::WorkerArena))
    return emitOpError("expected a stride of 0")
           << (stride < 0 ? " or more" : "") << ", found " << stride;
  return success();
}

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
    // Counts are of 31 bits, the others of 63: all has room in 128.
    __int128 positions = (__int128(sizes.getPositions()) + region.getBlock() - 1) /
                         region.getBlock() * region.getBlock();
    if (region.getOffset() + positions * region.getStride() > sizes.getStateBytes())
      return emitOpError("expected regions inside ")
             << sizes.getStateBytes() << " bytes of state, found " << region;
  }
  for (Operation &op : *(*this)->getBlock())
    if (&op != getOperation() && !isa<func::FuncOp, EntryOp, LLVM::GlobalOp>(op))
      return emitOpError("expected functions, entries and tables alone beside it, found ")
             << op.getName();
  return success();
}

LogicalResult StageOp::verify() {
  TypeRange types = getBody().front().getArgumentTypes();
  if (types.size() != 2 || !types[0].isInteger(64) || !types[1].isInteger(64))
    return emitOpError("expected a body with two arguments of type i64, found (") << types << ")";
  return success();
}
