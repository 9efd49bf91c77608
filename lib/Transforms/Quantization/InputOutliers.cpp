//===- InputOutliers.cpp - inputs that stand out, beside those that are rounded ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/InputOutliers.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/ColumnOps.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/SpellNumber.h"
#include "llmc/Transforms/Quantization/CalibratedWeights.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <map>

using namespace mlir;
using namespace llmc;

namespace {

/// Columns of a site's inputs that stand out.
struct SiteOutliers {
  SmallVector<LinearOp> linears;
  SmallVector<int32_t> columns;
};

/// Finds outliers, and then takes them apart.
class OutlierSplitter {
public:
  OutlierSplitter(ModuleOp module, const QuantizationPlan &plan, CompressionReport &report)
      : module(module), threshold(plan.activationOutliers), report(report) {}

  /// Takes in a linear whose inputs are going to be rounded.
  void select(LinearOp linear, ParameterOp weight) {
    linears.push_back(linear);
    selected.insert(weight);
  }

  LogicalResult find(const CalibrationOptions &options) {
    CalibrationRequest request;
    request.statistics = MaxMagnitude;
    request.key = "activation-outliers=" + std::to_string(threshold);
    request.select = [&](LinearOp, ParameterOp parameter) { return selected.contains(parameter); };
    request.visit = [&](CalibrationSite &site) { return visit(site); };
    return calibrate(module, options, request);
  }

  LogicalResult split() {
    for (const SiteOutliers &site : sites)
      for (LinearOp linear : site.linears)
        if (!site.columns.empty() && failed(split(linear, site.columns)))
          return failure();
    for (LinearOp linear : linears)
      if (!seen.contains(linear))
        linear.emitWarning("activation-outliers: none are taken out of its inputs, since "
                           "calibration has seen its weight elsewhere");
    return success();
  }

private:
  LogicalResult visit(CalibrationSite &site) {
    FailureOr<ArrayRef<float>> magnitudes = getMagnitudes(site);
    if (failed(magnitudes))
      return failure();
    SiteOutliers &found = sites.emplace_back();
    found.linears = site.linears;
    seen.insert(site.linears.begin(), site.linears.end());
    for (auto [column, magnitude] : llvm::enumerate(*magnitudes))
      if (magnitude > threshold)
        found.columns.push_back(static_cast<int32_t>(column));
    if (found.columns.size() < magnitudes->size())
      return success();
    return site.linears.front().emitOpError("activation-outliers: expected a magnitude that some "
                                            "columns of its inputs stay below, found all ")
           << found.columns.size() << " above " << spellNumber(threshold);
  }

  LogicalResult split(LinearOp linear, ArrayRef<int32_t> columns) {
    for (ParameterOp parameter : getParametersOf(linear.getWeight())) {
      FailureOr<ParameterOp> weight = getWeight(parameter, columns);
      if (failed(weight))
        return failure();
      addBranch(linear, columns, *weight);
    }
    return success();
  }

  /// What a weight has for some columns, as a parameter of its own.
  FailureOr<ParameterOp> getWeight(ParameterOp parameter, ArrayRef<int32_t> columns) {
    ParameterOp &known = weights[{parameter, columns.vec()}];
    if (known)
      return known;
    FailureOr<WeightValues> values = WeightValues::read(parameter);
    if (failed(values))
      return failure();
    RankedTensorType from = parameter.getTensorType();
    Type element = from.getEncoding() ? Float32Type::get(from.getContext()) : from.getElementType();
    const auto count = static_cast<int64_t>(columns.size());
    auto type = RankedTensorType::get({values->rows, count}, element);
    std::vector<uint8_t> bytes(type.getNumElements() * element.getIntOrFloatBitWidth() / 8);
    for (int64_t row = 0; row < values->rows; ++row)
      for (auto [place, column] : llvm::enumerate(columns))
        writeFloat(bytes.data(), row * count + static_cast<int64_t>(place), element,
                   values->row(row)[column]);
    const std::string name = getFreeName(parameter);
    CompressedParameter done;
    done.name = name;
    done.type = type;
    done.bytes = static_cast<double>(bytes.size());
    done.bitsPerWeight = element.getIntOrFloatBitWidth();
    report.add(std::move(done));
    OpBuilder builder(parameter.getContext());
    builder.setInsertionPointAfter(parameter);
    return known = ParameterOp::create(
               builder, parameter.getLoc(), name, type,
               makeParameterData(parameter.getContext(), name, std::move(bytes)));
  }

