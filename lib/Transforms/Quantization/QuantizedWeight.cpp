//===- QuantizedWeight.cpp - a matrix of weights on its way to an encoding ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/QuantizedWeight.h"
#include "llmc/Dialect/LLMC/IR/ColumnOps.h"
#include "llmc/Dialect/LLMC/IR/Original.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/Stopwatch.h"
#include "llmc/Transforms/OutputError.h"

#include "mlir/IR/Threading.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace llmc;

FailureOr<WeightValues> WeightValues::read(ParameterOp parameter) {
  FailureOr<ParameterReader> reader = ParameterReader::get(parameter);
  if (failed(reader))
    return failure();
  WeightValues values;
  values.rows = reader->getNumRows();
  values.columns = reader->getNumColumns();
  values.data.resize(values.rows * values.columns);
  parallelFor(parameter.getContext(), 0, values.rows,
              [&](size_t row) { reader->readRow(row, values.row(row)); });
  if (auto sparsity =
          dyn_cast_or_null<SparsityInterface>(parameter.getTensorType().getEncoding())) {
    FailureOr<ArrayRef<uint8_t>> bytes = getParameterBytes(parameter);
    if (failed(bytes))
      return failure();
    values.kept.resize(values.data.size());
    parallelFor(parameter.getContext(), 0, values.rows, [&](size_t row) {
      MutableArrayRef<bool> kept = values.kept;
      sparsity.readMask(*bytes, parameter.getTensorType().getShape(), static_cast<int64_t>(row),
                        kept.slice(row * values.columns, values.columns));
    });
  }
  auto strange = llvm::find_if_not(values.data, [](float value) { return std::isfinite(value); });
  if (strange != values.data.end()) {
    int64_t place = strange - values.data.begin();
    return parameter.emitOpError("expected finite weights, found ")
           << std::to_string(*strange) << " at row " << place / values.columns << ", column "
           << place % values.columns;
  }
  return values;
}

void llmc::clearUnread(const SelectedWeight &weight, WeightValues &values) {
  ArrayRef<int32_t> unread;
  // The token embedding's table is read by more than linears.
  if (weight.isHead)
    return;
  for (LinearOp linear : weight.linears) {
    auto cleared = linear.getInput().getDefiningOp<ClearColumnsOp>();
    if (!cleared || (!unread.empty() && unread != cleared.getColumns()))
      return;
    unread = cleared.getColumns();
  }
  for (int64_t row = 0; row < values.rows; ++row)
    for (int32_t column : unread)
      values.row(row)[column] = 0;
}

/// The type of an encoding's scales, or of what they are multiples of; or null.
static Type getScaleType(EncodingInterface encoding) {
  for (const Plane &plane : encoding.getPlanes({1, 1}))
    if (plane.isFloat() && (plane.name == "scales" || plane.name == "steps"))
      return plane.element;
  return {};
}

EncodingInterface llmc::widenScales(ParameterOp parameter, const WeightValues &values,
                                    EncodingInterface encoding) {
  const WeightFormat *format = findWeightFormat(encoding);
  bool oneGroup = isOneGroup(encoding);
  int64_t size = oneGroup ? values.rows * values.columns : getGroupSize(encoding, values.columns);
  std::vector<char> held(oneGroup ? 1 : values.rows, true);
  parallelFor(parameter.getContext(), 0, held.size(), [&](size_t row) {
    ArrayRef<float> weights = oneGroup ? ArrayRef<float>(values.data) : values.row(row);
    for (; !weights.empty(); weights = weights.drop_front(std::min<size_t>(size, weights.size())))
      held[row] = held[row] && format->holds(encoding, weights.take_front(size));
  });
  auto beyond = llvm::find(held, false);
  if (beyond == held.end())
    return encoding;
  parameter.emitWarning("scales of '")
      << parameter.getSymName() << "': found some in row " << beyond - held.begin() << " that "
      << getScaleType(encoding) << " cannot hold: stored as f32";
  return format->widen(encoding);
}

FailureOr<EncodingInterface> llmc::adaptEncoding(ParameterOp parameter, const WeightValues &values,
                                                 EncodingInterface encoding) {
  return keepSparsity(parameter, widenScales(parameter, values, encoding));
}

