//===- Factors.cpp - linears of two factors, in the IR ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/LowRank/Factors.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace llmc;

/// The bytes of an array of `type`, and what its numbers have become.
static std::vector<uint8_t> store(ArrayRef<double> numbers, Type type, std::vector<double> &held) {
  std::vector<uint8_t> bytes(numbers.size() * type.getIntOrFloatBitWidth() / 8);
  for (auto [index, number] : llvm::enumerate(numbers)) {
    writeFloat(bytes.data(), static_cast<int64_t>(index), type, static_cast<float>(number));
    held.push_back(readFloat(bytes.data(), static_cast<int64_t>(index), type));
  }
  return bytes;
}

StoredFactors::StoredFactors(const LowRankFactors &factors, Type type)
    : rank(factors.rank), type(type), a(store(factors.a, type, aValues)),
      b(store(factors.b, type, bValues)) {}

static StringRef getSuffix(FactorsPlace place) {
  return place == FactorsPlace::Instead ? ".factors" : ".repair";
}

/// A parameter behind `weight`, after whose name it is named.
static FailureOr<ParameterOp> addFactor(ModuleOp module, ParameterOp weight, const Twine &suffix,
                                        RankedTensorType type, std::vector<uint8_t> bytes) {
  const std::string name = (weight.getSymName() + suffix).str();
  if (module.lookupSymbol(name))
    return weight.emitOpError("expected no parameter '")
           << name << "' yet, found one: a weight has factors once";
  OpBuilder builder(weight->getContext());
  builder.setInsertionPointAfter(weight);
  return ParameterOp::create(builder, weight.getLoc(), name, type,
                             makeParameterData(weight.getContext(), name, std::move(bytes)));
}

/// The linears that read a weight.
static SmallVector<LinearOp> findReaders(ModuleOp module, ParameterOp weight) {
  SmallVector<LinearOp> readers;
  for (auto function : module.getOps<func::FuncOp>())
    function.walk([&](LinearOp linear) {
      if (llvm::is_contained(getParametersOf(linear.getWeight()), weight))
        readers.push_back(linear);
    });
  return readers;
}

static Value applyFactor(OpBuilder &builder, LinearOp linear, Value input, ParameterOp factor,
                         Value bias, DynamicAttr activation) {
  Value weight = ParameterValueOp::create(builder, linear.getLoc(), factor.getTensorType(),
                                          factor.getSymName());
  auto rows = cast<RankedTensorType>(linear.getResult().getType());
  auto type = RankedTensorType::get({rows.getDimSize(0), factor.getTensorType().getDimSize(0)},
                                    rows.getElementType());
  return LinearOp::create(builder, linear.getLoc(), type, input, weight, bias, activation);
}

static void replace(LinearOp linear, ParameterOp a, ParameterOp b) {
  OpBuilder builder(linear);
  Value small =
      applyFactor(builder, linear, linear.getInput(), a, Value(), linear.getActivationAttr());
  Value result = applyFactor(builder, linear, small, b, linear.getBias(), DynamicAttr());
  linear.getResult().replaceAllUsesWith(result);
  linear.erase();
}

static void addBranch(LinearOp linear, ParameterOp a, ParameterOp b) {
  OpBuilder builder(linear->getContext());
  builder.setInsertionPointAfter(linear);
  Value small = applyFactor(builder, linear, linear.getInput(), a, Value(), DynamicAttr());
  Value branch = applyFactor(builder, linear, small, b, Value(), DynamicAttr());
  // The first operand's linear takes the sum along as it is computed: the one that comes last.
  auto sum = arith::AddFOp::create(builder, linear.getLoc(), branch, linear.getResult());
  linear.getResult().replaceAllUsesExcept(sum.getResult(), sum);
}

/// Erases a weight that no operation needs any more.
static void eraseUnread(ModuleOp module, ParameterOp weight) {
  std::optional<SymbolTable::UseRange> uses = SymbolTable::getSymbolUses(weight, module);
  if (!uses)
    return;
  SmallVector<Operation *> reads =
      llvm::map_to_vector(*uses, [](SymbolTable::SymbolUse use) { return use.getUser(); });
  if (!llvm::all_of(reads, [](Operation *read) { return read->use_empty(); }))
    return;
  for (Operation *read : reads)
    read->erase();
  weight.erase();
}

LogicalResult llmc::insertFactors(ModuleOp module, ParameterOp weight, StoredFactors factors,
                                  FactorsPlace place) {
  ArrayRef<int64_t> shape = weight.getTensorType().getShape();
  StringRef suffix = getSuffix(place);
  FailureOr<ParameterOp> b = addFactor(
      module, weight, suffix + ".B", RankedTensorType::get({shape[0], factors.rank}, factors.type),
      std::move(factors.b));
  FailureOr<ParameterOp> a = failure();
  if (succeeded(b))
    a = addFactor(module, weight, suffix + ".A",
                  RankedTensorType::get({factors.rank, shape[1]}, factors.type),
                  std::move(factors.a));
  if (failed(a))
    return failure();
  for (LinearOp linear : findReaders(module, weight)) {
    if (place == FactorsPlace::Beside)
      addBranch(linear, *a, *b);
    else
      replace(linear, *a, *b);
  }
  if (place == FactorsPlace::Instead)
    eraseUnread(module, weight);
  return success();
}
