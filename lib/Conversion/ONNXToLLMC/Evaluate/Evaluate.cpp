//===- Evaluate.cpp - what ONNX operators compute, on host tensors ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/Evaluate.h"
#include "Evaluate/Operator.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

int64_t llmc::toInteger(double value) {
  if (std::isnan(value))
    return 0;
  return value >= 9.2e18    ? INT64_MAX
         : value <= -9.2e18 ? INT64_MIN + 1
                            : static_cast<int64_t>(value);
}

std::shared_ptr<const std::vector<double>> Evaluation::values(unsigned i) const {
  if (!has(i) || in(i).data || !in(i).constant)
    return has(i) ? in(i).data : nullptr;
  std::optional<std::vector<double>> loaded = in(i).constant->load();
  return loaded ? std::make_shared<const std::vector<double>>(std::move(*loaded)) : nullptr;
}

std::optional<SmallVector<int64_t>> Evaluation::integers(unsigned i) const {
  if (!has(i) || !in(i).isKnown())
    return std::nullopt;
  SmallVector<int64_t> values;
  for (double value : *in(i).data)
    values.push_back(toInteger(value));
  return values;
}

std::optional<SmallVector<int64_t>> Evaluation::integers(StringRef name, unsigned i) const {
  if (auto values = node.getInts(name))
    return SmallVector<int64_t>(*values);
  return integers(i);
}

EvaluateFunction llmc::findEvaluation(StringRef type) {
  const Operator *row = findOperator(type);
  return row ? row->evaluate : nullptr;
}

EvaluateFunction llmc::findMovement(StringRef type) {
  const Operator *row = findOperator(type);
  return row && row->isMovement ? row->evaluate : nullptr;
}

EvaluateFunction llmc::findElementwise(StringRef type) {
  const Operator *row = findOperator(type);
  return row && row->isElementwise ? row->evaluate : nullptr;
}

bool llmc::isMovement(StringRef type) { return findMovement(type) != nullptr; }

int64_t llmc::normalizeAxis(int64_t axis, int64_t rank) {
  axis = axis < 0 ? axis + rank : axis;
  return axis < 0 || axis >= rank ? -1 : axis;
}
