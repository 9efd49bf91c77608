//===- SmallFloatFormats.cpp - rounding to floats of a byte or less ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The formats of `#llmc.float`, and MXINT8, which is one of `#llmc.grouped`. They differ in their
// numbers and in how the scale of a group follows from its largest magnitude.
//
//===----------------------------------------------------------------------===//

#include "Formats.h"
#include "ScaleSearch.h"
#include "llmc/Dialect/LLMC/IR/SmallFloat.h"

#include "mlir/IR/Diagnostics.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Numbers of an encoding
//===----------------------------------------------------------------------===//

namespace {

/// What a weight divided by its scale can be: small floats, or integers from −127 to 127.
class Numbers {
public:
  explicit Numbers(EncodingInterface encoding) {
    if (auto floats = dyn_cast<SmallFloatAttr>(encoding))
      type = SmallFloat::get(floats.getElement());
  }

  unsigned encode(float position) const {
    if (type)
      return type->encode(position);
    float cut = std::clamp(position, -largestInteger, largestInteger);
    return static_cast<unsigned>(128 + static_cast<int>(std::nearbyint(cut)));
  }
  float decode(unsigned code) const {
    return type ? type->decode(code) : static_cast<float>(static_cast<int>(code) - 128);
  }
  float getLargest() const { return type ? type->getLargest() : largestInteger; }

private:
  static constexpr float largestInteger = 127;

  std::optional<SmallFloat> type; ///< none: integers
};

/// The scales that groups can have.
class Scales {
public:
  Scales(EncodingInterface encoding, ArrayRef<float> weights) : numbers(encoding) {
    auto floats = dyn_cast<SmallFloatAttr>(encoding);
    type = floats ? floats.getScale() : cast<GroupedAttr>(encoding).getScale();
    // So that the group with the largest weight has the largest scale.
    if (floats && floats.getMatrix())
      matrix = getLargestMagnitude(weights) /
               (numbers.getLargest() * SmallFloat::get(type)->getLargest());
    if (!(matrix > 0))
      matrix = 1;
  }

  const Numbers &getNumbers() const { return numbers; }
  float getMatrix() const { return matrix; }

  /// What is stored of the scale with which `largest` is the largest magnitude of a group.
  float cover(float largest) const {
    if (isa<Float8E8M0FNUType>(type))
      // OCP Microscaling Formats v1.0, section 6.3: the exponents of the largest weight and of the
      // largest number meet; what is above that number becomes it.
      return largest == 0 ? 1.0f : store(getPower(largest) / getPower(numbers.getLargest()));
    float scale = store(largest / numbers.getLargest() / matrix);
    // A group that isn't zero has a scale that isn't, where others have one of 8 bits beside it.
    return scale == 0 && largest > 0 && isByteFloat(type) ? decodeByteFloat(type, 1) : scale;
  }
  /// The nearest number of the type of scales.
  float store(float scale) const {
    if (!isByteFloat(type))
      return roundToType(type, scale);
    return decodeByteFloat(type, encodeByteFloat(type, scale));
  }
  /// The candidates of a search, as multiples of what covers the group.
  ArrayRef<float> getFactors() const {
    static constexpr float powers[] = {0.5f, 1.0f, 2.0f};
    static constexpr float steps[] = {0.6f,  0.64f, 0.68f, 0.72f, 0.76f, 0.8f,  0.84f, 0.88f,
                                      0.92f, 0.96f, 1.0f,  1.04f, 1.08f, 1.12f, 1.16f, 1.2f};
    return isa<Float8E8M0FNUType>(type) ? ArrayRef(powers) : ArrayRef(steps);
  }

private:
  /// The power of two below a positive number.
  static float getPower(float value) { return std::ldexp(1.0f, std::ilogb(value)); }

  Numbers numbers;
  Type type;
  float matrix = 1; ///< the scale of the matrix
};

//===----------------------------------------------------------------------===//
// Rounding
//===----------------------------------------------------------------------===//

class SmallFloatQuantizer final : public WeightQuantizer {
public:
  SmallFloatQuantizer(EncodingInterface encoding, ArrayRef<int64_t> shape, ArrayRef<float> weights,
                      bool search)
      : scales(encoding, weights), search(search),
        groupSize(std::max<int64_t>(getGroupSize(encoding, shape[1]), 1)),
        form(CanonicalForm::get(encoding, shape)), bytes(form.size) {
    if (form.planes.size() > SmallFloatAttr::matrix)
      form[SmallFloatAttr::matrix].write(bytes.data(), 0, 0, scales.getMatrix());
  }

