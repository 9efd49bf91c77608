//===- QuantizationOptions.cpp - what all quantization passes let one choose ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/QuantizationOptions.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"
#include "llmc/Support/SpellNumber.h"
#include "llmc/Transforms/NamePatterns.h"
#include "llmc/Transforms/Quantization/WeightFormat.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

/// What QuantizationOptions.td says.
static constexpr int64_t defaultActivationGroup = -1;

static std::optional<int64_t> parseGroupSize(StringRef text) {
  if (text == "channel")
    return GroupedAttr::channelGroup;
  if (text == "tensor")
    return GroupedAttr::tensorGroup;
  int64_t size;
  if (text.getAsInteger(10, size) || size < 1)
    return std::nullopt;
  return size;
}

/// Null where the format decides.
static Type getScaleType(MLIRContext *context, ScaleType scale) {
  Builder builder(context);
  switch (scale) {
  case ScaleType::Auto:
    return {};
  case ScaleType::F32:
    return builder.getF32Type();
  case ScaleType::F16:
    return builder.getF16Type();
  case ScaleType::BF16:
    return builder.getBF16Type();
  }
  return {};
}

static FailureOr<const WeightFormat *> getFormat(Location location, StringRef name) {
  if (const WeightFormat *format = findWeightFormat(name))
    return format;
  std::string names;
  for (const WeightFormat *format : getWeightFormats()) {
    bool isLast = format == getWeightFormats().back();
    names += (names.empty() ? "" : isLast ? " or " : ", ") + format->getName().str();
  }
  return emitError(location) << "format: expected " << names << ", found '" << name << "'";
}

/// The name of a way to round inputs that was asked for.
static StringRef spell(ActivationRounding rounding) {
  switch (rounding) {
  case ActivationRounding::Auto:
    return "auto";
  case ActivationRounding::None:
    return "none";
  case ActivationRounding::I8:
    return "i8";
  case ActivationRounding::I8Static:
    return "i8-static";
  case ActivationRounding::I4:
    return "i4";
  case ActivationRounding::FP8:
    return "fp8";
  }
  return "";
}

/// Rounding to integers, as asked for, of groups as they were asked for.
static FailureOr<DynamicAttr> getIntegers(Location location, ActivationRounding asked,
                                          int64_t activationGroup) {
  constexpr int64_t defaultGroup = 32;
  auto fail = [&] { return emitError(location); };
  bool ofRow = asked == ActivationRounding::I8Static || asked == ActivationRounding::I4;
  if (asked == ActivationRounding::I8Static && activationGroup > 0)
    return fail()
           << "activation-group: expected 0 with activation=i8-static, whose scale is that of "
              "a matrix, found "
           << activationGroup;
  int64_t byDefault = ofRow ? DynamicAttr::rowGroup : defaultGroup;
  auto rounding = DynamicAttr::getChecked(
      fail, location.getContext(), asked == ActivationRounding::I4 ? 4u : 8u,
      activationGroup == defaultActivationGroup ? byDefault : activationGroup);
  if (!rounding)
    return failure();
  return rounding;
}

/// Rounding to fp8.
static FailureOr<DynamicAttr> getFloats(Location location, int64_t activationGroup) {
  MLIRContext *context = location.getContext();
  auto rounding = DynamicAttr::getChecked(
      [&] { return emitError(location); }, context, 8u,
      activationGroup == defaultActivationGroup ? DynamicAttr::rowGroup : activationGroup,
      FloatAttr(), Type(Float8E4M3FNType::get(context)));
  if (!rounding)
    return failure();
  return rounding;
}

/// How inputs of weights of this encoding, of `format`, are rounded where `asked` says whether they
/// are to be; null: not at all.
static FailureOr<DynamicAttr> getActivation(Location location, EncodingInterface encoding,
                                            StringRef format, ActivationRounding asked,
                                            int64_t activationGroup) {
  auto fail = [&] { return emitError(location); };
  if (asked == ActivationRounding::None)
    return DynamicAttr();
  if (asked == ActivationRounding::FP8)
    return getFloats(location, activationGroup);
  if (!encoding.getLinearCodes()) {
    if (asked == ActivationRounding::Auto)
      return DynamicAttr();
    return fail() << "activation: expected activation=none with format=" << format
                  << ", whose weights are no integers, found activation=" << spell(asked);
  }
  constexpr int64_t wholeRow = blockInputs << 32;
  if (int64_t group = getGroupSize(encoding, wholeRow); group % blockInputs != 0)
    return fail() << "group-size: expected a multiple of " << blockInputs << " with activation="
                  << spell(asked == ActivationRounding::Auto ? ActivationRounding::I8 : asked)
                  << ", found " << group;
  return getIntegers(location, asked, activationGroup);
}

