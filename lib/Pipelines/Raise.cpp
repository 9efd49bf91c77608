//===- Raise.cpp - the phase raise: from the carrier to the language of models ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Pipelines/Raise.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace llmc;

void llmc::buildRaisePipeline(mlir::OpPassManager &manager, const RaiseOptions &options) {
  manager.addPass(createRaiseONNX(options));
  manager.addPass(mlir::createCSEPass());
  manager.addPass(createOutlineBlocks());
}

mlir::LogicalResult llmc::raiseModel(mlir::ModuleOp module, const RaiseOptions &options) {
  mlir::PassManager manager(module.getContext());
  buildRaisePipeline(manager, options);
  return manager.run(module);
}
