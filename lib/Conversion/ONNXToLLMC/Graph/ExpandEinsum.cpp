//===- ExpandEinsum.cpp - Einstein sums as products of matrices ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// An equation says which axes of the operands are the same. Of two operands, axes that both have
// and the result has not are summed over, which a matrix product does; axes that both and the
// result have are its batch. Without axes to sum over it is a product of elements.
//
//===----------------------------------------------------------------------===//

#include "Graph/Expansion.h"
#include "Graph/Expansions.h"

using namespace mlir;
using namespace llmc;

/// A letter, or 256 plus an axis that `...` stands for, counted from the end.
using Labels = SmallVector<int>;

namespace {

/// An operand with a label for each axis.
struct Term {
  Value value;
  Labels labels;
  SmallVector<int64_t> shape;
  bool isConstant = false;

  bool has(int label) const { return llvm::is_contained(labels, label); }
  int64_t find(int label) const { return llvm::find(labels, label) - labels.begin(); }
};

class EinsumExpansion {
public:
  explicit EinsumExpansion(Expansion &e) : e(e) {}
  Expanded run();

private:
  bool parse(StringRef equation);
  std::optional<Labels> parseLabels(StringRef text, int64_t rank);
  Term sumOver(Term term, llvm::function_ref<bool(int)> keeps);
  Term arrange(Term term, const Labels &labels);
  Term multiply(Term a, Term b, const Labels &kept);
  Term contract(Term a, Term b, const Labels &summed, const Labels &shared);
  Value flatten(const Term &term, size_t first, size_t count);

  Expansion &e;
  SmallVector<Term> terms;
  Labels output;
  std::string error;
};

} // namespace

/// The labels of an operand or, with a rank of -1, of the result.
std::optional<Labels> EinsumExpansion::parseLabels(StringRef text, int64_t rank) {
  static constexpr int ellipsis = 256;
  int64_t hidden = 0;
  if (rank >= 0)
    hidden = rank - static_cast<int64_t>(llvm::count_if(text, llvm::isAlpha));
  else
    for (const Term &term : terms)
      hidden = std::max<int64_t>(
          hidden, llvm::count_if(term.labels, [](int label) { return label >= ellipsis; }));
  Labels labels;
  while (!text.empty()) {
    if (text.consume_front("...")) {
      for (int64_t i = hidden; i-- > 0;)
        labels.push_back(ellipsis + static_cast<int>(i));
      continue;
    }
    if (!llvm::isAlpha(text.front()) || llvm::is_contained(labels, text.front()))
      return std::nullopt;
    labels.push_back(text.front());
    text = text.drop_front();
  }
  if (hidden < 0 || (rank >= 0 && static_cast<int64_t>(labels.size()) != rank))
    return std::nullopt;
  return labels;
}

bool EinsumExpansion::parse(StringRef equation) {
  std::string text = equation.str();
  llvm::erase(text, ' ');
  auto [left, right] = StringRef(text).split("->");
  SmallVector<StringRef> operands;
  left.split(operands, ',');
  if (operands.size() != e.numInputs())
    return false;
  for (auto [i, operand] : llvm::enumerate(operands)) {
    const HostTensor *tensor = e.tensor(i);
    auto labels = parseLabels(operand, tensor->shape.size());
    if (!labels)
      return false;
    terms.push_back({e.input(i), *labels, tensor->shape,
                     tensor->isKnown() || tensor->constant || tensor->isWeights});
  }
  if (StringRef(text).contains("->")) {
    auto labels = parseLabels(right, -1);
    output = labels.value_or(Labels());
    return labels.has_value() && llvm::all_of(output, [&](int label) {
             return llvm::any_of(terms, [&](const Term &term) { return term.has(label); });
           });
  }
  // Without a result: what `...` stands for, then labels that stand once, by the alphabet.
  std::map<int, int> counts;
  for (const Term &term : terms)
    for (int label : term.labels)
      ++counts[label];
  for (auto [label, count] : llvm::reverse(counts))
    if (label >= 256)
      output.push_back(label);
  for (auto [label, count] : counts)
    if (label < 256 && count == 1)
      output.push_back(label);
  return true;
}

