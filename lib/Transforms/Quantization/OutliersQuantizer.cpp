//===- OutliersQuantizer.cpp - rounding beside weights that stay as they are ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KeptGroup.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Transforms/Quantization/Outliers.h"

using namespace mlir;
using namespace llmc;

namespace {

class OutliersQuantizer final : public WeightQuantizer {
public:
  OutliersQuantizer(const WeightValues &values, OutliersAttr encoding, const FitOptions &fit)
      : encoding(encoding), dense(values.data), shape{values.rows, values.columns},
        groupSize(getGroupSize(encoding, values.columns)),
        form(CanonicalForm::get(encoding, shape)), list(form.size) {
    for (auto [index, isOutlier] : llvm::enumerate(values.outliers)) {
      others.push_back(!isOutlier);
      if (isOutlier)
        dense[index] = 0;
    }
    auto ofAll = cast<EncodingInterface>(encoding.getInner());
    inner = findWeightFormat(ofAll)->getQuantizer(ofAll, shape, dense, fit);
  }

  std::unique_ptr<Row> getRow(int64_t row) override {
    return std::make_unique<OutliersRow>(*this, row);
  }
  bool fitMatrix(ArrayRef<float> weights, ArrayRef<float> importance) override {
    KeptGroup group(weights, importance, others);
    return inner->fitMatrix(group.weights, group.importance);
  }
  std::vector<uint8_t> take() override {
    // The planes of all weights stand in front, where they stand by themselves.
    llvm::copy(inner->take(), list.begin());
    return std::move(list);
  }

private:
  class OutliersRow final : public Row {
  public:
    OutliersRow(OutliersQuantizer &owner, int64_t row)
        : owner(owner), row(row),
          others(ArrayRef<bool>(owner.others).slice(row * owner.shape[1], owner.shape[1])),
          inner(owner.inner->getRow(row)) {}

    bool fit(int64_t group, ArrayRef<float> weights, ArrayRef<float> importance) override {
      KeptGroup some(weights, importance, others.slice(group * owner.groupSize, weights.size()));
      return inner->fit(group, some.weights, some.importance);
    }
    float round(int64_t column, float weight) override {
      if (others[column])
        return inner->round(column, weight);
      float zero = inner->round(column, 0);
      return zero + owner.keep(row, next++, column, weight - zero);
    }

  private:
    OutliersQuantizer &owner;
    int64_t row, next = 0;
    ArrayRef<bool> others; ///< of the row
    std::unique_ptr<Row> inner;
  };

  /// Lists a number, and gives what is stored of it.
  float keep(int64_t row, int64_t element, int64_t column, float number) {
    ArrayRef<PlaneArray> planes = ArrayRef(form.planes).take_back(2);
    planes[0].write(list.data(), row, element, static_cast<unsigned>(column));
    planes[1].write(list.data(), row, element, number);
    return planes[1].readReal(list.data(), row, element);
  }

  OutliersAttr encoding;
  std::vector<float> dense; ///< the weights, zero where there are outliers
  SmallVector<bool, 0> others;
  int64_t shape[2], groupSize;
  CanonicalForm form;
  std::vector<uint8_t> list; ///< the canonical form, empty but for the list
  std::unique_ptr<WeightQuantizer> inner;
};

} // namespace

std::unique_ptr<WeightQuantizer> llmc::makeOutliersQuantizer(const WeightValues &values,
                                                             OutliersAttr encoding,
                                                             const FitOptions &fit) {
  return std::make_unique<OutliersQuantizer>(values, encoding, fit);
}
