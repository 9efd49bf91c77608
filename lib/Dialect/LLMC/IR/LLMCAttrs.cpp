//===- LLMCAttrs.cpp - attributes of the llmc dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace llmc;

/// A number, `channel` or `tensor`.
static ParseResult parseGroupSize(AsmParser &parser, int64_t &group) {
  if (succeeded(parser.parseOptionalKeyword("channel"))) {
    group = GroupedAttr::channelGroup;
    return success();
  }
  if (succeeded(parser.parseOptionalKeyword("tensor"))) {
    group = GroupedAttr::tensorGroup;
    return success();
  }
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseInteger(group))
    return failure();
  if (group <= 0)
    return parser.emitError(location)
           << "expected a positive group size, 'channel' or 'tensor', found " << group;
  return success();
}

static void printGroupSize(AsmPrinter &printer, int64_t group) {
  if (group == GroupedAttr::channelGroup)
    printer << "channel";
  else if (group == GroupedAttr::tensorGroup)
    printer << "tensor";
  else
    printer << group;
}

/// A number or `row`.
static ParseResult parseActivationGroup(AsmParser &parser, int64_t &group) {
  if (succeeded(parser.parseOptionalKeyword("row"))) {
    group = DynamicAttr::rowGroup;
    return success();
  }
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseInteger(group))
    return failure();
  if (group == DynamicAttr::rowGroup)
    return parser.emitError(location)
           << "expected an activation group that is a multiple of 32, or 'row', found 0";
  return success();
}

static void printActivationGroup(AsmPrinter &printer, int64_t group) {
  if (group == DynamicAttr::rowGroup)
    printer << "row";
  else
    printer << group;
}

/// `, range = NUMBER`, `, numbers = TYPE`, both, or nothing.
static ParseResult parseActivationNumbers(AsmParser &parser, FloatAttr &range, Type &numbers) {
  while (succeeded(parser.parseOptionalComma())) {
    StringRef name;
    SMLoc location = parser.getCurrentLocation();
    if (parser.parseKeyword(&name))
      return failure();
    if (name == "range" && !range) {
      if (parser.parseEqual() || parser.parseAttribute(range, parser.getBuilder().getF32Type()))
        return failure();
    } else if (name == "numbers" && !numbers) {
      if (parser.parseEqual() || parser.parseType(numbers))
        return failure();
    } else {
      return parser.emitError(location)
             << "expected 'range' or 'numbers' once, found '" << name << "'";
    }
  }
  return success();
}

static void printActivationNumbers(AsmPrinter &printer, FloatAttr range, Type numbers) {
  if (range) {
    printer << ", range = ";
    printer.printAttributeWithoutType(range);
  }
  if (numbers)
    printer << ", numbers = " << numbers;
}

/// A number or `all`.
static ParseResult parseSharingRows(AsmParser &parser, int64_t &rows) {
  if (succeeded(parser.parseOptionalKeyword("all"))) {
    rows = CodebookAttr::allRows;
    return success();
  }
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseInteger(rows))
    return failure();
  if (rows == CodebookAttr::allRows)
    return parser.emitError(location)
           << "expected 1 row, a multiple of 16 or 'all' to share a table, found 0";
  return success();
}

static void printSharingRows(AsmPrinter &printer, int64_t rows) {
  if (rows == CodebookAttr::allRows)
    printer << "all";
  else
    printer << rows;
}

#define GET_ATTRDEF_CLASSES
#include "llmc/Dialect/LLMC/IR/LLMCAttrs.cpp.inc"

#include "llmc/Dialect/LLMC/IR/LLMCEnums.cpp.inc"
#include "llmc/Dialect/LLMC/IR/LLMCInterfaces.cpp.inc"

void LLMCDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "llmc/Dialect/LLMC/IR/LLMCAttrs.cpp.inc"
      >();
}

LogicalResult DynamicAttr::verify(function_ref<InFlightDiagnostic()> emitError, unsigned bits,
                                  int64_t group, FloatAttr range, Type numbers) {
  if (bits != 4 && bits != 8)
    return emitError() << "expected activations of 4 or 8 bits, found " << bits;
  if (group < rowGroup || group % 32 != 0)
    return emitError() << "expected an activation group that is a multiple of 32, found " << group;
  if (range && numbers)
    return emitError() << "expected a range or a type of numbers, found both";
  if (numbers && (!isa<Float8E4M3FNType>(numbers) || bits != 8))
    return emitError() << "expected numbers of type f8E4M3FN, of 8 bits, found " << bits
                       << " bits and " << numbers;
  if (!range)
    return success();
  if (group != rowGroup)
    return emitError() << "expected activation group 'row' with a range, found " << group;
  const llvm::APFloat &value = range.getValue();
  if (!range.getType().isF32() || !value.isFinite() || value.isNegative() || value.isZero())
    return emitError() << "expected a range that is a finite positive f32, found " << range;
  return success();
}

int64_t DynamicAttr::getLargest() const {
  constexpr int64_t largestFP8 = 448;
  return getNumbers() ? largestFP8 : (int64_t(1) << (getBits() - 1)) - 1;
}

int64_t DynamicAttr::getGroupSize(int64_t width) const {
  constexpr int64_t unit = 32;
  return getGroup() == rowGroup ? llvm::alignTo(std::max<int64_t>(width, 1), unit) : getGroup();
}

LogicalResult FileAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringRef path,
                               int64_t offset, ArrayRef<int64_t> strides) {
  if (path.empty())
    return emitError() << "expected the path of a file, found an empty string";
  if (offset < 0)
    return emitError() << "expected an offset of at least 0, found " << offset;
  for (int64_t stride : strides)
    if (stride <= 0)
      return emitError() << "expected positive strides, found " << stride;
  return success();
}

LogicalResult TiledAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                        function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2)
    return emitError() << "expected a matrix for a tiled layout, found rank " << shape.size();
  if (!getEncoding())
    return success();
  auto inner = dyn_cast<VerifiableTensorEncoding>(getEncoding());
  if (!inner || !isa<EncodingInterface>(getEncoding()))
    return emitError() << "expected an encoding of weights inside a tiled layout, found "
                       << getEncoding();
  return inner.verifyEncoding(shape, elementType, emitError);
}
