//===- CPUDialect.cpp - the cpu dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/CPU/IR/CPU.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::cpu;

#include "llmc/Dialect/CPU/IR/CPUDialect.cpp.inc"
#include "llmc/Dialect/CPU/IR/CPUEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "llmc/Dialect/CPU/IR/CPUAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "llmc/Dialect/CPU/IR/CPUOps.cpp.inc"

void CPUDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "llmc/Dialect/CPU/IR/CPUAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "llmc/Dialect/CPU/IR/CPUOps.cpp.inc"
      >();
}

LogicalResult CPUDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() == targetAttrName && !isa<TargetAttr>(attribute.getValue()))
    return op->emitError("expected #cpu.target as ")
           << targetAttrName << ", found " << attribute.getValue();
  return success();
}

LogicalResult FieldOp::verify() {
  int64_t stride = getStride();
  if (stride < 0 || (stride != 0 && getField() != Field::WorkerArena))
    return emitOpError("expected a stride of 0")
           << (stride < 0 ? " or more" : "") << ", found " << stride;
  return success();
}

LogicalResult TableLookupOp::verify() {
  if (size_t size = getTable().size(); size < 2 || size > 16 || !llvm::isPowerOf2_64(size))
    return emitOpError("expected a table of 2, 4, 8 or 16 numbers, found ") << size;
  return success();
}

LogicalResult LookUpBytesOp::verify() {
  if (uint64_t size = getSize(); size < 4 || size > 256 || !llvm::isPowerOf2_64(size))
    return emitOpError("expected tables of a power of two from 4 to 256 bytes, found ") << size;
  return success();
}

LogicalResult WindowsOp::verify() {
  ArrayRef<int64_t> starts = getStarts();
  if (starts.size() != 4 || !llvm::is_sorted(starts) || starts.front() < 0 || starts.front() > 31 ||
      starts.back() - starts.front() > 24)
    return emitOpError("expected 4 windows that ascend, the first from bit 0 to 31 on, the last at "
                       "most 24 bits later, found [")
           << starts << "]";
  return success();
}

LogicalResult StageOp::verify() {
  TypeRange types = getBody().front().getArgumentTypes();
  if (types.size() != 2 || !types[0].isInteger(64) || !types[1].isInteger(64))
    return emitOpError("expected a body with two arguments of type i64, found (") << types << ")";
  return success();
}
