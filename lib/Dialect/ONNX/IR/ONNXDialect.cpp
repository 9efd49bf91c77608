//===- ONNXDialect.cpp - the carrier of ONNX models ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

#include "llmc/Dialect/ONNX/IR/ONNXDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "llmc/Dialect/ONNX/IR/ONNXAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "llmc/Dialect/ONNX/IR/ONNXTypes.cpp.inc"

#define GET_OP_CLASSES
#include "llmc/Dialect/ONNX/IR/ONNXOps.cpp.inc"

void ONNXDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "llmc/Dialect/ONNX/IR/ONNXAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "llmc/Dialect/ONNX/IR/ONNXTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "llmc/Dialect/ONNX/IR/ONNXOps.cpp.inc"
      >();
}

std::string llmc::carrier::getFunctionSymbol(StringRef domain, StringRef name, StringRef overload) {
  return (domain + "::" + name + (overload.empty() ? "" : ":") + overload).str();
}

/// Checks that a body has `inputs` arguments and ends by yielding `outputs` values.
static LogicalResult verifyBody(Operation *op, Region &body, size_t inputs, size_t outputs) {
  Block &block = body.front();
  if (block.getNumArguments() != inputs)
    return op->emitOpError("expected ")
           << inputs << " arguments, one per name, found " << block.getNumArguments();
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (!yield)
    return op->emitOpError("expected a body that ends with onnx.yield");
  if (yield.getValues().size() != outputs)
    return op->emitOpError("expected ")
           << outputs << " yielded values, one per name, found " << yield.getValues().size();
  return success();
}

/// Checks that there is a list of names per value.
static LogicalResult verifyDims(Operation *op, ArrayAttr dims, StringRef what) {
  for (Attribute names : dims) {
    auto list = dyn_cast<ArrayAttr>(names);
    if (!list || !llvm::all_of(list, [](Attribute name) { return isa<StringAttr>(name); }))
      return op->emitOpError("expected names of the dimensions of each ")
             << what << ", found " << names;
  }
  return success();
}

LogicalResult GraphOp::verify() {
  if (getInputDims().size() != getInputNames().size())
    return emitOpError("expected dimension names for ")
           << getInputNames().size() << " inputs, found " << getInputDims().size();
  if (getOutputDims().size() != getOutputNames().size() ||
      getOutputTypes().size() != getOutputNames().size())
    return emitOpError("expected types and dimension names for ")
           << getOutputNames().size() << " outputs, found " << getOutputTypes().size() << " and "
           << getOutputDims().size();
  if (failed(verifyDims(*this, getInputDims(), "input")) ||
      failed(verifyDims(*this, getOutputDims(), "output")))
    return failure();
  return verifyBody(*this, getBody(), getInputNames().size(), getOutputNames().size());
}

LogicalResult FunctionOp::verify() {
  return verifyBody(*this, getBody(), getInputNames().size(), getOutputNames().size());
}

LogicalResult InitializerOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (!type.hasStaticShape())
    return emitOpError("expected a static shape, found ") << type;
  if (isa<StringType>(type.getElementType())) {
    auto texts = dyn_cast<ArrayAttr>(getData());
    if (!texts || !llvm::all_of(texts, [](Attribute text) { return isa<StringAttr>(text); }))
      return emitOpError("expected a list of strings as data, found ") << getData();
    if (static_cast<int64_t>(texts.size()) != type.getNumElements())
      return emitOpError("expected ")
             << type.getNumElements() << " strings, found " << texts.size();
    return success();
  }
  if (!isa<FloatType, IntegerType, ComplexType>(type.getElementType()))
    return emitOpError("expected elements that are numbers or strings, found ")
           << type.getElementType();
  if (auto file = dyn_cast<FileAttr>(getData()); file && !file.getStrides().empty())
    return emitOpError("expected data in one piece, found strides ") << file.getStrides();
  if (isa<FileAttr, DenseResourceElementsAttr>(getData()))
    return success();
  auto elements = dyn_cast<DenseElementsAttr>(getData());
  if (!elements)
    return emitOpError("expected #llmc.file or elements as data, found ") << getData();
  if (elements.getType() != getType())
    return emitOpError("expected elements of type ")
           << getType() << ", found " << elements.getType();
  return success();
}

LogicalResult NodeOp::verify() {
  if (getOutputNames().size() != getNumResults())
    return emitOpError("expected ")
           << getNumResults() << " output names, found " << getOutputNames().size();
  size_t graphs = getGraphs() ? getGraphs()->size() : 0;
  if (graphs != getNumRegions())
    return emitOpError("expected ") << getNumRegions() << " graph names, found " << graphs;
  for (Region &body : getBodies())
    if (body.empty() || body.front().empty() || !isa<YieldOp>(body.front().back()))
      return emitOpError("expected graphs that end with onnx.yield");
  return success();
}
