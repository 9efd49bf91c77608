//===- Fingerprint.cpp - tells whether two things are the same ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fingerprint.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace llmc;

std::string llmc::getFingerprint(ArrayRef<uint8_t> bytes) {
  llvm::XXH128_hash_t hash = llvm::xxh3_128bits(bytes);
  return llvm::utohexstr(hash.high64, /*LowerCase=*/true, 16) +
         llvm::utohexstr(hash.low64, /*LowerCase=*/true, 16);
}

FailureOr<std::string> llmc::getFingerprint(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (Operation &op : *module.getBody()) {
    auto parameter = dyn_cast<ParameterOp>(op);
    if (!parameter) {
      op.print(stream);
      stream << '\n';
      continue;
    }
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
  }
  return getFingerprint(llvm::arrayRefFromStringRef(text));
}
