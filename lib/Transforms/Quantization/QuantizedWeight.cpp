//===- QuantizedWeight.cpp - a matrix of weights on its way to an encoding ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/QuantizedWeight.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/IR/Threading.h"

#include <chrono>
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
  auto strange = llvm::find_if_not(values.data, [](float value) { return std::isfinite(value); });
  if (strange != values.data.end()) {
    int64_t place = strange - values.data.begin();
    return parameter.emitOpError("expected finite weights, found ")
           << std::to_string(*strange) << " at row " << place / values.columns << ", column "
           << place % values.columns;
  }
  return values;
}

GroupedAttr llmc::widenScales(ParameterOp parameter, const WeightValues &values,
                              GroupedAttr encoding) {
  GroupedAttr wide =
      GroupedAttr::get(encoding.getContext(), encoding.getBits(), encoding.getGroup(),
                       encoding.getZero(), Float32Type::get(encoding.getContext()));
  // How many scales away the far end of a grid is.
  const float steps = encoding.getZero() == ZeroPoint::None
                          ? static_cast<float>(1 << (encoding.getBits() - 1))
                          : static_cast<float>((1 << encoding.getBits()) - 1);
  auto holds = [&](ArrayRef<float> weights) {
    float exact = fitGrid(wide, weights).scale;
    float rounded = roundToType(encoding.getScale(), exact);
    return !std::isfinite(exact) || std::fabs(rounded - exact) * steps <= std::fabs(exact) / 2;
  };
  bool oneGrid = encoding.getGroup() == GroupedAttr::tensorGroup;
  int64_t size = oneGrid ? values.rows * values.columns : encoding.getGroupSize(values.columns);
  std::vector<char> held(oneGrid ? 1 : values.rows, true);
  parallelFor(parameter.getContext(), 0, held.size(), [&](size_t row) {
    ArrayRef<float> weights = oneGrid ? ArrayRef<float>(values.data) : values.row(row);
    for (; !weights.empty(); weights = weights.drop_front(std::min<size_t>(size, weights.size())))
      held[row] = held[row] && holds(weights.take_front(size));
  });
  auto beyond = llvm::find(held, false);
  if (beyond == held.end())
    return encoding;
  parameter.emitWarning("scales of '")
      << parameter.getSymName() << "': found some in row " << beyond - held.begin() << " that "
      << encoding.getScale() << " cannot hold: stored as f32";
  return wide;
}

LogicalResult llmc::checkScale(ParameterOp parameter, GroupedAttr encoding, const Grid &grid,
                               int64_t row) {
  if (std::isfinite(grid.scale) && std::isfinite(grid.minimum))
    return success();
  return parameter.emitOpError("expected weights whose scales fit ")
         << encoding.getScale() << ", found larger ones in row " << row;
}

FailureOr<QuantizedWeight> llmc::roundToNearest(ParameterOp parameter, const WeightValues &values,
                                                GroupedAttr encoding, bool searchClip) {
  const int64_t shape[] = {values.rows, values.columns};
  GroupedMatrix matrix(encoding, shape);
  bool oneGrid = encoding.getGroup() == GroupedAttr::tensorGroup;
  int64_t size = encoding.getGroupSize(values.columns);
  const std::vector<float> alike(searchClip ? (oneGrid ? values.data.size() : size) : 0, 1.0f);
  auto fit = [&](ArrayRef<float> group) {
    return searchClip ? searchGrid(encoding, group, ArrayRef<float>(alike).take_front(group.size()))
                      : fitGrid(encoding, group);
  };
  Grid shared = oneGrid ? fit(values.data) : Grid();
  if (oneGrid)
    matrix.setGrid(0, 0, shared);
  // Sums of single rows: their total does not depend on which thread did which row.
  std::vector<double> squaredErrors(values.rows), squares(values.rows);
  std::vector<Grid> beyond(values.rows, shared);
  parallelFor(parameter.getContext(), 0, values.rows, [&](size_t row) {
    ArrayRef<float> weights = values.row(row);
    for (int64_t begin = 0; begin < values.columns; begin += size) {
      ArrayRef<float> group = weights.slice(begin, std::min(size, values.columns - begin));
      Grid grid = oneGrid ? shared : fit(group);
      if (!std::isfinite(grid.scale) || !std::isfinite(grid.minimum)) {
        beyond[row] = grid;
        return;
      }
      if (!oneGrid)
        matrix.setGrid(row, begin / size, grid);
      for (auto [index, weight] : llvm::enumerate(group)) {
        unsigned code = grid.encode(weight);
        matrix.setCode(row, begin + index, code);
        double error = static_cast<double>(grid.decode(code)) - weight;
        squaredErrors[row] += error * error;
        squares[row] += static_cast<double>(weight) * weight;
      }
    }
  });
  for (auto [row, grid] : llvm::enumerate(beyond))
    if (failed(checkScale(parameter, encoding, grid, row)))
      return failure();
  double error = std::accumulate(squaredErrors.begin(), squaredErrors.end(), 0.0);
  double total = std::accumulate(squares.begin(), squares.end(), 0.0);
  return QuantizedWeight{encoding, matrix.take(), total == 0 ? 0 : std::sqrt(error / total),
                         std::nullopt};
}

void llmc::stateRounding(SelectedWeight &weight, const QuantizationPlan &plan) {
  for (LinearOp linear : weight.linears) {
    if (plan.activation)
      linear.setActivationAttr(plan.activation);
    else
      linear.removeActivationAttr();
  }
}

CompressedParameter llmc::replaceWeight(SelectedWeight &weight, QuantizedWeight quantized,
                                        const QuantizationPlan &plan, double seconds) {
  ParameterOp parameter = weight.parameter;
  MLIRContext *context = parameter.getContext();
  GroupedAttr encoding = quantized.encoding;
  auto type = RankedTensorType::get(parameter.getTensorType().getShape(), Float32Type::get(context),
                                    encoding);
  CompressedParameter result{parameter.getSymName().str(),
                             type,
                             static_cast<double>(quantized.bytes.size()),
                             EncodingInterface(encoding).getBitsPerWeight(type.getShape()),
                             quantized.weightError,
                             quantized.outputError,
                             seconds,
                             plan.activation};
  setParameter(parameter, type,
               makeParameterData(context, parameter.getSymName(), std::move(quantized.bytes)));
  stateRounding(weight, plan);
  return result;
}

LogicalResult llmc::roundWeight(SelectedWeight &weight, const QuantizationPlan &plan,
                                CompressionReport &report) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now();
  FailureOr<WeightValues> values = WeightValues::read(weight.parameter);
  if (failed(values))
    return failure();
  GroupedAttr encoding = widenScales(weight.parameter, *values, plan.getEncoding(weight.isHead));
  FailureOr<QuantizedWeight> quantized =
      roundToNearest(weight.parameter, *values, encoding, plan.searchesNearest());
  if (failed(quantized))
    return failure();
  std::chrono::duration<double> taken = Clock::now() - start;
  report.add(replaceWeight(weight, std::move(*quantized), plan, taken.count()));
  return success();
}
