//===- LLMC.td - the llmc dialect, all of it -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_LLMC_TD
#define LLMC_DIALECT_LLMC_IR_LLMC_TD

include "llmc/Dialect/LLMC/IR/LLMCDialect.td"
include "llmc/Dialect/LLMC/IR/LLMCEnums.td"
include "llmc/Dialect/LLMC/IR/LLMCInterfaces.td"
include "llmc/Dialect/LLMC/IR/LLMCAttrs.td"
include "llmc/Dialect/LLMC/IR/BilevelAttr.td"
include "llmc/Dialect/LLMC/IR/CodebookAttr.td"
include "llmc/Dialect/LLMC/IR/LloydMaxAttr.td"
include "llmc/Dialect/LLMC/IR/MaskedAttr.td"
include "llmc/Dialect/LLMC/IR/NF4Attr.td"
include "llmc/Dialect/LLMC/IR/OutliersAttr.td"
include "llmc/Dialect/LLMC/IR/PositionGroupedAttr.td"
include "llmc/Dialect/LLMC/IR/SmallFloatAttr.td"
include "llmc/Dialect/LLMC/IR/SparseAttr.td"
include "llmc/Dialect/LLMC/IR/TernaryAttr.td"
include "llmc/Dialect/LLMC/IR/TrellisAttr.td"
include "llmc/Dialect/LLMC/IR/LLMCTypes.td"
include "llmc/Dialect/LLMC/IR/LLMCOpInterfaces.td"
include "llmc/Dialect/LLMC/IR/LLMCOps.td"

#endif // LLMC_DIALECT_LLMC_IR_LLMC_TD