LogicalResult llmc::reportScale(ParameterOp parameter, EncodingInterface encoding, int64_t row) {
  return parameter.emitOpError("expected weights whose scales fit ")
         << getScaleType(encoding) << ", found larger ones in row " << row;
}

FailureOr<QuantizedWeight> llmc::roundToNearest(ParameterOp parameter, const WeightValues &values,
                                                EncodingInterface encoding, const FitOptions &fit) {
  return roundToNearest(parameter, values, encoding, *getQuantizer(values, encoding, fit));
}

/// Fits every group and rounds each weight; `take` gets a row of weights and what they became, from
/// several threads. Reports scales that the encoding's type can't hold.
static LogicalResult roundRows(
    ParameterOp parameter, const WeightValues &values, EncodingInterface encoding,
    WeightQuantizer &quantizer, ArrayRef<float> importance,
    llvm::function_ref<void(int64_t row, ArrayRef<float> weights, ArrayRef<float> rounded)> take) {
  bool oneGroup = isOneGroup(encoding);
  int64_t size = getGroupSize(encoding, values.columns);
  if (oneGroup && !quantizer.fitMatrix(values.data, {}))
    return reportScale(parameter, encoding, 0);
  std::vector<char> fitted(values.rows, true);
  parallelFor(parameter.getContext(), 0, values.rows, [&](size_t index) {
    ArrayRef<float> weights = values.row(index);
    std::vector<float> rounded(weights.size());
    std::unique_ptr<WeightQuantizer::Row> row = quantizer.getRow(index);
    for (int64_t begin = 0; begin < values.columns; begin += size) {
      ArrayRef<float> group = weights.slice(begin, std::min(size, values.columns - begin));
      ArrayRef<float> counts =
          importance.empty() ? importance : importance.slice(begin, group.size());
      if (!oneGroup && !row->fit(begin / size, group, counts)) {
        fitted[index] = false;
        return;
      }
      row->choose(begin, group, {});
      for (auto [place, weight] : llvm::enumerate(group))
        rounded[begin + place] = row->round(begin + static_cast<int64_t>(place), weight);
    }
    take(static_cast<int64_t>(index), weights, rounded);
  });
  if (auto beyond = llvm::find(fitted, false); beyond != fitted.end())
    return reportScale(parameter, encoding, beyond - fitted.begin());
  return success();
}

FailureOr<QuantizedWeight> llmc::roundToNearest(ParameterOp parameter, const WeightValues &values,
                                                EncodingInterface encoding,
                                                WeightQuantizer &quantizer,
                                                ArrayRef<float> importance) {
  // Sums of single rows: their total does not depend on which thread did which row.
  std::vector<double> squaredErrors(values.rows), squares(values.rows);
  auto addErrors = [&](int64_t row, ArrayRef<float> weights, ArrayRef<float> rounded) {
    for (auto [weight, value] : llvm::zip_equal(weights, rounded)) {
      double error = static_cast<double>(value) - weight;
      squaredErrors[row] += error * error;
      squares[row] += static_cast<double>(weight) * weight;
    }
  };
  if (failed(roundRows(parameter, values, encoding, quantizer, importance, addErrors)))
    return failure();
  double error = std::accumulate(squaredErrors.begin(), squaredErrors.end(), 0.0);
  double total = std::accumulate(squares.begin(), squares.end(), 0.0);
  return QuantizedWeight{encoding, quantizer.take(), total == 0 ? 0 : std::sqrt(error / total),
                         std::nullopt};
}

FailureOr<std::vector<float>> llmc::getRoundedValues(ParameterOp parameter,
                                                     const WeightValues &values,
                                                     EncodingInterface encoding,
                                                     const FitOptions &fit) {
  std::vector<float> result(values.data.size());
  auto keep = [&](int64_t row, ArrayRef<float>, ArrayRef<float> rounded) {
    llvm::copy(rounded, result.begin() + row * values.columns);
  };
  if (failed(
          roundRows(parameter, values, encoding, *getQuantizer(values, encoding, fit), {}, keep)))
    return failure();
  return result;
}

