//===- Text.cpp - strings that know what came from outside ----------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Carries marks along with bytes.
//
//===----------------------------------------------------------------------===//

#include "Text.h"

#include <algorithm>

namespace llmc::tokenizer::jinja {

/// The first run that ends after `position`.
static std::vector<Run>::const_iterator firstAfter(const std::vector<Run> &runs, size_t position) {
  return std::upper_bound(runs.begin(), runs.end(), position,
                          [](size_t value, const Run &run) { return value < run.end; });
}

Text Text::fromMessage(std::string_view bytes) {
  Text result;
  result.append(bytes, /*marked=*/true);
  return result;
}

bool Text::isMarked(size_t position) const {
  auto run = firstAfter(marks, position);
  return run != marks.end() && run->begin <= position;
}

void Text::mark(size_t begin, size_t end) {
  if (begin == end)
    return;
  if (!marks.empty() && marks.back().end == begin)
    marks.back().end = end;
  else
    marks.push_back({begin, end});
}

void Text::append(std::string_view added, bool marked) {
  bytes += added;
  if (marked)
    mark(bytes.size() - added.size(), bytes.size());
}

void Text::append(const Text &added, size_t begin, size_t end) {
  size_t offset = bytes.size();
  bytes.append(added.bytes, begin, end - begin);
  for (auto run = firstAfter(added.marks, begin); run != added.marks.end() && run->begin < end;
       ++run)
    mark(offset + std::max(run->begin, begin) - begin, offset + std::min(run->end, end) - begin);
}

Text Text::slice(size_t begin, size_t end) const {
  Text result;
  result.append(*this, begin, end);
  return result;
}

} // namespace llmc::tokenizer::jinja
