//===- ForeignPassTest.cpp - a compression pass that the compiler does not know ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/passes.md says how to add one.
//
//===----------------------------------------------------------------------===//

#include "TransformsTestSupport.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Transforms/CompressionPass.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <cstring>

using namespace llmc;

namespace {

/// What TableGen makes of a pass with compressionOptions.
struct HalveBase : mlir::OperationPass<mlir::ModuleOp> {
  HalveBase() : OperationPass(mlir::TypeID::get<HalveBase>()) {}
  HalveBase(const HalveBase &other) : OperationPass(other) {}

  llvm::StringRef getName() const override { return "Halve"; }
  llvm::StringRef getArgument() const override { return "halve"; }
  std::unique_ptr<mlir::Pass> clonePass() const override { return nullptr; }

  ListOption<std::string> ignore{*this, "ignore"}, only{*this, "only"};
  Option<bool> table{*this, "table", llvm::cl::init(false)};
  Option<std::string> report{*this, "report"};
};

/// Stores half of every weight.
struct Halve : CompressionPass<HalveBase> {
  bool takesRounded() const override { return false; }
  mlir::FailureOr<bool> takesHead(mlir::ModuleOp) override { return false; }

  mlir::LogicalResult compress(mlir::ModuleOp, llvm::SmallVectorImpl<SelectedWeight> &weights,
                               CompressionReport &result) override {
    for (SelectedWeight &weight : weights) {
      mlir::FailureOr<WeightValues> values = WeightValues::read(weight.parameter);
      if (failed(values))
        return mlir::failure();
      mlir::RankedTensorType type = weight.parameter.getTensorType();
      std::vector<uint8_t> bytes(values->data.size() * sizeof(float));
      for (auto [index, value] : llvm::enumerate(values->data))
        writeFloat(bytes.data(), static_cast<int64_t>(index), type.getElementType(), value / 2);
      auto size = static_cast<double>(bytes.size());
      llvm::StringRef name = weight.parameter.getSymName();
      setParameter(weight.parameter, type,
                   makeParameterData(&getContext(), name, std::move(bytes)));
      result.add({name.str(), type, size, 32, 0.5, std::nullopt, 0, {}});
    }
    return mlir::success();
  }
};

TEST(ForeignPass, SelectsAndCompressesWeights) {
  mlir::MLIRContext context;
  context.loadDialect<LLMCDialect, mlir::func::FuncDialect>();
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::parseSourceString<mlir::ModuleOp>(R"(
    llmc.parameter @up : tensor<2x2xf32> = #llmc.file<"up", offset = 0>
    llmc.parameter @down : tensor<2x2xf32> = #llmc.file<"down", offset = 0>
    func.func @step(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
      %u = llmc.parameter_value @up : tensor<2x2xf32>
      %d = llmc.parameter_value @down : tensor<2x2xf32>
      %0 = llmc.linear %x, %u : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
      %1 = llmc.linear %0, %d : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
      %2 = llmc.linear %1, %u : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
      return %2 : tensor<?x2xf32>
    })",
                                                                                     &context);
  ASSERT_TRUE(module);
  for (auto [name, values] : {std::pair("up", std::vector<float>{1, 2, 3, 4}),
                              std::pair("down", std::vector<float>(4, 8))}) {
    auto parameter = module->lookupSymbol<ParameterOp>(name);
    std::vector<uint8_t> bytes(sizeof(float) * values.size());
    std::memcpy(bytes.data(), values.data(), bytes.size());
    setParameter(parameter, parameter.getTensorType(),
                 makeParameterData(&context, name, std::move(bytes)));
  }
  auto pass = std::make_unique<Halve>();
  pass->ignore.push_back("down");
  mlir::PassManager manager(&context);
  manager.addPass(std::move(pass));
  ASSERT_TRUE(succeeded(manager.run(*module)));
  auto read = [&](llvm::StringRef name) {
    return WeightValues::read(module->lookupSymbol<ParameterOp>(name))->data;
  };
  EXPECT_EQ(read("up"), (std::vector<float>{0.5, 1, 1.5, 2}));
  EXPECT_EQ(read("down"), std::vector<float>(4, 8));
}

} // namespace
