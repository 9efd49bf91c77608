//===- Rotate.cpp - channels in a basis where weights are easy to round ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/Safetensors.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Rewrites/ModelRewrite.h"

#include <cstring>

namespace llmc {
#define GEN_PASS_DEF_ROTATE
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

/// A matrix of a file, as fp64 whether it is of F64 or F32.
static llvm::Expected<std::vector<double>> readMatrix(const SafetensorsFile &file, StringRef name,
                                                      int64_t width) {
  std::vector<double> matrix(width * width);
  llvm::Expected<ArrayRef<uint8_t>> doubles = file.getTensor(name, "F64", {width, width});
  if (doubles) {
    std::memcpy(matrix.data(), doubles->data(), matrix.size() * sizeof(double));
    return matrix;
  }
  llvm::consumeError(doubles.takeError());
  llvm::Expected<ArrayRef<uint8_t>> bytes = file.getTensor(name, "F32", {width, width});
  if (!bytes)
    return bytes.takeError();
  std::vector<float> floats(matrix.size());
  std::memcpy(floats.data(), bytes->data(), floats.size() * sizeof(float));
  matrix.assign(floats.begin(), floats.end());
  return matrix;
}

namespace {

/// Where a model can be rotated, in the order in which it is done.
struct Place {
  StringRef name;
  LogicalResult (*rotate)(func::FuncOp, const RotationRequest &, ParameterRewrite &);
  bool isOnline; ///< always by a Hadamard matrix
};

constexpr Place places[] = {{"residual", rotateResidual, false},
                            {"values", rotateValues, false},
                            {"down", rotateDown, true},
                            {"keys", rotateKeys, true}};

struct RotatePass : llmc::impl::RotateBase<RotatePass> {
  using RotateBase::RotateBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto rotateAll = [&](func::FuncOp step, ParameterRewrite &rewrite) {
      return rotate(step, rewrite);
    };
    if (failed(checkOptions(module)) || failed(rewriteModel(module, rotateAll)))
      signalPassFailure();
  }

private:
  /// As `where`: what costs nothing at run time, as far as the model allows.
  static constexpr StringLiteral freePlaces = "free";

  /// Whether a place has to be rotated.
  bool isNamed(StringRef place) const {
    return where.empty() ? place == "residual" || place == "values"
                         : llvm::is_contained(where, place);
  }

  bool isAsked(StringRef place) const {
    bool isFree = place == "residual" || place == "values";
    return isNamed(place) || (isFree && llvm::is_contained(where, freePlaces));
  }

  LogicalResult checkOptions(ModuleOp module) {
    for (const std::string &name : where)
      if (name != freePlaces &&
          llvm::none_of(places, [&](const Place &place) { return place.name == name; }))
        return module.emitError("where: expected residual, values, keys, down or free, found '")
               << name << "'";
    if (kind == RotationKind::Given && llvm::is_contained(where, freePlaces))
      return module.emitError("where: expected residual or values with kind=given, which are to be "
                              "rotated, found free");
    if (head.hasValue() && !isAsked("residual"))
      return module.emitError("head: expected where=residual with it");
    if (seed.hasValue() && kind != RotationKind::Randomized)
      return module.emitError("seed: expected kind=randomized with it");
    if (matrices.empty() != (kind != RotationKind::Given))
      return module.emitError(matrices.empty() ? "kind: expected matrices=FILE with kind=given"
                                               : "matrices: expected kind=given with it");
    if (kind == RotationKind::Hadamard)
      return success();
    if (llvm::none_of(places, [&](const Place &p) { return isAsked(p.name) && !p.isOnline; }))
      return module.emitError("kind: expected hadamard where neither residual nor values are "
                              "rotated: what is rotated while the model runs is by Hadamard "
                              "matrices");
    if (kind == RotationKind::Randomized)
      return success();
    llvm::Expected<SafetensorsFile> opened = SafetensorsFile::open(matrices);
    if (!opened)
      return module.emitError("matrices: ") << llvm::toString(opened.takeError());
    file = std::make_shared<SafetensorsFile>(std::move(*opened));
    return success();
  }

  FailureOr<RotationRef> makeRotation(StringRef place, int64_t width) {
    if (kind == RotationKind::Hadamard)
      return makeHadamardRotation(width);
    if (kind == RotationKind::Randomized)
      return makeRandomizedRotation(width, seed);
    auto fail = [&] { return getOperation().emitError("matrices: "); };
    llvm::Expected<std::vector<double>> matrix = readMatrix(*file, place, width);
    if (!matrix)
      return fail() << llvm::toString(matrix.takeError());
    double deviation = 0;
    RotationRef rotation = makeGivenRotation(width, std::move(*matrix), deviation);
    if (!rotation)
      return fail() << "expected an orthogonal matrix '" << place
                    << "', found one with a product of rows that is " << std::to_string(deviation)
                    << " from what it has to be";
    return rotation;
  }

  LogicalResult rotate(func::FuncOp step, ParameterRewrite &rewrite) {
    for (const Place &place : places) {
      RotationRequest request{[&](int64_t width) { return makeRotation(place.name, width); },
                              head == HeadRotation::Untied};
      if (!isAsked(place.name) || (!isNamed(place.name) && !canRotate(step, place, request)))
        continue;
      if (failed(place.rotate(step, request, rewrite)))
        return failure();
    }
    return success();
  }

  /// Rotates a copy, since what stands in the way may be found when a part is done. That is a
  /// warning then.
  bool canRotate(func::FuncOp step, const Place &place, const RotationRequest &request) {
    OwningOpRef<ModuleOp> copy(getOperation().clone());
    ParameterRewrite trial(*copy);
    std::string reason;
    Location location = step.getLoc();
    {
      ScopedDiagnosticHandler handler(&getContext(), [&](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
          return;
        reason = diagnostic.str();
        location = diagnostic.getLocation();
      });
      if (succeeded(place.rotate(copy->lookupSymbol<func::FuncOp>(step.getName()), request, trial)))
        return true;
    }
    emitWarning(location) << reason << ": left as it is";
    return false;
  }

  std::shared_ptr<SafetensorsFile> file; ///< of `matrices`
};

} // namespace
