//===- Sorting.h - sorting by what a template says ------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_SORTING_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_SORTING_H

#include <algorithm>
#include <utility>
#include <vector>

namespace llmc::tokenizer::jinja {

/// Sorts by merging; elements of equal rank keep their order. Unlike the library's, it is sure of
/// itself with an order that is none, such as that of NaNs, and with one that throws.
template <typename Element, typename Less>
void sortStably(std::vector<Element> &elements, const Less &less) {
  std::vector<Element> merged(elements.size());
  for (size_t width = 1; width < elements.size(); width *= 2) {
    for (size_t begin = 0; begin < elements.size(); begin += 2 * width) {
      size_t middle = std::min(begin + width, elements.size());
      size_t end = std::min(begin + 2 * width, elements.size());
      size_t left = begin, right = middle;
      for (size_t i = begin; i < end; ++i) {
        bool takesRight = left == middle || (right < end && less(elements[right], elements[left]));
        merged[i] = elements[takesRight ? right++ : left++];
      }
    }
    elements.swap(merged);
  }
}

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_SORTING_H
