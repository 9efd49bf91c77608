//===- LLMCTypes.cpp - types of the llmc dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringExtras.h"
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

/// `3x64`, of keys and values, or `3x64:1x144`, of keys and of values.
static ParseResult parseHeadShapes(AsmParser &parser, int64_t &heads, int64_t &headSize,
                                   int64_t &valueHeads, int64_t &valueSize) {
  if (parseHeadShape(parser, heads, headSize))
    return failure();
  if (succeeded(parser.parseOptionalColon()))
    return parseHeadShape(parser, valueHeads, valueSize);
  valueHeads = heads;
  valueSize = headSize;
  return success();
}

static void printHeadShapes(AsmPrinter &printer, int64_t heads, int64_t headSize,
                            int64_t valueHeads, int64_t valueSize) {
  printer << heads << 'x' << headSize;
  if (valueHeads != heads || valueSize != headSize)
    printer << ':' << valueHeads << 'x' << valueSize;
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

/// What a type says of positions, in the order in which it is written.
static constexpr StringLiteral positionNames[] = {"residual", "sinks", "ring",     "budget",
                                                  "first",    "heavy", "observed", "rolling"};

/// `, residual = 32, sinks = 4, ring = 160`: each where it is not 0.
static ParseResult parsePositionLaw(AsmParser &parser, int64_t &residual, int64_t &sinks,
                                    int64_t &ring, int64_t &budget, int64_t &first, int64_t &heavy,
                                    int64_t &observed, int64_t &rolling) {
  int64_t *const numbers[] = {&residual, &sinks, &ring,     &budget,
                              &first,    &heavy, &observed, &rolling};
  for (int64_t *number : numbers)
    *number = 0;
  llvm::SmallPtrSet<int64_t *, 8> given;
  while (succeeded(parser.parseOptionalComma())) {
    SMLoc location = parser.getCurrentLocation();
    StringRef name;
    if (parser.parseKeyword(&name) || parser.parseEqual())
      return failure();
    const auto *known = llvm::find(positionNames, name);
    size_t index = known - std::begin(positionNames);
    if (known == std::end(positionNames) || !given.insert(numbers[index]).second)
      return parser.emitError(location, "expected ")
             << llvm::join(ArrayRef(positionNames).drop_back(), ", ") << " and "
             << std::end(positionNames)[-1] << ", each once, found '" << name << "'";
    if (parser.parseInteger(*numbers[index]))
      return failure();
  }
  return success();
}

static void printPositionLaw(AsmPrinter &printer, int64_t residual, int64_t sinks, int64_t ring,
                             int64_t budget, int64_t first, int64_t heavy, int64_t observed,
                             int64_t rolling) {
  const int64_t numbers[] = {residual, sinks, ring, budget, first, heavy, observed, rolling};
  for (auto [name, number] : llvm::zip_equal(positionNames, numbers))
    if (number != 0)
      printer << ", " << name << " = " << number;
}

#define GET_TYPEDEF_CLASSES
#include "llmc/Dialect/LLMC/IR/LLMCTypes.cpp.inc"

void LLMCDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "llmc/Dialect/LLMC/IR/LLMCTypes.cpp.inc"
      >();
}

/// Positions that a number may say.
static constexpr int64_t mostPositions = int64_t(1) << 31;

static LogicalResult verifyExactPositions(function_ref<InFlightDiagnostic()> emitError,
                                          CacheEncodingInterface keys,
                                          CacheEncodingInterface values, int64_t residual,
                                          int64_t sinks, int64_t ring) {
  for (auto [name, number] :
       {std::pair("residual", residual), std::pair("sinks", sinks), std::pair("ring", ring)})
    if (number < 0 || number > mostPositions)
      return emitError() << "expected a " << name << " of 0 to 2^31 positions, found " << number;
  int64_t group = getCachePositions(keys);
  if (residual == 0 && sinks != 0)
    return emitError() << "expected a residual of at least 1 beside sinks, found " << sinks
                       << " sinks alone";
  if (residual == 0 && group != 1)
    return emitError() << "expected a residual of at least 1 for " << keys
                       << ", whose groups fill one by one";
  if (residual != 0 && isa<PlainAttr>(keys) && isa<PlainAttr>(values))
    return emitError() << "expected a residual with keys or values that are rounded, found " << keys
                       << " and " << values;
  if (ring % keyBlock != 0 || (ring != 0 && ring < residual + group - 1))
    return emitError() << "expected a ring of a multiple of " << keyBlock << " of at least "
                       << residual + group - 1 << " positions, found " << ring;
  return success();
}

