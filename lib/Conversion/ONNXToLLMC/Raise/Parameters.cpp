//===- Parameters.cpp - weights of the file as parameters ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Parameters.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

Value Parameters::get(OpBuilder &builder, Location location, const Weight &weight) {
  ParameterOp parameter = getParameter(weight);
  if (!parameter)
    return {};
  return ParameterValueOp::create(builder, location, parameter.getTensorType(),
                                  FlatSymbolRefAttr::get(parameter));
}

ParameterOp Parameters::create(RankedTensorType type, Attribute data) {
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  // In the order in which they are made, before everything else.
  if (last)
    builder.setInsertionPointAfter(last);
  last = ParameterOp::create(builder, module.getLoc(), ("p" + Twine(next++)).str(), type, data);
  return last;
}

static bool isWeightType(Type element) {
  return element && (element.isF32() || element.isF16() || element.isBF16());
}

/// Numbers as bytes of a type of weights.
static std::vector<uint8_t> toBytes(ArrayRef<double> values, Type element) {
  std::vector<uint8_t> bytes(values.size() * element.getIntOrFloatBitWidth() / 8);
  for (auto [i, value] : llvm::enumerate(values))
    writeFloat(bytes.data(), i, element, static_cast<float>(value));
  return bytes;
}

/// A string that is equal for equal views of one source.
static std::string getKey(const ConstantView &view) {
  std::string key;
  llvm::raw_string_ostream stream(key);
  stream << view.source.getAsOpaquePointer() << " " << view.element << " " << view.offset;
  for (auto [size, stride] : llvm::zip(view.shape, view.strides))
    if (size != 1)
      stream << " " << size << "@" << stride;
  return key;
}

