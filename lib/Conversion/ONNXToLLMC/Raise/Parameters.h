//===- Parameters.h - weights of the file as parameters ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_PARAMETERS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_PARAMETERS_H

#include "Raise/Weight.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

#include <map>

namespace llmc {

/// Makes llmc.parameter operations; equal weights share one.
class Parameters {
public:
  explicit Parameters(mlir::ModuleOp module) : module(module) {}

  /// The value of `weight`, read at the builder's place. Null where its bytes can't be read.
  mlir::Value get(mlir::OpBuilder &builder, mlir::Location location, const Weight &weight);

private:
  ParameterOp create(mlir::RankedTensorType type, mlir::Attribute data);
  ParameterOp getParameter(const Weight &weight);
  ParameterOp getFromView(const ConstantView &view);

  mlir::ModuleOp module;
  std::map<std::string, ParameterOp> known;
  ParameterOp last;
  int64_t next = 0;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_PARAMETERS_H
