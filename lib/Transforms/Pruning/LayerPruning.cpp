//===- LayerPruning.cpp - whole layers that go or share their weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Pruning/LayerPruning.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace llmc;

FailureOr<std::vector<Layer>> llmc::findStepLayers(ModuleOp module) {
  auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (!step || step.isExternal() || !step.getBody().hasOneBlock())
    return module.emitError("expected a raised module, with a function @")
           << LLMCDialect::stepFunctionName << " of one block, found none";
  std::vector<Layer> layers = findLayers(step);
  if (layers.empty())
    return step.emitOpError("expected layers, found no place before an attention where a single "
                            "activation is alive");
  return layers;
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

SmallVector<ParameterRead> llmc::findParameterReads(const Layer &layer) {
  SmallVector<ParameterRead> reads;
  for (Operation *op : layer.operations)
    for (OpOperand &operand : op->getOpOperands())
      if (auto read = operand.get().getDefiningOp<ParameterValueOp>()) {
        SmallVector<ParameterOp> parameters = getParametersOf(read);
        if (parameters.size() == 1)
          reads.push_back({op, operand.getOperandNumber(), parameters.front()});
      }
  return reads;
}

StringRef llmc::getFirstParameter(const Layer &layer) {
  SmallVector<ParameterRead> reads = findParameterReads(layer);
  return reads.empty() ? StringRef() : reads.front().parameter.getSymName();
}

/// Erases reads of parameters that nothing uses, and parameters that nothing reads then.
static void eraseUnread(ArrayRef<ParameterRead> reads) {
  llvm::SetVector<Operation *> parameters;
  for (const ParameterRead &read : reads)
    parameters.insert(read.parameter);
  for (Operation *parameter : parameters) {
    std::optional<SymbolTable::UseRange> uses =
        SymbolTable::getSymbolUses(parameter, parameter->getParentOp());
    if (!uses)
      continue;
    for (SymbolTable::SymbolUse use : llvm::to_vector(*uses))
      if (auto read = dyn_cast<ParameterValueOp>(use.getUser()); read && read->use_empty())
        read->erase();
    if (SymbolTable::symbolKnownUseEmpty(parameter, parameter->getParentOp()))
      parameter->erase();
  }
}

//===----------------------------------------------------------------------===//
// Leaving out layers
//===----------------------------------------------------------------------===//

LogicalResult llmc::checkDroppable(const Layer &layer) {
  if (layer.input.getType() != layer.output.getType())
    return layer.operations.front()->emitOpError(
               "expected a layer whose input and output have the same type, found ")
           << layer.input.getType() << " and " << layer.output.getType();
  return success();
}

void llmc::dropLayer(func::FuncOp step, MutableArrayRef<Layer> layers, size_t index) {
  Layer &layer = layers[index];
  const SmallVector<ParameterRead> reads = findParameterReads(layer);
  layer.output.replaceAllUsesWith(layer.input);
  layers[index + 1].input = layer.input;
  llvm::SetVector<Value> caches;
  for (Operation *op : llvm::reverse(layer.operations)) {
    auto append = dyn_cast<CacheAppendOp>(op);
    // What updates a cache is dead with it.
    if (!isOpTriviallyDead(op) && !(isa<CacheAppendOp, AttentionOp>(op) && op->use_empty()))
      continue;
    if (append)
      caches.insert(append.getCache());
    op->erase();
  }
  layer.operations.clear();
  llvm::BitVector unused(step.getNumArguments());
  for (Value cache : caches)
    if (auto argument = dyn_cast<BlockArgument>(cache); argument && argument.use_empty())
      unused.set(argument.getArgNumber());
  (void)step.eraseArguments(unused);
  eraseUnread(reads);
}

//===----------------------------------------------------------------------===//
// Sharing weights
//===----------------------------------------------------------------------===//

/// Reports at the first operation of `other` where it does not read the same in the same places.
static LogicalResult checkAlike(const Layer &first, const Layer &other,
                                ArrayRef<ParameterRead> expected, ArrayRef<ParameterRead> found) {
  auto fail = [&] { return other.operations.front()->emitOpError(); };
  if (expected.size() != found.size())
    return fail() << "expected a layer that reads " << expected.size() << " parameters like that "
                  << "of '" << getFirstParameter(first) << "', found " << found.size();
  for (auto [a, b] : llvm::zip_equal(expected, found)) {
    ParameterOp wanted = a.parameter, parameter = b.parameter;
    if (a.op->getName() != b.op->getName() || a.operand != b.operand ||
        wanted.getTensorType() != parameter.getTensorType()) {
      InFlightDiagnostic diagnostic = b.op->emitOpError("expected it to read a parameter like '")
                                      << wanted.getSymName() << "' of " << wanted.getTensorType()
                                      << ", found '" << parameter.getSymName() << "' of "
                                      << parameter.getTensorType();
      diagnostic.attachNote(a.op->getLoc())
          << "layers share weights that are read in the same places";
      return diagnostic;
    }
  }
  return success();
}

/// Stores the mean of parameters, which have one type of floats, as the value of the first.
static LogicalResult storeMean(ArrayRef<ParameterOp> parameters) {
  ParameterOp first = parameters.front();
  RankedTensorType type = first.getTensorType();
  if (type.getEncoding())
    return first.emitOpError("expected weights that are floats to take means of, found ")
           << type.getEncoding();
  std::vector<double> sums(type.getNumElements());
  for (ParameterOp parameter : parameters) {
    FailureOr<ParameterReader> reader = ParameterReader::get(parameter);
    if (failed(reader))
      return failure();
    const int64_t columns = reader->getNumColumns();
    std::vector<float> values(columns);
    for (int64_t row = 0; row < reader->getNumRows(); ++row) {
      reader->readRow(row, values);
      for (auto [column, value] : llvm::enumerate(values))
        sums[row * columns + static_cast<int64_t>(column)] += value;
    }
    releaseFile(parameter);
  }
  std::vector<uint8_t> bytes(sums.size() * type.getElementTypeBitWidth() / 8);
  for (auto [index, sum] : llvm::enumerate(sums))
    writeFloat(bytes.data(), static_cast<int64_t>(index), type.getElementType(),
               static_cast<float>(sum / static_cast<double>(parameters.size())));
  setParameter(first, type,
               makeParameterData(first.getContext(), first.getSymName(), std::move(bytes)));
  return success();
}

LogicalResult llmc::shareParameters(ArrayRef<Layer> layers, bool mean) {
  const Layer &first = layers.front();
  const SmallVector<ParameterRead> reads = findParameterReads(first);
  llvm::MapVector<Operation *, SmallVector<ParameterOp>> shared;
  SmallVector<ParameterRead> replaced;
  for (const ParameterRead &read : reads)
    shared[read.parameter] = {};
  for (const Layer &layer : layers) {
    const SmallVector<ParameterRead> others = findParameterReads(layer);
    if (failed(checkAlike(first, layer, reads, others)))
      return failure();
    llvm::DenseSet<Operation *> counted;
    for (auto [read, other] : llvm::zip_equal(reads, others)) {
      if (counted.insert(read.parameter).second)
        shared[read.parameter].push_back(other.parameter);
      else if (shared[read.parameter].back() != other.parameter)
        return other.op->emitOpError("expected it to read '")
               << shared[read.parameter].back().getSymName()
               << "' like others of its layer, found '" << ParameterOp(other.parameter).getSymName()
               << "'";
      if (other.parameter != read.parameter)
        replaced.push_back(other);
      other.op->setOperand(other.operand, read.op->getOperand(read.operand));
    }
  }
  for (auto &[parameter, ofLayers] : shared)
    if (mean && failed(storeMean(ofLayers)))
      return failure();
  eraseUnread(replaced);
  return success();
}
