//===- LLMCTypes.cpp - types of the llmc dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/CheckedArithmetic.h"

using namespace mlir;
using namespace llmc;

/// `3x64`: heads × elements of a head.
static ParseResult parseHeadShape(AsmParser &parser, int64_t &heads, int64_t &headSize) {
  SmallVector<int64_t> shape;
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseDimensionList(shape, /*allowDynamic=*/false, /*withTrailingX=*/false))
    return failure();
  if (shape.size() != 2)
    return parser.emitError(location, "expected heads and head size as HxS, found ")
           << shape.size() << " dimensions";
  heads = shape[0];
  headSize = shape[1];
  return success();
}

static void printHeadShape(AsmPrinter &printer, int64_t heads, int64_t headSize) {
  printer << heads << 'x' << headSize;
}

/// A type of floating-point numbers, or an attribute.
static ParseResult parseCacheEncoding(AsmParser &parser, CacheEncodingInterface &encoding) {
  SMLoc location = parser.getCurrentLocation();
  Type element;
  OptionalParseResult isPlain = parser.parseOptionalType(element);
  Attribute parsed;
  if (isPlain.has_value()) {
    if (failed(*isPlain))
      return failure();
    parsed = PlainAttr::getChecked([&] { return parser.emitError(location); }, parser.getContext(),
                                   element);
    if (!parsed)
      return failure();
  } else if (parser.parseAttribute(parsed)) {
    return failure();
  }
  encoding = dyn_cast<CacheEncodingInterface>(parsed);
  if (!encoding)
    return parser.emitError(location, "expected an encoding of caches, found ") << parsed;
  return success();
}

static void printCacheEncoding(AsmPrinter &printer, CacheEncodingInterface encoding) {
  if (auto plain = dyn_cast<PlainAttr>(encoding))
    printer << plain.getElement();
  else
    printer << encoding;
}

#define GET_TYPEDEF_CLASSES
#include "llmc/Dialect/LLMC/IR/LLMCTypes.cpp.inc"

void LLMCDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "llmc/Dialect/LLMC/IR/LLMCTypes.cpp.inc"
      >();
}

LogicalResult KVCacheType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t heads,
                                  int64_t headSize, int64_t capacity, CacheEncodingInterface keys,
                                  CacheEncodingInterface values) {
  if (heads <= 0 || headSize <= 0 || capacity <= 0)
    return emitError() << "expected positive heads, head size and capacity, found " << heads << "x"
                       << headSize << " and " << capacity;
  // Beyond this the sizes of a sequence's state may not fit 63 bits.
  constexpr int64_t limit = int64_t(1) << 48;
  std::optional<int64_t> elements = llvm::checkedMul(heads, headSize);
  if (elements)
    elements = llvm::checkedMul(*elements, capacity);
  if (!elements || *elements > limit)
    return emitError() << "expected a cache of at most 2^48 elements, found " << heads << "x"
                       << headSize << " and " << capacity;
  return success(succeeded(keys.verifyCache(headSize, emitError)) &&
                 succeeded(values.verifyCache(headSize, emitError)));
}
