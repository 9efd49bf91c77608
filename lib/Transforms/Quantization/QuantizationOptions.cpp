//===- QuantizationOptions.cpp - what all quantization passes let one choose ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/QuantizationOptions.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"
#include "llmc/Transforms/Quantization/WeightFormat.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace llmc;

/// What QuantizationOptions.td says.
static constexpr int64_t defaultActivationGroup = 32;

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

/// How inputs of weights of this encoding are rounded; null: not at all.
static FailureOr<DynamicAttr> getActivation(Location location, EncodingInterface encoding,
                                            const QuantizationRequest &request) {
  auto fail = [&] { return emitError(location); };
  bool hasCodes = encoding.getLinearCodes().has_value();
  if (request.activation == ActivationRounding::I8 && !hasCodes)
    return fail() << "activation: expected activation=none with format=" << request.format
                  << ", whose weights are no integers, found activation=i8";
  if (request.activation == ActivationRounding::None ||
      (request.activation == ActivationRounding::Auto && !hasCodes)) {
    if (request.activationGroup != defaultActivationGroup)
      return fail() << "activation-group: expected activation=i8 with it, found activation=none";
    return DynamicAttr();
  }
  constexpr int64_t wholeRow = blockInputs << 32;
  if (int64_t group = getGroupSize(encoding, wholeRow); group % blockInputs != 0)
    return fail() << "group-size: expected a multiple of " << blockInputs
                  << " with activation=i8, found " << group;
  auto activation =
      DynamicAttr::getChecked(fail, location.getContext(), 8u, request.activationGroup);
  if (!activation)
    return failure();
  return activation;
}

FailureOr<QuantizationPlan> QuantizationPlan::get(Location location,
                                                  const QuantizationRequest &request) {
  auto fail = [&] { return emitError(location); };
  FailureOr<const WeightFormat *> format = getFormat(location, request.format);
  if (failed(format))
    return failure();
  FormatOptions options{request.bits == 0 ? std::nullopt : std::optional(request.bits),
                        {},
                        request.symmetric,
                        request.zero,
                        getScaleType(location.getContext(), request.scale)};
  if (!request.groupSize.empty()) {
    options.group = parseGroupSize(request.groupSize);
    if (!options.group)
      return fail() << "group-size: expected a positive number, 'channel' or 'tensor', found '"
                    << request.groupSize << "'";
  }
  if (request.symmetric && request.zero == ZeroPoint::Float)
    return fail() << "zero: expected symmetric=false with zero=float";
  QuantizationPlan plan;
  plan.search = request.search;
  FailureOr<EncodingInterface> encoding = (*format)->getEncoding(location, options);
  if (failed(encoding))
    return failure();
  plan.encoding = *encoding;
  if (!request.headBits) {
    plan.headEncoding = plan.encoding;
  } else if (*request.headBits != 0) {
    options.bits = request.headBits;
    FailureOr<EncodingInterface> head = getWeightFormats().front()->getEncoding(location, options);
    if (failed(head))
      return failure();
    plan.headEncoding = *head;
  }
  FailureOr<DynamicAttr> activation = getActivation(location, plan.encoding, request);
  if (failed(activation))
    return failure();
  plan.activation = *activation;
  return plan;
}

llvm::raw_ostream &llmc::operator<<(llvm::raw_ostream &stream, const QuantizationPlan &plan) {
  stream << plan.encoding << " head ";
  auto spell = [&](Attribute attribute) {
    if (attribute)
      stream << attribute;
    else
      stream << "none";
  };
  spell(plan.headEncoding);
  stream << " mse=" << plan.searchesNearest() << "," << plan.searchesCalibrated() << " activation=";
  spell(plan.activation);
  return stream;
}