/// A term summed over the axes that are not kept.
Term EinsumExpansion::sumOver(Term term, llvm::function_ref<bool(int)> keeps) {
  SmallVector<int64_t> axes;
  Term result{term.value, {}, {}, term.isConstant};
  for (auto [i, label] : llvm::enumerate(term.labels)) {
    if (!keeps(label)) {
      axes.push_back(i);
      continue;
    }
    result.labels.push_back(label);
    result.shape.push_back(term.shape[i]);
  }
  if (!axes.empty())
    result.value =
        e.make("ReduceSum", {term.value, e.makeIntegers(axes)}, {{"keepdims", e.integer(0)}});
  return result;
}

/// A term with its axes in another order; those that it does not have are of size one.
Term EinsumExpansion::arrange(Term term, const Labels &labels) {
  SmallVector<int64_t> permutation, added, shape;
  for (auto [i, label] : llvm::enumerate(labels)) {
    if (term.has(label)) {
      permutation.push_back(term.find(label));
      shape.push_back(term.shape[term.find(label)]);
    } else {
      added.push_back(i);
      shape.push_back(1);
    }
  }
  Value value = e.unsqueeze(e.transpose(term.value, permutation), added);
  return {value, labels, shape, term.isConstant};
}

/// A term whose axes `first` … `first + count - 1` are one.
Value EinsumExpansion::flatten(const Term &term, size_t first, size_t count) {
  if (count == 1)
    return term.value;
  if (count == 0)
    return e.unsqueeze(term.value, static_cast<int64_t>(first));
  Value shape = e.make("Shape", term.value);
  SmallVector<Value> dims;
  for (size_t axis = 0; axis < term.shape.size();) {
    size_t width = axis == first ? count : 1;
    SmallVector<int64_t> places;
    for (size_t i = 0; i < width; ++i)
      places.push_back(axis + i);
    Value dim = e.make("Gather", {shape, e.makeIntegers(places)}, {{"axis", e.integer(0)}});
    if (width > 1)
      dim = e.make("ReduceProd", {dim, e.makeIntegers({0})}, {{"keepdims", e.integer(1)}});
    dims.push_back(dim);
    axis += width;
  }
  return e.make("Reshape", {term.value, e.concat(dims, 0)});
}

