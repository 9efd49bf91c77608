//===- QuantizationOptions.cpp - what all quantization passes let one choose ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/QuantizationOptions.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

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

static Type getScaleType(MLIRContext *context, ScaleType scale) {
  Builder builder(context);
  switch (scale) {
  case ScaleType::F32:
    return builder.getF32Type();
  case ScaleType::F16:
    return builder.getF16Type();
  case ScaleType::BF16:
    return builder.getBF16Type();
  }
  return {};
}

FailureOr<QuantizationPlan> QuantizationPlan::get(Location location, unsigned bits,
                                                  unsigned headBits, StringRef groupSize,
                                                  bool symmetric, ZeroPoint zero, ScaleType scale,
                                                  ClipSearch search, ActivationRounding activation,
                                                  int64_t activationGroup) {
  auto fail = [&] { return emitError(location); };
  std::optional<int64_t> group = parseGroupSize(groupSize);
  if (!group)
    return fail() << "group-size: expected a positive number, 'channel' or 'tensor', found '"
                  << groupSize << "'";
  if (symmetric && zero == ZeroPoint::Float)
    return fail() << "zero: expected symmetric=false with zero=float";
  if (activation == ActivationRounding::None && activationGroup != defaultActivationGroup)
    return fail() << "activation-group: expected activation=i8 with it, found activation=none";
  QuantizationPlan plan;
  plan.search = search;
  MLIRContext *context = location.getContext();
  auto getEncoding = [&](unsigned bits) {
    return GroupedAttr::getChecked(fail, context, bits, *group, symmetric ? ZeroPoint::None : zero,
                                   getScaleType(context, scale));
  };
  plan.encoding = getEncoding(bits);
  if (headBits != 0)
    plan.headEncoding = getEncoding(headBits);
  if (!plan.encoding || (headBits != 0 && !plan.headEncoding))
    return failure();
  if (activation == ActivationRounding::None)
    return plan;
  if (*group > 0 && *group % blockInputs != 0)
    return fail() << "group-size: expected a multiple of " << blockInputs
                  << " with activation=i8, found " << *group;
  plan.activation = DynamicAttr::getChecked(fail, context, 8u, activationGroup);
  if (!plan.activation)
    return failure();
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