double llmc::getOutputError(MLIRContext *context, const QuantizedWeight &weight,
                            const WeightValues &values, ArrayRef<double> secondMoment) {
  const int64_t width = values.columns;
  const EncodedRows rows(weight.encoding, {values.rows, width}, weight.bytes);
  return getOutputError(context, values.rows, width, secondMoment, [&](int64_t begin, int64_t end) {
    WeightRows some;
    some.weights.assign(values.data.begin() + begin * width, values.data.begin() + end * width);
    some.errors = some.weights;
    std::vector<float> decoded(width);
    for (int64_t row = begin; row < end; ++row) {
      rows.decode(row, decoded);
      for (int64_t column = 0; column < width; ++column)
        some.errors[(row - begin) * width + column] -= decoded[column];
    }
    return some;
  });
}

DynamicAttr llmc::getActivation(EncodingInterface encoding, DynamicAttr asked) {
  // It is asked of what is rounded to. With weights left out there may be no code for zero.
  bool hasCodes = !isa<SparsityInterface>(encoding) || encoding.getLinearCodes();
  return hasCodes || !asked || !asked.isInteger() ? asked : DynamicAttr();
}

void llmc::warnNotRounded(ParameterOp parameter) {
  parameter.emitWarning("inputs of '")
      << parameter.getSymName() << "' are not rounded: its codes have none for a weight of zero";
}

DynamicAttr llmc::stateRounding(SelectedWeight &weight, const QuantizationPlan &plan) {
  auto encoding = cast<EncodingInterface>(weight.parameter.getTensorType().getEncoding());
  const WeightStorage &storage = plan.getStorage(weight.parameter.getSymName(), weight.isHead);
  DynamicAttr activation = getActivation(encoding, storage.activation);
  if (storage.activation && !activation)
    warnNotRounded(weight.parameter);
  DynamicAttr stated = activation;
  for (LinearOp linear : weight.linears) {
    DynamicAttr present = linear.getActivationAttr();
    if (!activation)
      linear.removeActivationAttr();
    else if (storage.hasRange && present && present.getRange())
      stated = present;
    else
      linear.setActivationAttr(activation);
  }
  return stated;
}

CompressedParameter llmc::replaceWeight(SelectedWeight &weight, QuantizedWeight quantized,
                                        const RoundingStatement &stateRounding, double seconds) {
  ParameterOp parameter = weight.parameter;
  MLIRContext *context = parameter.getContext();
  EncodingInterface encoding = quantized.encoding;
  auto type = RankedTensorType::get(parameter.getTensorType().getShape(), Float32Type::get(context),
                                    encoding);
  CompressedParameter result{parameter.getSymName().str(),
                             type,
                             static_cast<double>(quantized.bytes.size()),
                             encoding.getBitsPerWeight(type.getShape()),
                             quantized.weightError,
                             quantized.outputError,
                             seconds,
                             {}};
  compressParameter(parameter, type,
                    makeParameterData(context, parameter.getSymName(), std::move(quantized.bytes)));
  result.activation = stateRounding(weight);
  return result;
}

LogicalResult llmc::roundWeight(SelectedWeight &weight, const QuantizationPlan &plan,
                                CompressionReport &report, MakeQuantizer makeQuantizer) {
  const Stopwatch watch;
  FailureOr<WeightValues> values = WeightValues::read(weight.parameter);
  if (failed(values))
    return failure();
  clearUnread(weight, *values);
  const WeightStorage &storage = plan.getStorage(weight.parameter.getSymName(), weight.isHead);
  FailureOr<EncodingInterface> encoding =
      adaptEncoding(weight.parameter, *values, storage.encoding);
  if (failed(encoding))
    return failure();
  std::unique_ptr<WeightQuantizer> quantizer =
      makeQuantizer ? getQuantizer(*values, *encoding, makeQuantizer)
                    : getQuantizer(*values, *encoding, plan.getNearestFit());
  FailureOr<QuantizedWeight> quantized =
      roundToNearest(weight.parameter, *values, *encoding, *quantizer);
  if (failed(quantized))
    return failure();
  auto state = [&](SelectedWeight &weight) { return stateRounding(weight, plan); };
  report.add(replaceWeight(weight, std::move(*quantized), state, watch.getSeconds()));
  return success();
}
