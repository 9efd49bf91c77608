//===- KeptWeights.cpp - rounding what a sparsity keeps ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format of kept weights rounds the whole matrix, of which those are taken that are kept. What
// an algorithm makes up for in a weight that is not kept is an error of that weight: it is zero.
//
//===----------------------------------------------------------------------===//

#include "KeptGroup.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Transforms/Quantization/Outliers.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

using namespace mlir;
using namespace llmc;

namespace {

/// Weights as floats, which have nothing to be fitted.
class FloatQuantizer final : public WeightQuantizer {
public:
  FloatQuantizer(Type type, int64_t rows, int64_t columns)
      : type(type), columns(columns), bytes(rows * columns * type.getIntOrFloatBitWidth() / 8) {}

  std::unique_ptr<Row> getRow(int64_t row) override {
    return std::make_unique<FloatRow>(*this, row);
  }
  bool fitMatrix(ArrayRef<float>, ArrayRef<float>) override { return true; }
  std::vector<uint8_t> take() override { return std::move(bytes); }

private:
  class FloatRow final : public Row {
  public:
    FloatRow(FloatQuantizer &owner, int64_t row) : owner(owner), row(row) {}

    bool fit(int64_t, ArrayRef<float>, ArrayRef<float>) override { return true; }
    float round(int64_t column, float weight) override {
      int64_t index = row * owner.columns + column;
      writeFloat(owner.bytes.data(), index, owner.type, weight);
      return readFloat(owner.bytes.data(), index, owner.type);
    }

  private:
    FloatQuantizer &owner;
    int64_t row;
  };

  Type type;
  int64_t columns;
  std::vector<uint8_t> bytes;
};

class KeptQuantizer final : public WeightQuantizer {
public:
  KeptQuantizer(SparsityInterface sparsity, const WeightValues &values,
                std::unique_ptr<WeightQuantizer> inner, int64_t groupSize)
      : sparsity(sparsity), values(values), inner(std::move(inner)), groupSize(groupSize) {}

  std::unique_ptr<Row> getRow(int64_t row) override {
    return std::make_unique<KeptRow>(*this, row, inner->getRow(row));
  }
  bool fitMatrix(ArrayRef<float> weights, ArrayRef<float> importance) override {
    KeptGroup group(weights, importance, values.kept);
    return inner->fitMatrix(group.weights, group.importance);
  }
  std::vector<uint8_t> take() override {
    return sparsity.pack(inner->take(), {values.rows, values.columns}, values.kept);
  }

private:
  class KeptRow final : public Row {
  public:
    KeptRow(KeptQuantizer &owner, int64_t row, std::unique_ptr<Row> inner)
        : owner(owner), kept(ArrayRef<bool>(owner.values.kept)
                                 .slice(row * owner.values.columns, owner.values.columns)),
          inner(std::move(inner)) {}

    bool fit(int64_t group, ArrayRef<float> weights, ArrayRef<float> importance) override {
      KeptGroup some(weights, importance, kept.slice(group * owner.groupSize, weights.size()));
      return inner->fit(group, some.weights, some.importance);
    }
    float round(int64_t column, float weight) override {
      return kept[column] ? inner->round(column, weight) : 0;
    }

  private:
    KeptQuantizer &owner;
    ArrayRef<bool> kept; ///< of the row
    std::unique_ptr<Row> inner;
  };

  SparsityInterface sparsity;
  const WeightValues &values;
  std::unique_ptr<WeightQuantizer> inner;
  int64_t groupSize;
};

} // namespace

FailureOr<EncodingInterface> llmc::keepSparsity(ParameterOp parameter, EncodingInterface encoding) {
  auto sparsity = dyn_cast_or_null<SparsityInterface>(parameter.getTensorType().getEncoding());
  if (!sparsity)
    return encoding;
  EncodingInterface result =
      sparsity.storeWeightsAs(encoding, [&] { return parameter.emitOpError(); });
  if (!result)
    return failure();
  return result;
}

std::unique_ptr<WeightQuantizer> llmc::getQuantizer(const WeightValues &values,
                                                    EncodingInterface encoding,
                                                    MakeQuantizer makeQuantizer) {
  const int64_t shape[] = {values.rows, values.columns};
  auto sparsity = dyn_cast<SparsityInterface>(encoding);
  if (!sparsity)
    return makeQuantizer(encoding, shape);
  std::unique_ptr<WeightQuantizer> inner;
  if (auto type = dyn_cast<TypeAttr>(sparsity.getWeights()))
    inner = std::make_unique<FloatQuantizer>(type.getValue(), values.rows, values.columns);
  else
    inner = makeQuantizer(cast<EncodingInterface>(sparsity.getWeights()), shape);
  return std::make_unique<KeptQuantizer>(sparsity, values, std::move(inner),
                                         getGroupSize(encoding, values.columns));
}

std::unique_ptr<WeightQuantizer>
llmc::getQuantizer(const WeightValues &values, EncodingInterface encoding, const FitOptions &fit) {
  if (auto outliers = dyn_cast<OutliersAttr>(encoding))
    return makeOutliersQuantizer(values, outliers, fit);
  return getQuantizer(values, encoding, [&](EncodingInterface plain, ArrayRef<int64_t> shape) {
    return findWeightFormat(plain)->getQuantizer(plain, shape, values.data, fit);
  });
}
