//===- TensorExport.h - attributes as ONNX tensors ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_EXPORTONNX_TENSOREXPORT_H
#define LLMC_LIB_CONVERSION_EXPORTONNX_TENSOREXPORT_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "onnx/onnx_pb.h"
#include "llvm/Support/Error.h"

namespace llmc {

/// Exports the tensors of one model: small ones into the file itself, the others to external data.
class TensorExporter {
public:
  /// `location` is the file of external data, as the model names it.
  explicit TensorExporter(llvm::StringRef location) : location(location) {}

  /// Fills in everything but the name. `data` is elements, a resource or a `#llmc.file`, whose
  /// bytes must stay alive until write(). Errors are reported at `where`.
  mlir::LogicalResult exportTensor(mlir::RankedTensorType type, mlir::Attribute data,
                                   mlir::Location where, onnx::TensorProto &tensor);

  bool hasExternalData() const { return size > 0; }
  /// Writes the external data.
  llvm::Error write(llvm::StringRef path) const;

private:
  struct Piece {
    int64_t offset;
    llvm::ArrayRef<uint8_t> bytes;
  };

  std::string location;
  std::vector<Piece> pieces;
  int64_t size = 0;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_EXPORTONNX_TENSOREXPORT_H
