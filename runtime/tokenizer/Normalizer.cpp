//===- Normalizer.cpp - what happens to text before it is split -----------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines the kinds of normalizers and reads them from JSON.
//
//===----------------------------------------------------------------------===//

#include "Normalizer.h"

#include "Unicode.h"

#include <algorithm>
#include <array>

namespace llmc::tokenizer {

namespace {

/// The characters for all bytes: printable ones stand for themselves, the others for those from
/// U+0100 on in their order.
struct ByteAlphabet {
  std::array<char32_t, 256> characters;
  std::array<std::string, 256> texts;
  std::array<int, 0x200> bytes;

  ByteAlphabet() {
    bytes.fill(-1);
    char32_t next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
      bool isPrintable =
          (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
      characters[byte] = isPrintable ? byte : next++;
      appendCharacter(texts[byte], characters[byte]);
      bytes[characters[byte]] = static_cast<int>(byte);
    }
  }
};

const ByteAlphabet &byteAlphabet() {
  static const ByteAlphabet alphabet;
  return alphabet;
}

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

class FormNormalizer : public Normalizer {
public:
  explicit FormNormalizer(NormalForm form) : form(form) {}
  llmc_status apply(TrackedText &text, RegexScratch &) const override {
    text.text = normalize(text.text, form, text.tracked);
    return llmc_ok_status();
  }

private:
  NormalForm form;
};

class LowercaseNormalizer : public Normalizer {
public:
  llmc_status apply(TrackedText &text, RegexScratch &) const override {
    TextBuilder builder(text);
    for (size_t position = 0; position < text.text.size();) {
      size_t source = position;
      appendLowercase(builder.result, nextCharacter(text.text, position));
      builder.from(source);
    }
    builder.finish();
    return llmc_ok_status();
  }
};

class StripAccentsNormalizer : public Normalizer {
public:
  llmc_status apply(TrackedText &text, RegexScratch &) const override {
    TextBuilder builder(text);
    for (size_t position = 0; position < text.text.size();) {
      size_t source = position;
      char32_t character = nextCharacter(text.text, position);
      if (isMark(character))
        continue;
      builder.result.append(text.text, source, position - source);
      builder.from(source);
    }
    builder.finish();
    return llmc_ok_status();
  }
};

class StripNormalizer : public Normalizer {
public:
  StripNormalizer(bool left, bool right) : left(left), right(right) {}
  llmc_status apply(TrackedText &text, RegexScratch &) const override {
    size_t begin = 0;
    size_t end = text.text.size();
    while (left && begin < end) {
      size_t next = begin;
      if (!isWhitespace(nextCharacter(text.text, next)))
        break;
      begin = next;
    }
    while (right && end > begin) {
      char32_t last = previousCharacter(text.text, end);
      if (!isWhitespace(last))
        break;
      std::string bytes;
      appendCharacter(bytes, last);
      end -= bytes.size();
    }
    text.text = text.text.substr(begin, end - begin);
    text.tracked = std::min(text.tracked > begin ? text.tracked - begin : 0, text.text.size());
    return llmc_ok_status();
  }

private:
  bool left;
  bool right;
};

class PrependNormalizer : public Normalizer {
public:
  explicit PrependNormalizer(std::string prefix) : prefix(std::move(prefix)) {}
  llmc_status apply(TrackedText &text, RegexScratch &) const override {
    if (text.text.empty())
      return llmc_ok_status();
    text.text.insert(0, prefix);
    if (text.tracked > 0)
      text.tracked += prefix.size();
    return llmc_ok_status();
  }

private:
  std::string prefix;
};

class ReplaceNormalizer : public Normalizer {
public:
  ReplaceNormalizer(Pattern pattern, std::string content)
      : pattern(std::move(pattern)), content(std::move(content)) {}
  llmc_status apply(TrackedText &text, RegexScratch &scratch) const override {
    TextBuilder builder(text);
    LLMC_RETURN_IF_ERROR(pattern.forEachMatch(text.text, scratch, [&](const Match &match) {
      if (match.isMatch) {
        builder.result += content;
        builder.from(match.span.end > 0 ? match.span.end - 1 : 0);
        return text.checkSize(builder.result.size());
      }
      // The tracked bytes may end within this part.
      size_t begin = builder.result.size();
      builder.result.append(text.text, match.span.begin, match.span.size());
      if (match.span.begin < text.tracked)
        builder.trackTo(begin + std::min(match.span.size(), text.tracked - match.span.begin));
      return llmc_ok_status();
    }));
    builder.finish();
    return llmc_ok_status();
  }

private:
  Pattern pattern;
  std::string content;
};

class ByteLevelNormalizer : public Normalizer {
public:
  llmc_status apply(TrackedText &text, RegexScratch &) const override {
    TextBuilder builder(text);
    for (size_t i = 0; i < text.text.size(); ++i) {
      appendByteCharacter(builder.result, static_cast<unsigned char>(text.text[i]));
      builder.from(i);
    }
    builder.finish();
    return llmc_ok_status();
  }
};

class SequenceNormalizer : public Normalizer {
public:
  llmc_status apply(TrackedText &text, RegexScratch &scratch) const override {
    for (const auto &normalizer : normalizers) {
      LLMC_RETURN_IF_ERROR(normalizer->apply(text, scratch));
      LLMC_RETURN_IF_ERROR(text.checkSize(text.text.size()));
    }
    return llmc_ok_status();
  }

