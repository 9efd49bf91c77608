//===- ParameterData.h - the bytes behind llmc.parameter ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Reading parameters without copying them: files are mapped once per context and shared; what a
// pass has made stays in memory as a dense resource until a tool writes the module to a file.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_PARAMETERDATA_H
#define LLMC_DIALECT_LLMC_IR_PARAMETERDATA_H

#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"

#include <mutex>

namespace llmc {

/// Files mapped read-only, each once. Safe to use from several threads.
class MappedFiles {
public:
  /// The contents of the file at `path`, valid as long as this object. Where a hash is expected,
  /// the first call reads the whole file, and others are refused.
  llvm::Expected<llvm::ArrayRef<uint8_t>> map(llvm::StringRef path);

  /// Says what the file at `path` has to hold, by its ContentHash. False where something else was
  /// said before.
  bool expectHash(llvm::StringRef path, llvm::StringRef hash);
  /// What was said, or nothing.
  std::string getExpectedHash(llvm::StringRef path);

  /// Gives back the memory that a part of a mapped file takes, until it is read again. Does nothing
  /// with bytes that are not of one.
  void release(llvm::ArrayRef<uint8_t> bytes);

private:
  struct Entry {
    std::unique_ptr<llvm::MemoryBuffer> contents;
    std::string expected, found; ///< hashes; empty where none is known
  };
  llvm::Error open(llvm::StringRef path, Entry &entry);

  std::mutex mutex;
  llvm::StringMap<Entry> files;
};

/// The bytes of a parameter that lie in one piece, or an error (reported at `parameter`) where the
/// file is missing or too short. For a type without encoding and with strides this is the
/// smallest region that holds all elements; use `readRows` for values.
mlir::FailureOr<llvm::ArrayRef<uint8_t>> getParameterBytes(ParameterOp parameter);

/// Gives back the memory that a parameter takes as part of a mapped file, until it is read again.
void releaseFile(ParameterOp parameter);

/// Reads a matrix of weights row by row, or a vector as one row, as fp32, whatever its float type,
/// strides or encoding. Bound to the parameter's bytes, which must stay alive.
class ParameterReader {
public:
  static mlir::FailureOr<ParameterReader> get(ParameterOp parameter);

  int64_t getNumRows() const { return rows; }
  int64_t getNumColumns() const { return columns; }

  /// Writes row `row` to `values`, which has getNumColumns() elements.
  void readRow(int64_t row, llvm::MutableArrayRef<float> values) const;

private:
  mlir::Type element;                 ///< of a tensor without encoding
  std::optional<EncodedRows> encoded; ///< or else
  llvm::ArrayRef<uint8_t> bytes;
  int64_t rows = 0, columns = 0;
  int64_t rowStride = 0, columnStride = 0;
};

/// The data attribute for bytes that a pass has made; takes them over without a copy. `bytes` must
/// be as many as a parameter of `type` takes. The resource is named after `name`.
mlir::Attribute makeParameterData(mlir::MLIRContext *context, llvm::StringRef name,
                                  std::vector<uint8_t> bytes);

/// Gives a parameter another value, of another type perhaps, and its readers that type.
void setParameter(ParameterOp parameter, mlir::RankedTensorType type, mlir::Attribute data);

/// Bytes that a parameter of this type takes when it lies in one piece, or an error.
mlir::FailureOr<int64_t>
getParameterByteSize(mlir::RankedTensorType type,
                     llvm::function_ref<mlir::InFlightDiagnostic()> emitError);

/// An attribute as it is written in the IR but without `#llmc.`.
std::string spellForPeople(mlir::Attribute attribute);

/// How a parameter of this type is stored, for people: its encoding, or the element type where
/// there is none.
std::string spellEncoding(mlir::RankedTensorType type);

/// The parameter that `value` is read from: through llmc.parameter_value and, inside an outlined
/// block, through every caller's argument. Empty where it is not a parameter.
llvm::SmallVector<ParameterOp> getParametersOf(mlir::Value value);

} // namespace llmc

#endif // LLMC_DIALECT_LLMC_IR_PARAMETERDATA_H
