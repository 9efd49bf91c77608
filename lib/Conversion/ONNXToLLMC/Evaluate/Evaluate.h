//===- Evaluate.h - what ONNX operators compute, on host tensors ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Shapes, masks, positions and rotation angles of an export are computed rather than matched: the
// raise runs them at chosen sizes and looks at what comes out.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_EVALUATE_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_EVALUATE_H

#include "Evaluate/HostTensor.h"
#include "Graph/Node.h"

namespace llmc {

// Bounds that no language model comes near, so that no graph takes the machine's time or memory.
/// Elements of a tensor whose values are computed.
inline constexpr int64_t maxEvaluatedElements = int64_t(1) << 25;
/// Elements of a tensor of which the shape alone is known, and of each of its dimensions.
inline constexpr int64_t maxShapeElements = int64_t(1) << 40;
/// Elements of a constant of the file that is read at once, and not where it is needed.
inline constexpr int64_t smallConstant = 4096;
inline constexpr size_t maxEvaluatedRank = 16;

/// One evaluation of a node. Absent inputs are null. Where an input is unknown, outputs have
/// their shapes alone; in a whole run every input has values, large constants at least in the file.
struct Evaluation {
  Node node;
  llvm::SmallVector<const HostTensor *> inputs;
  llvm::SmallVector<HostTensor> outputs;
  std::string error;
  int64_t work = 0;     ///< steps that are not in proportion to the elements of inputs and outputs
  bool isWhole = false; ///< whether all inputs have values, and all outputs are wanted
  bool shapesOnly = false; ///< whether outputs' values may be left out
  /// Whether activations are rounded where the graph rounds them to integers. Constants are always.
  bool roundsActivations = true;

  bool fail(const llvm::Twine &why) {
    error = why.str();
    return false;
  }
  bool has(unsigned i) const { return i < inputs.size() && inputs[i]; }
  const HostTensor &in(unsigned i) const { return *inputs[i]; }
  bool allKnown() const {
    return llvm::all_of(inputs, [](const HostTensor *tensor) { return !tensor || tensor->data; });
  }
  /// Whether all inputs are constants of the file, or computed from some.
  bool isFixed() const {
    return llvm::all_of(inputs, [](const HostTensor *tensor) {
      return !tensor || tensor->constant || tensor->isFixed;
    });
  }
  /// Whether values are asked for, and not only shapes.
  bool computes() const { return isWhole || allKnown(); }
  /// Whether a result of so many elements is one of which the shape is enough.
  bool leavesOut(int64_t count) const {
    return shapesOnly && (count < 0 || count > maxEvaluatedElements);
  }
  /// The values of an input, read from the file where it is a constant; null where it can't be.
  std::shared_ptr<const std::vector<double>> values(unsigned i) const;
  void push(llvm::ArrayRef<int64_t> shape, std::vector<double> values, bool isInteger = false) {
    outputs.push_back(HostTensor::known(shape, std::move(values), isInteger));
  }
  /// The values of input `i` as integers, or nothing where it is absent or unknown.
  std::optional<llvm::SmallVector<int64_t>> integers(unsigned i) const;
  /// The same from attribute `name` or, where there is none, from input `i`.
  std::optional<llvm::SmallVector<int64_t>> integers(llvm::StringRef name, unsigned i) const;
  unsigned numOutputs() const { return node.op.getNumResults(); }
};

using EvaluateFunction = bool (*)(Evaluation &);

/// How a node of this type is evaluated, or null. Types are `Node::getType`'s.
EvaluateFunction findEvaluation(llvm::StringRef type);
/// The same of operators that only move elements, or that work on one element at a time.
EvaluateFunction findMovement(llvm::StringRef type);
EvaluateFunction findElementwise(llvm::StringRef type);

/// Whether an operator only moves elements: reshapes, transposes, cuts, joins, repeats.
bool isMovement(llvm::StringRef type);

/// `value` as an integer; the ends of the 64-bit range stand for all beyond, 0 for no number.
int64_t toInteger(double value);

/// An axis counted from the end where negative; -1 where it is out of range.
int64_t normalizeAxis(int64_t axis, int64_t rank);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_EVALUATE_H
