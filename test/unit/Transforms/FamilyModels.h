//===- FamilyModels.h - small models of many families ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The modules of the files in test/Analysis, with random weights.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_TRANSFORMS_FAMILYMODELS_H
#define LLMC_TEST_UNIT_TRANSFORMS_FAMILYMODELS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>
#include <string>

namespace llmc::test {

void loadFamilyDialects(mlir::MLIRContext &context);

/// "heads:0" and so on, and the text of a module.
std::map<std::string, std::string> readFamilyModels();

/// A module whose parameters are random: gains are about 1, and some negative.
mlir::OwningOpRef<mlir::ModuleOp> parseFamilyModel(mlir::MLIRContext &context,
                                                   llvm::StringRef text);

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_TRANSFORMS_FAMILYMODELS_H
