//===- Fingerprint.cpp - tells whether two things are the same ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fingerprint.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

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

FailureOr<std::string> llmc::getFingerprint(const FlatModel &model) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::DenseMap<Value, size_t> numbers;
  auto number = [&](Value value) {
    return numbers.try_emplace(value, numbers.size()).first->second;
  };
  llvm::DenseSet<Operation *> described;
  for (Operation *op : model.getOperations()) {
    // Who reads a parameter says so: where it was fetched makes no difference.
    if (isa<ParameterValueOp>(op))
      continue;
    for (Value operand : op->getOperands()) {
      ParameterOp parameter = model.lookupParameter(operand);
      if (!parameter)
        continue;
      if (described.insert(parameter).second && failed(describeParameter(parameter, stream)))
        return failure();
    }
    stream << op->getName() << ' ' << op->getAttrDictionary();
    for (Value operand : op->getOperands()) {
      if (ParameterOp parameter = model.lookupParameter(operand))
        stream << " @" << parameter.getSymName();
      else
        stream << " %" << number(operand) << " : " << operand.getType();
    }
    for (Value result : op->getResults())
      stream << " -> %" << number(result) << " : " << result.getType();
    stream << '\n';
  }
  return getFingerprint(llvm::arrayRefFromStringRef(text));
}
