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

static LogicalResult printLLVMIR(ModuleOp module, llvm::raw_ostream &stream) {
  CodeOptions code{getEmitOptions().getSymbol(LLMC_ARTIFACT_PROGRAM_SYMBOL), 0};
  if (failed(report(checkCodeOptions(code))))
    return failure();
  OwningOpRef<ModuleOp> program = plan(module);
  if (!program)
    return failure();
  llvm::LLVMContext context;
  llvm::Expected<std::unique_ptr<llvm::Module>> ir = emitLLVMIR(*program, code, context);
  if (!ir)
    return report(ir.takeError());
  (*ir)->print(stream, nullptr);
  return success();
}

void llmc::registerToLLVMIR() {
  registerTargetOptions();
  TranslateFromMLIRRegistration registration(
      "mlir-to-llvmir",
      "Generate code for a canonical or planned module as optimized LLVM IR, to be read: it packs "
      "no weights "
      "and so does not carry their hash",
      [](ModuleOp module, llvm::raw_ostream &stream) { return printLLVMIR(module, stream); },
      insertAllDialects);
}