static LogicalResult verifyBudget(function_ref<InFlightDiagnostic()> emitError,
                                  CacheEncodingInterface keys, int64_t residual, int64_t budget,
                                  int64_t first, int64_t heavy, int64_t observed, int64_t rolling) {
  for (auto [name, number] :
       {std::pair("budget", budget), std::pair("first", first), std::pair("heavy", heavy),
        std::pair("observed", observed), std::pair("rolling", rolling)})
    if (number < 0 || number > mostPositions)
      return emitError() << "expected " << name << " of 0 to 2^31 positions, found " << number;
  if (budget == 0 && (first != 0 || heavy != 0 || rolling != 0))
    return emitError() << "expected a budget beside first, heavy and rolling, found " << first
                       << ", " << heavy << " and " << rolling << " alone";
  if (budget == 0)
    return success();
  if (first >= budget)
    return emitError() << "expected a budget of more than the first " << first
                       << " positions, found " << budget;
  if (heavy >= budget - first)
    return emitError() << "expected a budget of more than the first " << first << " positions and "
                       << heavy << " heavy ones, found " << budget;
  int64_t window = budget - first - heavy, group = getCachePositions(keys);
  int64_t waiting = std::max<int64_t>(observed - 1, 0);
  if (int64_t recent = residual + group - 1; residual != 0 && recent + waiting > window) {
    InFlightDiagnostic error = emitError();
    error << "expected a budget of at least " << first + heavy + waiting + recent
          << " positions, the first " << first;
    if (heavy != 0)
      error << ", " << heavy << " heavy ones";
    if (waiting != 0)
      error << ", " << waiting << " that wait for the next choice";
    return error << " and the newest " << recent << ", which are read exactly, found " << budget;
  }
  if (rolling % std::max(keyBlock, group) != 0 || (rolling != 0 && rolling < window))
    return emitError() << "expected rolling positions of a multiple of "
                       << std::max(keyBlock, group) << ", at least " << window << ", found "
                       << rolling;
  return success();
}

/// Reports why positions can't be chosen by score, if so.
static LogicalResult verifyHeavy(function_ref<InFlightDiagnostic()> emitError,
                                 CacheEncodingInterface keys, int64_t sinks, int64_t first,
                                 int64_t heavy, int64_t observed, int64_t window) {
  if (observed != 0 && heavy == 0)
    return emitError() << "expected heavy positions beside " << observed << " observed ones";
  if (observed > window)
    return emitError() << "expected observed positions among the newest " << window << ", found "
                       << observed;
  // Their places are numbers that fp32 holds.
  constexpr int64_t most = int64_t(1) << 24;
  if (heavy + observed > most)
    return emitError() << "expected at most 2^24 heavy positions, found " << heavy + observed;
  if (heavy != 0 && getCachePositions(keys) != 1)
    return emitError() << "expected keys that share nothing along positions beside heavy "
                          "positions, found "
                       << keys;
  if (heavy != 0 && sinks > first)
    return emitError() << "expected sinks among the first " << first
                       << " positions, which stay beside heavy ones, found " << sinks;
  return success();
}

/// Reports heads of keys or of values that a cache can't have, if so.
static LogicalResult verifyVectors(function_ref<InFlightDiagnostic()> emitError,
                                   const CacheVectors &vectors, int64_t capacity) {
  const auto [heads, size, encoding] = vectors;
  if (heads <= 0 || size <= 0 || capacity <= 0)
    return emitError() << "expected positive heads, head size and capacity, found " << heads << "x"
                       << size << " and " << capacity;
  // Beyond this the sizes of a sequence's state may not fit 63 bits.
  constexpr int64_t limit = int64_t(1) << 48;
  std::optional<int64_t> elements = llvm::checkedMul(heads, size);
  if (elements)
    elements = llvm::checkedMul(*elements, capacity);
  if (!elements || *elements > limit)
    return emitError() << "expected a cache of at most 2^48 elements, found " << heads << "x"
                       << size << " and " << capacity;
  return encoding.verifyCache(size, emitError);
}