namespace {

/// Reads what a request says of formats.
class PlanReader {
public:
  PlanReader(Location location, const QuantizationRequest &request)
      : location(location), request(request) {}

  FailureOr<QuantizationPlan> read() {
    if (request.symmetric && request.zero == ZeroPoint::Float)
      return fail() << "zero: expected symmetric=false with zero=float";
    if (failed(readNumbers()))
      return failure();
    QuantizationPlan plan;
    plan.search = request.search;
    plan.trellisTable = request.trellisTable;
    plan.activationOutliers = request.activationOutliers;
    if (failed(readFormat(request.format, options, request.activation, plan.others)) ||
        failed(readRules(plan.rules)) || failed(readHead(plan)) || failed(checkUsed(plan)))
      return failure();
    return plan;
  }

private:
  InFlightDiagnostic fail() { return emitError(location); }

  /// The options that formats take, beside their names.
  LogicalResult readNumbers() {
    options = {request.bits == WeightBits() ? std::nullopt : std::optional(request.bits),
               {},
               request.symmetric,
               request.zero,
               getScaleType(location.getContext(), request.scale),
               {},
               request.scaleBits == 0 ? std::nullopt : std::optional(request.scaleBits),
               request.scaleGroup == 0 ? std::nullopt : std::optional(request.scaleGroup)};
    if (!request.groupSize.empty()) {
      options.group = parseGroupSize(request.groupSize);
      if (!options.group)
        return fail() << "group-size: expected a positive number, 'channel' or 'tensor', found '"
                      << request.groupSize << "'";
    }
    if (request.sharing == "matrix") {
      options.sharing = CodebookAttr::allRows;
    } else if (request.sharing != "row") {
      int64_t rows;
      if (StringRef(request.sharing).getAsInteger(10, rows) || rows < 1)
        return fail() << "sharing: expected a positive number, 'row' or 'matrix', found '"
                      << request.sharing << "'";
      options.sharing = rows;
    }
    return success();
  }

  LogicalResult readFormat(StringRef name, const FormatOptions &asked, ActivationRounding rounding,
                           WeightStorage &storage) {
    FailureOr<const WeightFormat *> format = getFormat(location, name);
    if (failed(format))
      return failure();
    if (asked.bits && !asked.bits->isWhole() && !(*format)->hasHalfBits())
      return fail() << "bits: expected a whole number with format=" << name << ", found "
                    << asked.bits->str();
    sharesRows |= (*format)->sharesRows();
    FailureOr<EncodingInterface> encoding = (*format)->getEncoding(location, asked);
    if (failed(encoding))
      return failure();
    storage.encoding = *encoding;
    FailureOr<DynamicAttr> activation =
        getActivation(location, *encoding, name, rounding, request.activationGroup);
    if (failed(activation))
      return failure();
    storage.activation = *activation;
    storage.hasRange = *activation && rounding == ActivationRounding::I8Static;
    return success();
  }

  /// FORMAT[:BITS[:GROUP]], which `option` gives.
  LogicalResult readSpelling(StringRef option, StringRef text, ActivationRounding rounding,
                             WeightStorage &storage) {
    auto [name, rest] = text.split(':');
    auto [bits, group] = rest.split(':');
    // What is said of one format doesn't hold for others, but that all there is of integers does.
    FormatOptions asked = options;
    if (name != request.format) {
      asked.bits = {};
      if (name != getWeightFormats().front()->getName())
        asked = {{}, {}, true, ZeroPoint::Integer, {}, options.sharing};
    }
    if (!bits.empty()) {
      asked.bits = WeightBits::parse(bits);
      if (!asked.bits || asked.bits->halves == 0)
        return fail() << option << ": expected a number of bits in '" << text << "', found '"
                      << bits << "'";
    }
    if (!group.empty()) {
      asked.group = parseGroupSize(group);
      if (!asked.group)
        return fail() << option << ": expected a positive number, 'channel' or 'tensor' in '"
                      << text << "', found '" << group << "'";
    }
    return readFormat(name, asked, rounding, storage);
  }

  LogicalResult readRules(std::vector<StorageRule> &rules) {
    std::vector<std::string> patterns;
    for (StringRef text : request.formats) {
      auto [pattern, format] = text.rsplit('=');
      if (pattern.size() == text.size() || pattern.empty())
        return fail() << "formats: expected REGEX=FORMAT, found '" << text << "'";
      StorageRule &rule = rules.emplace_back();
      rule.pattern = pattern;
      patterns.push_back(rule.pattern);
      if (failed(readSpelling("formats", format, request.activation, rule.storage)))
        return failure();
    }
    return NamePatterns::get(location, "formats", patterns);
  }

