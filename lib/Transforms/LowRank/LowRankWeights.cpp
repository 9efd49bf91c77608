//===- LowRankWeights.cpp - the weights of a low-rank pass ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/LowRank/LowRankWeights.h"
#include "llmc/Support/LinearAlgebra.h"
#include "llmc/Support/Stopwatch.h"
#include "llmc/Transforms/LowRank/OriginalWeights.h"
#include "llmc/Transforms/OutputError.h"

#include "mlir/IR/Threading.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace llmc;

static Type getType(FactorType type, FactorsPlace place, ParameterOp weight) {
  Builder builder(weight.getContext());
  switch (type) {
  case FactorType::Auto:
    return place == FactorsPlace::Beside ? builder.getF16Type()
                                         : weight.getTensorType().getElementType();
  case FactorType::F32:
    return builder.getF32Type();
  case FactorType::F16:
    return builder.getF16Type();
  case FactorType::BF16:
    return builder.getBF16Type();
  }
  return {};
}

LowRankWeights::LowRankWeights(ModuleOp module, FactorsPlace place, FactorType type,
                               ArrayRef<SelectedWeight> weights, CompressionReport &report)
    : module(module), place(place), report(report) {
  for (const SelectedWeight &weight : weights) {
    ParameterOp parameter = weight.parameter;
    layers[parameter.getSymName().str()].type = RankedTensorType::get(
        parameter.getTensorType().getShape(), getType(type, place, parameter));
  }
}

//===----------------------------------------------------------------------===//
// Ranks
//===----------------------------------------------------------------------===//

LogicalResult LowRankWeights::setRanks(const RankPlan &plan) {
  if (plan.needsSpectra())
    return success();
  for (auto &[name, layer] : layers) {
    const int64_t rows = layer.type.getDimSize(0), columns = layer.type.getDimSize(1);
    layer.rank = plan.getRank(rows, columns);
    if (layer.rank > std::min(rows, columns))
      return module.lookupSymbol<ParameterOp>(name).emitOpError("rank: expected at most ")
             << std::min(rows, columns) << ", the full rank of " << rows << "x" << columns
             << ", found " << layer.rank;
  }
  return success();
}

void LowRankWeights::allocate(const RankPlan &plan) {
  std::vector<Spectrum> spectra;
  for (auto &[name, layer] : layers)
    spectra.push_back(
        {layer.type.getDimSize(0), layer.type.getDimSize(1), std::move(layer.squares)});
  const std::vector<int64_t> ranks = plan.allocate(spectra);
  for (auto [entry, rank] : llvm::zip_equal(layers, ranks))
    entry.second.rank = rank;
}

//===----------------------------------------------------------------------===//
// Decompositions
//===----------------------------------------------------------------------===//

FailureOr<LowRankWeights::Target> LowRankWeights::read(ParameterOp parameter) const {
  FailureOr<WeightValues> stored = WeightValues::read(parameter);
  if (failed(stored))
    return failure();
  Target target;
  if (place == FactorsPlace::Instead) {
    target.values.assign(stored->data.begin(), stored->data.end());
    target.reference = target.values;
    return target;
  }
  FailureOr<WeightValues> original = readOriginal(parameter);
  if (failed(original))
    return failure();
  target.reference.assign(original->data.begin(), original->data.end());
  target.values = target.reference;
  for (auto [value, now] : llvm::zip_equal(target.values, stored->data))
    value -= now;
  return target;
}

/// Takes matrices apart, side by side. Reports at the parameter what can't be.
static FailureOr<std::vector<Decomposition>>
decompose(ArrayRef<ParameterOp> parameters, ArrayRef<const std::vector<double> *> matrices,
          const InputMetric &metric) {
  std::vector<std::optional<llvm::Expected<Decomposition>>> found(matrices.size());
  parallelFor(parameters.front()->getContext(), 0, matrices.size(),
              [&](size_t i) { found[i].emplace(Decomposition::create(*matrices[i], metric)); });
  std::vector<Decomposition> result;
  bool hasFailed = false;
  for (auto [parameter, each] : llvm::zip_equal(parameters, found)) {
    if (*each) {
      result.push_back(std::move(**each));
      continue;
    }
    ParameterOp(parameter).emitOpError() << llvm::toString(each->takeError());
    hasFailed = true;
  }
  if (hasFailed)
    return failure();
  return result;
}

