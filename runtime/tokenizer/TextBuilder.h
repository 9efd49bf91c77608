//===- TextBuilder.h - a text made from another --------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines what normalizers write their texts with.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_TEXTBUILDER_H
#define LLMC_RUNTIME_TOKENIZER_TEXTBUILDER_H

#include "Normalizer.h"

#include <string>

namespace llmc::tokenizer {

/// Builds a text from another, and follows which of the leading bytes are tracked.
class TextBuilder {
public:
  explicit TextBuilder(TrackedText &target) : target(target) { result.reserve(target.text.size()); }

  /// Notes that all that was appended since the last call comes from the byte at `source`.
  void from(size_t source) {
    if (source < target.tracked)
      tracked = result.size();
  }

  void trackTo(size_t size) { tracked = size; }

  void finish() {
    target.text = std::move(result);
    target.tracked = tracked;
  }

  std::string result;

private:
  TrackedText &target;
  size_t tracked = 0;
};

/// Writes a text anew, character by character: `write(character, builder)` appends what becomes of
/// one to builder.result.
template <typename Writer>
void rewriteCharacters(TrackedText &text, Writer write) {
  TextBuilder builder(text);
  for (size_t position = 0; position < text.text.size();) {
    size_t source = position;
    size_t before = builder.result.size();
    write(nextCharacter(text.text, position), builder);
    if (builder.result.size() != before)
      builder.from(source);
  }
  builder.finish();
}

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_TEXTBUILDER_H
