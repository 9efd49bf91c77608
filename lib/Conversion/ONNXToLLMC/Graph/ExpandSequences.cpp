//===- ExpandSequences.cpp - sequences of tensors as the tensors ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/Expansion.h"
#include "Graph/Expansions.h"

using namespace mlir;
using namespace llmc;

/// More tensors than any model has in a sequence.
static constexpr int64_t maxLength = 4096;

/// The tensors of the sequence that input `i` is, or null where it is none that was made here.
static const SmallVector<Value> *getSequence(Expansion &e, unsigned i) {
  auto found = e.sequences.find(e.probe.resolve(e.input(i)));
  return found == e.sequences.end() ? nullptr : &found->second;
}

/// A place in a sequence, counted from the end where negative; `count` is one more than the last.
static std::optional<int64_t> getPlace(Expansion &e, unsigned i, int64_t count) {
  auto given = e.integers(i);
  if (!given || given->size() != 1)
    return std::nullopt;
  int64_t place = given->front() < 0 ? given->front() + count : given->front();
  return place < 0 || place >= count ? std::nullopt : std::optional(place);
}

Expanded llmc::expandSplitToSequence(Expansion &e) {
  ArrayRef<int64_t> shape = e.tensor(0)->shape;
  int64_t axis = normalizeAxis(e.node.getInt("axis", 0), shape.size());
  if (axis < 0)
    return e.fail("expected an axis inside the rank");
  int64_t size = shape[axis];
  SmallVector<int64_t> sizes;
  bool isOneEach = !e.has(1);
  if (isOneEach) {
    sizes.assign(std::min(size, maxLength + 1), 1);
  } else {
    auto given = e.integers(1);
    if (!given)
      return e.fail("expected known sizes of its parts");
    if (!e.tensor(1)->shape.empty()) {
      sizes = *given;
    } else {
      // One size: the last part is what is left.
      int64_t each = given->front();
      if (each < 1)
        return e.fail("expected parts of 1 or more, found " + Twine(each));
      for (int64_t left = size; left > 0 && static_cast<int64_t>(sizes.size()) <= maxLength;
           left -= each)
        sizes.push_back(std::min(each, left));
    }
  }
  if (sizes.empty() || static_cast<int64_t>(sizes.size()) > maxLength)
    return e.fail("expected 1 to " + Twine(maxLength) + " parts, found " +
                  (sizes.empty() ? "none" : "more"));
  SmallVector<Value> parts = e.makeMany("Split", sizes.size(), {e.input(0), e.makeIntegers(sizes)},
                                        {{"axis", e.integer(axis)}});
  if (isOneEach && e.node.getInt("keepdims", 1) == 0)
    for (Value &part : parts)
      part = e.squeeze(part, axis);
  return e.hold(std::move(parts));
}

Expanded llmc::expandSequenceConstruct(Expansion &e) {
  return e.hold(SmallVector<Value>(e.node.op.getInputs()));
}

Expanded llmc::expandSequenceEmpty(Expansion &e) { return e.hold({}); }

Expanded llmc::expandSequenceInsert(Expansion &e) {
  const SmallVector<Value> *known = getSequence(e, 0);
  if (!known)
    return Expanded::Kept;
  SmallVector<Value> tensors(*known);
  int64_t count = tensors.size();
  // Without a place it comes last; a place counts from the end where negative.
  std::optional<int64_t> place = count;
  if (e.has(2)) {
    auto given = e.integers(2);
    if (!given || given->size() != 1 || given->front() < -count || given->front() > count)
      return e.fail("expected a known place in its sequence");
    place = given->front() < 0 ? given->front() + count : given->front();
  }
  tensors.insert(tensors.begin() + *place, e.input(1));
  return e.hold(std::move(tensors));
}

Expanded llmc::expandSequenceErase(Expansion &e) {
  const SmallVector<Value> *known = getSequence(e, 0);
  if (!known)
    return Expanded::Kept;
  SmallVector<Value> tensors(*known);
  std::optional<int64_t> place = tensors.size() - 1;
  if (e.has(1))
    place = getPlace(e, 1, tensors.size());
  if (tensors.empty() || !place)
    return e.fail("expected a known place in its sequence");
  tensors.erase(tensors.begin() + *place);
  return e.hold(std::move(tensors));
}

Expanded llmc::expandSequenceAt(Expansion &e) {
  const SmallVector<Value> *tensors = getSequence(e, 0);
  if (!tensors)
    return Expanded::Kept;
  std::optional<int64_t> place = getPlace(e, 1, tensors->size());
  if (!place)
    return e.fail("expected a known place in a sequence of " + Twine(tensors->size()));
  return e.replace((*tensors)[*place]);
}

Expanded llmc::expandSequenceLength(Expansion &e) {
  const SmallVector<Value> *tensors = getSequence(e, 0);
  return tensors ? e.replace(e.makeInteger(tensors->size())) : Expanded::Kept;
}

Expanded llmc::expandConcatFromSequence(Expansion &e) {
  const SmallVector<Value> *known = getSequence(e, 0);
  if (!known)
    return Expanded::Kept;
  SmallVector<Value> tensors(*known);
  if (tensors.empty())
    return e.fail("expected a sequence of one tensor or more");
  int64_t axis = e.node.getInt("axis", 0);
  if (e.node.getInt("new_axis", 0) != 0)
    for (Value &tensor : tensors)
      tensor = e.unsqueeze(tensor, axis);
  return e.replace(e.make("Concat", tensors, {{"axis", e.integer(axis)}}));
}