  LogicalResult readHead(QuantizationPlan &plan) {
    plan.headIsLikeOthers = request.headFormat == "same";
    if (plan.headIsLikeOthers || request.headFormat == "none")
      return success();
    // Where the inputs of all others are not rounded, the head's are not either.
    return readSpelling(
        "head-format", request.headFormat,
        plan.others.activation ? ActivationRounding::Auto : ActivationRounding::None, plan.head);
  }

  /// Reports options that would have no effect on any format.
  LogicalResult checkUsed(const QuantizationPlan &plan) {
    auto rounds = [](const StorageRule &rule) { return rule.storage.activation != nullptr; };
    if (request.activationGroup != defaultActivationGroup && !plan.others.activation &&
        llvm::none_of(plan.rules, rounds))
      return fail() << "activation-group: expected activation=i8 with it, found activation=none";
    if (!(request.activationOutliers >= 0) || std::isinf(request.activationOutliers))
      return fail() << "activation-outliers: expected a magnitude, or 0, found "
                    << spellNumber(request.activationOutliers);
    if (request.activationOutliers > 0 && !plan.others.activation &&
        llvm::none_of(plan.rules, rounds))
      return fail() << "activation-outliers: expected activation=i8 with it, found activation=none";
    if (options.sharing && !sharesRows)
      return fail() << "sharing: expected format=codebook with it, found format=" << request.format;
    SmallVector<EncodingInterface> encodings = plan.getEncodings();
    encodings.push_back(plan.head.encoding);
    if (request.trellisTable != TrellisNumbers::Normal &&
        llvm::none_of(encodings, llvm::IsaAndPresentPred<TrellisAttr>))
      return fail() << "trellis-table: expected format=trellis with it, found format="
                    << request.format;
    return success();
  }

  Location location;
  const QuantizationRequest &request;
  FormatOptions options;
  bool sharesRows = false;
};

} // namespace

FailureOr<QuantizationPlan> QuantizationPlan::get(Location location,
                                                  const QuantizationRequest &request) {
  return PlanReader(location, request).read();
}

const WeightStorage &QuantizationPlan::getStorage(StringRef parameter, bool isHead) const {
  if (isHead && !headIsLikeOthers)
    return head;
  for (const StorageRule &rule : rules)
    if (llvm::Regex(rule.pattern).match(parameter))
      return rule.storage;
  return others;
}

SmallVector<EncodingInterface> QuantizationPlan::getEncodings() const {
  SmallVector<EncodingInterface> encodings{others.encoding};
  for (const StorageRule &rule : rules)
    encodings.push_back(rule.storage.encoding);
  return encodings;
}

SmallVector<WeightStorage> QuantizationPlan::getCalibrated() const {
  SmallVector<WeightStorage> storages{others};
  for (const StorageRule &rule : rules)
    storages.push_back(rule.storage);
  return storages;
}

bool QuantizationPlan::hasRanges() const {
  return llvm::any_of(getCalibrated(),
                      [](const WeightStorage &storage) { return storage.hasRange; });
}

void QuantizationPlan::warnOfUnused(ModuleOp module, ArrayRef<StringRef> parameters) const {
  std::vector<std::string> texts;
  texts.reserve(rules.size());
  for (const StorageRule &rule : rules)
    texts.push_back(rule.pattern);
  FailureOr<NamePatterns> patterns = NamePatterns::get(module.getLoc(), "formats", texts);
  if (failed(patterns))
    return;
  for (StringRef parameter : parameters)
    patterns->match(parameter);
  patterns->warnOfUnused(module);
}

static void spell(llvm::raw_ostream &stream, const WeightStorage &storage) {
  auto spell = [&](Attribute attribute) {
    if (attribute)
      stream << attribute;
    else
      stream << "none";
  };
  spell(storage.encoding);
  stream << " activation=";
  spell(storage.activation);
  if (storage.hasRange)
    stream << " static";
}

llvm::raw_ostream &llmc::operator<<(llvm::raw_ostream &stream, const QuantizationPlan &plan) {
  spell(stream, plan.others);
  stream << " head ";
  spell(stream, plan.headIsLikeOthers ? plan.others : plan.head);
  for (const StorageRule &rule : plan.rules) {
    stream << " '" << rule.pattern << "' ";
    spell(stream, rule.storage);
  }
  stream << " mse=" << plan.searchesNearest() << "," << plan.searchesCalibrated();
  if (plan.search == ClipSearch::Inputs)
    stream << ",inputs";
  if (plan.trellisTable == TrellisNumbers::Learned)
    stream << " trellis-table=learned";
  else if (plan.trellisTable == TrellisNumbers::Model)
    stream << " trellis-table=model";
  if (plan.activationOutliers > 0)
    stream << " outliers=" << plan.activationOutliers;
  return stream;
}
