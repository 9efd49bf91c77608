//===- FirstDifference.cpp - where a raised model first differs from its graph ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FirstDifference.h"
#include "RaisedProgram.h"
#include "llmc/Transforms/Blocks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

double llmc::getRowDifference(ArrayRef<double> expected, ArrayRef<float> found) {
  double largest = 0, difference = 0;
  for (auto [a, b] : llvm::zip(expected, found)) {
    double distance = std::fabs(a - static_cast<double>(b));
    // Infinities and what is no number are alike or far apart.
    if (!std::isfinite(a) && (a == b || (std::isnan(a) && std::isnan(b))))
      continue;
    largest = std::max(largest, std::fabs(a));
    difference = std::isnan(distance) ? INFINITY : std::max(difference, distance);
  }
  return difference == 0 ? 0 : difference / std::max(largest, 1e-9);
}

//===----------------------------------------------------------------------===//
// Values of the program
//===----------------------------------------------------------------------===//

/// The node that an operation was made of.
static StringRef getNodeName(Operation *op) {
  auto name = op->getLoc()->findInstanceOf<NameLoc>();
  return name ? name.getName().getValue() : StringRef();
}

/// Whether a graph has such a value too, as it is: what a linear or a rotation gives may have been
/// scaled or cut on the way from one to the other.
static bool isComparable(Operation &op) {
  if (op.getNumResults() != 1 ||
      !isa<EmbeddingOp, RMSNormOp, LayerNormOp, AttentionOp, GateOp, arith::AddFOp>(op))
    return false;
  auto type = dyn_cast<RankedTensorType>(op.getResult(0).getType());
  return type && type.getRank() == 2 && !getNodeName(&op).empty();
}

/// The module with a function @step that gives the values of layers instead of logits, and the
/// operations that compute them in `module` order; null where it can't be made.
static OwningOpRef<ModuleOp> exposeLayers(ModuleOp module, std::vector<std::string> &names) {
  OwningOpRef<ModuleOp> flat = module.clone();
  if (failed(inlineBlocks(*flat)))
    return nullptr;
  auto step = flat->lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (!step)
    return nullptr;
  step.walk([](OutputRowsOp op) { op.getResult().replaceAllUsesWith(op.getOperand(0)); });
  SmallVector<Value> values;
  for (Operation &op : step.getBody().front())
    if (isComparable(op)) {
      values.push_back(op.getResult(0));
      names.push_back(getNodeName(&op).str());
    }
  if (values.empty())
    return nullptr;
  Operation *end = step.getBody().front().getTerminator();
  end->setOperands(values);
  step.setFunctionType(FunctionType::get(flat->getContext(), step.getArgumentTypes(),
                                         TypeRange(ValueRange(values))));
  return flat;
}

//===----------------------------------------------------------------------===//
// Values of the graph
//===----------------------------------------------------------------------===//

using NodeValues = llvm::DenseMap<Operation *, HostTensor>;

/// A value of the graph as rows × width; nothing where it is none. Heads may stand before rows.
static std::optional<std::vector<double>> asRows(const HostTensor &tensor, int64_t rows,
                                                 int64_t width) {
  ArrayRef<int64_t> shape = tensor.shape;
  if (!tensor.data || tensor.getNumElements() != rows * width || shape.size() < 2)
    return std::nullopt;
  if (shape.back() == width)
    return *tensor.data;
  if (shape.size() != 4 || shape[1] * shape[3] != width || shape[2] != rows)
    return std::nullopt;
  std::vector<double> values(tensor.data->size());
  int64_t size = shape[3];
  for (int64_t head = 0; head < shape[1]; ++head)
    for (int64_t row = 0; row < rows; ++row)
      std::copy_n(tensor.data->begin() + (head * rows + row) * size, size,
                  values.begin() + row * width + head * size);
  return values;
}

/// Whether rows are those of a node, of one that reads it, as where a bias was taken into the
/// layer, or of one that it reads, as where a norm is written down when it is first wanted; nothing
/// where none can be compared.
static std::optional<bool> agrees(Operation *node, const NodeValues &values, ArrayRef<float> rows,
                                  int64_t count, double tolerance) {
  SmallVector<Operation *> candidates{node};
  llvm::append_range(candidates, node->getUsers());
  for (Value operand : node->getOperands())
    if (Operation *producer = operand.getDefiningOp())
      candidates.push_back(producer);
  std::optional<bool> result;
  int64_t width = static_cast<int64_t>(rows.size()) / count;
  for (Operation *candidate : candidates) {
    auto found = values.find(candidate);
    auto expected = found == values.end() ? std::nullopt : asRows(found->second, count, width);
    if (!expected)
      continue;
    double difference = 0;
    for (int64_t row = 0; row < count; ++row)
      difference =
          std::max(difference, getRowDifference(ArrayRef(*expected).slice(row * width, width),
                                                rows.slice(row * width, width)));
    if (difference <= tolerance)
      return true;
    result = false;
  }
  return result;
}

FirstDifference llmc::findFirstDifference(ReferenceModel &reference, ModuleOp raised,
                                          ArrayRef<std::vector<int32_t>> steps, double tolerance) {
  FirstDifference result;
  std::vector<std::string> names;
  OwningOpRef<ModuleOp> exposed = exposeLayers(raised, names);
  if (!exposed)
    return result;
  FailureOr<RaisedProgram> program = RaisedProgram::compile(*exposed);
  if (failed(program))
    return result;
  reference.restart();
  std::vector<std::vector<float>> found;
  NodeValues values;
  llvm::StringMap<Operation *> nodes;
  for (const std::vector<int32_t> &step : steps) {
    found = program->step(step);
    values.clear();
    auto observe = [&](NodeOp op, ArrayRef<HostTensor> tensors) {
      values[op] = tensors.front();
      nodes.try_emplace(op.getName(), op);
    };
    if (failed(reference.step(step, observe)))
      return result;
  }
  auto rows = static_cast<int64_t>(steps.back().size());
  for (auto [name, matrix] : llvm::zip(names, found)) {
    Operation *node = nodes.lookup(name);
    std::optional<bool> same = node ? agrees(node, values, matrix, rows, tolerance) : std::nullopt;
    if (!same)
      continue;
    if (!*same) {
      result.differs = name;
      return result;
    }
    result.agrees = name;
  }
  return result;
}