  std::string getFreeName(ParameterOp parameter) {
    const std::string first = (parameter.getSymName() + ".outliers").str();
    std::string name = first;
    for (int number = 2; module.lookupSymbol(name); ++number)
      name = first + "." + std::to_string(number);
    return name;
  }

  void addBranch(LinearOp linear, ArrayRef<int32_t> columns, ParameterOp weight) {
    OpBuilder builder(linear->getContext());
    auto [rest, outliers] = getColumns(linear.getInput(), columns);
    linear.getInputMutable().assign(rest);
    builder.setInsertionPointAfter(linear);
    Location location = linear.getLoc();
    Value value =
        ParameterValueOp::create(builder, location, weight.getTensorType(), weight.getSymName());
    Value branch = LinearOp::create(builder, location, linear.getResult().getType(), outliers,
                                    value, Value(), DynamicAttr());
    // The first operand's linear takes the sum along as it is computed: the one that comes last.
    auto sum = arith::AddFOp::create(builder, location, branch, linear.getResult());
    linear.getResult().replaceAllUsesExcept(sum.getResult(), sum);
  }

  /// The rows without some columns, and these.
  std::pair<Value, Value> getColumns(Value rows, ArrayRef<int32_t> columns) {
    auto &[rest, outliers] = inputs[rows];
    if (rest)
      return {rest, outliers};
    OpBuilder builder(rows.getContext());
    builder.setInsertionPointAfterValue(rows);
    auto type = cast<RankedTensorType>(rows.getType());
    auto few = RankedTensorType::get({type.getDimSize(0), static_cast<int64_t>(columns.size())},
                                     type.getElementType());
    outliers = TakeColumnsOp::create(builder, rows.getLoc(), few, rows, columns);
    rest = ClearColumnsOp::create(builder, rows.getLoc(), type, rows, columns);
    return {rest, outliers};
  }

  ModuleOp module;
  double threshold;
  CompressionReport &report;
  SmallVector<LinearOp> linears;
  llvm::DenseSet<Operation *> selected, seen;
  std::vector<SiteOutliers> sites;
  llvm::DenseMap<Value, std::pair<Value, Value>> inputs;
  std::map<std::pair<Operation *, std::vector<int32_t>>, ParameterOp> weights;
};

} // namespace

LogicalResult llmc::checkOutlierOptions(ModuleOp module, const CalibrationOptions &options,
                                        bool walksAgain) {
  if (!options.statistics.empty() || !options.saveStatistics.empty())
    return module.emitError()
           << (options.statistics.empty() ? "save-statistics" : "statistics")
           << ": expected activation-outliers=0 with it: inputs without their outliers have others";
  if (!walksAgain && !options.resume.empty())
    return module.emitError("resume: expected activation-outliers=0 with it where nothing else is "
                            "calibrated: there is nothing to go on with");
  return success();
}

LogicalResult llmc::splitOutliers(ModuleOp module, const QuantizationPlan &plan,
                                  ArrayRef<SelectedWeight> weights,
                                  const CalibrationOptions &options, bool walksAgain,
                                  CompressionReport &report) {
  OutlierSplitter splitter(module, plan, report);
  for (const SelectedWeight &weight : weights) {
    ParameterOp parameter = weight.parameter;
    if ((plan.headIsLikeOthers || !weight.isHead) &&
        plan.getStorage(parameter.getSymName(), weight.isHead).activation)
      for (LinearOp linear : weight.linears)
        splitter.select(linear, parameter);
  }
  CalibrationOptions own = options;
  if (walksAgain) {
    // These are of the walk that weights are rounded in.
    own.resume = own.saveTokens = "";
    own.firstTokenWeight = CalibrationOptions().firstTokenWeight;
  }
  if (failed(splitter.find(own)))
    return failure();
  return splitter.split();
}
