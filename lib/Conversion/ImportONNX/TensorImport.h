//===- TensorImport.h - ONNX tensors as attributes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_IMPORTONNX_TENSORIMPORT_H
#define LLMC_LIB_CONVERSION_IMPORTONNX_TENSORIMPORT_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "onnx/onnx_pb.h"

namespace llmc {

/// Tensors of more dimensions than this are refused.
inline constexpr int maxRank = 64;

/// A tensor's type and its data: elements where it is small, a `#llmc.file` where it lies in a
/// file, else a resource of bytes. Strings are a list.
struct ImportedTensor {
  mlir::RankedTensorType type;
  mlir::Attribute data;
};

/// Imports tensors of one file.
class TensorImporter {
public:
  /// `path` is the ONNX file's absolute path, empty where it has none.
  TensorImporter(llvm::StringRef path, mlir::Location location)
      : path(path), location(location), context(location.getContext()) {}

  /// `rawOffset` is where the tensor's raw_data lies in the file, or -1. Errors name the tensor.
  mlir::FailureOr<ImportedTensor> import(const onnx::TensorProto &tensor, llvm::StringRef name,
                                         int64_t rawOffset);

  /// A tensor that is stored as the values that are not zero and their places, made dense.
  mlir::FailureOr<ImportedTensor> importSparse(const onnx::SparseTensorProto &tensor,
                                               llvm::StringRef name);

  /// Whether two tensors are of one type and hold the same bytes.
  static bool haveSameContents(const ImportedTensor &a, const ImportedTensor &b);

private:
  mlir::FailureOr<std::vector<int64_t>> readPlaces(const onnx::SparseTensorProto &tensor,
                                                   llvm::StringRef name,
                                                   llvm::ArrayRef<int64_t> shape);
  mlir::FailureOr<mlir::Attribute> importExternal(const onnx::TensorProto &tensor,
                                                  llvm::StringRef name, int64_t bytes);
  mlir::FailureOr<std::vector<uint8_t>> collectBytes(const onnx::TensorProto &tensor,
                                                     llvm::StringRef name, mlir::Type element,
                                                     int64_t count, int64_t bytes);
  mlir::FailureOr<ImportedTensor> importStrings(const onnx::TensorProto &tensor,
                                                llvm::StringRef name, int64_t count);
  mlir::InFlightDiagnostic fail(llvm::StringRef name);

  std::string path;
  mlir::Location location;
  mlir::MLIRContext *context;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_IMPORTONNX_TENSORIMPORT_H
