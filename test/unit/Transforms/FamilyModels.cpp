//===- FamilyModels.cpp - small models of many families ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FamilyModels.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

using namespace mlir;
using namespace llmc;

void llmc::test::loadFamilyDialects(MLIRContext &context) {
  context.loadDialect<LLMCDialect, func::FuncDialect, arith::ArithDialect, tensor::TensorDialect,
                      math::MathDialect, linalg::LinalgDialect>();
}

std::map<std::string, std::string> llmc::test::readFamilyModels() {
  std::map<std::string, std::string> models;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator entry(TEST_MODELS, error), end; entry != end && !error;
       entry.increment(error)) {
    StringRef path = entry->path();
    if (!path.ends_with(".mlir"))
      continue;
    auto file = llvm::MemoryBuffer::getFile(path);
    EXPECT_TRUE(static_cast<bool>(file)) << path.str();
    SmallVector<StringRef> parts;
    (*file)->getBuffer().split(parts, "// -----");
    std::string name = path.rsplit("structure-").second.split('.').first.str();
    for (auto [index, part] : llvm::enumerate(parts))
      models[name + ":" + std::to_string(index)] = part.str();
  }
  return models;
}

OwningOpRef<ModuleOp> llmc::test::parseFamilyModel(MLIRContext &context, StringRef text) {
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  std::mt19937_64 random(11);
  std::normal_distribution<float> normal(0, 0.5f);
  for (auto parameter : module->getOps<ParameterOp>()) {
    std::vector<float> values(parameter.getTensorType().getNumElements());
    for (float &value : values)
      value = normal(random) + (parameter.getTensorType().getRank() == 1 ? 0.5f : 0.0f);
    std::vector<uint8_t> bytes(values.size() * sizeof(float));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    parameter.setDataAttr(makeParameterData(&context, parameter.getSymName(), std::move(bytes)));
  }
  return module;
}
