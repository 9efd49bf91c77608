//===- ParameterRewrite.cpp - changes of parameters, in fp64 and rounded once ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Rewrites/ParameterRewrite.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/Threading.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace llmc;

/// The values that a parameter has now.
static FailureOr<ExactValues> readValues(ParameterOp parameter) {
  RankedTensorType type = parameter.getTensorType();
  if (type.getEncoding())
    return parameter.emitOpError("expected weights that are not rounded yet, found ")
           << type.getEncoding();
  FailureOr<ParameterReader> reader = ParameterReader::get(parameter);
  if (failed(reader))
    return failure();
  const int64_t rows = reader->getNumRows(), columns = reader->getNumColumns();
  ExactValues values{parameter.getContext(), rows, columns, std::vector<double>(rows * columns)};
  parallelFor(values.context, 0, rows, [&](size_t row) {
    std::vector<float> floats(columns);
    reader->readRow(static_cast<int64_t>(row), floats);
    llvm::copy(floats, values.row(static_cast<int64_t>(row)).begin());
  });
  if (type.getRank() == 1)
    std::swap(values.rows, values.columns);
  return values;
}

/// Reports numbers that are none, or none of fp32.
static LogicalResult checkFinite(ParameterOp parameter, const ExactValues &values) {
  const auto *strange = llvm::find_if_not(llvm::ArrayRef(values.data), [](double value) {
    return std::isfinite(static_cast<float>(value));
  });
  if (strange == values.data.data() + values.data.size())
    return success();
  int64_t place = strange - values.data.data();
  return parameter.emitOpError("expected weights that are finite in fp32, found ")
         << std::to_string(*strange) << " at row " << place / values.columns << ", column "
         << place % values.columns;
}

FailureOr<ExactValues> ParameterRewrite::evaluate(ParameterOp parameter) const {
  FailureOr<ExactValues> values = readValues(parameter);
  if (failed(values) || failed(checkFinite(parameter, *values)))
    return failure();
  if (const auto *found = steps.find(parameter); found != steps.end())
    for (const Step &step : found->second)
      step(*values);
  if (failed(checkFinite(parameter, *values)))
    return failure();
  return values;
}

/// Adds a parameter behind another, under a name that nothing else has.
static ParameterOp addParameter(ModuleOp module, ParameterOp behind, StringRef suffix,
                                RankedTensorType type, Attribute data) {
  OpBuilder builder(behind->getContext());
  builder.setInsertionPointAfter(behind);
  auto added = ParameterOp::create(builder, behind.getLoc(), (behind.getSymName() + suffix).str(),
                                   type, data);
  SymbolTable(module).insert(added);
  return added;
}

ParameterOp ParameterRewrite::copy(ParameterOp parameter, StringRef suffix) {
  ParameterOp added =
      addParameter(module, parameter, suffix, parameter.getTensorType(), parameter.getData());
  if (auto *found = steps.find(parameter); found != steps.end()) {
    std::vector<Step> same = found->second;
    steps[added] = std::move(same);
  }
  return added;
}

ParameterOp ParameterRewrite::addZeros(ParameterOp parameter, StringRef suffix,
                                       ArrayRef<int64_t> shape) {
  MLIRContext *context = parameter.getContext();
  auto type = RankedTensorType::get(shape, Float32Type::get(context));
  std::string name = (parameter.getSymName() + suffix).str();
  std::vector<uint8_t> bytes(type.getNumElements() * sizeof(float), 0);
  return addParameter(module, parameter, suffix, type,
                      makeParameterData(context, name, std::move(bytes)));
}

FailureOr<ParameterOp> ParameterRewrite::takeBias(LinearOp linear) {
  OpBuilder builder(linear);
  ParameterOp weight = getParameterOf(linear.getWeight()), bias;
  if (linear.getBias()) {
    bias = getParameterOf(linear.getBias());
    if (!bias)
      return linear.emitOpError("expected a parameter as bias");
    if (linear.getBias().hasOneUse() && SymbolTable::getSymbolUses(bias, bias->getParentOp()) &&
        llvm::hasSingleElement(*SymbolTable::getSymbolUses(bias, bias->getParentOp())))
      return bias;
    bias = copy(bias, ".own");
  } else {
    bias = addZeros(weight, ".bias", weight.getTensorType().getDimSize(0));
  }
  auto read = ParameterValueOp::create(builder, linear.getLoc(), bias.getTensorType(),
                                       FlatSymbolRefAttr::get(bias.getSymNameAttr()));
  linear.getBiasMutable().assign(read.getResult());
  return bias;
}

LogicalResult ParameterRewrite::store() {
  for (auto &[op, ofParameter] : steps) {
    auto parameter = cast<ParameterOp>(op);
    FailureOr<ExactValues> values = evaluate(parameter);
    if (failed(values))
      return failure();
    std::vector<float> rounded(values->data.begin(), values->data.end());
    std::vector<uint8_t> bytes(rounded.size() * sizeof(float));
    std::memcpy(bytes.data(), rounded.data(), bytes.size());
    MLIRContext *context = parameter.getContext();
    releaseFile(parameter);
    SmallVector<int64_t> shape{values->rows, values->columns};
    shape.truncate(parameter.getTensorType().getRank());
    setParameter(parameter, RankedTensorType::get(shape, Float32Type::get(context)),
                 makeParameterData(context, parameter.getSymName(), std::move(bytes)));
  }
  steps.clear();
  return success();
}

ParameterOp llmc::getParameterOf(Value value) {
  SmallVector<ParameterOp> parameters = value ? getParametersOf(value) : SmallVector<ParameterOp>();
  return parameters.size() == 1 ? parameters.front() : ParameterOp();
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

ParameterRewrite::Step llmc::scaleColumns(std::vector<double> factors) {
  return [factors = std::move(factors)](ExactValues &values) {
    parallelFor(values.context, 0, values.rows, [&](size_t row) {
      for (auto [value, factor] : llvm::zip_equal(values.row(static_cast<int64_t>(row)), factors))
        value *= factor;
    });
  };
}

ParameterRewrite::Step llmc::scaleRows(int64_t begin, std::vector<double> factors) {
  return [begin, factors = std::move(factors)](ExactValues &values) {
    for (auto [index, factor] : llvm::enumerate(factors))
      for (double &value : values.row(begin + static_cast<int64_t>(index)))
        value *= factor;
  };
}

ParameterRewrite::Step llmc::addTerms(std::vector<double> terms) {
  return [terms = std::move(terms)](ExactValues &values) {
    for (auto [value, term] : llvm::zip_equal(values.data, terms))
      value += term;
  };
}

ParameterRewrite::Step llmc::fill(double value) {
  return [value](ExactValues &values) { llvm::fill(values.data, value); };
}
