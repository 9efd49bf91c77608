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

static llvm::Error emit(ModuleOp module) {
  llvm::Expected<std::string> path = claimOutputPath();
  if (!path)
    return path.takeError();
  llvm::Expected<CodeOptions> code = getCodeOptions(*path);
  if (!code)
    return code.takeError();
  llvm::Expected<OwningOpRef<ModuleOp>> planned = plan(module);
  if (!planned)
    return planned.takeError();
  return emitObjectFiles(**planned, *code, *path, getForce());
}

void llmc::registerToObject() {
  registerTargetOptions();
  TranslateFromMLIRRegistration registration(
      "mlir-to-object",
      "Generate code for a canonical or planned module: an object (-o NAME.o), and beside it a C "
      "header "
      "(NAME.h) and the packed weights (NAME.weights)",
      [](ModuleOp module, llvm::raw_ostream &) { return report(emit(module)); }, insertAllDialects);
}
