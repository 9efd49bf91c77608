//===- WeightDecoder.h - reading tiled weights inside a kernel ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All that kernels know of an encoding. Emitters of kernels own the loops, a decoder what stands
// inside: a block is 32 inputs of a tile's 16 rows.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_WEIGHTDECODER_H
#define LLMC_LIB_CONVERSION_KERNELS_WEIGHTDECODER_H

#include "KernelBuilder.h"

#include "mlir/IR/BuiltinTypes.h"

#include <memory>
#include <string>

namespace llmc {

/// Weights that are linear functions of unsigned codes, so that their products with rounded
/// activations are integers.
class CodeDecoder {
public:
  using Value = mlir::Value;
  using Values = KernelBuilder::Values;

  struct Layout {
    int64_t maxCode;     ///< at most 255
    bool inPlace;        ///< tiles start with the lines that loadCodes() gives, as they are
    int64_t scaleOffset; ///< of what stands after the codes in a tile, in bytes
    int64_t scaleGroup;  ///< inputs that share a scale
    int64_t scaleGroups; ///< in a row
    bool hasZeros;       ///< zero points or minima are stored beside scales
  };
  /// Scales of a group (16 floats), and zero points or minima (16 floats) where there are any.
  struct Scales {
    Value scales, zeros;
  };

  virtual const Layout &getLayout() const = 0;
  /// Says why kernels can't compute with the codes, or nothing.
  virtual std::string explainUnsupported() const = 0;
  /// The codes of a block as 8 vectors of 64 bytes, in the order that llmc.group_dot takes.
  virtual Values loadCodes(KernelBuilder &k, Value tile, Value block) const = 0;
  virtual Scales loadScales(KernelBuilder &k, Value tile, Value group) const = 0;
  /// sum + dot · scales, where the dot product's codes become what they stand for. `scale` and
  /// `codeSum` are the activations', in all lanes.
  virtual Value addDot(KernelBuilder &k, Value dot, const Scales &weights, Value scale,
                       Value codeSum, Value sum) const = 0;

protected:
  ~CodeDecoder() = default;
};

/// The decode step of an encoding.
class WeightDecoder {
public:
  using Value = mlir::Value;
  using Values = KernelBuilder::Values;

  virtual ~WeightDecoder() = default;
  /// Stands for the encoding in a function's name.
  virtual std::string getName() const = 0;
  /// The values of a block: 32 vectors of the 16 rows.
  virtual Values decodeBlock(KernelBuilder &k, Value tile, Value block) const = 0;
  /// The same weights as codes, or null where they are none.
  virtual const CodeDecoder *getCodes() const { return nullptr; }
};

/// The decode step for a matrix; null for plain weights, and where explainUnsupported() of the
/// type says that there is none.
std::unique_ptr<WeightDecoder> getWeightDecoder(mlir::RankedTensorType type);

/// A name for a type of weights that may stand in a function's name.
std::string getWeightName(mlir::RankedTensorType type);

/// Gives `#llmc.grouped` its decode step.
void attachGroupedDecoder(mlir::MLIRContext *context);

} // namespace llmc

#include "llmc/Conversion/Kernels/KernelInterfaces.h.inc"

#endif // LLMC_LIB_CONVERSION_KERNELS_WEIGHTDECODER_H