  std::unique_ptr<Row> getRow(int64_t row) override {
    return std::make_unique<SmallFloatRow>(*this, row);
  }
  bool fitMatrix(ArrayRef<float> weights, ArrayRef<float> importance) override {
    shared = fit(weights, importance);
    form[SmallFloatAttr::scales].write(bytes.data(), 0, 0, shared);
    return std::isfinite(shared);
  }
  std::vector<uint8_t> take() override { return std::move(bytes); }

private:
  class SmallFloatRow final : public Row {
  public:
    SmallFloatRow(SmallFloatQuantizer &owner, int64_t row)
        : owner(owner), row(row),
          scales(owner.form[SmallFloatAttr::scales].arrayColumns, owner.shared) {}

    bool fit(int64_t group, ArrayRef<float> weights, ArrayRef<float> importance) override {
      scales[group] = owner.fit(weights, importance);
      owner.form[SmallFloatAttr::scales].write(owner.bytes.data(), row, group, scales[group]);
      return std::isfinite(scales[group]);
    }
    float round(int64_t column, float weight) override {
      float scale = scales[column / owner.groupSize], matrix = owner.scales.getMatrix();
      const Numbers &numbers = owner.scales.getNumbers();
      // A scale of 0 is that of zeros; the product may be zero where neither is.
      unsigned code = numbers.encode(scale * matrix == 0 ? 0 : weight / (scale * matrix));
      owner.form[SmallFloatAttr::codes].write(owner.bytes.data(), row, column, code);
      return numbers.decode(code) * scale * matrix;
    }

  private:
    SmallFloatQuantizer &owner;
    int64_t row;
    std::vector<float> scales;
  };

  /// The scale of a group as it is stored.
  float fit(ArrayRef<float> weights, ArrayRef<float> importance) const {
    float covering = scales.cover(getLargestMagnitude(weights)), matrix = scales.getMatrix();
    if (!search || !std::isfinite(covering))
      return covering;
    const Numbers &numbers = scales.getNumbers();
    auto nearest = [&](float position) { return numbers.decode(numbers.encode(position)); };
    auto store = [&](float scale) { return scales.store(scale / matrix) * matrix; };
    ScaleSearch found(weights, importance, nearest, store);
    found.start(covering * matrix);
    for (float factor : scales.getFactors())
      found.tryScale(store(factor * covering * matrix));
    return scales.store(found.finish() / matrix);
  }

  Scales scales;
  bool search;
  int64_t groupSize;
  CanonicalForm form;
  std::vector<uint8_t> bytes;
  float shared = 1; ///< where the matrix is one group
};

//===----------------------------------------------------------------------===//
// Formats
//===----------------------------------------------------------------------===//

/// How the groups of a format have their scales.
enum class Family {
  Plain, ///< of any size, of a type of floats
  MX,    ///< of 32, a power of two
  NV     ///< of 16, of fp8, beside one of the matrix
};

class SmallFloatFormat final : public WeightFormat {
public:
  using GetElement = Type (*)(MLIRContext *);

  /// `getElement` gives null for integers.
  SmallFloatFormat(StringRef name, Family family, GetElement getElement)
      : name(name), family(family), getElement(getElement) {}

  StringRef getName() const override { return name; }

  FailureOr<EncodingInterface> getEncoding(Location location,
                                           const FormatOptions &options) const override {
    MLIRContext *context = location.getContext();
    Type element = getElement(context);
    unsigned bits = element ? element.getIntOrFloatBitWidth() : 8;
    auto fail = [&](StringRef option) -> InFlightDiagnostic {
      return emitError(location) << option << ": expected ";
    };
    if (options.getWholeBits(bits) != bits)
      return fail("bits") << bits << " with format=" << name << ", found " << options.bits->str();
    if (!options.symmetric)
      return fail("symmetric") << "symmetric=true with format=" << name
                               << ", which has no zero points, found symmetric=false";
    if (family == Family::Plain)
      return EncodingInterface(SmallFloatAttr::get(
          context, element, options.group.value_or(bits == 4 ? 64 : GroupedAttr::channelGroup),
          options.scale ? options.scale : Float16Type::get(context), Type()));
    int64_t group = family == Family::MX ? 32 : 16;
    if (options.group.value_or(group) != group)
      return fail("group-size") << group << " with format=" << name << ", found "
                                << spellGroup(*options.group);
    if (options.scale)
      return fail("scale") << "none with format=" << name << ", which has a type of its own, found "
                           << options.scale;
    if (family == Family::NV)
      return EncodingInterface(SmallFloatAttr::get(
          context, element, group, Float8E4M3FNType::get(context), Float32Type::get(context)));
    Type power = Float8E8M0FNUType::get(context);
    if (!element)
      return EncodingInterface(GroupedAttr::get(context, bits, group, ZeroPoint::None, power));
    return EncodingInterface(SmallFloatAttr::get(context, element, group, power, Type()));
  }

