//===- LLMCDialect.cpp - registration of the llmc dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CacheEncodings.h"
#include "llmc/Dialect/LLMC/IR/ColumnOps.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace llmc;

#include "llmc/Dialect/LLMC/IR/LLMCDialect.cpp.inc"

void LLMCDialect::initialize() {
  registerAttributes();
  attachGroupedCache(getContext());
  attachNF4Cache(getContext());
  attachSmallFloatCache(getContext());
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "llmc/Dialect/LLMC/IR/LLMCOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "llmc/Dialect/LLMC/IR/ColumnOps.cpp.inc"
      >();
  mappedFiles = std::make_shared<MappedFiles>();
}

MappedFiles &LLMCDialect::getMappedFiles() { return *mappedFiles; }
