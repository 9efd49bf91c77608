//===- RegisterToLLVMIR.cpp - registers --mlir-to-llvmir ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Directions.h"
#include "TargetOptions.h"
#include "llmc/Pipelines/Dialects.h"
#include "llmc/artifact.h"

#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

using namespace mlir;
using namespace llmc;

static llvm::Error emit(ModuleOp module, llvm::raw_ostream &stream) {
  llvm::Expected<CodeOptions> code = getCodeOptions(LLMC_ARTIFACT_PROGRAM_SYMBOL);
  if (!code)
    return code.takeError();
  llvm::Expected<OwningOpRef<ModuleOp>> planned = plan(module);
  if (!planned)
    return planned.takeError();
  llvm::LLVMContext context;
  llvm::Expected<std::unique_ptr<llvm::Module>> ir = emitLLVMIR(**planned, *code, context);
  if (!ir)
    return ir.takeError();
  (*ir)->print(stream, nullptr);
  return llvm::Error::success();
}

void llmc::registerToLLVMIR() {
  registerTargetOptions();
  TranslateFromMLIRRegistration registration(
      "mlir-to-llvmir",
      "Generate code for a canonical or planned module as optimized LLVM IR, to be read: it packs "
      "no weights "
      "and so does not carry their hash",
      [](ModuleOp module, llvm::raw_ostream &stream) { return report(emit(module, stream)); },
      insertAllDialects);
}