/// The product of two terms, summed over `summed`; `shared` are axes that both and the result have.
Term EinsumExpansion::contract(Term a, Term b, const Labels &summed, const Labels &shared) {
  Labels freeA, freeB;
  for (int label : a.labels)
    if (!b.has(label))
      freeA.push_back(label);
  for (int label : b.labels)
    if (!a.has(label))
      freeB.push_back(label);
  auto join = [](std::initializer_list<Labels> parts) {
    Labels all;
    for (const Labels &part : parts)
      llvm::append_range(all, part);
    return all;
  };
  if (shared.empty()) {
    // Rows times a matrix: rows may have any number of axes.
    Term left = arrange(a, join({freeA, summed})), right = arrange(b, join({summed, freeB}));
    left.value = flatten(left, freeA.size(), summed.size());
    Term narrow = right;
    narrow.value = flatten(right, 0, summed.size());
    narrow.shape.erase(narrow.shape.begin() + 1, narrow.shape.begin() + summed.size());
    Value matrix = flatten(narrow, 1, freeB.size());
    Value rows = freeA.empty() ? e.unsqueeze(left.value, int64_t(0)) : left.value;
    Value product = e.make("MatMul", {rows, matrix});
    SmallVector<int64_t> shape(left.shape.begin(), left.shape.begin() + freeA.size());
    shape.append(right.shape.begin() + summed.size(), right.shape.end());
    if (freeA.empty())
      product = e.squeeze(product, int64_t(0));
    if (freeB.empty())
      product = e.squeeze(product, int64_t(-1));
    else if (freeB.size() > 1) {
      SmallVector<Value> dims;
      if (!freeA.empty()) {
        SmallVector<int64_t> places;
        for (size_t i = 0; i < freeA.size(); ++i)
          places.push_back(i);
        dims.push_back(e.make("Gather", {e.make("Shape", product), e.makeIntegers(places)},
                              {{"axis", e.integer(0)}}));
      }
      SmallVector<int64_t> places;
      for (size_t i = 0; i < freeB.size(); ++i)
        places.push_back(summed.size() + i);
      dims.push_back(e.make("Gather", {e.make("Shape", right.value), e.makeIntegers(places)},
                            {{"axis", e.integer(0)}}));
      product = e.make("Reshape", {product, e.concat(dims, 0)});
    }
    return {product, join({freeA, freeB}), shape, false};
  }
  // One axis of each is the matrix's: rows where there are rows. The others are axes of the batch
  // that the other operand has not.
  auto takeOut = [&](Labels &labels, const Term &term) {
    if (labels.empty())
      return Labels();
    auto *chosen = llvm::find_if(labels, [&](int label) {
      int64_t size = term.shape[term.find(label)];
      return size == e.probe.getSizes().rows || size == e.probe.getSizes().total();
    });
    chosen = chosen == labels.end() ? labels.end() - 1 : chosen;
    Labels taken{*chosen};
    labels.erase(chosen);
    return taken;
  };
  Labels rowsA = takeOut(freeA, a), columnsB = takeOut(freeB, b);
  Labels batch = join({shared, freeA, freeB});
  Term left = arrange(a, join({batch, rowsA, summed}));
  Term right = arrange(b, join({batch, summed, columnsB}));
  left.value = flatten(left, batch.size() + rowsA.size(), summed.size());
  right.value = flatten(right, batch.size(), summed.size());
  if (rowsA.empty())
    left.value = e.unsqueeze(left.value, int64_t(-2));
  if (columnsB.empty())
    right.value = e.unsqueeze(right.value, int64_t(-1));
  Value product = e.make("MatMul", {left.value, right.value});
  if (columnsB.empty())
    product = e.squeeze(product, int64_t(-1));
  if (rowsA.empty())
    product = e.squeeze(product, columnsB.empty() ? int64_t(-1) : int64_t(-2));
  Term result{product, join({batch, rowsA, columnsB}), {}, false};
  for (int label : result.labels)
    result.shape.push_back(a.has(label) ? a.shape[a.find(label)] : b.shape[b.find(label)]);
  return result;
}

Term EinsumExpansion::multiply(Term a, Term b, const Labels &kept) {
  auto isKept = [&](int label) { return llvm::is_contained(kept, label); };
  a = sumOver(std::move(a), [&](int label) { return isKept(label) || b.has(label); });
  b = sumOver(std::move(b), [&](int label) { return isKept(label) || a.has(label); });
  // The matrix stands on the right.
  if (a.isConstant && !b.isConstant)
    std::swap(a, b);
  Labels summed, shared;
  for (int label : a.labels)
    if (b.has(label))
      (isKept(label) ? shared : summed).push_back(label);
  if (!summed.empty())
    return contract(std::move(a), std::move(b), summed, shared);
  Labels all(a.labels);
  for (int label : b.labels)
    if (!a.has(label))
      all.push_back(label);
  // In the result's order where that is all of it: no transpose is needed behind.
  if (all.size() == output.size() &&
      llvm::all_of(output, [&](int label) { return llvm::is_contained(all, label); }))
    all = output;
  Term left = arrange(a, all), right = arrange(b, all);
  SmallVector<int64_t> shape;
  for (auto [one, other] : llvm::zip(left.shape, right.shape))
    shape.push_back(std::max(one, other));
  return {e.make("Mul", {left.value, right.value}), all, shape, a.isConstant && b.isConstant};
}

Expanded EinsumExpansion::run() {
  StringRef equation = e.node.getString("equation", "");
  if (!parse(equation))
    return e.fail("expected an equation of distinct labels for each of " + Twine(e.numInputs()) +
                  " operands, found '" + equation + "'");
  Term result = terms[0];
  for (size_t i = 1; i < terms.size(); ++i) {
    Labels kept(output);
    for (size_t later = i + 1; later < terms.size(); ++later)
      llvm::append_range(kept, terms[later].labels);
    result = multiply(std::move(result), terms[i], kept);
  }
  result = sumOver(std::move(result), [&](int label) { return llvm::is_contained(output, label); });
  return e.replace(arrange(std::move(result), output).value);
}

Expanded llmc::expandEinsum(Expansion &e) { return EinsumExpansion(e).run(); }
