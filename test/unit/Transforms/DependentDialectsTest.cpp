//===- DependentDialectsTest.cpp - passes declare what they make ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A pass that is run in a context that has what the pass declares loads no dialect of its own: it
// could not while other threads use the context.
//
//===----------------------------------------------------------------------===//

#include "llmc/Calibration/Passes.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace llmc;

namespace {

constexpr const char *model = R"(
!cache = !llmc.kv_cache<1x4, capacity = 8, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
llmc.parameter @key : tensor<4x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %key = llmc.parameter_value @key : tensor<4x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %k = llmc.linear %h, %key : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %full = llmc.cache_append %cache, %k, %k, %rows : !cache, tensor<?x4xf32>, tensor<?x4xf32>
  %a = llmc.attention %h, %full, %rows : tensor<?x8xf32>, !cache {heads = 2 : i64, scale = 0.5 : f32}
  %o = llmc.output_rows %a, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %y = llmc.linear %o, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
)";

void expectNothingLoaded(std::unique_ptr<Pass> pass, const std::string &options) {
  auto ignore = [](const Twine &) { return failure(); };
  ASSERT_TRUE(succeeded(pass->initializeOptions(options, ignore)));
  MLIRContext context;
  DialectRegistry declared;
  declared.insert<LLMCDialect, func::FuncDialect>(); // of the model itself
  pass->getDependentDialects(declared);
  context.appendDialectRegistry(declared);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(model, &context);
  ASSERT_TRUE(module);
  for (auto parameter : module->getOps<ParameterOp>()) {
    // Bytes of ones: an fp32 number of about 2.
    std::vector<uint8_t> bytes(parameter.getTensorType().getNumElements() * 4, 0x40);
    parameter.setDataAttr(makeParameterData(&context, parameter.getSymName(), std::move(bytes)));
  }
  std::vector<Dialect *> before = context.getLoadedDialects();
  PassManager manager(&context);
  manager.addPass(std::move(pass));
  EXPECT_TRUE(succeeded(manager.run(*module)));
  for (Dialect *dialect : context.getLoadedDialects())
    EXPECT_TRUE(llvm::is_contained(before, dialect)) << dialect->getNamespace().str();
}

TEST(DependentDialects, AreDeclared) {
  expectNothingLoaded(createQuantizeRTN(), "table=false");
  expectNothingLoaded(createQuantizeHQQ(), "table=false");
  expectNothingLoaded(createQuantizeCodebook(),
                      "calibration=self samples=2 sequence-length=6 table=false");
  expectNothingLoaded(createQuantizeGPTQ(),
                      "calibration=self samples=2 sequence-length=6 table=false");
  expectNothingLoaded(createQuantizeSpQR(),
                      "calibration=self samples=2 sequence-length=6 outliers=0.2 table=false");
  expectNothingLoaded(createFoldNorms(), "");
  expectNothingLoaded(createRotate(), "where=keys");
  expectNothingLoaded(createScaleAWQ(), "calibration=self samples=2 sequence-length=6 table=false");
  expectNothingLoaded(createScaleSmoothQuant(),
                      "calibration=self samples=2 sequence-length=6 table=false");
  std::string file = testing::TempDir() + "dependent-dialects.npy";
  expectNothingLoaded(createCalibrate(),
                      "calibration=self samples=2 sequence-length=6 save-tokens=" + file);
  llvm::sys::fs::remove(file);
}

} // namespace