LogicalResult KVCacheType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t heads,
                                  int64_t headSize, int64_t valueHeads, int64_t valueSize,
                                  int64_t capacity, CacheEncodingInterface keys,
                                  CacheEncodingInterface values, int64_t residual, int64_t sinks,
                                  int64_t ring, int64_t budget, int64_t first, int64_t heavy,
                                  int64_t observed, int64_t rolling) {
  if (failed(verifyVectors(emitError, {heads, headSize, keys}, capacity)) ||
      failed(verifyVectors(emitError, {valueHeads, valueSize, values}, capacity)))
    return failure();
  if (heads % valueHeads != 0)
    return emitError() << "expected heads of values that divide the " << heads
                       << " heads of keys, found " << valueHeads;
  if (heavy != 0 && heads != valueHeads)
    return emitError() << "expected as many heads of values as of keys, " << heads
                       << ", beside heavy positions, which each chooses for itself, found "
                       << valueHeads;
  if (getCachePositions(values) != 1)
    return emitError() << "expected values that share nothing along positions, found " << values;
  if (failed(verifyExactPositions(emitError, keys, values, residual, sinks, ring)))
    return failure();
  if (failed(verifyBudget(emitError, keys, residual, budget, first, heavy, observed, rolling)))
    return failure();
  return verifyHeavy(emitError, keys, sinks, first, heavy, observed, budget - first - heavy);
}

bool KVCacheType::keepsExact(CacheEncodingInterface encoding) const {
  return getResidual() > 0 && !isa<PlainAttr>(encoding);
}

SmallVector<Plane> KVCacheType::getStoredPlanes(const CacheVectors &vectors) const {
  SmallVector<Plane> planes;
  if (getCachePositions(vectors.encoding) == 1)
    planes = CacheEncodingInterface(vectors.encoding).getPlanes({1, vectors.size});
  if (keepsExact(vectors.encoding))
    planes.push_back({"exact", Float16Type::get(getContext())});
  return planes;
}

SmallVector<Type> KVCacheType::getChoiceElements() const {
  if (!choosesPositions())
    return {};
  // Scores, of an interval and the most of all, and whether a position is read no more.
  SmallVector<Type> elements(getObserved() == 0 ? 1 : 2, Float32Type::get(getContext()));
  elements.push_back(IntegerType::get(getContext(), 8));
  return elements;
}

int64_t KVCacheType::getRecentPositions() const {
  return getResidual() + getCachePositions(getKeys()) - 1;
}

KVCacheType KVCacheType::withPlaces(int64_t ring, int64_t rolling) const {
  return get(getContext(), getHeads(), getHeadSize(), getValueHeads(), getValueSize(),
             getCapacity(), getKeys(), getValues(), getResidual(), getSinks(), ring, getBudget(),
             getFirst(), getHeavy(), getObserved(), rolling);
}

KVCacheType KVCacheType::withHeads(int64_t heads) const {
  return get(getContext(), heads, getHeadSize(), getValueHeads() * heads / getHeads(),
             getValueSize(), getCapacity(), getKeys(), getValues(), getResidual(), getSinks(),
             getRing(), getBudget(), getFirst(), getHeavy(), getObserved(), getRolling());
}

KVCacheType KVCacheType::withValues(function_ref<InFlightDiagnostic()> emitError, int64_t heads,
                                    int64_t size) const {
  return getChecked(emitError, getContext(), getHeads(), getHeadSize(), heads, size, getCapacity(),
                    getKeys(), getValues(), getResidual(), getSinks(), getRing(), getBudget(),
                    getFirst(), getHeavy(), getObserved(), getRolling());
}

KVCacheType KVCacheType::withEncodings(function_ref<InFlightDiagnostic()> emitError,
                                       CacheEncodingInterface keys, CacheEncodingInterface values,
                                       int64_t residual, int64_t sinks) const {
  return getChecked(emitError, getContext(), getHeads(), getHeadSize(), getValueHeads(),
                    getValueSize(), getCapacity(), keys, values, residual, sinks, /*ring=*/0,
                    getBudget(), getFirst(), getHeavy(), getObserved(),
                    /*rolling=*/0);
}

KVCacheType KVCacheType::withBudget(function_ref<InFlightDiagnostic()> emitError, int64_t budget,
                                    int64_t first, int64_t heavy, int64_t observed) const {
  return getChecked(emitError, getContext(), getHeads(), getHeadSize(), getValueHeads(),
                    getValueSize(), getCapacity(), getKeys(), getValues(), getResidual(),
                    getSinks(), /*ring=*/0, budget, first, heavy, observed, /*rolling=*/0);
}
