//===- CompressionReport.h - what a pass did to each parameter ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_COMPRESSIONREPORT_H
#define LLMC_TRANSFORMS_COMPRESSIONREPORT_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Support/OutputPaths.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>
#include <string>
#include <vector>

namespace llmc {

/// One parameter after a pass.
struct CompressedParameter {
  std::string name;
  mlir::RankedTensorType type; ///< as it is stored now
  double bytes = 0, bitsPerWeight = 0;
  double weightError = 0;            ///< ‖W − W'‖ / ‖W‖, Frobenius
  std::optional<double> outputError; ///< ‖(W − W')X‖ / ‖WX‖ on calibration data
  double seconds = 0;
  DynamicAttr activation; ///< how inputs are rounded that it is multiplied with; null: not at all
  /// Of factors that it has now, in its place or beside it, whose type of numbers `type` has; bytes
  /// and bits are theirs. None: of the parameter itself.
  std::optional<int64_t> rank = std::nullopt;
};

/// The report that every compression pass ends with.
class CompressionReport {
public:
  explicit CompressionReport(llvm::StringRef pass) : pass(pass) {}

  void add(CompressedParameter parameter) { parameters.push_back(std::move(parameter)); }
  /// What the pass spent its time on, in seconds.
  void setTimes(std::vector<std::pair<std::string, double>> spent) { times = std::move(spent); }

  /// A parameter as one line of JSON, and back; none where the line is of another parameter, or of
  /// none.
  static std::string spell(const CompressedParameter &parameter);
  static std::optional<CompressedParameter> read(llvm::StringRef line, ParameterOp parameter);
  /// The same of a parameter that has become factors of a rank.
  static std::optional<CompressedParameter> read(llvm::StringRef line, llvm::StringRef name,
                                                 mlir::RankedTensorType type,
                                                 std::optional<int64_t> rank);
  /// The name of the parameter that a line is of; empty where it is of none.
  static std::string readName(llvm::StringRef line);

  /// Reports at the module where finish() could not write `path`, before work that takes long, or
  /// would write over what the module is made of or over one of `others`.
  static mlir::LogicalResult checkPath(mlir::ModuleOp module, llvm::StringRef path,
                                       llvm::ArrayRef<NamedPath> others = {});

  /// Emits remarks, prints the table if asked to, and writes JSON to `path` unless that is empty;
  /// reports at the module where it can't be written.
  mlir::LogicalResult finish(mlir::ModuleOp module, bool table, llvm::StringRef path) const;

  /// One remark for each parameter, named like the pass.
  void emitRemarks(mlir::Location location) const;
  void printTable(llvm::raw_ostream &stream) const;
  llvm::Error writeJSON(llvm::StringRef path) const;

private:
  std::string pass;
  std::vector<CompressedParameter> parameters;
  std::vector<std::pair<std::string, double>> times;
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_COMPRESSIONREPORT_H
