//===- Text.h - strings that know what came from outside ------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the strings of templates. Each byte is the template's or a message's, and stays so
// through every operation: however a template trims, splits or replaces a message, what came from
// it can be told from what the template wrote.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_TEXT_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_TEXT_H

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace llmc::tokenizer::jinja {

/// A range of bytes: from `begin` to before `end`.
struct Run {
  size_t begin;
  size_t end;

  bool operator==(const Run &other) const { return begin == other.begin && end == other.end; }
};

/// Valid UTF-8, parts of which are marked as a message's.
class Text {
public:
  Text() = default;
  /// The template's own text.
  Text(std::string bytes) : bytes(std::move(bytes)) {}
  Text(std::string_view bytes) : bytes(bytes) {}
  Text(const char *bytes) : bytes(bytes) {}
  /// Text all of which is a message's.
  static Text fromMessage(std::string_view bytes);

  const std::string &str() const { return bytes; }
  size_t size() const { return bytes.size(); }
  bool empty() const { return bytes.empty(); }
  bool hasMarks() const { return !marks.empty(); }
  /// The marked ranges: ascending, apart from each other, none of them empty.
  const std::vector<Run> &getMarks() const { return marks; }
  bool isMarked(size_t position) const;

  void append(std::string_view added, bool marked = false);
  void append(const std::string &added) { append(std::string_view(added)); }
  void append(const char *added) { append(std::string_view(added)); }
  void append(const Text &added) { append(added, 0, added.size()); }
  /// Appends the bytes of `added` from `begin` to before `end`.
  void append(const Text &added, size_t begin, size_t end);
  Text slice(size_t begin, size_t end) const;
  void reserve(size_t size) { bytes.reserve(size); }

  /// The bytes alone: where text came from makes it no other text.
  bool operator==(const Text &other) const { return bytes == other.bytes; }
  bool operator<(const Text &other) const { return bytes < other.bytes; }

private:
  void mark(size_t begin, size_t end);

  std::string bytes;
  std::vector<Run> marks;
};

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_TEXT_H
