//===- StreamBases.cpp - the directions in which a residual stream varies most ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A basis is a parameter of the module, in fp64, until the walk is done, so that what is kept of
// finished blocks has it too.
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Pruning/StreamBases.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/LinearAlgebra.h"
#include "llmc/Transforms/Pruning/StructureReport.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringSet.h"

#include <cstring>
#include <numeric>

using namespace mlir;
using namespace llmc;

static std::string getBasisName(StringRef place) { return (place + ".basis").str(); }

static LogicalResult addBasis(CalibrationSite &site, int64_t kept) {
  ParameterOp place = site.parameters.front();
  const int64_t width = site.statistics.width;
  std::vector<double> vectors = std::move(site.statistics.secondMoment), values(width);
  if (!decomposeSymmetric({vectors.data(), width, width}, values.data()))
    return place.emitOpError("expected a second moment of inputs that has eigenvalues");
  const double all = std::accumulate(values.begin(), values.end(), 0.0);
  const double first = std::accumulate(values.begin(), values.begin() + kept, 0.0);
  site.record = spellNumbers(all > 0 ? first / all : 1.0);
  // A vector is a column of Q.
  std::vector<uint8_t> bytes(vectors.size() * sizeof(double));
  for (int64_t row = 0; row < width; ++row)
    for (int64_t column = 0; column < width; ++column)
      std::memcpy(bytes.data() + (row * width + column) * sizeof(double),
                  &vectors[column * width + row], sizeof(double));
  OpBuilder builder(place->getContext());
  builder.setInsertionPointAfter(place);
  const std::string name = getBasisName(place.getSymName());
  ParameterOp::create(builder, place.getLoc(), name,
                      RankedTensorType::get({width, width}, builder.getF64Type()),
                      makeParameterData(builder.getContext(), name, std::move(bytes)));
  return success();
}

/// Takes the basis of a place from the module again.
static FailureOr<RotationRef> takeBasis(ModuleOp module, StringRef place, int64_t width) {
  auto basis = module.lookupSymbol<ParameterOp>(getBasisName(place));
  if (!basis)
    return module.emitError("expected inputs of '") << place << "' among what the model computes";
  FailureOr<ArrayRef<uint8_t>> bytes = getParameterBytes(basis);
  if (failed(bytes))
    return failure();
  std::vector<double> matrix(width * width);
  std::memcpy(matrix.data(), bytes->data(), bytes->size());
  double deviation = 0;
  RotationRef rotation = makeGivenRotation(width, std::move(matrix), deviation);
  if (!rotation)
    return basis.emitOpError("expected eigenvectors that are orthogonal, found ")
           << std::to_string(deviation) << " from it";
  releaseFile(basis);
  basis.erase();
  return rotation;
}

static LogicalResult checkNames(ModuleOp module, ArrayRef<std::string> places) {
  SymbolTable symbols(module);
  for (const std::string &place : places)
    if (Operation *taken = symbols.lookup(getBasisName(place)))
      return taken->emitOpError(
          "expected no parameter of this name, which a basis gets for a while");
  return success();
}

FailureOr<std::vector<StreamBasis>>
llmc::findStreamBases(ModuleOp module, const CalibrationOptions &options, StringRef key,
                      ArrayRef<std::string> places, int64_t width, int64_t kept) {
  if (failed(checkNames(module, places)))
    return failure();
  llvm::StringSet<> selected;
  for (const std::string &place : places)
    selected.insert(place);
  llvm::StringMap<double> shares;
  CalibrationRequest request;
  request.statistics = SecondMoment;
  request.key = (key + " bases=f64").str();
  request.changesStructure = true; // parameters are added
  request.select = [&](LinearOp, ParameterOp parameter) {
    return selected.contains(parameter.getSymName());
  };
  request.visit = [&](CalibrationSite &site) -> LogicalResult {
    if (!site.restored && failed(addBasis(site, kept)))
      return failure();
    ParameterOp place = site.parameters.front();
    std::optional<std::vector<double>> share = readNumbers(site.record, 1);
    if (!share)
      return place.emitOpError("resume: expected a share of eigenvalues, found '")
             << site.record << "'";
    shares[place.getSymName()] = share->front();
    return success();
  };
  if (failed(calibrate(module, options, request)))
    return failure();
  std::vector<StreamBasis> bases;
  for (const std::string &place : places) {
    FailureOr<RotationRef> rotation = takeBasis(module, place, width);
    if (failed(rotation))
      return failure();
    bases.push_back({*rotation, shares.lookup(place)});
  }
  return bases;
}