LogicalResult LowRankWeights::addSpectra(ArrayRef<ParameterOp> parameters,
                                         const InputMetric &metric) {
  for (ParameterOp parameter : parameters) {
    FailureOr<Target> target = read(parameter);
    if (failed(target))
      return failure();
    const std::vector<double> *matrix = &target->values;
    FailureOr<std::vector<Decomposition>> decomposition = decompose(parameter, matrix, metric);
    if (failed(decomposition))
      return failure();
    layers.find(parameter.getSymName().str())->second.squares =
        decomposition->front().getSquares().vec();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

static double getNorm(ArrayRef<double> numbers) {
  return std::sqrt(std::inner_product(numbers.begin(), numbers.end(), numbers.begin(), 0.0));
}

LogicalResult LowRankWeights::insert(ParameterOp parameter, const Target &target,
                                     const Decomposition &decomposition, const SiteInputs &inputs,
                                     double seconds, std::string &record) {
  const Stopwatch watch;
  const Layer &layer = layers.find(parameter.getSymName().str())->second;
  const int64_t rows = layer.type.getDimSize(0), columns = layer.type.getDimSize(1);
  StoredFactors factors(decomposition.getFactors(layer.rank), layer.type.getElementType());
  std::vector<double> errors = target.values;
  addProduct({errors.data(), rows, columns}, -1, {factors.bValues.data(), rows, factors.rank},
             {factors.aValues.data(), factors.rank, columns});

  CompressedParameter done;
  done.name = parameter.getSymName().str();
  done.type = layer.type;
  done.rank = layer.rank;
  done.bytes = static_cast<double>(factors.a.size() + factors.b.size());
  done.bitsPerWeight = done.bytes * 8 / static_cast<double>(rows * columns);
  const double norm = getNorm(target.reference);
  done.weightError = norm > 0 ? getNorm(errors) / norm : 0;
  if (!inputs.secondMoment.empty())
    done.outputError = getOutputError(module.getContext(), rows, columns, inputs.secondMoment,
                                      [&](int64_t begin, int64_t end) {
                                        auto take = [&](const std::vector<double> &from) {
                                          return std::vector<double>(from.begin() + begin * columns,
                                                                     from.begin() + end * columns);
                                        };
                                        return WeightRows{take(target.reference), take(errors)};
                                      });
  if (failed(insertFactors(module, parameter, std::move(factors), place)))
    return failure();
  done.seconds = seconds + watch.getSeconds();
  record += CompressionReport::spell(done) + "\n";
  report.add(std::move(done));
  return success();
}

LogicalResult LowRankWeights::factorize(ArrayRef<ParameterOp> parameters, const SiteInputs &inputs,
                                        std::string &record) {
  const Stopwatch watch;
  SmallVector<ParameterOp> chosen;
  llvm::copy_if(parameters, std::back_inserter(chosen), [&](ParameterOp parameter) {
    return layers.find(parameter.getSymName().str())->second.rank > 0;
  });
  if (chosen.empty())
    return success();
  std::vector<Target> targets;
  for (ParameterOp parameter : chosen) {
    FailureOr<Target> target = read(parameter);
    if (failed(target))
      return failure();
    targets.push_back(std::move(*target));
  }
  auto matrices = llvm::map_to_vector(
      targets, [](const Target &target) -> const std::vector<double> * { return &target.values; });
  FailureOr<std::vector<Decomposition>> decompositions = decompose(chosen, matrices, inputs.metric);
  if (failed(decompositions))
    return failure();
  const double shared = watch.getSeconds() / static_cast<double>(chosen.size());
  for (auto [parameter, target, decomposition] : llvm::zip_equal(chosen, targets, *decompositions))
    if (failed(insert(parameter, target, decomposition, inputs, shared, record)))
      return failure();
  return success();
}

LogicalResult LowRankWeights::restore(const CalibrationSite &site) {
  SmallVector<StringRef> lines;
  StringRef(site.record).split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (StringRef line : lines) {
    std::optional<CompressedParameter> done;
    if (const auto *layer = layers.find(CompressionReport::readName(line)); layer != layers.end())
      done = CompressionReport::read(line, layer->first, layer->second.type, layer->second.rank);
    if (!done)
      return module.emitError("resume: expected a record of a weight of this pass, found '")
             << line << "'";
    report.add(std::move(*done));
  }
  return success();
}
