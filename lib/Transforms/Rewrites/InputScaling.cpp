//===- InputScaling.cpp - scales of linears' inputs, chosen by calibration ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Rewrites/InputScaling.h"

#include "llvm/ADT/SmallVectorExtras.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace llmc;

SmallVector<ParameterOp> llmc::getWeights(const InputScale &scale) {
  llvm::SetVector<Operation *> weights;
  for (LinearOp reader : scale.readers)
    weights.insert(getParameterOf(reader.getWeight()));
  return llvm::map_to_vector(weights, [](Operation *op) { return cast<ParameterOp>(op); });
}

std::vector<double> llmc::spreadFactors(const InputScale &scale, ArrayRef<double> factors) {
  std::vector<double> ofColumns(scale.count * scale.sharing);
  for (auto [column, factor] : llvm::enumerate(ofColumns))
    factor = factors[scale.getFactor(static_cast<int64_t>(column))];
  return ofColumns;
}

void llmc::applyFactors(const InputScale &scale, ArrayRef<double> factors,
                        ParameterRewrite &rewrite) {
  std::vector<double> ofColumns = spreadFactors(scale, factors), inverse;
  for (ParameterOp weight : getWeights(scale))
    rewrite.add(weight, scaleColumns(ofColumns));
  for (double factor : factors)
    inverse.push_back(1 / factor);
  for (const ScaledRows &rows : scale.rows)
    rewrite.add(rows.parameter, scaleRows(rows.begin, inverse));
}

std::vector<double> llmc::getMeanPerFactor(const InputScale &scale, ArrayRef<float> ofColumns) {
  std::vector<double> means(scale.count, 0);
  for (auto [column, value] : llvm::enumerate(ofColumns))
    means[scale.getFactor(static_cast<int64_t>(column))] +=
        static_cast<double>(value) / static_cast<double>(scale.sharing);
  return means;
}

std::vector<double> llmc::getLargestPerFactor(const InputScale &scale, ArrayRef<float> ofColumns) {
  std::vector<double> largest(scale.count, 0);
  for (auto [column, value] : llvm::enumerate(ofColumns)) {
    double &place = largest[scale.getFactor(static_cast<int64_t>(column))];
    place = std::max(place, static_cast<double>(value));
  }
  return largest;
}

namespace {

/// What becomes of the inputs of one walk.
class InputScaler {
public:
  InputScaler(ModuleOp module, const ScalingRequest &request)
      : module(module), request(request),
        structure(module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName)) {}

  LogicalResult run() {
    FailureOr<SmallVector<SelectedWeight>> weights = selectWeights(module, request.filter);
    if (failed(weights))
      return failure();
    findInputs(*weights);
    if (scales.empty()) {
      module.emitWarning() << request.pass
                           << ": no selected weights read what a scale can be folded into";
      return success();
    }
    CalibrationRequest walk;
    walk.statistics = request.statistics;
    walk.key = request.key;
    walk.evaluatesBlocks = request.evaluatesBlocks;
    walk.changesStructure = true;
    walk.select = [&](LinearOp, ParameterOp parameter) { return scales.contains(parameter); };
    walk.visit = [&](CalibrationSite &site) { return site.restored ? restore(site) : visit(site); };
    if (failed(calibrate(module, request.calibration, walk)))
      return failure();
    if (request.table)
      printTable();
    return success();
  }

private:
  void findInputs(ArrayRef<SelectedWeight> weights) {
    llvm::DenseSet<Operation *> selected;
    for (const SelectedWeight &weight : weights)
      selected.insert(weight.parameter);
    for (const InputScale &scale : structure.getScales()) {
      if (!scale.isPossible())
        continue;
      SmallVector<ParameterOp> read = getWeights(scale);
      if (llvm::all_of(read, [&](ParameterOp weight) { return selected.contains(weight); }))
        for (ParameterOp weight : read)
          scales[weight] = &scale;
    }
  }

  LogicalResult visit(CalibrationSite &site) {
    const InputScale &scale = *scales.lookup(site.parameters.front());
    FailureOr<ScaleChoice> choice = request.choose(site, scale);
    if (failed(choice))
      return failure();
    if (!choice->factors.empty()) {
      ParameterRewrite rewrite(module);
      applyFactors(scale, choice->factors, rewrite);
      if (failed(rewrite.store()))
        return failure();
    }
    site.record = spell(site.parameters.front(), *choice);
    lines.push_back(site.record);
    return success();
  }

  LogicalResult restore(CalibrationSite &site) {
    StringRef name = site.parameters.front().getSymName();
    if (!StringRef(site.record).starts_with((name + " ").str()))
      return site.parameters.front().emitOpError("resume: expected a record of this parameter, "
                                                 "found '")
             << site.record << "'";
    lines.push_back(site.record);
    return success();
  }

  std::string spell(ParameterOp parameter, const ScaleChoice &choice) const {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << parameter.getSymName() << " " << request.parameterName << " "
           << llvm::format("%.2f", choice.parameter);
    if (choice.errorBefore && choice.errorAfter)
      stream << " error " << llvm::format("%.3e", *choice.errorBefore) << " → "
             << llvm::format("%.3e", *choice.errorAfter);
    return text;
  }

  void printTable() const {
    llvm::errs() << request.pass << ": inputs of\n";
    for (const std::string &line : lines)
      llvm::errs() << "  " << line << "\n";
  }

  ModuleOp module;
  const ScalingRequest &request;
  Structure structure;
  llvm::DenseMap<Operation *, const InputScale *> scales; ///< by the weights that read the input
  std::vector<std::string> lines;
};

} // namespace

LogicalResult llmc::scaleInputs(ModuleOp module, const ScalingRequest &request) {
  if (!module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName))
    return module.emitError("expected a raised module, with a function @")
           << LLMCDialect::stepFunctionName << ", found none";
  return InputScaler(module, request).run();
}
