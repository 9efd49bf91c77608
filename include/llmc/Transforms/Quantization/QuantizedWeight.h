//===- QuantizedWeight.h - a matrix of weights on its way to an encoding ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What quantization passes have in common around their algorithms: reading a parameter, rounding
// it, putting it back, reporting.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_QUANTIZEDWEIGHT_H
#define LLMC_TRANSFORMS_QUANTIZATION_QUANTIZEDWEIGHT_H

#include "llmc/Transforms/CompressionReport.h"
#include "llmc/Transforms/Quantization/QuantizationOptions.h"
#include "llmc/Transforms/Quantization/WeightFormat.h"
#include "llmc/Transforms/WeightSelection.h"

#include <functional>
#include <vector>

namespace llmc {

/// The decoded weights of a parameter, rows × columns.
struct WeightValues {
  int64_t rows = 0, columns = 0;
  std::vector<float> data;
  llvm::SmallVector<bool, 0> kept; ///< those that its sparsity keeps; empty: all
  /// Those that stay as they are where the others are rounded: as many in each row; empty: none.
  llvm::SmallVector<bool, 0> outliers;

  llvm::MutableArrayRef<float> row(int64_t index) {
    return llvm::MutableArrayRef<float>(data).slice(index * columns, columns);
  }
  llvm::ArrayRef<float> row(int64_t index) const {
    return llvm::ArrayRef<float>(data).slice(index * columns, columns);
  }

  /// Reports at the parameter bytes that are not there and weights that are not finite.
  static mlir::FailureOr<WeightValues> read(ParameterOp parameter);
};

/// Sets to zero what a weight has for columns of its inputs that are zero by `llmc.clear_columns`
/// wherever it is read: no scale has to hold them.
void clearUnread(const SelectedWeight &weight, WeightValues &values);

/// The canonical form of a rounded matrix.
struct QuantizedWeight {
  EncodingInterface encoding;
  std::vector<uint8_t> bytes;
  double weightError = 0;            ///< ‖W − W'‖ / ‖W‖
  std::optional<double> outputError; ///< ‖(W − W')X‖ / ‖WX‖
};

/// The encoding that a parameter's weights are rounded to where `encoding` is asked for: that, of
/// those weights that its present one keeps. Reports at `parameter` what can't be kept so.
mlir::FailureOr<EncodingInterface> keepSparsity(ParameterOp parameter, EncodingInterface encoding);

/// What rounds weights to an encoding, or kept ones to the floats that it stores. Weights that are
/// not kept become zero, and groups are fitted to those that are. Outliers are those of `values`.
std::unique_ptr<WeightQuantizer> getQuantizer(const WeightValues &values,
                                              EncodingInterface encoding, const FitOptions &fit);

/// Makes what rounds weights to an encoding that has a format.
using MakeQuantizer = llvm::function_ref<std::unique_ptr<WeightQuantizer>(
    EncodingInterface encoding, llvm::ArrayRef<int64_t> shape)>;

/// The same with a quantizer other than the format's own.
std::unique_ptr<WeightQuantizer>
getQuantizer(const WeightValues &values, EncodingInterface encoding, MakeQuantizer makeQuantizer);

/// `encoding`, or the same with scales of f32 where its type of scales cannot hold some group's:
/// where they are too large, or so small that rounding them moves the far end of a grid by more
/// than half a step. Warns of that at `parameter`. Here the encoding has a format; below, that or a
/// sparsity of one that has.
EncodingInterface widenScales(ParameterOp parameter, const WeightValues &values,
                              EncodingInterface encoding);

/// What a parameter is stored as where `encoding` is asked for: both of the above.
mlir::FailureOr<EncodingInterface> adaptEncoding(ParameterOp parameter, const WeightValues &values,
                                                 EncodingInterface encoding);

/// Fits the numbers of every group to its weights and rounds each weight to the nearest. Reports at
/// `parameter` scales that the encoding's type can't hold.
mlir::FailureOr<QuantizedWeight> roundToNearest(ParameterOp parameter, const WeightValues &values,
                                                EncodingInterface encoding, const FitOptions &fit);

/// The same with a quantizer of one's own. `importance` says how much errors in each column count
/// where groups are of a row; empty: all alike.
mlir::FailureOr<QuantizedWeight> roundToNearest(ParameterOp parameter, const WeightValues &values,
                                                EncodingInterface encoding,
                                                WeightQuantizer &quantizer,
                                                llvm::ArrayRef<float> importance = {});

/// What weights become when they are rounded to nearest, rows × columns: what decoding gives.
mlir::FailureOr<std::vector<float>> getRoundedValues(ParameterOp parameter,
                                                     const WeightValues &values,
                                                     EncodingInterface encoding,
                                                     const FitOptions &fit);

/// ‖(W − W')X‖ / ‖WX‖ of a rounded matrix. `secondMoment` is that of the inputs, X·Xᵀ, up to any
/// positive factor.
double getOutputError(mlir::MLIRContext *context, const QuantizedWeight &weight,
                      const WeightValues &values, llvm::ArrayRef<double> secondMoment);

/// Reports at `parameter` that some group of a row has scales that the encoding can't hold.
mlir::LogicalResult reportScale(ParameterOp parameter, EncodingInterface encoding, int64_t row);

/// Warns that inputs of a weight are not rounded, since its codes have none for a weight of zero.
void warnNotRounded(ParameterOp parameter);

/// How inputs are rounded that a weight of this encoding is multiplied with, where `asked` says how
/// they are to be; null: not at all.
DynamicAttr getActivation(EncodingInterface encoding, DynamicAttr asked);

/// States at the linears that read a weight, which has its new type, how its inputs are rounded,
/// and says so; null: not at all.
using RoundingStatement = std::function<DynamicAttr(SelectedWeight &)>;

/// States what the plan says, or warns where that can't be. Ranges that are stated already stay.
DynamicAttr stateRounding(SelectedWeight &weight, const QuantizationPlan &plan);

/// Stores `quantized` as the parameter's new value, states how the inputs of the linears that read
/// it are rounded, and says what was done.
CompressedParameter replaceWeight(SelectedWeight &weight, QuantizedWeight quantized,
                                  const RoundingStatement &stateRounding, double seconds);

/// Rounds a weight to nearest, as the plan says, and reports it; groups are fitted by the format,
/// or by a quantizer other than its own.
mlir::LogicalResult roundWeight(SelectedWeight &weight, const QuantizationPlan &plan,
                                CompressionReport &report, MakeQuantizer makeQuantizer = {});

} // namespace llmc

#endif // LLMC_TRANSFORMS_QUANTIZATION_QUANTIZEDWEIGHT_H
