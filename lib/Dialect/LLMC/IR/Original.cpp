//===- Original.cpp - what a parameter was before it was rounded ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/Original.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace llmc;

/// What the attribute holds: a type, and data.
static std::pair<RankedTensorType, Attribute> split(Attribute original) {
  auto array = dyn_cast_or_null<ArrayAttr>(original);
  auto type = array && array.size() == 2 ? dyn_cast<TypeAttr>(array[0]) : TypeAttr();
  auto tensor = type ? dyn_cast<RankedTensorType>(type.getValue()) : RankedTensorType();
  return {tensor, tensor ? array[1] : Attribute()};
}

static Attribute describe(ParameterOp parameter) {
  if (hasOriginal(parameter))
    return parameter->getAttr(originalAttributeName);
  Builder builder(parameter.getContext());
  return builder.getArrayAttr({parameter.getTypeAttr(), parameter.getData()});
}

void llmc::compressParameter(ParameterOp parameter, RankedTensorType type, Attribute data) {
  Attribute original = describe(parameter);
  setParameter(parameter, type, data);
  parameter->setAttr(originalAttributeName, original);
}

bool llmc::hasOriginal(ParameterOp parameter) { return parameter->hasAttr(originalAttributeName); }

void llmc::setOriginal(ParameterOp parameter, ParameterOp original) {
  parameter->setAttr(originalAttributeName, describe(original));
}

FailureOr<OwningOpRef<ParameterOp>> llmc::getOriginal(ParameterOp parameter) {
  Attribute original = parameter->getAttr(originalAttributeName);
  auto [type, data] = split(original);
  if (!type)
    return parameter.emitOpError("expected an array of a tensor's type and its data as ")
           << originalAttributeName << ", found " << original;
  if (type.getShape() != parameter.getTensorType().getShape())
    return parameter.emitOpError("expected as ")
           << originalAttributeName << " weights of the shape of " << parameter.getTensorType()
           << ", found " << type;
  OpBuilder builder(parameter.getContext());
  OwningOpRef<ParameterOp> made =
      ParameterOp::create(builder, parameter.getLoc(), parameter.getSymName(), type, data);
  if (failed(verify(made->getOperation())))
    return failure();
  return made;
}

void llmc::forgetOriginals(ModuleOp module, StringRef path) {
  module.walk([&](ParameterOp parameter) {
    auto file = dyn_cast_or_null<FileAttr>(split(parameter->getAttr(originalAttributeName)).second);
    if (!file || file.getPath() == path)
      parameter->removeAttr(originalAttributeName);
  });
}
