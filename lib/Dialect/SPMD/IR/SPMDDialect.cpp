//===- SPMDDialect.cpp - the spmd dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/SPMD/IR/SPMD.h"

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

LogicalResult StageOp::verify() {
  Block &block = getBody().front();
  if (block.getNumArguments() != 2 || !block.getArgument(0).getType().isInteger(64) ||
      !block.getArgument(1).getType().isInteger(64))
    return emitOpError("expected a body with two arguments of type i64, found ")
           << block.getNumArguments() << " arguments";
  return success();
}