/// The same of a weight; empty for computed numbers, which are not compared.
static std::string getKey(const Weight &weight) {
  auto getZeros = [](const std::optional<ConstantView> &zeros) {
    return zeros ? " zeros " + getKey(*zeros) : "";
  };
  std::string key;
  llvm::raw_string_ostream stream(key);
  if (weight.quantized) {
    const BlockQuantized &blocks = *weight.quantized;
    stream << getKey(blocks.codes) << " scales " << getKey(blocks.scales) << getZeros(blocks.zeros)
           << " bits " << blocks.bits << " block " << blocks.block << " rows " << weight.begin
           << "+" << weight.count;
  } else if (weight.dequantized) {
    const Dequantized &matrix = *weight.dequantized;
    stream << getKey(matrix.codes) << " scales " << getKey(matrix.scales) << getZeros(matrix.zeros)
           << " block " << matrix.rowBlock << " " << matrix.columnBlock;
    if (matrix.matrix)
      stream << " matrix " << getKey(*matrix.matrix);
  } else if (!weight.values) {
    stream << getKey(weight.view);
  }
  if (weight.order) {
    stream << " order";
    for (int64_t row : *weight.order)
      stream << " " << row;
  }
  return key;
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

namespace {

/// A matrix in its canonical form.
struct EncodedMatrix {
  RankedTensorType type;
  const char *name; ///< of its bytes
  std::vector<uint8_t> bytes;
};

} // namespace

/// Zero points per row and block: codes in bytes or packed like the weights, or numbers.
static std::optional<std::vector<double>> loadZeros(const BlockQuantized &blocks) {
  if (isa<FloatType>(blocks.zeros->element))
    return blocks.zeros->load();
  auto bytes = blocks.zeros->loadBytes();
  if (!bytes)
    return std::nullopt;
  if (!blocks.packedZeros)
    return std::vector<double>(bytes->begin(), bytes->end());
  int64_t rowBytes = bytes->size() / blocks.rows;
  int64_t groups = llvm::divideCeil(blocks.columns, blocks.block);
  std::vector<double> zeros;
  for (int64_t row = 0; row < blocks.rows; ++row)
    for (int64_t g = 0; g < groups; ++g)
      zeros.push_back(readCode(bytes->data() + row * rowBytes, g, blocks.bits));
  return zeros;
}

/// Whether a number is one of the codes.
static bool isZeroPoint(double zero, unsigned bits) {
  return zero >= 0 && zero < (1 << bits) && zero == std::floor(zero);
}

/// Blocks of integers as the canonical form of #llmc.grouped.
static std::optional<EncodedMatrix> encodeBlocks(const Weight &weight, MLIRContext *context) {
  const BlockQuantized &blocks = *weight.quantized;
  auto codes = blocks.codes.loadBytes();
  auto scales = blocks.scales.load();
  auto zeros = blocks.zeros ? loadZeros(blocks) : std::optional(std::vector<double>());
  if (!codes || !scales || !zeros)
    return std::nullopt;
  ZeroPoint kind = !blocks.zeros ? ZeroPoint::None
                   : llvm::all_of(*zeros, [&](double z) { return isZeroPoint(z, blocks.bits); })
                       ? ZeroPoint::Integer
                       : ZeroPoint::Float;
  // A minimum is a product, which fp16 need not hold.
  Type scaleType = kind == ZeroPoint::Float ? Float32Type::get(context) : blocks.scales.element;
  auto encoding = GroupedAttr::get(context, blocks.bits, blocks.block, kind, scaleType);
  SmallVector<int64_t> shape{weight.count, blocks.columns};
  auto form = CanonicalForm::get(encoding, shape);
  const PlaneArray &toCodes = form[GroupedAttr::codes], &toScales = form[GroupedAttr::scales];
  std::vector<uint8_t> bytes(form.size, 0);
  int64_t groups = encoding.getGroupsPerRow(blocks.columns);
  int64_t rowBytes = codes->size() / blocks.rows;
  for (int64_t r = 0; r < weight.count; ++r) {
    int64_t from = weight.begin + r;
    const uint8_t *row = codes->data() + from * rowBytes;
    for (int64_t c = 0; c < blocks.columns; ++c)
      toCodes.write(bytes.data(), r, c, readCode(row, c, blocks.bits));
    for (int64_t g = 0; g < groups; ++g) {
      double scale = (*scales)[from * groups + g];
      toScales.write(bytes.data(), r, g, static_cast<float>(scale));
      if (kind == ZeroPoint::Integer)
        form[GroupedAttr::zeros].write(bytes.data(), r, g,
                                       static_cast<unsigned>((*zeros)[from * groups + g]));
      else if (kind == ZeroPoint::Float)
        form[GroupedAttr::zeros].write(bytes.data(), r, g,
                                       static_cast<float>(-(*zeros)[from * groups + g] * scale));
    }
  }
  return EncodedMatrix{RankedTensorType::get(shape, Float32Type::get(context), encoding), "blocks",
                       std::move(bytes)};
}

/// Rows of a transposed matrix lie a cache line's neighbours apart: some are read together.
static constexpr int64_t rowsTogether = 64;

/// The numbers that DequantizeLinear computes where no encoding holds them.
static std::optional<EncodedMatrix> decode(const Dequantized &weight, MLIRContext *context) {
  int64_t rows = weight.codes.shape[0], columns = weight.codes.shape[1];
  Type f32 = Float32Type::get(context);
  std::vector<uint8_t> bytes(rows * columns * sizeof(float));
  for (int64_t begin = 0; begin < rows; begin += rowsTogether) {
    auto values = weight.loadRows(begin, std::min(rowsTogether, rows - begin));
    if (!values)
      return std::nullopt;
    for (auto [i, value] : llvm::enumerate(*values))
      writeFloat(bytes.data(), begin * columns + static_cast<int64_t>(i), f32,
                 static_cast<float>(value));
  }
  return EncodedMatrix{RankedTensorType::get({rows, columns}, f32), "decoded", std::move(bytes)};
}

/// One scale (or zero) for each group that an encoding keeps.
static std::optional<std::vector<double>> loadGroups(ConstantView view, int64_t group) {
  view = group == GroupedAttr::tensorGroup ? view.slice(0, 0, 1) : view;
  return (group > 0 ? view : view.slice(1, 0, 1)).load();
}

/// What DequantizeLinear computes as the canonical form of #llmc.float. Nothing where it is no
/// number.
static std::optional<EncodedMatrix> encodeSmallFloats(const Dequantized &weight) {
  SmallFloatAttr encoding = weight.getSmallFloat();
  const int64_t rows = weight.codes.shape[0], columns = weight.codes.shape[1];
  SmallVector<int64_t> shape{rows, columns};
  auto form = CanonicalForm::get(encoding, shape);
  std::vector<uint8_t> bytes(form.size, 0);
  bool isFinite = true;
  auto write = [&](const PlaneArray &plane, int64_t row, ArrayRef<double> values) {
    for (auto [i, value] : llvm::enumerate(values)) {
      isFinite &= std::isfinite(value);
      if (isFinite)
        plane.write(bytes.data(), row + static_cast<int64_t>(i) / plane.arrayColumns,
                    static_cast<int64_t>(i) % plane.arrayColumns, static_cast<float>(value));
    }
  };
  auto scales = loadGroups(weight.scales, encoding.getGroup());
  auto matrix = weight.matrix ? weight.matrix->load() : std::optional(std::vector<double>());
  if (!scales || !matrix)
    return std::nullopt;
  write(form[SmallFloatAttr::scales], 0, *scales);
  if (weight.matrix)
    write(form[SmallFloatAttr::matrix], 0, *matrix);
  for (int64_t begin = 0; begin < rows; begin += rowsTogether) {
    auto codes = weight.codes.slice(0, begin, std::min(rowsTogether, rows - begin)).load();
    if (!codes)
      return std::nullopt;
    write(form[SmallFloatAttr::codes], begin, *codes);
  }
  if (!isFinite)
    return std::nullopt;
  auto type = RankedTensorType::get(shape, Float32Type::get(encoding.getContext()), encoding);
  return EncodedMatrix{type, "dequantized", std::move(bytes)};
}

/// What DequantizeLinear computes as the canonical form of #llmc.grouped: signed codes are moved
/// up, and zero points in the middle are none.
static std::optional<EncodedMatrix> encodeGrouped(const Dequantized &weight, MLIRContext *context) {
  int64_t rows = weight.codes.shape[0], columns = weight.codes.shape[1];
  unsigned bits = weight.codes.element.getIntOrFloatBitWidth();
  int middle = 1 << (bits - 1), shift = weight.codes.element.isUnsignedInteger() ? 0 : middle;
  const int64_t group = weight.getGroup();
  auto scales = loadGroups(weight.scales, group);
  auto zeros = weight.zeros ? loadGroups(*weight.zeros, group)
                            : std::optional(std::vector<double>(scales ? scales->size() : 0));
  if (!scales || !zeros)
    return std::nullopt;
  bool symmetric = llvm::all_of(*zeros, [&](double zero) { return zero + shift == middle; });
  auto encoding =
      GroupedAttr::get(context, bits, group, symmetric ? ZeroPoint::None : ZeroPoint::Integer,
                       weight.scales.element);
  SmallVector<int64_t> shape{rows, columns};
  auto form = CanonicalForm::get(encoding, shape);
  const PlaneArray &toCodes = form[GroupedAttr::codes], &toScales = form[GroupedAttr::scales];
  std::vector<uint8_t> bytes(form.size, 0);
  for (int64_t begin = 0; begin < rows; begin += rowsTogether) {
    int64_t count = std::min(rowsTogether, rows - begin);
    auto codes = weight.codes.slice(0, begin, count).load();
    if (!codes)
      return std::nullopt;
    for (int64_t i = 0; i < count * columns; ++i)
      toCodes.write(bytes.data(), begin + i / columns, i % columns,
                    static_cast<unsigned>((*codes)[i] + shift));
  }
  for (auto [i, scale] : llvm::enumerate(*scales)) {
    int64_t row = static_cast<int64_t>(i) / toScales.arrayColumns;
    int64_t column = static_cast<int64_t>(i) % toScales.arrayColumns;
    toScales.write(bytes.data(), row, column, static_cast<float>(scale));
    if (!symmetric)
      form[GroupedAttr::zeros].write(bytes.data(), row, column,
                                     static_cast<unsigned>((*zeros)[i] + shift));
  }
  return EncodedMatrix{RankedTensorType::get(shape, Float32Type::get(context), encoding),
                       "dequantized", std::move(bytes)};
}

static std::optional<EncodedMatrix> encode(const Weight &weight, MLIRContext *context) {
  if (weight.quantized)
    return encodeBlocks(weight, context);
  const Dequantized &matrix = *weight.dequantized;
  if (matrix.isGrouped())
    return encodeGrouped(matrix, context);
  std::optional<EncodedMatrix> floats;
  if (matrix.getSmallFloat())
    floats = encodeSmallFloats(matrix);
  return floats ? floats : decode(matrix, context);
}

/// Rows in any order. Planes of one row are of all.
static EncodedMatrix gatherRows(const EncodedMatrix &matrix, ArrayRef<int64_t> rows) {
  auto count = static_cast<int64_t>(rows.size());
  SmallVector<int64_t> shape{count, matrix.type.getDimSize(1)};
  EncodedMatrix result{matrix.type.clone(shape), matrix.name, {}};
  auto copy = [&](int64_t from, int64_t to, int64_t rowBytes) {
    for (auto [i, row] : llvm::enumerate(rows))
      std::copy_n(matrix.bytes.begin() + from + row * rowBytes, rowBytes,
                  result.bytes.begin() + to + static_cast<int64_t>(i) * rowBytes);
  };
  auto encoding = dyn_cast_or_null<EncodingInterface>(matrix.type.getEncoding());
  if (!encoding) {
    int64_t rowBytes = static_cast<int64_t>(matrix.bytes.size()) / matrix.type.getDimSize(0);
    result.bytes.resize(count * rowBytes);
    copy(0, 0, rowBytes);
    return result;
  }
  auto from = CanonicalForm::get(encoding, matrix.type.getShape());
  auto to = CanonicalForm::get(encoding, shape);
  result.bytes.resize(to.size);
  for (auto [source, target] : llvm::zip(from.planes, to.planes)) {
    if (source.arrayRows == matrix.type.getDimSize(0))
      copy(source.offset, target.offset, source.rowBytes);
    else
      std::copy_n(matrix.bytes.begin() + source.offset, source.getByteSize(),
                  result.bytes.begin() + target.offset);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

ParameterOp Parameters::getParameter(const Weight &weight) {
  std::string key = getKey(weight);
  if (auto found = known.find(key); !key.empty() && found != known.end())
    return found->second;
  ParameterOp parameter;
  if (weight.quantized || weight.dequantized) {
    std::optional<EncodedMatrix> matrix = encode(weight, module.getContext());
    if (matrix && weight.order)
      matrix = gatherRows(*matrix, *weight.order);
    if (matrix)
      parameter = create(matrix->type, makeParameterData(module.getContext(), matrix->name,
                                                         std::move(matrix->bytes)));
  } else if (weight.values) {
    Type element =
        isWeightType(weight.element) ? weight.element : Float32Type::get(module.getContext());
    parameter = create(
        RankedTensorType::get(weight.shape, element),
        makeParameterData(module.getContext(), "computed", toBytes(*weight.values, element)));
  } else {
    parameter = getFromView(weight.view);
  }
  if (!key.empty() && parameter)
    known[key] = parameter;
  return parameter;
}

ParameterOp Parameters::getFromView(const ConstantView &view) {
  Type element = view.element;
  bool isWeight = isWeightType(element);
  auto file = dyn_cast<FileAttr>(view.source);
  // Bytes that decoding made become the parameter's as they are.
  auto resource = dyn_cast<DenseResourceElementsAttr>(view.source);
  if (resource && isWeight && view.isContiguous() && view.offset == 0 &&
      resource.getType().getElementType().isInteger(8) &&
      resource.getNumElements() * 8 ==
          view.getNumElements() * static_cast<int64_t>(element.getIntOrFloatBitWidth()))
    return create(RankedTensorType::get(view.shape, element), resource);
  if (!file || !isWeight) {
    std::optional<std::vector<double>> values = view.load();
    if (!values)
      return {};
    Type stored = isWeight ? element : Builder(module.getContext()).getF32Type();
    return create(RankedTensorType::get(view.shape, stored),
                  makeParameterData(module.getContext(), "constant", toBytes(*values, stored)));
  }
  SmallVector<int64_t> strides;
  if (!view.isContiguous())
    for (auto [size, stride] : llvm::zip(view.shape, view.strides))
      strides.push_back(size == 1 ? 1 : stride);
  int64_t offset = file.getOffset() + view.offset * element.getIntOrFloatBitWidth() / 8;
  return create(RankedTensorType::get(view.shape, element),
                FileAttr::get(module.getContext(), file.getPath(), offset, strides));
}
