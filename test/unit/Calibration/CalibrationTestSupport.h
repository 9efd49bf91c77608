//===- CalibrationTestSupport.h - small models with random weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_CALIBRATION_CALIBRATIONTESTSUPPORT_H
#define LLMC_TEST_UNIT_CALIBRATION_CALIBRATIONTESTSUPPORT_H

#include "llmc/Calibration/Calibration.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>

namespace llmc::test {

/// Shapes of decoders, in the words of how layers hang together.
enum class Shape {
  Sequential,  ///< attention, then MLP, each on the residual stream
  Outlined,    ///< the same, with a function for the layers
  Parallel,    ///< attention and MLP read the same residual, each through its norm
  SharedCache, ///< every second layer attends to the cache of the layer before
  LowRankQuery ///< the query comes through two linears, so that it is later than keys and values
};

/// A context, and what it was told.
struct Messages {
  Messages();
  mlir::MLIRContext context;
  std::string text;
};

/// A model of `layers` layers, width 40, with random weights.
mlir::OwningOpRef<mlir::ModuleOp> makeModel(mlir::MLIRContext &context, Shape shape, int layers);

/// A file of random tokens, removed at the end; as many as fill `samples` of `length`.
class TokenFile {
public:
  TokenFile(int64_t samples, int64_t length);
  ~TokenFile();
  std::string path;
};

/// An empty folder, removed at the end.
class Folder {
public:
  Folder();
  ~Folder();
  std::string path;
};

/// A failure of the test where the file can't be written.
void writeFile(const std::string &path, llvm::StringRef contents);

/// Options for some samples of that file.
CalibrationOptions makeOptions(const TokenFile &tokens);

/// Replaces a parameter's values by others that depend on the old ones alone.
void changeWeights(ParameterOp parameter);

/// Second moments by the name of the first linear's weight.
using Moments = std::map<std::string, std::vector<double>>;
/// Walks over all linears that `select` takes; calls `visit`, if there is one, at each site.
Moments collect(mlir::ModuleOp module, const CalibrationOptions &options,
                std::function<bool(llvm::StringRef)> select = {},
                std::function<void(CalibrationSite &)> visit = {});

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_CALIBRATION_CALIBRATIONTESTSUPPORT_H
