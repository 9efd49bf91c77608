//===- RegisterExportONNX.cpp - registers --export-onnx ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Directions.h"
#include "llmc/Conversion/ExportONNX/ExportONNX.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"
#include "llmc/Support/ParameterPaths.h"

#include "mlir/Tools/mlir-translate/Translation.h"

using namespace mlir;
using namespace llmc;

static LogicalResult exportModule(ModuleOp module) {
  llvm::Expected<std::string> path = claimOutputPath();
  if (!path)
    return report(path.takeError());
  if (failed(resolveParameterPaths(module, getInputFolder())))
    return failure();
  return exportONNX(module, *path);
}

void llmc::registerExportONNX() {
  TranslateFromMLIRRegistration registration(
      "export-onnx",
      "Write a module of the carrier as an ONNX model (-o NAME.onnx), and beside it its large "
      "tensors (NAME.onnx.data)",
      [](ModuleOp module, llvm::raw_ostream &) { return exportModule(module); },
      [](DialectRegistry &registry) { registry.insert<LLMCDialect, carrier::ONNXDialect>(); });
}
