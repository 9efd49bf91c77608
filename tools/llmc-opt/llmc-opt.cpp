//===- llmc-opt.cpp - runs passes over modules ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/ONNXToLLMC/ONNXToLLMC.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<llmc::LLMCDialect, llmc::carrier::ONNXDialect, mlir::arith::ArithDialect,
                  mlir::func::FuncDialect>();
  mlir::registerTransformsPasses();
  llmc::registerRaiseONNX();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "llmc optimizer driver\n", registry));
}
