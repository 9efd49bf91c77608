//===- SharedTables.cpp - numbers that all matrices of a model are rounded to ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/SharedTables.h"
#include "TrellisTable.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

using namespace mlir;
using namespace llmc;

LogicalResult llmc::learnSharedTables(QuantizationPlan &plan, ArrayRef<SelectedWeight> weights) {
  if (plan.trellisTable != TrellisNumbers::Model)
    return success();
  // As many weights in all, a row of each matrix at least.
  constexpr int64_t enough = 1 << 18;
  auto count = enough / std::max<int64_t>(static_cast<int64_t>(weights.size()), 1);
  std::map<unsigned, TrellisSamples> samples;
  for (const SelectedWeight &weight : weights) {
    ParameterOp parameter = weight.parameter;
    EncodingInterface encoding = plan.getStorage(parameter.getSymName(), weight.isHead).encoding;
    auto trellis = dyn_cast_or_null<TrellisAttr>(encoding);
    if (!trellis)
      continue;
    FailureOr<WeightValues> values = WeightValues::read(parameter);
    if (failed(values))
      return failure();
    samples[trellis.getHalves()].add(values->data, values->columns, count);
  }
  auto tables = std::make_shared<SharedTables>();
  for (const auto &[halves, ofRate] : samples)
    tables->set(halves, ofRate.learn(halves));
  plan.tables = std::move(tables);
  return success();
}