  bool has(EncodingInterface encoding) const override {
    MLIRContext *context = encoding.getContext();
    bool isPlain = false;
    Type element, scale;
    if (auto floats = dyn_cast<SmallFloatAttr>(encoding)) {
      element = floats.getElement();
      scale = floats.getScale();
      isPlain = !isByteFloat(scale);
    } else if (auto grouped = dyn_cast<GroupedAttr>(encoding)) {
      scale = grouped.getScale();
      isPlain = !isByteFloat(scale);
    } else {
      return false;
    }
    if (element != getElement(context) || (!element && isPlain))
      return false;
    if (family == Family::Plain)
      return isPlain;
    return family == (isa<Float8E8M0FNUType>(scale) ? Family::MX : Family::NV) && !isPlain;
  }

  std::unique_ptr<WeightQuantizer> getQuantizer(EncodingInterface encoding, ArrayRef<int64_t> shape,
                                                ArrayRef<float> weights,
                                                const FitOptions &fit) const override {
    return std::make_unique<SmallFloatQuantizer>(encoding, shape, weights, fit.search);
  }

  bool holds(EncodingInterface encoding, ArrayRef<float> weights) const override {
    // Powers of two hold the range of weights; scales of fp8 are relative to one of fp32.
    if (family != Family::Plain)
      return true;
    Type scale = cast<SmallFloatAttr>(encoding).getScale();
    SmallFloat numbers = *SmallFloat::get(getElement(encoding.getContext()));
    float exact = getLargestMagnitude(weights) / numbers.getLargest(),
          rounded = roundToType(scale, exact);
    // What the largest number is moved by, against half the step that is there.
    float step = numbers.getLargest() - numbers.decode(numbers.largestCode - 1);
    return std::fabs(rounded - exact) * numbers.getLargest() <= exact * step / 2;
  }

  EncodingInterface widen(EncodingInterface encoding) const override {
    if (family != Family::Plain)
      return encoding;
    auto floats = cast<SmallFloatAttr>(encoding);
    MLIRContext *context = encoding.getContext();
    return SmallFloatAttr::get(context, floats.getElement(), floats.getGroup(),
                               Float32Type::get(context), Type());
  }

private:
  static std::string spellGroup(int64_t group) {
    if (group > 0)
      return std::to_string(group);
    return group == GroupedAttr::channelGroup ? "'channel'" : "'tensor'";
  }

  StringRef name;
  Family family;
  GetElement getElement;
};

} // namespace

template <typename Float>
static Type getFloat(MLIRContext *context) {
  return Float::get(context);
}
static Type getIntegers(MLIRContext *) { return {}; }

#define LLMC_SMALL_FLOAT_FORMAT(function, name, family, element)                                   \
  const WeightFormat *llmc::get##function##Format() {                                              \
    static const SmallFloatFormat format(name, Family::family, element);                           \
    return &format;                                                                                \
  }
LLMC_SMALL_FLOAT_FORMAT(FP4, "fp4", Plain, getFloat<Float4E2M1FNType>)
LLMC_SMALL_FLOAT_FORMAT(FP8, "fp8", Plain, getFloat<Float8E4M3FNType>)
LLMC_SMALL_FLOAT_FORMAT(FP8E5M2, "fp8-e5m2", Plain, getFloat<Float8E5M2Type>)
LLMC_SMALL_FLOAT_FORMAT(MXFP4, "mxfp4", MX, getFloat<Float4E2M1FNType>)
LLMC_SMALL_FLOAT_FORMAT(MXFP6, "mxfp6", MX, getFloat<Float6E2M3FNType>)
LLMC_SMALL_FLOAT_FORMAT(MXFP6E3M2, "mxfp6-e3m2", MX, getFloat<Float6E3M2FNType>)
LLMC_SMALL_FLOAT_FORMAT(MXFP8, "mxfp8", MX, getFloat<Float8E4M3FNType>)
LLMC_SMALL_FLOAT_FORMAT(MXFP8E5M2, "mxfp8-e5m2", MX, getFloat<Float8E5M2Type>)
LLMC_SMALL_FLOAT_FORMAT(MXINT8, "mxint8", MX, getIntegers)
LLMC_SMALL_FLOAT_FORMAT(NVFP4, "nvfp4", NV, getFloat<Float4E2M1FNType>)
#undef LLMC_SMALL_FLOAT_FORMAT
