//===- RegisterToObject.cpp - registers --mlir-to-object ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Directions.h"
#include "TargetOptions.h"
#include "llmc/Pipelines/Dialects.h"

#include "mlir/Tools/mlir-translate/Translation.h"

using namespace mlir;
using namespace llmc;

static LogicalResult writeObject(ModuleOp module) {
  llvm::Expected<std::string> path = claimOutputPath();
  if (!path)
    return report(path.takeError());
  EmitOptions options = getEmitOptions();
  if (failed(report(checkCodeOptions({options.getSymbol(*path), 0}))))
    return failure();
  Programs programs = planForObject(module);
  if (programs.empty())
    return failure();
  SmallVector<ModuleOp> modules;
  for (OwningOpRef<ModuleOp> &program : programs)
    modules.push_back(*program);
  return report(emitProgram(modules, options, *path));
}

void llmc::registerToObject() {
  registerTargetOptions();
  TranslateFromMLIRRegistration registration(
      "mlir-to-object",
      "Generate code for a canonical or planned module: an object (-o NAME.o), and beside it a C "
      "header "
      "(NAME.h) and the packed weights (NAME.weights)",
      [](ModuleOp module, llvm::raw_ostream &) { return writeObject(module); }, insertAllDialects);
}