  std::vector<std::unique_ptr<Normalizer>> normalizers;
};

} // namespace

TrackedText TrackedText::begin(std::string_view piece, bool beginsInput) {
  TrackedText text;
  text.text = piece;
  text.tracked = beginsInput && !piece.empty() ? characterSize(piece, 0) : 0;
  text.limit = 32 * piece.size() + (size_t(1) << 20);
  return text;
}

llmc_status TrackedText::checkSize(size_t size) const {
  if (size <= limit)
    return llmc_ok_status();
  return llmc_make_status(LLMC_OUT_OF_MEMORY,
                          "the tokenizer's rules make a text of more than %zu bytes", limit);
}

void appendByteCharacter(std::string &text, unsigned char byte) {
  text += byteAlphabet().texts[byte];
}

int byteOfCharacter(char32_t character) {
  const auto &bytes = byteAlphabet().bytes;
  return character < bytes.size() ? bytes[character] : -1;
}

llmc_status parsePattern(const JsonView &json, Pattern &pattern) {
  LLMC_RETURN_IF_ERROR(json.expectMembers({"String", "Regex"}));
  if (json.has("String") == json.has("Regex"))
    return json.corrupt("expected one of 'String' and 'Regex'");
  std::string text;
  if (json.has("String")) {
    LLMC_RETURN_IF_ERROR(json.member("String").readString(text));
    pattern = Pattern::literal(std::move(text));
    return llmc_ok_status();
  }
  JsonView regex = json.member("Regex");
  LLMC_RETURN_IF_ERROR(regex.readString(text));
  return llmc_annotate_status(Pattern::compile(text, pattern), regex.getPath().c_str());
}

llmc_status Normalizer::parse(const JsonView &json, std::unique_ptr<Normalizer> &normalizer) {
  if (json.isNull())
    return llmc_ok_status();
  std::string type;
  LLMC_RETURN_IF_ERROR(json.readType(type));

  struct Form {
    const char *name;
    NormalForm form;
  };
  for (Form form : {Form{"NFC", NormalForm::C}, Form{"NFD", NormalForm::D},
                    Form{"NFKC", NormalForm::KC}, Form{"NFKD", NormalForm::KD}}) {
    if (type != form.name)
      continue;
    normalizer = std::make_unique<FormNormalizer>(form.form);
    return json.expectMembers({"type"});
  }
  if (type == "Lowercase") {
    normalizer = std::make_unique<LowercaseNormalizer>();
    return json.expectMembers({"type"});
  }
  if (type == "StripAccents") {
    normalizer = std::make_unique<StripAccentsNormalizer>();
    return json.expectMembers({"type"});
  }
  if (type == "ByteLevel") {
    normalizer = std::make_unique<ByteLevelNormalizer>();
    return json.expectMembers({"type"});
  }
  if (type == "Strip") {
    bool left = false;
    bool right = false;
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "strip_left", "strip_right"}));
    LLMC_RETURN_IF_ERROR(json.member("strip_left").readBool(left));
    LLMC_RETURN_IF_ERROR(json.member("strip_right").readBool(right));
    normalizer = std::make_unique<StripNormalizer>(left, right);
    return llmc_ok_status();
  }
  if (type == "Prepend") {
    std::string prefix;
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "prepend"}));
    LLMC_RETURN_IF_ERROR(json.member("prepend").readString(prefix));
    normalizer = std::make_unique<PrependNormalizer>(std::move(prefix));
    return llmc_ok_status();
  }
  if (type == "Replace") {
    Pattern pattern;
    std::string content;
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "pattern", "content"}));
    LLMC_RETURN_IF_ERROR(parsePattern(json.member("pattern"), pattern));
    LLMC_RETURN_IF_ERROR(json.member("content").readString(content));
    normalizer = std::make_unique<ReplaceNormalizer>(std::move(pattern), std::move(content));
    return llmc_ok_status();
  }
  if (type == "Sequence") {
    auto sequence = std::make_unique<SequenceNormalizer>();
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "normalizers"}));
    JsonView list = json.member("normalizers");
    LLMC_RETURN_IF_ERROR(list.expectArray());
    for (size_t i = 0; i < list.size(); ++i) {
      std::unique_ptr<Normalizer> element;
      LLMC_RETURN_IF_ERROR(list.element(i).expectObject());
      LLMC_RETURN_IF_ERROR(parse(list.element(i), element));
      sequence->normalizers.push_back(std::move(element));
    }
    normalizer = std::move(sequence);
    return llmc_ok_status();
  }
  return json.member("type").unsupportedKind("normalizer", type);
}

} // namespace llmc::tokenizer
