//===- Fingerprint.cpp - tells whether two things are the same ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fingerprint.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/ReadValues.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace llmc;

std::string llmc::getFingerprint(ArrayRef<uint8_t> bytes) {
  llvm::XXH128_hash_t hash = llvm::xxh3_128bits(bytes);
  return llvm::utohexstr(hash.high64, /*LowerCase=*/true, 16) +
         llvm::utohexstr(hash.low64, /*LowerCase=*/true, 16);
}

/// Writes what a parameter is.
static LogicalResult describeParameter(ParameterOp parameter, raw_ostream &stream) {
  FailureOr<ArrayRef<uint8_t>> bytes = getParameterBytes(parameter);
  if (failed(bytes))
    return failure();
  stream << parameter.getSymName() << ' ' << parameter.getTensorType() << ' '
         << getFingerprint(*bytes);
  // Strides say which of the bytes are which element.
  if (auto file = dyn_cast<FileAttr>(parameter.getData()))
    for (int64_t step : file.getStrides())
      stream << ' ' << step;
  stream << '\n';
  releaseFile(parameter);
  return success();
}

namespace {

/// Writes operations of a flat model one after the other. Who reads a parameter says so: where it
/// was fetched makes no difference.
class OperationWriter {
public:
  OperationWriter(const FlatModel &model, raw_ostream &stream) : model(model), stream(stream) {}

  /// With `attributes` instead of all that the operation has, where they are given.
  void write(Operation *op, DictionaryAttr attributes = {}) {
    stream << op->getName() << ' ' << (attributes ? attributes : op->getAttrDictionary());
    for (Value operand : op->getOperands()) {
      if (ParameterOp parameter = model.lookupParameter(operand))
        stream << " @" << parameter.getSymName();
      else
        stream << " %" << number(operand) << " : " << operand.getType();
    }
    for (Value result : op->getResults())
      stream << " -> %" << number(result) << " : " << result.getType();
    stream << '\n';
    for (Region &region : op->getRegions())
      writeBody(region);
  }

private:
  void writeBody(Region &region) {
    for (Block &block : region) {
      stream << '^';
      for (BlockArgument argument : block.getArguments())
        stream << " %" << number(argument) << " : " << argument.getType();
      stream << '\n';
      for (Operation &op : block)
        write(&op);
    }
  }

  size_t number(Value value) { return numbers.try_emplace(value, numbers.size()).first->second; }

  const FlatModel &model;
  raw_ostream &stream;
  llvm::DenseMap<Value, size_t> numbers;
};

} // namespace

FailureOr<std::string> llmc::getFingerprint(const FlatModel &model) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  OperationWriter writer(model, stream);
  llvm::DenseSet<Operation *> described;
  for (Operation *op : model.getOperations()) {
    if (isa<ParameterValueOp>(op))
      continue;
    for (Value operand : op->getOperands()) {
      ParameterOp parameter = model.lookupParameter(operand);
      if (!parameter)
        continue;
      if (described.insert(parameter).second && failed(describeParameter(parameter, stream)))
        return failure();
    }
    writer.write(op);
  }
  return getFingerprint(llvm::arrayRefFromStringRef(text));
}

/// Operations that `output` depends on.
static llvm::DenseSet<Operation *> collectSources(Value output) {
  llvm::DenseSet<Operation *> sources;
  SmallVector<Value> work{output};
  while (!work.empty())
    if (Operation *op = work.pop_back_val().getDefiningOp(); op && sources.insert(op).second)
      llvm::append_range(work, getReadValues(op));
  return sources;
}

std::string llmc::describeStructure(const FlatModel &model, Value output, int64_t exactPart,
                                    ArrayRef<ParameterOp> exempt) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  OperationWriter writer(model, stream);
  llvm::DenseSet<Operation *> sources;
  if (output)
    sources = collectSources(output);
  for (Operation *op : model.getOperations()) {
    if (isa<ParameterValueOp>(op) || op->getNumResults() == 0 || (output && !sources.contains(op)))
      continue;
    const bool exact = model.getLevel(op->getResult(0)) <= exactPart;
    NamedAttrList attributes(op->getAttrDictionary());
    if (auto linear = dyn_cast<LinearOp>(op)) {
      LinearOp original = model.getOriginal(linear);
      stream << original.getAsOpaquePointer() << ' ';
      attributes.erase(linear.getActivationAttrName());
      if (exact)
        stream << original.getActivationAttr() << ' ';
    }
    for (Value operand : op->getOperands()) {
      ParameterOp parameter = model.lookupParameter(operand);
      if (!parameter)
        continue;
      stream << parameter.getAsOpaquePointer() << ' ';
      if (exact && !llvm::is_contained(exempt, parameter))
        stream << parameter.getTensorType() << ' ' << parameter.getData().getAsOpaquePointer()
               << ' ';
    }
    writer.write(op, attributes.getDictionary(op->getContext()));
  }
  return text;
}
