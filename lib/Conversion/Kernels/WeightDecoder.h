//===- WeightDecoder.h - reading tiled weights inside a kernel ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands inside the loops of kernels: planes are loaded into registers as the layout has them
// (TiledLayout.h), and the encoding's arithmetic makes values of them, or linear codes are
// multiplied as integers. A block is 32 inputs of a tile's 16 rows.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_WEIGHTDECODER_H
#define LLMC_LIB_CONVERSION_KERNELS_WEIGHTDECODER_H

#include "KernelBuilder.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

#include <memory>
#include <optional>
#include <string>

namespace llmc {

/// The address of tile `tile` of weights that start at `matrix`.
mlir::Value getTileAddress(KernelBuilder &k, const TiledLayout &layout, mlir::Value matrix,
                           mlir::Value tile);

/// Where a decoder reads: what all tiles share stands in front of them.
struct TilePlace {
  mlir::Value matrix, tile; ///< addresses
  /// Memory of its own, getDecoderScratchBytes(); null where there is none, which is slower.
  mlir::Value scratch = {};
};

/// Element `index` of a plane of whole numbers, integers or floats: of the 16 rows, or of one.
mlir::Value loadElement(KernelBuilder &k, const TiledPlane &plane, mlir::Value tile,
                        mlir::Value index, mlir::Value row = {});

/// Bytes that decoding weights of a layout may use.
int64_t getDecoderScratchBytes(const TiledLayout &layout);

/// Weights that are linear functions of unsigned codes (LinearCodes), so that their products with
/// rounded activations are integers.
class CodeDecoder {
public:
  using Value = mlir::Value;
  using Values = KernelBuilder::Values;

  CodeDecoder(const TiledLayout &layout, const LinearCodes &linear)
      : layout(layout), linear(linear) {}

  /// Scales of a group (16 floats), and zero points or minima (16 floats) where there are any.
  struct Scales {
    Value scales, zeros;
  };

  /// Says why kernels can't compute with the codes, or nothing.
  std::string explainUnsupported() const;

  int64_t getMaxCode() const { return linear.table ? 255 : (int64_t(1) << codes().getBits()) - 1; }
  /// Whether tiles start with the lines that loadCodes() gives, as they are.
  bool isInPlace() const {
    return !linear.packed && !linear.masked && !linear.table && codes().getBits() == 8 &&
           codes().offset == 0;
  }
  /// Whether codes are made of several planes.
  bool isPacked() const { return linear.packed; }
  /// Whether codes are found in a table.
  bool isFound() const { return linear.table.has_value(); }
  /// Whether codes lie in parts of bits as they are, so that loadEight() finds them.
  bool isInParts() const {
    return !linear.packed && !linear.masked && !linear.table && codes().inParts &&
           codes().columns == 1;
  }
  /// Where what stands after the codes in a tile begins, in bytes.
  int64_t getCodesEnd() const {
    return static_cast<int64_t>(
        llvm::alignTo(codes().offset + codes().getByteSize(layout.getBlocks()), 64));
  }
  int64_t getBlocksPerScale() const { return scales().inputs / blockInputs; }
  int64_t getScalesPerRow() const { return scales().elements; }
  /// Whether zero points or minima are stored beside scales.
  bool hasZeros() const { return linear.zeros || linear.minima; }
  bool hasMinima() const { return linear.minima.has_value(); }

  /// The codes of a block as 8 vectors of 64 bytes, in the order that llmc.group_dot takes.
  Values loadCodes(KernelBuilder &k, TilePlace place, Value block) const;
  /// The codes of a row from input 8 · `eighth` of a block on, four in 32 bits and four more.
  std::pair<Value, Value> loadEight(KernelBuilder &k, Value tile, Value block, Value row,
                                    Value eighth) const;
  /// Those of the 16 rows, or of one.
  Scales loadScales(KernelBuilder &k, TilePlace place, Value group, Value row = {}) const;
  /// Kept codes alone, and where the inputs stand that they are multiplied with.
  struct Gathered {
    Values codes;  ///< vectors of 64 bytes, four of each row in one
    Values places; ///< of each byte, in 16 inputs
    /// The first of these 16 inputs in the block, for each vector.
    llvm::SmallVector<int64_t> windows;
  };
  /// Whether two codes of each four are kept, and a target takes bytes by places.
  bool isGathered(const KernelTarget &target) const;
  /// The kept codes of a block of such.
  Gathered loadGathered(KernelBuilder &k, TilePlace place, Value block) const;
  /// The values of a block of found codes: 32 vectors of the 16 rows.
  Values decodeFound(KernelBuilder &k, TilePlace place, Value block) const;
  /// sum + dot · scales, where the dot product's codes become what they stand for. `scale` and
  /// `codeSum` are the activations', in all lanes; or all is of one row.
  Value addDot(KernelBuilder &k, Value dot, const Scales &weights, Value scale, Value codeSum,
               Value sum) const;
  /// Its two halves: the dot product of the numbers that codes stand for, minima left out, as an
  /// exact float; and what adds that, where `offset` is scale · codeSum if there are minima.
  Value getExact(KernelBuilder &k, Value dot, const Scales &weights, Value codeSum) const;
  Value addExact(KernelBuilder &k, Value exact, const Scales &weights, Value scale, Value offset,
                 Value sum) const;
  /// The same of the dot product of a whole row, where each has one scale: codes' sums are below
  /// 2^24, and all products of integers fit 32 bits.
  Value finishDot(KernelBuilder &k, Value dot, const Scales &weights, Value scale,
                  Value codeSum) const;

private:
  Values loadKept(KernelBuilder &k, TilePlace place, Value block) const;
  const TiledPlane &codes() const { return layout.planes[linear.codes]; }
  const TiledPlane &scales() const { return layout.planes[linear.scales]; }

  TiledLayout layout;
  LinearCodes linear;
};

/// The weights of an encoding.
class WeightDecoder {
public:
  using Value = mlir::Value;
  using Values = KernelBuilder::Values;

  explicit WeightDecoder(const TiledLayout &layout);

  /// The values of a block: 32 vectors of the 16 rows.
  Values decodeBlock(KernelBuilder &k, TilePlace place, Value block) const;
  /// The same weights as codes, or null where they are none.
  const CodeDecoder *getCodes() const { return codes ? &*codes : nullptr; }

private:
  TiledLayout layout;
  std::optional<CodeDecoder> codes;
};

/// The decoder of a matrix that kernels can read; null for plain weights.
std::unique_ptr<WeightDecoder> getWeightDecoder(mlir::RankedTensorType type);

/// The same for kernels that add what is listed beside the other weights by themselves.
std::unique_ptr<WeightDecoder> getDecoderWithoutList(mlir::RankedTensorType type);

/// The letters and digits of an encoding, and a number that tells it apart from all others.
std::string getEncodingName(mlir::Attribute encoding);

/// A name for a type of weights that may stand in a function's name.
std::string getWeightName(mlir::RankedTensorType type);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_WEIGHTDECODER_H
